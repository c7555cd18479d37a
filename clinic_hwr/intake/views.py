"""What the browser needs of intake: the upload form's target, page pictures and field crops."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.services import audit_record
from clinic_hwr.routing.models import Field

from .access import page_get, scans_for
from .models import Scan
from .safety import FileRefused
from .services import scan_receive_file, scan_retry
from .states import ScanState, TransitionRefused
from .storage import blob_read


@login_required
@require_POST
def scan_upload(request: HttpRequest) -> HttpResponse:
    """Receive the files of the inbox form (fields ``file``, many; ``site``, a slug)."""
    site = _site(request)
    files = request.FILES.getlist("file")
    if site is None:
        messages.error(request, "Choose the site the scans belong to.")
    elif not files:
        messages.error(request, "Choose at least one file: PNG, JPEG, TIFF or PDF.")
    else:
        scans = [
            scan_receive_file(
                site=site,
                file=file.file,
                original_name=file.name or "",
                source="web",
                user=request.user,
            )
            for file in files
        ]
        _tell(request, scans)
    return redirect("inbox")


@login_required
@require_POST
def retry(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Send a quarantined scan back for another try."""
    try:
        scan_retry(user=request.user, scan_id=scan_id)
    except (TransitionRefused, FileRefused) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The scan is being read again.")
    return redirect("scan-detail", scan_id=scan_id)


@login_required
@require_GET
def page_image(request: HttpRequest, scan_id: UUID, number: int) -> HttpResponse:
    """Show one upright page, as we encoded it; the received file is never sent to a browser."""
    page = page_get(request.user, scan_id, number)
    return _picture(request, page.scan, "page", page.pk, page.image_sha256)


@login_required
@require_GET
def field_crop(request: HttpRequest, field_id: UUID) -> HttpResponse:
    """Show the ink of one field."""
    field = (
        Field.objects.select_related("page__scan__site")
        .filter(pk=field_id, page__scan__in=scans_for(request.user, "scan.view"))
        .first()
    )
    if field is None:
        raise Http404("No field with this number.")
    return _picture(request, field.page.scan, "field", field.pk, field.crop_sha256)


def _site(request: HttpRequest) -> Site | None:
    """Return the site the form names, or the only one there is to choose."""
    sites = list(accessible_sites(request.user, "scan.upload"))
    slug = request.POST.get("site", "")
    if not slug and len(sites) == 1:
        return sites[0]
    return next((site for site in sites if site.slug == slug), None)


def _tell(request: HttpRequest, scans: list[Scan]) -> None:
    """Say how it went, without the files' names: they may hold a patient's."""
    good = sum(scan.state == ScanState.RECEIVED for scan in scans)
    known = sum(scan.state == ScanState.REJECTED for scan in scans)
    if good:
        messages.success(request, _counted(good, "scan is", "scans are") + " being read.")
    if known:
        already = _counted(known, "file was", "files were")
        messages.info(request, f"{already} already here and not read again.")
    for scan in scans:
        if scan.state == ScanState.QUARANTINED:
            messages.error(request, f"Set aside: {scan.problem}")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _picture(
    request: HttpRequest, scan: Scan, object_type: str, object_id: object, sha256: str
) -> HttpResponse:
    """Answer with a PNG that no browser keeps, sniffs, runs or shows inside another site.

    Audit: ``document.viewed``; a crop counts as much as a page, it may be the patient's name.
    """
    image = blob_read(sha256)
    audit_record(
        action="document.viewed",
        site=scan.site,
        object_type=object_type,
        object_id=str(object_id),
        actor=request.user,
        scan_id=scan.pk,
        data={"image_sha256": sha256},
    )
    response = HttpResponse(image, content_type="image/png")
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
