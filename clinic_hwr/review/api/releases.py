"""REST: what would be written, releasing, amending, retracting."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.problems import Problem
from clinic_hwr.rest.etags import required_tag, tagged
from clinic_hwr.rest.views import described

from ..access import prescription_get, scan_get_for
from ..reauthentication import password_confirm
from ..selectors import blind_scans
from ..services import (
    FieldChange,
    amendment_preview,
    amendment_sign,
    field_states,
    prescription_current,
    prescription_release,
    release_problems,
    retraction_sign,
)
from ..views.release import resources_to_write
from . import answers, bodies
from .base import ReviewApi
from .shapes import amendment_answer, prescription_answer, warnings_answer


def _if_match(of: str) -> OpenApiParameter:
    return OpenApiParameter(
        "If-Match", str, OpenApiParameter.HEADER, required=True, description=f"ETag of {of}."
    )


def _not_blind(scan_id: UUID) -> None:
    """Keep a draft to itself while somebody is to enter a part of it blind."""
    if blind_scans([scan_id]):
        words = "Some values are still to be entered by everybody needed; nothing is shown before."
        raise Problem(409, words, code="entered_blind")


class PrescriptionApi(ReviewApi):
    """``/api/scans/{id}/prescription/``."""

    @described(tags=["prescriptions"], responses=answers.PrescriptionAnswer)
    def get(self, request: Request, scan_id: UUID) -> Response:
        """Return the prescription of a scan, and what each EHR holds of it."""
        record = prescription_get(request.user, scan_id)
        _not_blind(scan_id)
        return tagged(request, prescription_answer(record), f'"v{record.version}"')


class ReleaseApi(ReviewApi):
    """``/api/scans/{id}/release/``."""

    body = bodies.SignBody

    @described(tags=["prescriptions"], responses=answers.ReleasePreviewAnswer)
    def get(self, request: Request, scan_id: UUID) -> Response:
        """Return what would be written; its ETag is what a signature is over."""
        scan = scan_get_for(request.user, scan_id, "prescription.release")
        _not_blind(scan_id)
        prescription_current(scan=scan)
        record = prescription_get(request.user, scan_id)
        prescription = from_json(record.content)
        answer = {
            "scan_id": str(scan.pk),
            "prescription_id": str(record.pk),
            "version": record.version,
            "status": record.status,
            "content_sha256": record.content_sha256,
            "prescription": record.content,
            "problems": release_problems(field_states(scan), prescription),
            "warnings": warnings_answer(prescription),
            "resources": [
                {"type": kind, "meaning": words} for kind, words in resources_to_write(prescription)
            ],
        }
        return tagged(request, answer, f'"{record.content_sha256}"')

    @described(
        tags=["prescriptions"],
        parameters=[_if_match("the preview")],
        request=body,
        responses=answers.PrescriptionAnswer,
    )
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Sign and release: FHIR, outbox and audit in one transaction, or nothing."""
        tag, asked = required_tag(request), self.checked(request)
        scan_get_for(request.user, scan_id, "prescription.release")
        password_confirm(request.user, asked["password"])
        record = prescription_release(
            user=request.user,
            scan_id=scan_id,
            expected_content_sha256=tag,
            acknowledged=asked["acknowledged"],
        )
        return Response(prescription_answer(record), headers={"Cache-Control": "no-store"})


class AmendPreviewApi(ReviewApi):
    """``/api/scans/{id}/amend/preview/``."""

    body = bodies.AmendPreviewBody

    @described(tags=["prescriptions"], request=body, responses=answers.AmendPreviewAnswer)
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Return both versions of an amendment; nothing is stored. The ETag is what is signed."""
        changes = [FieldChange(**change) for change in self.checked(request)["changes"]]
        amendment = amendment_preview(user=request.user, scan_id=scan_id, changes=changes)
        return Response(
            amendment_answer(amendment),
            headers={"ETag": f'"{amendment.content_sha256}"', "Cache-Control": "no-store"},
        )


class AmendApi(ReviewApi):
    """``/api/scans/{id}/amend/``."""

    body = bodies.AmendBody

    @described(
        tags=["prescriptions"],
        parameters=[_if_match("the amendment's preview")],
        request=body,
        responses=answers.PrescriptionAnswer,
    )
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Sign an amendment: a new version with a reason; the one before stays readable."""
        tag, asked = required_tag(request), self.checked(request)
        scan_get_for(request.user, scan_id, "prescription.release")
        password_confirm(request.user, asked["password"])
        record = amendment_sign(
            user=request.user,
            scan_id=scan_id,
            changes=[FieldChange(**change) for change in asked["changes"]],
            reason=asked["reason"],
            expected_version=asked["version"],
            expected_content_sha256=tag,
            acknowledged=asked["acknowledged"],
        )
        return Response(prescription_answer(record), headers={"Cache-Control": "no-store"})


class RetractApi(ReviewApi):
    """``/api/scans/{id}/retract/``."""

    body = bodies.RetractBody

    @described(
        tags=["prescriptions"],
        parameters=[_if_match("the prescription")],
        request=body,
        responses=answers.PrescriptionAnswer,
    )
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Sign a retraction: everything of the paper becomes entered in error."""
        tag, asked = required_tag(request), self.checked(request)
        if not (tag.startswith("v") and tag[1:].isascii() and tag[1:].isdigit() and len(tag) < 9):
            raise Problem(412, "This is no ETag of a prescription; read it first.", code="no_etag")
        scan_get_for(request.user, scan_id, "prescription.release")
        password_confirm(request.user, asked["password"])
        record = retraction_sign(
            user=request.user,
            scan_id=scan_id,
            reason=asked["reason"],
            expected_version=int(tag[1:]),
        )
        return Response(prescription_answer(record), headers={"Cache-Control": "no-store"})
