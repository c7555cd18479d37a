"""Pages and the forms of their site: which form, which fields, what their rules say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.rasters import raster_read
from clinic_hwr.pages.form_match import FormMatch, FormMiss, FormSheet, match_form
from clinic_hwr.pages.form_template import TemplateRegion, regions_from_json
from clinic_hwr.pages.registered_fields import FormPage, registered_fields
from clinic_hwr.pages.registration import FormPrint, PagePrint
from clinic_hwr.pages.types import Gray, LineSegmenter, PrintedWord
from clinic_hwr.pages.validators import doubts
from clinic_hwr.routing.titles import field_title

from .models import FormField, FormVersion, PageForm, VersionState


@dataclass(frozen=True, slots=True)
class FormResult:
    """What the forms of a site say of one page.

    Attributes:
        match: the form it is printed on, or why none is.
        page: its fields and its ink without the form; None without a match.
    """

    match: FormMatch | FormMiss
    page: FormPage | None


@dataclass(frozen=True, slots=True)
class FieldRegionOf:
    """Where a stored field stands on its form."""

    region: int
    doubtful: bool


@dataclass(frozen=True, slots=True)
class FormDoubt:
    """A rule of a form that a value breaks: for the reviewer, never a correction.

    ``severity`` is ``stop`` for a value no person has decided, ``warn`` for one that a person has.
    """

    field_name: str
    group: int
    code: str
    message: str
    severity: str


def active_sheets(site: Site) -> tuple[FormSheet, ...]:
    """Return the pages of every active form of a site, prepared; kept in memory by picture."""
    versions = FormVersion.objects.filter(form__site=site, state=VersionState.ACTIVE)
    return tuple(sheet for version in versions for sheet in version_sheets(version))


def version_sheets(version: FormVersion) -> tuple[FormSheet, ...]:
    """Return the pages of one version, prepared."""
    return tuple(
        FormSheet(
            str(version.pk),
            number,
            _print(page["image_sha256"]),
            regions_from_json(page["regions"]),
        )
        for number, page in enumerate(version.pages, start=1)
    )


@lru_cache(maxsize=128)  # 5 MB each; preparing one takes a quarter of a second
def _print(image_sha256: str) -> FormPrint:
    return FormPrint.of(raster_read(image_sha256))


def form_result(
    gray: Gray,
    words: Sequence[PrintedWord],
    sheets: Sequence[FormSheet],
    *,
    segmenter: LineSegmenter | None,
) -> FormResult | None:
    """Look for the forms on an upright page; None when there are none to look for.

    Args:
        gray: the page.
        words: what OCR read on it.
        sheets: pages of forms.
        segmenter: marks the lines of writing; None: they are told apart the classical way.
    """
    if not sheets or min(gray.shape) < 64:
        return None
    page = PagePrint.of(gray)
    match = match_form(page, sheets)
    if isinstance(match, FormMiss):
        return FormResult(match, None)
    return FormResult(match, registered_fields(page, words, match, segmenter=segmenter))


def page_form_row(page_id: int, result: FormResult) -> PageForm:
    """Return the row that stores a result; not saved."""
    match = result.match
    row = PageForm(page_id=page_id)
    if isinstance(match, FormMatch):
        fit = match.registration.fit
    else:
        row.refusal = match.reason
        misfit = match.misfit
        if match.sheet is None or misfit is None or misfit.fit is None:
            return row
        fit = misfit.fit
    assert match.sheet is not None  # noqa: S101 - narrowed by the branches above
    row.version_id = UUID(match.sheet.key)
    row.page_number = match.sheet.number
    row.inliers, row.coincidence = fit.inliers, round(float(fit.coincidence), 4)
    row.residual_px, row.absent = round(fit.residual_px, 3), len(fit.absent)
    return row


def page_forms_replace(
    scan: Scan,
    pages: Iterable[tuple[int, FormResult]],
    fields: Iterable[tuple[int, UUID, FieldRegionOf]],
) -> None:
    """Store the form results of a scan in place of any from an earlier try.

    Args:
        scan: whose pages they are.
        pages: page id and result.
        fields: page id, field id and region; call it after the fields are stored, in the same
            transaction.
    """
    PageForm.objects.filter(page__scan=scan).delete()
    rows = {page_id: page_form_row(page_id, result) for page_id, result in pages}
    PageForm.objects.bulk_create(rows.values())
    FormField.objects.bulk_create(
        FormField(
            field_id=field_id,
            page_form=rows[page_id],
            region=place.region,
            doubtful=place.doubtful,
        )
        for page_id, field_id, place in fields
    )


def scan_form_doubts(
    scan: Scan, values: Iterable[tuple[UUID, str, bool]], *, today: date
) -> list[FormDoubt]:
    """Return what the forms of a scan's pages say against its values.

    Args:
        scan: the scan.
        values: of each field: its id, its value in force ("" for none), whether a person decided.
        today: what ``today`` in a rule means.
    """
    pages = list(PageForm.objects.select_related("version").filter(page__scan=scan, refusal=""))
    if not pages:
        return []
    places = {
        row.field_id: row
        for row in FormField.objects.select_related("page_form__version").filter(
            page_form__in=pages
        )
    }
    regions = {row.pk: _regions(row) for row in pages}
    found: list[FormDoubt] = []
    filled: set[tuple[Any, str, int]] = set()
    for field_id, value, decided in values:
        place = places.get(field_id)
        if place is None:
            continue
        region = regions[place.page_form_id][place.region]
        filled.add((place.page_form_id, region.field, region.group))
        found += _doubts(region, value, decided, scan.site.day_first, today)
        if place.doubtful:
            found.append(
                FormDoubt(
                    region.field, region.group, "form_print_missing",
                    f"{_title(region)}: print of the form is missing beside it. "
                    "It may be another version of the form.",
                    "warn" if decided else "stop",
                )
            )  # fmt: skip
    for row in pages:
        for region in regions[row.pk]:
            required = any(rule.rule == "required" for rule in region.validators)
            if required and (row.pk, region.field, region.group) not in filled:
                filled.add((row.pk, region.field, region.group))
                found += _doubts(region, "", False, scan.site.day_first, today, severity="warn")
    return found


def _doubts(
    region: TemplateRegion,
    value: str,
    decided: bool,
    day_first: bool,
    today: date,
    severity: str = "",
) -> list[FormDoubt]:
    return [
        FormDoubt(
            region.field,
            region.group,
            f"form_{doubt.rule}",
            f"{_title(region)}: {doubt.message}",
            severity or ("warn" if decided else "stop"),
        )
        for doubt in doubts(region.validators, value, day_first=day_first, today=today)
    ]


def _title(region: TemplateRegion) -> str:
    return region.label or field_title(region.field)


def _regions(row: PageForm) -> tuple[TemplateRegion, ...]:
    if row.version is None or not row.page_number:
        return ()
    return regions_from_json(row.version.pages[row.page_number - 1]["regions"])
