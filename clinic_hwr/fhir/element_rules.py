"""Rules for single elements wherever they stand: codes, units, references, nothing empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .outcome import Issue
from .primitives import UCUM, fhir_string, is_ucum
from .resources.dosage import DAYS, EVENTS, PERIOD_UNITS
from .resources.medication_request import RXNORM
from .resources.people import NPI_SYSTEM, is_npi

# Required bindings of R4 4.0.1, for the elements this product writes.
_REQUIRED_CODES: dict[str, frozenset[str]] = {
    "Bundle.type": frozenset({"document"}),
    "Composition.status": frozenset({"preliminary", "final", "amended", "entered-in-error"}),
    "Composition.attester.mode": frozenset({"personal", "professional", "legal", "official"}),
    "Composition.confidentiality": frozenset("ULMNRV"),
    "Composition.relatesTo.code": frozenset({"replaces", "transforms", "signs", "appends"}),
    "Device.status": frozenset({"active", "inactive", "entered-in-error", "unknown"}),
    "Device.deviceName.type": frozenset(
        {
            "udi-label-name",
            "user-friendly-name",
            "patient-reported-name",
            "manufacturer-name",
            "model-name",
            "other",
        }
    ),
    "DocumentReference.docStatus": frozenset(
        {"preliminary", "final", "amended", "entered-in-error"}
    ),
    "DocumentReference.status": frozenset({"current", "superseded", "entered-in-error"}),
    "MedicationRequest.intent": frozenset(
        {
            "proposal",
            "plan",
            "order",
            "original-order",
            "reflex-order",
            "filler-order",
            "instance-order",
            "option",
        }
    ),
    "MedicationRequest.status": frozenset(
        {
            "active",
            "on-hold",
            "cancelled",
            "completed",
            "entered-in-error",
            "stopped",
            "draft",
            "unknown",
        }
    ),
    "Patient.gender": frozenset({"male", "female", "other", "unknown"}),
    "Provenance.entity.role": frozenset(
        {"derivation", "revision", "quotation", "source", "removal"}
    ),
}
# The same for parts of data types, by their last two names.
_REQUIRED_CODES_IN_TYPES: dict[str, frozenset[str]] = {
    "repeat.periodUnit": frozenset(PERIOD_UNITS),
    "repeat.durationUnit": frozenset(PERIOD_UNITS),
    "repeat.when": EVENTS,
    "repeat.dayOfWeek": DAYS,
    "text.status": frozenset({"generated", "extensions", "additional", "empty"}),
    "telecom.system": frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"}),
    "telecom.use": frozenset({"home", "work", "temp", "old", "mobile"}),
    "identifier.use": frozenset({"usual", "official", "temp", "secondary", "old"}),
    "name.use": frozenset({"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"}),
}
# What a reference may point at, by the element that holds it.
_TARGETS: dict[str, frozenset[str]] = {
    "subject": frozenset({"Patient"}),
    "requester": frozenset({"Practitioner"}),
    "recorder": frozenset({"Practitioner"}),
    "author": frozenset({"Practitioner"}),
    "authenticator": frozenset({"Practitioner"}),
    "party": frozenset({"Practitioner"}),
    "who": frozenset({"Practitioner", "Device"}),
    "onBehalfOf": frozenset({"Organization"}),
    "custodian": frozenset({"Organization"}),
    "managingOrganization": frozenset({"Organization"}),
    "owner": frozenset({"Organization"}),
    "supportingInformation": frozenset({"DocumentReference"}),
    "what": frozenset({"DocumentReference"}),
    "entry": frozenset({"MedicationRequest", "DocumentReference"}),
}


def element_issues(
    resource: dict[str, Any], path: str, entries: dict[str, str] | None
) -> list[Issue]:
    """Return what is wrong with the elements of ``resource``.

    Args:
        resource: plain data, already accepted by the parser.
        path: FHIRPath of ``resource``.
        entries: fullUrl -> resource type of what references may reach; None to leave them alone.
    """
    return list(_element(resource, path, str(resource.get("resourceType")), entries))


def _element(value: Any, path: str, names: str, entries: dict[str, str] | None) -> Iterator[Issue]:
    """Walk one element; ``names`` is its path from the resource without positions."""
    if value is None or value in ("", [], {}):
        yield Issue("structure", "FHIR has no empty elements; leave it out.", path)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _element(member, f"{path}[{index}]", names, entries)
    elif isinstance(value, dict):
        yield from _object(value, path, names, entries)
    elif isinstance(value, float):
        yield Issue("value", "A decimal must keep its digits; a float has lost them.", path)
    elif isinstance(value, str):
        yield from _text(value, path, names)


def _object(
    value: dict[str, Any], path: str, names: str, entries: dict[str, str] | None
) -> Iterator[Issue]:
    if "resourceType" in value:
        names = str(value["resourceType"])
    yield from _coded(value, path)
    if "reference" in value and entries is not None:
        yield from _reference(str(value["reference"]), path, names, entries)
    if names.endswith(".repeat"):
        yield from _repeat(value, path)
    amount = value.get("value")
    if amount is not None and not isinstance(amount, str | dict | bool) and amount < 0:
        yield Issue("value", "An amount cannot be less than nothing.", f"{path}.value")
    for key, member in value.items():
        if key == "data" and names.endswith(("Binary", ".attachment")):
            continue  # base64, checked as a whole elsewhere; megabytes need no second look
        yield from _element(member, f"{path}.{key}", f"{names}.{key}", entries)


def _text(value: str, path: str, names: str) -> Iterator[Issue]:
    if fhir_string(value) != value:
        yield Issue("value", "The text is blank or holds characters FHIR forbids.", path)
    allowed = _REQUIRED_CODES.get(names) or _REQUIRED_CODES_IN_TYPES.get(
        ".".join(names.split(".")[-2:])
    )
    if allowed is not None and value not in allowed:
        yield Issue("code-invalid", "The code is not in the required value set.", path)


def _coded(value: dict[str, Any], path: str) -> Iterator[Issue]:
    system, code = value.get("system"), str(value.get("code", ""))
    if system == UCUM and not is_ucum(code):
        yield Issue("code-invalid", "This is no UCUM code.", f"{path}.code")
    if system == RXNORM and not (code.isascii() and code.isdigit()):
        yield Issue("code-invalid", "An RxNorm code is digits only.", f"{path}.code")
    if system == NPI_SYSTEM and not is_npi(str(value.get("value", ""))):
        yield Issue("value", "The NPI's check digit is wrong.", f"{path}.value")


def _reference(target: str, path: str, names: str, entries: dict[str, str]) -> Iterator[Issue]:
    if target not in entries:
        yield Issue("not-found", "The reference leads out of the document.", f"{path}.reference")
        return
    holder = names.rpartition(".")[2]
    if entries[target] not in _TARGETS.get(holder, {entries[target]}):
        yield Issue("value", f"{holder} may not point at a {entries[target]}.", f"{path}.reference")


def _repeat(value: dict[str, Any], path: str) -> Iterator[Issue]:
    """Check the R4 invariants of Timing.repeat that the parser does not know."""
    if "duration" in value and "durationUnit" not in value:
        yield Issue("invariant", "A duration needs a unit (tim-1).", path)
    if "period" in value and "periodUnit" not in value:
        yield Issue("invariant", "A period needs a unit (tim-2).", path)
    if "periodMax" in value and "period" not in value:
        yield Issue("invariant", "periodMax needs a period (tim-6).", path)
    if "countMax" in value and "count" not in value:
        yield Issue("invariant", "countMax needs a count (tim-8).", path)
    if "offset" in value and "when" not in value:
        yield Issue("invariant", "An offset needs an event (tim-9).", path)
    if "timeOfDay" in value and "when" in value:
        yield Issue("invariant", "A time of day excludes an event (tim-10).", path)
