"""Teaching forms: a clean page comes in, regions are saved, a version is activated or retired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic_hwr.accounts.access import require
from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.decoding import iterate_pages
from clinic_hwr.intake.rasters import raster_write
from clinic_hwr.intake.safety import check_size
from clinic_hwr.pages import make_upright
from clinic_hwr.pages.form_template import MOST_PAGES, TemplateRegion, regions_from_json
from clinic_hwr.pages.known_forms import BadForm

from .access import CONFIGURE
from .models import Form, FormVersion, VersionState


class FormRefused(ValueError):
    """What was asked cannot be done to this form; the message says why and what to do."""


class FormChanged(FormRefused):
    """Somebody else changed the form since it was looked at."""


def form_create(*, user: Any, site: Site, name: str, data: bytes) -> FormVersion:
    """Take a file with the clean page or pages of a new form; returns its first draft.

    Raises:
        PermissionDenied: ``user`` may not configure ``site``.
        FileRefused: the file is none of those that scans may be, broken, or too large.
        FormRefused: the name is missing or taken, or the file has too many pages.

    Audit: ``form.created``.
    """
    require(user, site, CONFIGURE)
    name = " ".join(name.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise FormRefused("Give the form a name of at most 80 characters.")
    if Form.objects.filter(site=site, name=name).exists():
        raise FormRefused(f"This site has a form of the name {name!r}: open it for a new version.")
    pages = _clean_pages(data)
    with transaction.atomic():
        try:
            with transaction.atomic():
                form = Form.objects.create(site=site, name=name, created_by=user)
        except IntegrityError as error:  # somebody else took the name meanwhile
            raise FormRefused(f"This site has a form of the name {name!r}.") from error
        version = FormVersion.objects.create(form=form, number=1, pages=pages, created_by=user)
        _record("form.created", version, user, pages=len(pages))
    return version


def version_save(
    *, user: Any, version: FormVersion, pages: Sequence[Any], edits: int | None = None
) -> FormVersion:
    """Save the regions of every page.

    A draft is saved in place. A version that is or was active is never changed: its successor,
    with the same pictures, becomes the new draft.

    Args:
        user: who drew them.
        version: what they were drawn over.
        pages: for each page its list of regions, as JSON.
        edits: ``version.edits`` as the drawer saw it; None to save in any case (imports).

    Raises:
        PermissionDenied: ``user`` may not configure the site.
        BadForm: a region cannot be used; the message says which and why.
        FormChanged: somebody else saved in between.
        FormRefused: another number of pages, or another draft is at work.

    Audit: ``form.saved``.
    """
    require(user, version.form.site, CONFIGURE)
    if len(pages) != len(version.pages):
        raise FormRefused(f"This form has {len(version.pages)} pages, not {len(pages)}.")
    regions = [_regions(number, page) for number, page in enumerate(pages, start=1)]
    with transaction.atomic():
        # the form first: two savers wait for one another, and numbers stay in order
        Form.objects.select_for_update().get(pk=version.form_id)
        stored = _stored(version, edits)
        saved = stored if stored.state == VersionState.DRAFT else _successor(stored, user)
        saved.pages = [
            {**page, "regions": [region.to_json() for region in drawn]}
            for page, drawn in zip(stored.pages, regions, strict=True)
        ]
        saved.edits += 1
        saved.save()
        _record("form.saved", saved, user, regions=sum(len(drawn) for drawn in regions))
    return saved


def version_repicture(
    *, user: Any, version: FormVersion, data: bytes, edits: int | None = None
) -> FormVersion:
    """Give a form new clean pages, as when it was printed anew; regions stay where they were.

    Raises:
        PermissionDenied, FileRefused: as ``form_create``.
        FormChanged: see ``version_save``.
        FormRefused: the file has another number of pages.

    Audit: ``form.saved``.
    """
    require(user, version.form.site, CONFIGURE)
    fresh = _clean_pages(data)
    if len(fresh) != len(version.pages):
        raise FormRefused(f"This form has {len(version.pages)} pages, the file {len(fresh)}.")
    with transaction.atomic():
        Form.objects.select_for_update().get(pk=version.form_id)
        stored = _stored(version, edits)
        saved = stored if stored.state == VersionState.DRAFT else _successor(stored, user)
        saved.pages = [
            {**new, "regions": old["regions"]} for new, old in zip(fresh, stored.pages, strict=True)
        ]
        saved.edits += 1
        saved.save()
        _record("form.saved", saved, user, pictures=len(fresh))
    return saved


def version_activate(*, user: Any, version: FormVersion, edits: int | None = None) -> FormVersion:
    """Look for this version on every page from now on, in place of the one before it.

    Raises:
        PermissionDenied: ``user`` may not configure the site.
        FormChanged: see ``version_save``.
        FormRefused: it has no region, or is active already.

    Audit: ``form.activated``.
    """
    require(user, version.form.site, CONFIGURE)
    with transaction.atomic():
        Form.objects.select_for_update().get(pk=version.form_id)
        stored = _stored(version, edits)
        if stored.state == VersionState.ACTIVE:
            raise FormRefused("This version is active already.")
        if not any(page["regions"] for page in stored.pages):
            raise FormRefused("Draw at least one region before you activate it.")
        now = timezone.now()
        FormVersion.objects.filter(form=stored.form, state=VersionState.ACTIVE).update(
            state=VersionState.RETIRED, retired_at=now
        )
        stored.state, stored.activated_at, stored.retired_at = VersionState.ACTIVE, now, None
        stored.save(update_fields=["state", "activated_at", "retired_at"])
        _record("form.activated", stored, user)
    return stored


def version_retire(*, user: Any, version: FormVersion, edits: int | None = None) -> FormVersion:
    """Look for this version no longer; what was read by it keeps pointing at it.

    Raises:
        PermissionDenied: ``user`` may not configure the site.
        FormChanged: see ``version_save``.
        FormRefused: it is not active.

    Audit: ``form.retired``.
    """
    require(user, version.form.site, CONFIGURE)
    with transaction.atomic():
        Form.objects.select_for_update().get(pk=version.form_id)
        stored = _stored(version, edits)
        if stored.state != VersionState.ACTIVE:
            raise FormRefused("Only an active version can be retired.")
        stored.state, stored.retired_at = VersionState.RETIRED, timezone.now()
        stored.save(update_fields=["state", "retired_at"])
        _record("form.retired", stored, user)
    return stored


def _stored(version: FormVersion, edits: int | None) -> FormVersion:
    """Return the version as it stands now; raises ``FormChanged`` if it is not what was seen."""
    stored = FormVersion.objects.select_related("form__site").get(pk=version.pk)
    if edits is not None and stored.edits != edits:
        raise FormChanged("Somebody else saved this form meanwhile. Reload it to see how.")
    return stored


def _clean_pages(data: bytes) -> list[dict[str, Any]]:
    """Decode a file in the sandbox that scans are decoded in, and turn its pages upright."""
    check_size(len(data))
    pages = []
    for decoded in iterate_pages(data):
        if len(pages) == MOST_PAGES:
            raise FormRefused(f"A form has at most {MOST_PAGES} pages; this file has more.")
        gray = make_upright(decoded.gray).gray
        height, width = gray.shape
        pages.append(
            {
                "image_sha256": raster_write(gray),
                "width_px": int(width),
                "height_px": int(height),
                "regions": [],
            }
        )
    return pages


def _regions(number: int, page: Any) -> tuple[TemplateRegion, ...]:
    try:
        return regions_from_json(page)
    except BadForm as error:
        raise BadForm(f"Page {number}: {error}") from error


def _successor(version: FormVersion, user: Any) -> FormVersion:
    """Return the next draft, not saved yet; one draft at a time."""
    newest = FormVersion.objects.filter(form=version.form).order_by("-number").first()
    last = newest or version
    if last.state == VersionState.DRAFT:
        raise FormRefused(f"Version {last.number} of this form is a draft already: go on with it.")
    return FormVersion(form=version.form, number=last.number + 1, created_by=user)


def _record(action: str, version: FormVersion, user: Any, **data: object) -> None:
    audit_record(
        action=action,
        site=version.form.site,
        object_type="form",
        object_id=version.pk,
        actor=user,
        data={"form": version.form.name, "version": version.number, **data},
    )
