"""Small FHIR data types as plain data: strings, instants, quantities, absent values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
XHTML = "http://www.w3.org/1999/xhtml"
DATA_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
V3_OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

# Characters that JSON or XML cannot carry, or that FHIR forbids below U+0020 (R4 datatypes,
# string), lone surrogates, and the non-characters XML 1.0 excludes.
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# White space other than the four kinds the FHIR string pattern allows ([ \r\n\t\S]+).
_OTHER_SPACE = re.compile(
    "[\x0b\x0c\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
)
# UCUM terminal symbols are printable ASCII without blanks; braces hold an annotation.
_UCUM_CODE = re.compile(r"(?:[!-z|~]|\{[!-z|~]*\})+")
# Words that look like units and are none; HL7's own examples have some of them.
_NOT_UCUM = frozenset({
    "tab", "tabs", "tbl", "tablet", "tablets", "cap", "caps", "capsule", "capsules", "drop",
    "drops", "gtt", "gtts", "puff", "puffs", "mcg", "cc", "tsp", "tbsp", "unit", "units", "iu",
    "IU", "patch", "patches", "spray", "sprays", "day", "days", "week", "weeks", "hour", "hours",
    "month", "months", "year", "years", "ml/day", "ea", "each",
})  # fmt: skip


def fhir_string(text: str) -> str | None:
    """Return ``text`` as a legal FHIR string, or None when nothing visible is left.

    Every visible character stays as written; only what the format cannot carry goes: control
    characters are dropped, exotic blanks become plain ones.
    """
    legal = _OTHER_SPACE.sub(" ", _FORBIDDEN.sub("", text))
    return legal if legal.strip() else None


def token(text: str) -> str | None:
    """Return ``text`` as an identifier value: a FHIR string without blanks around it."""
    legal = fhir_string(text)
    return legal.strip() if legal else None


def instant(moment: datetime) -> str:
    """Return a FHIR instant in UTC with milliseconds.

    Raises:
        ValueError: ``moment`` has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("A published time needs a time zone.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def absent(reason: str = "unknown") -> dict[str, Any]:
    """Return the companion (``_element``) of a value that is not there, with the reason why."""
    return {"extension": [absent_extension(reason)]}


def absent_extension(reason: str = "unknown") -> dict[str, Any]:
    """Return the data-absent-reason extension itself."""
    return {"url": DATA_ABSENT_REASON, "valueCode": reason}


def coding(system: str, code: str, display: str | None = None) -> dict[str, Any]:
    """Return a Coding."""
    return compact({"system": system, "code": code, "display": display})


def concept(*codings: dict[str, Any], text: str | None = None) -> dict[str, Any]:
    """Return a CodeableConcept."""
    return compact({"coding": list(codings), "text": text})


def reference(resource_type: str, fhir_id: str, display: str | None = None) -> dict[str, Any]:
    """Return a Reference, relative to the server that the resources are read from."""
    return compact({"reference": f"{resource_type}/{fhir_id}", "display": display})


def is_ucum(code: str) -> bool:
    """Tell whether ``code`` may be a UCUM code: allowed characters, and no known impostor."""
    return code not in _NOT_UCUM and _UCUM_CODE.fullmatch(code) is not None


def quantity(value: Decimal, unit: str | None, display: str | None = None) -> dict[str, Any]:
    """Return a Quantity; a unit that is no UCUM code is shown but not coded."""
    if not unit:
        return compact({"value": value, "unit": fhir_string(display or "")})
    if not is_ucum(unit):
        return compact({"value": value, "unit": fhir_string(display or unit)})
    shown = fhir_string(display or "") or unit.strip("{}") or unit
    return {"value": value, "unit": shown, "system": UCUM, "code": unit}


def ai_assisted(profile: str | None = None) -> dict[str, Any]:
    """Return the meta of a resource that software read and a person verified (label AIAST)."""
    return compact(
        {
            "profile": [f"{US_CORE}/{profile}"] if profile else None,
            "security": [coding(V3_OBSERVATION_VALUE, "AIAST")],
        }
    )


def plain_meta(profile: str) -> dict[str, Any]:
    """Return the meta of a resource that no model had a part in."""
    return {"profile": [f"{US_CORE}/{profile}"]}


def compact(element: dict[str, Any]) -> dict[str, Any]:
    """Return ``element`` without the members FHIR forbids: null, empty text, list or object."""
    return {key: value for key, value in element.items() if not _is_nothing(value)}


def notes(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Return Annotations of the texts that are not blank."""
    return [{"text": legal} for legal in map(fhir_string, texts) if legal]


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | tuple | dict) and len(value) == 0)
