"""REST: send scans in, ask what became of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.accounts.models import Site
from clinic_hwr.problems import Problem
from clinic_hwr.scan_report import scan_report, scan_status

from .access import scan_get, scans_for
from .models import Scan
from .safety import MAX_FILE_BYTES, FileRefused
from .safety import Problem as FileProblem
from .services import scan_receive_file, scan_retry, upload_refuse
from .states import TransitionRefused

MAX_REQUEST_BYTES = 200 * 1024 * 1024
"""Eight files of the largest size; a longer body is refused by its announced length, unread."""


class ScanCollectionApi(APIView):
    """``POST /api/scans/``: one or many files as multipart field ``file``; optional ``site``."""

    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser]

    def post(self, request: Request) -> Response:
        """Receive files: 202 with one status object a file, 413 if every one is too large."""
        self._check_length(request)
        files = request.FILES.getlist("file")
        if not files:
            raise Problem(400, "Send at least one file in the multipart field 'file'.")
        site = chosen_site(request.user, request.data.get("site", ""))
        scans = [_receive(site, file, request.user) for file in files]
        if all(scan.problem_code == FileProblem.TOO_LARGE for scan in scans):
            ids = [str(scan.pk) for scan in scans]
            raise Problem(413, scans[0].problem, scan_ids=ids)
        answers = [_report(request.user, scan) for scan in scans]
        location = reverse("api-scan", args=[scans[0].pk])
        return Response({"scans": answers}, status=202, headers={"Location": location})

    def _check_length(self, request: Request) -> None:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
        if announced <= MAX_REQUEST_BYTES:
            return
        for site in accessible_sites(request.user, "scan.upload")[:1]:
            upload_refuse(site=site, user=request.user, size_bytes=announced, upload_id=uuid4())
        raise Problem(
            413,
            f"One request may have {MAX_REQUEST_BYTES // 2**20} MB, one file "
            f"{MAX_FILE_BYTES // 2**20} MB. Send fewer files at a time.",
        )


class ScanApi(APIView):
    """``GET /api/scans/{id}/``."""

    permission_classes = [IsAuthenticated]

    def get(self, request: Request, scan_id: UUID) -> Response:
        """Return the status object of one scan; its content only to those who may see it."""
        scan = scan_get(request.user, scan_id, "scan.status")
        return Response(_report(request.user, scan), headers={"Cache-Control": "no-store"})


class ScanRetryApi(APIView):
    """``POST /api/scans/{id}/retry/``: another try for a quarantined scan."""

    permission_classes = [IsAuthenticated]

    def post(self, request: Request, scan_id: UUID) -> Response:
        """Queue the scan again: 202 with its status object, 409 when it cannot be tried again."""
        try:
            scan = scan_retry(user=request.user, scan_id=scan_id)
        except (TransitionRefused, FileRefused) as refusal:
            raise Problem(409, str(refusal)) from refusal
        return Response(_report(request.user, scan), status=202)


def chosen_site(user: Any, slug: str) -> Site:
    """Return the site named by ``slug``, or the only one at which ``user`` may upload.

    Raises:
        Problem: 403 without any site, 400 when the choice is missing or not theirs.
    """
    sites = accessible_sites(user, "scan.upload").order_by("slug")
    if slug:
        site = sites.filter(slug=slug).first()
        if site is None:
            raise Problem(400, "You cannot upload for a site of this name.")
        return site
    found = list(sites)
    if not found:
        raise Problem(403, "Your account belongs to no site; ask an administrator to add it.")
    if len(found) > 1:
        names = ", ".join(site.slug for site in found)
        raise Problem(400, f"You belong to several sites; name one in the field 'site': {names}.")
    return found[0]


def _receive(site: Site, file: UploadedFile, user: Any) -> Scan:
    return scan_receive_file(
        site=site, file=file.file, original_name=file.name or "", source="api", user=user
    )


def _report(user: Any, scan: Scan) -> dict[str, Any]:
    """Return the full report to those who may see scans; an integration gets the status alone."""
    may_see = scans_for(user, "scan.view").filter(pk=scan.pk).exists()
    return (scan_report if may_see else scan_status)(scan, path=scan.original_name)
