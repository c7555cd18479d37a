"""The border lets every real release through and names what is wrong with a broken one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from clinic_hwr.fhir.document import build
from clinic_hwr.fhir.outcome import FhirInvalid
from clinic_hwr.fhir.validation import bundle_issues, check_document
from clinic_hwr.prescriptions.types import Quantity

from .publications import (
    AMOXICILLIN,
    PRESCRIPTION,
    publication,
    publications,
    resources_of,
    with_medication,
)

Bundle = dict[str, Any]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(record=publications)
def test_every_release_passes(record: Any) -> None:
    check_document(build(record))


def _first(bundle: Bundle, resource_type: str) -> dict[str, Any]:
    return resources_of(bundle, resource_type)[0]


def _dosage(bundle: Bundle) -> dict[str, Any]:
    dosage: dict[str, Any] = _first(bundle, "MedicationRequest")["dosageInstruction"][0]
    return dosage


def _dose(bundle: Bundle) -> dict[str, Any]:
    dose: dict[str, Any] = _dosage(bundle)["doseAndRate"][0]["doseQuantity"]
    return dose


def _repeat(bundle: Bundle) -> dict[str, Any]:
    repeat: dict[str, Any] = _dosage(bundle)["timing"]["repeat"]
    return repeat


def _attachment(bundle: Bundle) -> dict[str, Any]:
    attachment: dict[str, Any] = _first(bundle, "DocumentReference")["content"][0]["attachment"]
    return attachment


# what is done to a good document -> (issue code, end of the FHIRPath) of the first issue
BROKEN: dict[str, tuple[Callable[[Bundle], Any], str, str]] = {
    "no entry": (lambda b: b.update(entry=[]), "structure", "Bundle.entry"),
    "another bundle type": (lambda b: b.update(type="collection"), "value", "Bundle.type"),
    "no identifier": (lambda b: b.pop("identifier"), "required", "Bundle.identifier"),
    "identifier without system": (
        lambda b: b["identifier"].pop("system"), "required", "Bundle.identifier"),
    "no timestamp": (lambda b: b.pop("timestamp"), "required", "Bundle.timestamp"),
    "composition not first": (
        lambda b: b["entry"].append(b["entry"].pop(0)), "structure", "Bundle.entry[0]"),
    "same fullUrl twice": (
        lambda b: b["entry"][1].update(fullUrl=b["entry"][2]["fullUrl"]), "duplicate", "fullUrl"),
    "fullUrl of nobody": (
        lambda b: b["entry"][9].update(fullUrl="urn:uuid:" + "0" * 8), "value", "fullUrl"),
    "reference out of the document": (
        lambda b: _first(b, "MedicationRequest")["subject"].update(reference="urn:uuid:1"),
        "not-found", "subject.reference"),
    "relative reference": (
        lambda b: _first(b, "Provenance")["target"][0].update(reference="Patient/1"),
        "not-found", "target[0].reference"),
    "subject is a site": (
        lambda b: _first(b, "MedicationRequest").update(
            subject={"reference": f"urn:uuid:{_first(b, 'Organization')['id']}"}),
        "value", "subject.reference"),
    "unknown status": (
        lambda b: _first(b, "MedicationRequest").update(status="bogus"),
        "code-invalid", "status"),
    "unknown intent": (
        lambda b: _first(b, "MedicationRequest").update(intent="xx"), "code-invalid", "intent"),
    "unknown document status": (
        lambda b: _first(b, "DocumentReference").update(status="draft"), "code-invalid", "status"),
    "unknown composition status": (
        lambda b: _first(b, "Composition").update(status="done"), "code-invalid", "status"),
    "unknown attester mode": (
        lambda b: _first(b, "Composition")["attester"][0].update(mode="human"),
        "code-invalid", "mode"),
    "unknown narrative status": (
        lambda b: _first(b, "Composition")["text"].update(status="x"), "code-invalid", "status"),
    "unknown gender": (
        lambda b: _first(b, "Patient").update(gender="F"), "code-invalid", "gender"),
    "unknown device name type": (
        lambda b: _first(b, "Device")["deviceName"][0].update(type="x"), "code-invalid", "type"),
    "unknown entity role": (
        lambda b: _first(b, "Provenance")["entity"][0].update(role="x"), "code-invalid", "role"),
    "unknown period unit": (
        lambda b: _repeat(b).update(periodUnit="day"), "code-invalid", "periodUnit"),
    "period without unit": (lambda b: _repeat(b).pop("periodUnit"), "invariant", "repeat"),
    "time of day and event": (
        lambda b: _repeat(b).update(when=["HS"], timeOfDay=["08:00:00"]), "invariant", "repeat"),
    "offset without event": (lambda b: _repeat(b).update(offset=30), "invariant", "repeat"),
    "unknown event": (
        lambda b: _repeat(b).update(when=["breakfast"]), "code-invalid", "when[0]"),
    "unknown day": (
        lambda b: _repeat(b).update(dayOfWeek=["monday"]), "code-invalid", "dayOfWeek[0]"),
    "unit that is no UCUM": (lambda b: _dose(b).update(code="tablet"), "code-invalid", "code"),
    "dose below nothing": (lambda b: _dose(b).update(value=Decimal("-1")), "value", "value"),
    "dose as float": (lambda b: _dose(b).update(value=1.5), "value", "value"),
    "both kinds of as needed": (
        lambda b: _dosage(b).update(asNeededBoolean=True), "structure", "dosageInstruction[0]"),
    "directions without words": (lambda b: _dosage(b).pop("text"), "required", "text"),
    "blank directions": (lambda b: _dosage(b).update(text=" "), "value", "text"),
    "order without patient": (
        lambda b: _first(b, "MedicationRequest").pop("subject"), "required", "subject"),
    "order without drug": (
        lambda b: _first(b, "MedicationRequest").pop("medicationCodeableConcept"),
        "required", "resource.medication"),
    "order without prescriber": (
        lambda b: _first(b, "MedicationRequest").pop("requester"), "invariant", "requester"),
    "drug without the words": (
        lambda b: _first(b, "MedicationRequest")["medicationCodeableConcept"].pop("text"),
        "required", "medicationCodeableConcept"),
    "RxNorm code with letters": (
        lambda b: _first(b, "MedicationRequest")["medicationCodeableConcept"]["coding"][0].update(
            code="RX1"), "code-invalid", "code"),
    "NPI with a wrong check digit": (
        lambda b: _first(b, "Practitioner")["identifier"][0].update(value="1234567890"),
        "value", "identifier[0].value"),
    "element of R5": (
        lambda b: _first(b, "MedicationRequest").update(reported=False), "structure", "reported"),
    "date that never was": (
        lambda b: _first(b, "Patient").update(birthDate="2001-02-31"), "value", "birthDate"),
    "time without zone": (
        lambda b: _first(b, "Composition").update(date="2026-11-22T10:00:00"), "value", "date"),
    "id with a blank": (
        lambda b: _first(b, "Device").update(id="a b"), "value", "id"),
    "empty list": (lambda b: _first(b, "Patient").update(address=[]), "structure", "address"),
    "empty object": (
        lambda b: _first(b, "MedicationRequest").update(encounter={}), "structure", "encounter"),
    "control character": (
        lambda b: _first(b, "Organization").update(name="a\x00b"), "value", "name"),
    "composition without attester": (
        lambda b: _first(b, "Composition").pop("attester"), "required", "attester"),
    "composition without narrative": (
        lambda b: _first(b, "Composition").pop("text"), "required", "text"),
    "section without narrative": (
        lambda b: _first(b, "Composition")["section"][1].pop("text"), "required", "text"),
    "section without entries": (
        lambda b: _first(b, "Composition")["section"][0].pop("entry"), "invariant", "section[0]"),
    "composition without sections": (
        lambda b: _first(b, "Composition").pop("section"), "required", "section"),
    "narrative that is no XML": (
        lambda b: _first(b, "Composition")["text"].update(
            div='<div xmlns="http://www.w3.org/1999/xhtml"><p>a<br></p></div>'),
        "structure", "text.div"),
    "narrative with a script": (
        lambda b: _first(b, "Composition")["text"].update(
            div='<div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div>'),
        "structure", "text.div"),
    "narrative outside XHTML": (
        lambda b: _first(b, "Composition")["text"].update(div="<div>x</div>"),
        "structure", "text.div"),
    "scan without content": (
        lambda b: _attachment(b).pop("data"), "required", "attachment.data"),
    "scan that is no base64": (
        lambda b: _attachment(b).update(data="%%%"), "value", "attachment.data"),
    "scan of another size": (lambda b: _attachment(b).update(size=1), "value", "attachment.size"),
    "scan with the hash of another": (
        lambda b: _attachment(b).update(hash="AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        "value", "attachment.hash"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_document_is_refused_with_the_place_and_the_kind(fault: str) -> None:
    bundle = copy.deepcopy(build(publication()).bundle)
    assert bundle_issues(bundle) == []
    break_it, code, path_end = BROKEN[fault]

    break_it(bundle)

    issues = bundle_issues(bundle)
    assert issues, "the border let it through"
    assert (code, True) in {(issue.code, issue.expression.endswith(path_end)) for issue in issues}


def test_an_order_without_a_drug_name_cannot_be_released() -> None:
    with pytest.raises(FhirInvalid) as refused:
        check_document(build(with_medication(drug_text=" ")))

    (issue,) = refused.value.operation_outcome()["issue"]
    assert issue["code"] == "required"
    assert issue["expression"] == ["Bundle.entry[5].resource.medicationCodeableConcept"]


def test_two_orders_may_not_claim_the_same_place_on_the_paper() -> None:
    twice = replace(PRESCRIPTION, medications=(AMOXICILLIN, AMOXICILLIN))

    with pytest.raises(FhirInvalid) as refused:
        check_document(build(publication(twice)))

    assert {issue.code for issue in refused.value.issues} == {"duplicate"}


@pytest.mark.parametrize(
    "changes",
    [{"refills": -1}, {"quantity": Quantity("-5", Decimal("-5"))}, {"refills": 2**31}],
)
def test_impossible_amounts_cannot_be_released(changes: dict[str, Any]) -> None:
    with pytest.raises(FhirInvalid):
        check_document(build(with_medication(**changes)))


def test_a_refusal_quotes_nothing_that_was_written() -> None:
    bundle = copy.deepcopy(build(publication()).bundle)
    _first(bundle, "Patient")["birthDate"] = "Maria 31 Feb"
    _first(bundle, "Organization")["unknown"] = "Maria"

    assert "Maria" not in str(FhirInvalid(bundle_issues(bundle)))
