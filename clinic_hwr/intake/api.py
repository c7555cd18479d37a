"""REST: send scans in, ask what became of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.accounts.models import Site
from clinic_hwr.problems import Problem
from clinic_hwr.rest.etags import tagged
from clinic_hwr.rest.views import ApiView, described, plain_request
from clinic_hwr.review.listing import scans_page
from clinic_hwr.scan_report import scan_report, scan_status

from .access import scan_get, scans_for
from .batches import BadRule
from .models import Scan
from .receiving import DiskFull, receive_all
from .safety import MAX_FILE_BYTES, FileRefused
from .safety import Problem as FileProblem
from .separator import PAPERS
from .services import scan_retry, upload_refuse
from .states import ScanState, TransitionRefused
from .uploads import NO_SPACE, upload_found_disk_full
from .views import scan_original, separator_sheet

MAX_REQUEST_BYTES = 200 * 1024 * 1024
"""Eight files of the largest size; a longer body is refused by its announced length, unread."""


MAX_IDS = 100


class ScanStatus(serializers.Serializer):
    """What became of a scan; content only for those who may see it."""

    path = serializers.CharField(allow_blank=True)
    scan_id = serializers.UUIDField()
    status = serializers.ChoiceField(ScanState.choices)
    pages = serializers.IntegerField()
    fields_ = serializers.ListField(child=serializers.DictField())
    blockers = serializers.ListField(child=serializers.DictField())
    page_problems = serializers.ListField(child=serializers.DictField())
    prescription = serializers.DictField(allow_null=True)
    prescription_id = serializers.UUIDField(allow_null=True)
    duplicate_of = serializers.UUIDField(allow_null=True)
    problem = serializers.DictField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """Name ``fields`` as the answer does; a serializer cannot have it as an attribute."""
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


SCANS = inline_serializer("Scans", {"scans": ScanStatus(many=True)})
SCANS_PAGE = inline_serializer(
    "ScansPage",
    {"scans": ScanStatus(many=True), "after": serializers.CharField(allow_null=True)},
)
UPLOAD = inline_serializer(
    "Upload",
    {
        "file": serializers.ListField(child=serializers.FileField()),
        "site": serializers.CharField(required=False, help_text="Slug; needed with several."),
        "split": serializers.CharField(required=False, help_text="Where prescriptions begin."),
    },
)


class ScanCollectionApi(ApiView):
    """``/api/scans/``: one or many files as multipart field ``file``; optional ``site``."""

    parser_classes = [MultiPartParser]
    # the checks of a file run in a child process; a repeat finds the same bytes and links to them
    key_in_transaction = False

    @described(
        operation_id="scans_list",
        tags=["scans"],
        parameters=[
            OpenApiParameter("id", str, many=True, description="Only these, at most 100."),
            OpenApiParameter("state", str, enum=ScanState.values),
            OpenApiParameter("after", str, description="From the page before."),
        ],
        responses=SCANS_PAGE,
    )
    def get(self, request: Request) -> Response:
        """List the status of scans, newest first; what was read is at the scan itself."""
        scans = scans_for(request.user, "scan.status").select_related("duplicate_of")
        asked = request.query_params
        ids = asked.getlist("id")
        if ids:
            scans = scans.filter(pk__in=_uuids(ids))
        if asked.get("state"):
            if asked["state"] not in ScanState.values:
                raise Problem(400, f"The states are {', '.join(ScanState.values)}.")
            scans = scans.filter(state=asked["state"])
        page = scans_page(
            scans, oldest_first=False, after=asked.get("after", ""), size=MAX_IDS if ids else 50
        )
        rows = [scan_status(scan, path=scan.original_name) for scan in page.scans]
        return tagged(request, {"scans": rows, "after": page.after})

    @described(tags=["scans"], request={"multipart/form-data": UPLOAD}, responses={202: SCANS})
    def post(self, request: Request) -> Response:
        """Receive files: 202 with one status object a file, 413 if every one is too large.

        507 when the disk is full; the answer then names the scans of files received before.
        """
        self._check_length(request)
        files = request.FILES.getlist("file")
        if upload_found_disk_full(request._request):
            raise Problem(507, NO_SPACE, scan_ids=[])
        if not files:
            raise Problem(400, "Send at least one file in the multipart field 'file'.")
        site = chosen_site(request.user, request.data.get("site", ""))
        by_page = isinstance(request.successful_authenticator, SessionAuthentication)
        source = "web" if by_page else "api"
        rule = request.data.get("split", "")
        try:
            scans = receive_all(site, files, request.user, source=source, split_rule=rule)
        except BadRule as error:
            raise Problem(400, str(error)) from error
        except DiskFull as full:
            ids = [str(scan.pk) for scan in full.received]
            raise Problem(507, NO_SPACE, scan_ids=ids) from full
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


class ScanApi(ApiView):
    """``GET /api/scans/{id}/``."""

    @described(tags=["scans"], responses=ScanStatus)
    def get(self, request: Request, scan_id: UUID) -> Response:
        """Return the status object of one scan; its content only to those who may see it."""
        scan = scan_get(request.user, scan_id, "scan.status")
        return tagged(request, _report(request.user, scan))


class ScanRetryApi(ApiView):
    """``POST /api/scans/{id}/retry/``: another try for a quarantined scan."""

    key_in_transaction = False

    @described(tags=["scans"], request=None, responses={202: ScanStatus})
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Queue the scan again: 202 with its status object, 409 when it cannot be tried again."""
        try:
            scan = scan_retry(user=request.user, scan_id=scan_id)
        except (TransitionRefused, FileRefused) as refusal:
            raise Problem(409, str(refusal)) from refusal
        return Response(_report(request.user, scan), status=202)


class ScanOriginalApi(ApiView):
    """``GET /api/scans/{id}/original/``."""

    @described(tags=["scans"], responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, scan_id: UUID) -> HttpResponse:
        """Return the received file, byte by byte; audited."""
        return scan_original(plain_request(request), scan_id)


class SeparatorSheetApi(ApiView):
    """``GET /api/separator-sheet/``."""

    @described(
        tags=["scans"],
        parameters=[OpenApiParameter("paper", str, enum=list(PAPERS))],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponse:
        """Return the sheet that parts prescriptions in a pile, to be printed."""
        return separator_sheet(plain_request(request))


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


def _uuids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts[:MAX_IDS]]
    except ValueError:
        raise Problem(400, "An id is a UUID.") from None


def _report(user: Any, scan: Scan) -> dict[str, Any]:
    """Return the full report to those who may see scans; an integration gets the status alone."""
    may_see = scans_for(user, "scan.view").filter(pk=scan.pk).exists()
    if not may_see:
        return scan_status(scan, path=scan.original_name)
    return scan_report(scan, path=scan.original_name, user=user)
