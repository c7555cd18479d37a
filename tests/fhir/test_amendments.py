"""Amending and retracting: new versions for readers, old ones kept, and a trace of who and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.delivery.models import Delivery, DeliveryTarget
from clinic_hwr.fhir.encoding import from_bytes
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.fhir.outcome import FhirInvalid
from clinic_hwr.fhir.services import (
    CannotAmend,
    bundle_bytes,
    prescription_amend,
    prescription_publish,
    prescription_retract,
)
from clinic_hwr.fhir.store import newest_bodies
from clinic_hwr.intake.models import Scan
from clinic_hwr.prescriptions.codec import from_json, to_json
from clinic_hwr.review.models import PrescriptionRecord, PrescriptionStatus

from .publications import AMOXICILLIN, PDF, PRESCRIPTION, SALINE, publication, resources_of
from .serving import found

pytestmark = pytest.mark.django_db

CORRECTED = replace(PRESCRIPTION, medications=(replace(AMOXICILLIN, refills=0),))


@pytest.fixture
def signed(site: Site, pharmacist: AbstractBaseUser) -> UUID:
    """The id of a released prescription of two orders."""
    DeliveryTarget.objects.create(site=site, name="EHR", adapter="folder")
    scan = Scan.objects.create(
        site=site, sha256="0" * 64, original_name="a.pdf", size_bytes=1, state="released"
    )
    record = PrescriptionRecord.objects.create(
        scan=scan,
        status=PrescriptionStatus.RELEASED,
        content=to_json(PRESCRIPTION),
        released_by=pharmacist,
        released_at=timezone.now(),
    )
    prescription_publish(record=publication(site=site, prescription_id=record.pk, scan_id=scan.pk))
    return record.pk


def _statuses(prescription_id: UUID, resource_type: str) -> list[str]:
    return sorted(each["status"] for each in newest_bodies(prescription_id, resource_type))


def test_an_amendment_is_what_is_read_from_now_on(
    signed: UUID, pharmacist: AbstractBaseUser, as_integration: APIClient
) -> None:
    before = newest_bodies(signed, "MedicationRequest")
    fhir_id = prescription_amend(
        user=pharmacist, prescription_id=signed, prescription=CORRECTED, reason="refills misread"
    )

    orders = {each["id"]: each for each in newest_bodies(signed, "MedicationRequest")}
    kept, gone = (orders[each["id"]] for each in before)
    kept, gone = (kept, gone) if kept["status"] == "active" else (gone, kept)
    assert kept["dispenseRequest"]["numberOfRepeatsAllowed"] == 0
    assert (gone["status"], gone["statusReason"]) == (
        "entered-in-error",
        {"text": "refills misread"},
    )
    assert {each["meta"]["versionId"] for each in orders.values()} == {"2"}
    assert len(found(as_integration.get("/fhir/MedicationRequest?status=active"))) == 1
    for each in before:
        old = as_integration.get(f"/fhir/MedicationRequest/{each['id']}/_history/1")
        assert from_bytes(old.content) == each
    record = PrescriptionRecord.objects.get(pk=signed)
    assert (record.version, from_json(record.content)) == (2, CORRECTED)
    assert bundle_bytes(fhir_id)


def test_the_document_of_an_amendment_tells_what_was_withdrawn(
    signed: UUID, pharmacist: AbstractBaseUser
) -> None:
    fhir_id = prescription_amend(
        user=pharmacist, prescription_id=signed, prescription=CORRECTED, reason="wrong line"
    )

    bundle = from_bytes(bundle_bytes(fhir_id))
    composition = bundle["entry"][0]["resource"]
    assert composition["status"] == "amended"
    medications, _, withdrawn = composition["section"]
    assert (len(medications["entry"]), len(withdrawn["entry"])) == (1, 1)
    assert "saline" in withdrawn["text"]["div"]
    assert "wrong line" in composition["text"]["div"]
    (provenance,) = resources_of(bundle, "Provenance")
    assert provenance["activity"]["coding"][0]["code"] == "UPDATE"
    assert provenance["reason"] == [{"text": "wrong line"}]
    (scan,) = resources_of(bundle, "DocumentReference")
    assert scan["status"] == "current"


def test_what_was_withdrawn_stays_withdrawn_until_it_is_ordered_again(
    signed: UUID, pharmacist: AbstractBaseUser
) -> None:
    for refills in (0, 1):
        paper = replace(PRESCRIPTION, medications=(replace(AMOXICILLIN, refills=refills),))
        prescription_amend(user=pharmacist, prescription_id=signed, prescription=paper, reason="x")
    assert _statuses(signed, "MedicationRequest") == ["active", "entered-in-error"]

    both = replace(PRESCRIPTION, medications=(AMOXICILLIN, SALINE))
    prescription_amend(user=pharmacist, prescription_id=signed, prescription=both, reason="x")

    assert _statuses(signed, "MedicationRequest") == ["active", "active"]


def test_a_retraction_marks_everything_as_an_error(
    signed: UUID, pharmacist: AbstractBaseUser, as_integration: APIClient
) -> None:
    fhir_id = prescription_retract(
        user=pharmacist, prescription_id=signed, reason="paper of another patient"
    )

    for name in ("Composition", "MedicationRequest", "DocumentReference", "Task"):
        assert set(_statuses(signed, name)) == {"entered-in-error"}, name
    assert found(as_integration.get("/fhir/MedicationRequest?status=active")) == []
    bundle = from_bytes(bundle_bytes(fhir_id))
    assert "Do not fill it" in bundle["entry"][0]["resource"]["text"]["div"]
    (provenance,) = resources_of(bundle, "Provenance")
    assert provenance["activity"]["coding"][0]["code"] == "NULLIFY"
    (scan,) = resources_of(bundle, "DocumentReference")
    assert scan["content"][0]["attachment"]["size"] == len(PDF)
    versions = ResourceVersion.objects.filter(resource_type="Composition")
    assert [each.version for each in versions] == [1, 2]


@pytest.mark.parametrize("retract", [False, True])
def test_the_ehr_is_told_and_the_trail_says_who_and_why(
    signed: UUID, pharmacist: AbstractBaseUser, retract: bool
) -> None:
    if retract:
        fhir_id = prescription_retract(user=pharmacist, prescription_id=signed, reason=" why ")
    else:
        fhir_id = prescription_amend(
            user=pharmacist, prescription_id=signed, prescription=CORRECTED, reason=" why "
        )

    assert list(Delivery.objects.values_list("prescription_version", flat=True)) == [1, 2]
    action = "prescription.retracted" if retract else "prescription.amended"
    event = AuditEvent.objects.get(action=action)
    assert (event.actor, event.reason, event.object_id) == (pharmacist, "why", str(signed))
    assert (event.data["version"], event.data["bundle"]) == (2, fhir_id)


def _amend(user: Any, prescription_id: UUID, reason: str = "x") -> str:
    return prescription_amend(
        user=user, prescription_id=prescription_id, prescription=CORRECTED, reason=reason
    )


def test_only_who_may_sign_may_amend(
    signed: UUID,
    outsider: AbstractBaseUser,
    clinic_admin: AbstractBaseUser,
    integration: AbstractBaseUser,
) -> None:
    stored = ResourceVersion.objects.count()

    for act in (_amend, lambda user, pk: prescription_retract(user=user, prescription_id=pk,
                                                              reason="x")):  # fmt: skip
        for user, refusal in (
            (outsider, Http404),
            (integration, Http404),
            (clinic_admin, PermissionDenied),
        ):
            with pytest.raises(refusal):
                act(user, signed)
    assert ResourceVersion.objects.count() == stored


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_reason_is_needed(signed: UUID, pharmacist: AbstractBaseUser, reason: str) -> None:
    with pytest.raises(CannotAmend, match="why"):
        _amend(pharmacist, signed, reason)


def test_what_is_retracted_or_no_more_than_a_draft_cannot_be_amended(
    signed: UUID, pharmacist: AbstractBaseUser, site: Site
) -> None:
    prescription_retract(user=pharmacist, prescription_id=signed, reason="x")
    with pytest.raises(CannotAmend, match="retracted"):
        _amend(pharmacist, signed)

    scan = Scan.objects.create(site=site, sha256="1" * 64, original_name="b.pdf", size_bytes=1)
    draft = PrescriptionRecord.objects.create(scan=scan)
    with pytest.raises(CannotAmend, match="never released"):
        _amend(pharmacist, draft.pk)


def test_an_amendment_that_breaks_the_standard_changes_nothing(
    signed: UUID, pharmacist: AbstractBaseUser
) -> None:
    stored = ResourceVersion.objects.count()
    nameless = replace(PRESCRIPTION, medications=(replace(AMOXICILLIN, drug_text=""),))

    with pytest.raises(FhirInvalid):
        prescription_amend(
            user=pharmacist, prescription_id=signed, prescription=nameless, reason="x"
        )

    assert ResourceVersion.objects.count() == stored
    assert PrescriptionRecord.objects.get(pk=signed).version == 1
    assert not AuditEvent.objects.filter(action="prescription.amended").exists()


def test_amended_and_retracted_documents_satisfy_the_judges(
    signed: UUID,
    pharmacist: AbstractBaseUser,
    us_core_judges: Any,
    make_user: Callable[..., AbstractBaseUser],
    site: Site,
) -> None:
    amended = _amend(pharmacist, signed)
    second = make_user("second", site, Role.CLINICIAN)
    retracted = prescription_retract(user=second, prescription_id=signed, reason="x")

    for fhir_id in (amended, retracted):
        assert us_core_judges.errors([_as_floats(from_bytes(bundle_bytes(fhir_id)))]) == []


def _as_floats(value: Any) -> Any:
    """Return what a receiver's JSON parser makes of decimals."""
    if isinstance(value, dict):
        return {key: _as_floats(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_as_floats(member) for member in value]
    return value if isinstance(value, str | bool | int) else float(value)
