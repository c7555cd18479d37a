"""Resources that clients send and a server must not store: what is wrong, and what it must say."""

from __future__ import annotations

from typing import Any

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:oid:1.2.3", "value": "A-1"}],
    "name": [{"family": "Okafor", "given": ["Ada"]}],
    "gender": "female",
}
ORDER: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "status": "draft",
    "intent": "plan",
    "medicationCodeableConcept": {"text": "amoxicillin 500 mg"},
    "subject": {"reference": "Patient/1"},
}
DOCUMENT: dict[str, Any] = {
    "resourceType": "DocumentReference",
    "status": "current",
    "content": [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}}],
}
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">%s</div>'


def _order(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**ORDER, **changes}.items() if value != "gone"}


def _patient(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**PATIENT, **changes}.items() if value != "gone"}


def _document(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**DOCUMENT, **changes}.items() if value != "gone"}


def _repeat(**repeat: Any) -> dict[str, Any]:
    return _order(dosageInstruction=[{"text": "x", "timing": {"repeat": repeat}}])


def _dose(**quantity: Any) -> dict[str, Any]:
    return _order(dosageInstruction=[{"doseAndRate": [{"doseQuantity": quantity}]}])


def _attached(**attachment: Any) -> dict[str, Any]:
    return _document(content=[{"attachment": attachment}])


def _profiled(resource: dict[str, Any], name: str) -> dict[str, Any]:
    return {**resource, "meta": {"profile": [f"{US_CORE}/{name}"]}}


def _narrated(division: str) -> dict[str, Any]:
    return _patient(text={"status": "generated", "div": division})


# what is wrong -> (resource, issue code, FHIRPath)
BROKEN: dict[str, tuple[dict[str, Any], str, str]] = {
    # required elements
    "no status": (_order(status="gone"), "required", "MedicationRequest.status"),
    "no intent": (_order(intent="gone"), "required", "MedicationRequest.intent"),
    "no subject": (_order(subject="gone"), "required", "MedicationRequest.subject"),
    "no drug": (
        _order(medicationCodeableConcept="gone"), "required", "MedicationRequest.medication"),
    "no content": (_document(content="gone"), "required", "DocumentReference.content"),
    "no attachment": (
        _document(content=[{"format": {"code": "x"}}]),
        "required", "DocumentReference.content[0].attachment"),
    "substitution that allows nothing": (
        _order(substitution={"reason": {"text": "x"}}),
        "required", "MedicationRequest.substitution.allowed"),
    # codes of required bindings
    "unknown status": (_order(status="bogus"), "code-invalid", "MedicationRequest.status"),
    "unknown intent": (_order(intent="xx"), "code-invalid", "MedicationRequest.intent"),
    "unknown priority": (_order(priority="soon"), "code-invalid", "MedicationRequest.priority"),
    "unknown gender": (_patient(gender="F"), "code-invalid", "Patient.gender"),
    "unknown name use": (
        _patient(name=[{"use": "real", "family": "x"}]), "code-invalid", "Patient.name[0].use"),
    "unknown contact system": (
        _patient(telecom=[{"system": "telegraph", "value": "1"}]),
        "code-invalid", "Patient.telecom[0].system"),
    "unknown period unit": (
        _repeat(period=1, periodUnit="day"),
        "code-invalid", "MedicationRequest.dosageInstruction[0].timing.repeat.periodUnit"),
    "unknown event": (
        _repeat(when=["breakfast"]),
        "code-invalid", "MedicationRequest.dosageInstruction[0].timing.repeat.when[0]"),
    "unknown day": (
        _repeat(dayOfWeek=["monday"]),
        "code-invalid", "MedicationRequest.dosageInstruction[0].timing.repeat.dayOfWeek[0]"),
    "unknown document status": (
        _document(docStatus="done"), "code-invalid", "DocumentReference.docStatus"),
    "unknown relation": (
        _document(relatesTo=[{"code": "after", "target": {"display": "x"}}]),
        "code-invalid", "DocumentReference.relatesTo[0].code"),
    "unknown narrative status": (
        _patient(text={"status": "x", "div": DIV % "x"}), "code-invalid", "Patient.text.status"),
    "unknown comparator": (
        _dose(value=1, comparator="~"),
        "code-invalid",
        "MedicationRequest.dosageInstruction[0].doseAndRate[0].doseQuantity.comparator"),
    # types
    "number as text": (
        _dose(value="1.50"), "value",
        "MedicationRequest.dosageInstruction[0].doseAndRate[0].doseQuantity.value"),
    "flag as text": (
        _order(doNotPerform="false"), "value", "MedicationRequest.doNotPerform"),
    "text as number": (_patient(language=5), "value", "Patient.language"),
    "count with a fraction": (
        _order(dispenseRequest={"numberOfRepeatsAllowed": 1.5}), "value",
        "MedicationRequest.dispenseRequest.numberOfRepeatsAllowed"),
    "count below zero": (
        _order(dispenseRequest={"numberOfRepeatsAllowed": -1}), "value",
        "MedicationRequest.dispenseRequest.numberOfRepeatsAllowed"),
    "frequency of nothing": (
        _repeat(frequency=0), "value",
        "MedicationRequest.dosageInstruction[0].timing.repeat.frequency"),
    "day that never was": (_patient(birthDate="2001-02-29"), "value", "Patient.birthDate"),
    "date of another country": (_patient(birthDate="01/02/1980"), "value", "Patient.birthDate"),
    "time without zone": (
        _document(date="2026-11-26T08:00:00"), "value", "DocumentReference.date"),
    "time without seconds": (
        _order(authoredOn="2026-11-26T08:00Z"), "value", "MedicationRequest.authoredOn"),
    "time of day at 24": (
        _repeat(timeOfDay=["24:00:00"]), "value",
        "MedicationRequest.dosageInstruction[0].timing.repeat.timeOfDay[0]"),
    "address with a blank": (_patient(implicitRules="a b"), "value", "Patient.implicitRules"),
    "code with blanks around": (_order(status=" draft"), "value", "MedicationRequest.status"),
    "no base64": (
        _attached(contentType="text/plain", data="%%"), "value",
        "DocumentReference.content[0].attachment.data"),
    "control character": (
        _patient(name=[{"family": "a\x00b"}]), "value", "Patient.name[0].family"),
    "blank text": (
        _order(dosageInstruction=[{"text": "  "}]), "value",
        "MedicationRequest.dosageInstruction[0].text"),
    # shape
    "unknown element": (_patient(shoeSize=44), "structure", "Patient.shoeSize"),
    "element of R5": (
        _order(medication={"concept": {"text": "x"}}), "structure", "MedicationRequest.medication"),
    "one instead of many": (_patient(name={"family": "x"}), "structure", "Patient.name"),
    "many instead of one": (_patient(gender=["female"]), "structure", "Patient.gender"),
    "text instead of an object": (_patient(name=["Ada"]), "structure", "Patient.name[0]"),
    "empty list": (_patient(address=[]), "structure", "Patient.address"),
    "empty object": (_patient(maritalStatus={}), "structure", "Patient.maritalStatus"),
    "empty text": (_order(note=[{"text": ""}]), "structure", "MedicationRequest.note[0].text"),
    "null": (_patient(active=None), "structure", "Patient.active"),
    "both kinds of drug": (
        _order(medicationReference={"reference": "Medication/1"}),
        "structure", "MedicationRequest"),
    "both kinds of as needed": (
        _order(dosageInstruction=[
            {"text": "x", "asNeededBoolean": True, "asNeededCodeableConcept": {"text": "y"}}]),
        "structure", "MedicationRequest.dosageInstruction[0]"),
    "reference to nothing": (
        _order(encounter={"type": "Encounter"}), "structure", "MedicationRequest.encounter"),
    "companion of an object": (_patient(_name=[{"id": "x"}]), "structure", "Patient._name"),
    # references
    "subject is a site": (
        _order(subject={"reference": "Organization/1"}), "value",
        "MedicationRequest.subject.reference"),
    "requester is a drug": (
        _order(requester={"reference": "Medication/1"}), "value",
        "MedicationRequest.requester.reference"),
    "reference that is none": (
        _order(subject={"reference": "Patient 1"}), "value",
        "MedicationRequest.subject.reference"),
    "contained that is not there": (
        _order(subject={"reference": "#p"}), "not-found", "MedicationRequest"),
    "contained that nobody needs": (
        _order(contained=[{"resourceType": "Patient", "id": "p", "active": True}]),
        "invariant", "MedicationRequest.contained[0]"),
    "type that is not the reference's": (
        _order(subject={"reference": "Patient/1", "type": "Group"}),
        "invariant", "MedicationRequest.subject.type"),
    # units and codes
    "unit that is no UCUM": (
        _dose(value=1, system="http://unitsofmeasure.org", code="tablet"), "code-invalid",
        "MedicationRequest.dosageInstruction[0].doseAndRate[0].doseQuantity.code"),
    "RxNorm code with letters": (
        _order(medicationCodeableConcept={"coding": [
            {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "RX1"}]}),
        "code-invalid", "MedicationRequest.medicationCodeableConcept.coding[0].code"),
    "NPI with a wrong check digit": (
        {"resourceType": "Practitioner", "identifier": [
            {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567890"}]},
        "value", "Practitioner.identifier[0].value"),
    # invariants
    "unit code without system": (
        _dose(value=1, code="mg"), "invariant",
        "MedicationRequest.dosageInstruction[0].doseAndRate[0].doseQuantity"),
    "dose below nothing": (
        _dose(value=-1), "value",
        "MedicationRequest.dosageInstruction[0].doseAndRate[0].doseQuantity.value"),
    "range upside down": (
        _order(dosageInstruction=[{"doseAndRate": [
            {"doseRange": {"low": {"value": 2}, "high": {"value": 1}}}]}]),
        "invariant", "MedicationRequest.dosageInstruction[0].doseAndRate[0].doseRange"),
    "half a ratio": (
        _order(dosageInstruction=[{"text": "x", "maxDosePerPeriod": {"numerator": {"value": 1}}}]),
        "invariant", "MedicationRequest.dosageInstruction[0].maxDosePerPeriod"),
    "period without unit": (
        _repeat(period=1), "invariant",
        "MedicationRequest.dosageInstruction[0].timing.repeat"),
    "duration without unit": (
        _repeat(duration=1), "invariant", "MedicationRequest.dosageInstruction[0].timing.repeat"),
    "offset without event": (
        _repeat(offset=30), "invariant", "MedicationRequest.dosageInstruction[0].timing.repeat"),
    "time of day and event": (
        _repeat(when=["HS"], timeOfDay=["08:00:00"]), "invariant",
        "MedicationRequest.dosageInstruction[0].timing.repeat"),
    "period that ends first": (
        _document(context={"period": {"start": "2026-02-01", "end": "2026-01-01"}}),
        "invariant", "DocumentReference.context.period"),
    "contact without system": (
        _patient(telecom=[{"value": "555"}]), "invariant", "Patient.telecom[0]"),
    "data without type": (
        _attached(data="aGVsbG8="), "invariant", "DocumentReference.content[0].attachment"),
    "another size": (
        _attached(contentType="text/plain", data="aGVsbG8=", size=9), "value",
        "DocumentReference.content[0].attachment.size"),
    "another hash": (
        _attached(contentType="text/plain", data="aGVsbG8=", hash="AAAA"), "value",
        "DocumentReference.content[0].attachment.hash"),
    "extension that says nothing": (
        _patient(extension=[{"url": "http://example.org/x"}]), "invariant",
        "Patient.extension[0]"),
    "extension without address": (
        _patient(extension=[{"valueString": "x"}]), "required", "Patient.extension[0].url"),
    "nameless contact": (
        _patient(contact=[{"gender": "male"}]), "invariant", "Patient.contact[0]"),
    "nameless organization": (
        {"resourceType": "Organization", "active": True}, "invariant", "Organization"),
    "list that is empty and is not": (
        {"resourceType": "List", "status": "current", "mode": "working",
         "emptyReason": {"text": "x"}, "entry": [{"item": {"display": "y"}}]},
        "invariant", "List"),
    # narratives
    "narrative that is no XML": (_narrated("<div>a<br></div>"), "structure", "Patient.text.div"),
    "narrative outside XHTML": (_narrated("<div>x</div>"), "structure", "Patient.text.div"),
    "narrative with a script": (
        _narrated(DIV % "<script>x</script>"), "structure", "Patient.text.div"),
    "narrative that acts": (
        _narrated(DIV % '<p onclick="x()">x</p>'), "structure", "Patient.text.div"),
    "narrative with a link that acts": (
        _narrated(DIV % '<a href=" javascript:x">x</a>'), "structure", "Patient.text.div"),
    "narrative with an entity bomb": (
        _narrated('<!DOCTYPE div [<!ENTITY a "b">]>' + DIV % "&a;"),
        "structure", "Patient.text.div"),
    "narrative that says nothing": (_narrated(DIV % " "), "structure", "Patient.text.div"),
    # US Core, of who claims it
    "US Core patient without identifier": (
        _profiled(_patient(identifier="gone"), "us-core-patient"), "required",
        "Patient.identifier"),
    "US Core patient without a name": (
        _profiled(_patient(name=[{"text": "x"}]), "us-core-patient"), "invariant",
        "Patient.name[0]"),
    "US Core order without requester": (
        _profiled(_order(intent="order"), "us-core-medicationrequest"), "invariant",
        "MedicationRequest.requester"),
    "US Core document without category": (
        _profiled(_document(type={"text": "x"}, subject={"reference": "Patient/1"}),
                  "us-core-documentreference"),
        "required", "DocumentReference.category"),
    "US Core profile of another type": (
        _profiled(_patient(), "us-core-practitioner"), "value", "Patient.meta.profile"),
    "Binary without type": (
        {"resourceType": "Binary", "data": "aGk="}, "required", "Binary.contentType"),
}  # fmt: skip
