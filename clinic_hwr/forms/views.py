"""The pages on which an administrator teaches forms: list, editor, trial on past pages."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from PIL import Image

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.intake.access import page_get
from clinic_hwr.intake.safety import MAX_FILE_BYTES, FileRefused
from clinic_hwr.intake.storage import blob_read
from clinic_hwr.pages import TesseractMissing
from clinic_hwr.pages.form_match import FormMatch
from clinic_hwr.pages.form_template import PER_MEDICATION, RegionKind, pages_from_json
from clinic_hwr.pages.known_forms import BadForm
from clinic_hwr.pages.registration import Refusal
from clinic_hwr.pages.types import FIELD_NAMES
from clinic_hwr.pages.validators import CHECK_DIGITS
from clinic_hwr.routing.titles import field_title

from .access import CONFIGURE, forms_for, version_get
from .models import FormVersion, VersionState
from .services import (
    FormRefused,
    form_create,
    version_activate,
    version_repicture,
    version_retire,
    version_save,
)
from .testing import TriedPage, page_try, region_ink, version_try

STATE_CHIPS = {VersionState.ACTIVE: "good", VersionState.DRAFT: "info", VersionState.RETIRED: ""}
REFUSAL_WORDS = {
    Refusal.BLANK: "There is nothing on the page to go by.",
    Refusal.FEW_INLIERS: "Its print is not that of this form.",
    Refusal.IMPLAUSIBLE: "No scanner or camera could see this form that way.",
    Refusal.TURNED: "It may be this form, but the page is not upright.",
    Refusal.CUT_OFF: "Too much of the form lies outside of the page.",
    Refusal.PRINT_DIFFERS: "Its print does not coincide with that of this form.",
    Refusal.OTHER_VERSION: "It looks like another version: single pieces of print are missing.",
    Refusal.AMBIGUOUS: "Two forms fit equally well.",
}
KIND_WORDS = {
    RegionKind.TEXT: "Text, one line",
    RegionKind.DRUG: "Drug",
    RegionKind.DATE: "Date",
    RegionKind.DIGITS: "Digits",
    RegionKind.COMB: "Comb, one character a cell",
    RegionKind.CHECKBOX: "Checkbox or circled choice",
    RegionKind.SIGNATURE: "Signature",
    RegionKind.FREE_TEXT: "Free text, several lines",
    RegionKind.MEDICATIONS: "Medications, free lines",
}


@never_cache
@login_required
@require_safe
def form_list(request: HttpRequest) -> HttpResponse:
    """Show the forms of the sites that the user configures, and take new ones."""
    sites = _sites(request)
    forms = forms_for(request.user).select_related("site").prefetch_related("versions")
    rows = [
        {
            "form": form,
            "versions": [
                {"version": version, "chip": STATE_CHIPS[VersionState(version.state)]}
                for version in form.versions.all()
            ],
        }
        for form in forms
    ]
    context = {"section": "forms", "rows": rows, "sites": sites, "many_sites": len(sites) > 1}
    return render(request, "forms/list.html", context)


@login_required
@require_POST
def form_new(request: HttpRequest) -> HttpResponse:
    """Take the clean page of a new form (fields ``file``, ``name``, ``site``)."""
    sites = {site.slug: site for site in _sites(request)}
    site = sites.get(request.POST.get("site", ""))
    data = _file(request)
    if site is None or data is None:
        messages.error(request, "Choose a site, and the file with the clean page.")
        return redirect("forms")
    try:
        version = form_create(
            user=request.user, site=site, name=request.POST.get("name", ""), data=data
        )
    except (FormRefused, FileRefused, TesseractMissing) as refusal:
        messages.error(request, str(refusal))
        return redirect("forms")
    return redirect("form-edit", version_id=version.pk)


@never_cache
@login_required
@require_safe
def form_edit(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Show one version with its regions over its clean pages; drawing is the editor's."""
    version = version_get(request.user, version_id)
    draft = version.form.versions.filter(state=VersionState.DRAFT).exclude(pk=version.pk).first()
    context = {
        "section": "forms",
        "version": version,
        "chip": STATE_CHIPS[VersionState(version.state)],
        "other_draft": draft,
        "editor": _editor(version),
        "versions": version.form.versions.all(),
    }
    return render(request, "forms/edit.html", context)


@never_cache
@login_required
@require_safe
def form_test(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Try a version on the site's newest pages; ``before`` goes on with older ones."""
    version = version_get(request.user, version_id)
    before = request.GET.get("before", "")
    tried = version_try(
        user=request.user,
        version=version,
        before=int(before) if before.isdigit() and len(before) < 18 else 0,
    )
    context = {
        "section": "forms",
        "version": version,
        "tried": [_tried(version, one) for one in tried],
        "recognised": sum(one.recognised for one in tried),
        "older": tried[-1].page.pk if tried else 0,
    }
    return render(request, "forms/test.html", context)


@login_required
@require_POST
def activate(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Use a version from now on."""
    return _changed(request, version_id, version_activate, "is looked for on every page now.")


@login_required
@require_POST
def retire(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Use a version no longer."""
    return _changed(request, version_id, version_retire, "is looked for no longer.")


@login_required
@require_POST
def repicture(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Put a new clean page under the regions."""
    version = version_get(request.user, version_id)
    data = _file(request)
    try:
        if data is None:
            raise FormRefused("Choose the file with the clean page.")
        version = version_repicture(user=request.user, version=version, data=data)
    except (FormRefused, FileRefused, TesseractMissing) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The picture is new; the regions stand where they stood.")
    return redirect("form-edit", version_id=version.pk)


@login_required
@require_POST
def import_json(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Put the regions of a JSON file over the clean pages of a version."""
    version = version_get(request.user, version_id)
    data = _file(request, most=1 << 20)
    try:
        if data is None:
            raise FormRefused("Choose a JSON file of at most 1 MB.")
        _, pages = pages_from_json(json.loads(data))
        drawn = [[region.to_json() for region in page] for page in pages]
        version = version_save(user=request.user, version=version, pages=drawn)
    except (FormRefused, BadForm) as refusal:
        messages.error(request, str(refusal))
    except (ValueError, RecursionError):
        messages.error(request, "This file is no JSON.")
    else:
        messages.success(request, "The regions of the file are in place.")
    return redirect("form-edit", version_id=version.pk)


@login_required
@require_safe
def page_picture(request: HttpRequest, version_id: UUID, number: int) -> HttpResponse:
    """Show a clean page, as we encoded it."""
    version = version_get(request.user, version_id)
    if not 0 < number <= len(version.pages):
        raise Http404("This form has no such page.")
    return png_response(blob_read(version.pages[number - 1]["image_sha256"]))


@login_required
@require_safe
def region_picture(
    request: HttpRequest, version_id: UUID, scan_id: UUID, number: int, region: int
) -> HttpResponse:
    """Show what a region of a past page holds once the form is taken off."""
    version = version_get(request.user, version_id)
    page = page_get(request.user, scan_id, number)
    if page.scan.site_id != version.form.site_id:
        raise Http404("This page is of another site.")
    result = page_try(user=request.user, version=version, page=page)
    ink = region_ink(result, region) if result else None
    if ink is None:
        raise Http404("This page is not printed on the form.")
    buffer = io.BytesIO()
    Image.fromarray(ink).save(buffer, "PNG")
    return png_response(buffer.getvalue())


def _sites(request: HttpRequest) -> list[Any]:
    sites = list(accessible_sites(request.user, CONFIGURE).order_by("name"))
    if not sites:
        raise PermissionDenied("Forms are for administrators.")
    return sites


def _file(request: HttpRequest, *, most: int = MAX_FILE_BYTES) -> bytes | None:
    file = request.FILES.get("file")
    if file is None:
        return None
    return file.read(most + 1) if most == MAX_FILE_BYTES else _small(file.read(most + 1), most)


def _small(data: bytes, most: int) -> bytes | None:
    return data if len(data) <= most else None


def _changed(request: HttpRequest, version_id: UUID, change: Any, words: str) -> HttpResponse:
    version = version_get(request.user, version_id)
    try:
        version = change(user=request.user, version=version)
    except FormRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{version.form.name}, version {version.number}, {words}")
    return redirect("form-edit", version_id=version.pk)


def _editor(version: FormVersion) -> dict[str, Any]:
    """Everything the editor's script needs, as JSON."""
    return {
        "saveUrl": reverse("form-save", args=[version.pk]),
        "edits": version.edits,
        "isDraft": version.state == VersionState.DRAFT,
        "pages": [
            {
                "url": reverse("form-picture", args=[version.pk, number]),
                "width": page["width_px"],
                "height": page["height_px"],
                "regions": page["regions"],
            }
            for number, page in enumerate(version.pages, start=1)
        ],
        "fields": [
            {
                "name": name,
                "title": field_title(name),
                "kind": str(kind),
                "group": name in PER_MEDICATION,
            }
            for name, kind in FIELD_NAMES.items()
        ],
        "kinds": [{"name": str(kind), "words": words} for kind, words in KIND_WORDS.items()],
        "checkDigits": list(CHECK_DIGITS),
    }


def _tried(version: FormVersion, tried: TriedPage) -> dict[str, Any]:
    """One past page as the template shows it."""
    page = tried.page
    row = tried_words(tried)
    for number, region in enumerate(row.get("regions", ())):
        where = [version.pk, page.scan_id, page.number, number]
        region["ink"] = reverse("form-test-ink", args=where)
    return row


def tried_words(tried: TriedPage) -> dict[str, Any]:
    """Return what a version makes of a past page, in words: ``reason``, or ``fit`` and regions."""
    result = tried.result
    row: dict[str, Any] = {"page": tried.page, "recognised": tried.recognised}
    if result is None:
        return {**row, "reason": "The form has no region yet."}
    if not isinstance(result.match, FormMatch):
        misfit = result.match.misfit
        return {**row, "reason": REFUSAL_WORDS[result.match.reason], "fit": misfit and misfit.fit}
    assert result.page is not None  # noqa: S101 - a match has one
    regions = result.match.sheet.regions
    written = {one.region for one in result.page.fields if one.field.present is not False}
    row["fit"] = result.match.registration.fit
    row["percent"] = round(100 * row["fit"].coincidence, 1)
    row["absent"] = len(row["fit"].absent)
    row["regions"] = [
        {
            "title": region.label or field_title(region.field, region.group),
            "box": box,
            "written": number in written,
        }
        for number, (region, box) in enumerate(zip(regions, result.page.boxes, strict=True))
    ]
    return row


def png_response(image: bytes) -> HttpResponse:
    """Answer a PNG that no browser keeps, sniffs, runs or shows inside another site."""
    response = HttpResponse(image, content_type="image/png")
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
