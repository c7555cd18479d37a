"""What the browser needs of intake: the upload form's target, page pictures and field crops."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.services import audit_record
from clinic_hwr.problems import problem_response
from clinic_hwr.routing.models import Field

from .access import page_get, scan_get, scans_for
from .batches import BadRule
from .models import Scan
from .receiving import DiskFull, receive_all
from .safety import ACCEPTED, FileRefused
from .separator import PAPERS, separator_pdf
from .services import scan_retry
from .states import ScanState, TransitionRefused
from .storage import blob_read
from .uploads import NO_SPACE, upload_found_disk_full


@login_required
@require_POST
def scan_upload(request: HttpRequest) -> HttpResponse:
    """Receive the files of the inbox form (fields ``file``, many; ``site``, a slug; ``split``).

    A script that sends ``Accept: application/json`` gets one object a file instead of the inbox
    with messages, and problems as RFC 9457; see ``static/clinic_hwr/js/uploads.js``.
    """
    try:
        scans = _receive(request)
    except _UploadRefused as refusal:
        if _wants_json(request):
            return problem_response(refusal.status, str(refusal))
        if refusal.status == HTTPStatus.INSUFFICIENT_STORAGE:
            return render(request, "507.html", {"problem": str(refusal)}, status=refusal.status)
        messages.error(request, str(refusal))
        return redirect("inbox")
    if _wants_json(request):
        return JsonResponse({"scans": [_told(scan) for scan in scans]}, status=202)
    _tell(request, scans)
    return redirect("inbox")


class _UploadRefused(Exception):
    """Nothing, or not everything, was received; the message says why."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


def _receive(request: HttpRequest) -> list[Scan]:
    site = _site(request)
    files = request.FILES.getlist("file")
    if upload_found_disk_full(request):
        raise _UploadRefused(507, NO_SPACE)
    if site is None:
        raise _UploadRefused(400, "Choose the site the scans belong to.")
    if not files:
        raise _UploadRefused(400, f"Choose at least one file: {ACCEPTED}.")
    try:
        return receive_all(
            site, files, request.user, source="web", split_rule=request.POST.get("split", "")
        )
    except BadRule as error:
        raise _UploadRefused(400, str(error)) from error
    except DiskFull as full:
        kept = f" {_counted(len(full.received), 'file', 'files')} before it arrived."
        raise _UploadRefused(507, NO_SPACE + (kept if full.received else "")) from full


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _told(scan: Scan) -> dict[str, str | None]:
    """Return what the upload page shows of one file."""
    return {
        "scan_id": str(scan.pk),
        "status": scan.state,
        "problem_code": scan.problem_code,
        "problem": scan.problem,
        "duplicate_of": str(scan.duplicate_of_id) if scan.duplicate_of_id else None,
        "url": reverse("scan-detail", args=[scan.duplicate_of_id or scan.pk]),
    }


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
def scan_original(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Hand out the received file to be saved; a browser never shows it, nor knows what it is."""
    scan = scan_get(request.user, scan_id)
    response = _answer(request, scan, "scan", scan.pk, scan.sha256, "application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="scan-{scan.pk}.bin"'
    return response


@login_required
@require_GET
def separator_sheet(request: HttpRequest) -> HttpResponse:
    """Hand out the separator sheet to be printed (``?paper=a4`` or ``letter``)."""
    paper = request.GET.get("paper", "letter")
    if paper not in PAPERS:
        raise Http404("There is no sheet of this size.")
    response = HttpResponse(separator_pdf(paper), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="separator-{paper}.pdf"'
    return response


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
    return _answer(request, scan, object_type, object_id, sha256, "image/png")


def _answer(
    request: HttpRequest,
    scan: Scan,
    object_type: str,
    object_id: object,
    sha256: str,
    content_type: str,
) -> HttpResponse:
    data = blob_read(sha256)
    audit_record(
        action="document.viewed",
        site=scan.site,
        object_type=object_type,
        object_id=str(object_id),
        actor=request.user,
        scan_id=scan.pk,
        data={"original_sha256" if object_type == "scan" else "image_sha256": sha256},
    )
    response = HttpResponse(data, content_type=content_type)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
