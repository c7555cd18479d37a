"""The shape of a resource: every element known, in its place, of its type, and not empty.

Walks plain data along the R4 definitions, so it judges what clients send as strictly as what the
product makes. ``fhir.resources`` is a second opinion; it takes text for numbers and booleans, any
code, empty lists and references to anything.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from .definitions import Element, elements_of
from .invariants import invariant_issues
from .outcome import Issue
from .primitives import fhir_string

_MOST_DEPTH = 32
_LITERAL = re.compile(
    r"(?:(?:https?)://[^\s?#]+/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.\-]*:\S+", re.IGNORECASE)
_FRAGMENT = re.compile(r"#[A-Za-z0-9\-.]{0,64}")
_YEAR = r"([1-9]\d{3}|0\d{2}[1-9]|0\d[1-9]\d|0[1-9]\d\d)"
_DATE = re.compile(rf"{_YEAR}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_TIME = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
_ZONE = r"(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))"
_INSTANT = re.compile(rf"{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T{_TIME}{_ZONE}")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CODE = re.compile(r"[^\s]+(\s[^\s]+)*")
_NO_BLANK = re.compile(r"\S+")
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9]\d*))+")
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LARGEST_INT = 2**31 - 1


def structure_issues(resource: Any, path: str) -> list[Issue]:
    """Return what is wrong with the shape of ``resource``; its type must be one the table has."""
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(name, str) or not elements_of(name):
        return [Issue("structure", "This is no resource of a type served here.", path)]
    return list(_resource(resource, path, 0))


def _resource(resource: dict[str, Any], path: str, depth: int) -> Iterator[Issue]:
    name = str(resource["resourceType"])
    body = {key: value for key, value in resource.items() if key != "resourceType"}
    yield from _object(body, name, path, depth)
    yield from _contained_issues(resource, path)


def _object(value: dict[str, Any], type_name: str, path: str, depth: int) -> Iterator[Issue]:
    if depth > _MOST_DEPTH:
        yield Issue("too-costly", f"Nested more than {_MOST_DEPTH} deep.", path)
        return
    elements = elements_of(type_name)
    seen: dict[str, str] = {}
    for key, member in value.items():
        name = key.removeprefix("_")
        element = elements.get(name)
        if element is None:
            yield Issue("structure", "R4 has no such element here.", f"{path}.{_safe(key)}")
            continue
        if key.startswith("_"):
            if not element.type[0].islower():
                yield Issue("structure", "Only primitives have a companion.", f"{path}.{key}")
                continue
            yield from _companion(member, value.get(name), element, f"{path}.{key}", depth)
        else:
            yield from _member(member, element, f"{path}.{key}", depth)
        if element.choice and seen.setdefault(element.choice, name) != name:
            yield Issue("structure", "Only one type of a choice may be given.", path)
    yield from _missing(value, elements, path)
    yield from invariant_issues(value, type_name, path)


def _missing(value: dict[str, Any], elements: dict[str, Element], path: str) -> Iterator[Issue]:
    present = {key.removeprefix("_") for key in value}
    have = present | {elements[key].choice for key in present if key in elements}
    wanted = {e.choice or name for name, e in elements.items() if e.required}
    for name in sorted(wanted - have):
        yield Issue("required", "R4 demands this element.", f"{path}.{name}")


def _member(value: Any, element: Element, path: str, depth: int) -> Iterator[Issue]:
    if value is None or value in ("", [], {}):
        yield Issue("structure", "FHIR has no empty elements; leave it out.", path)
    elif isinstance(value, list) != element.many:
        kind = "a list" if element.many else "a single value, no list"
        yield Issue("structure", f"This must be {kind}.", path)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _single(each, element, f"{path}[{index}]", depth)
    else:
        yield from _single(value, element, path, depth)


def _single(value: Any, element: Element, path: str, depth: int) -> Iterator[Issue]:
    if value is None or value in ("", [], {}):
        yield Issue("structure", "FHIR has no empty elements; leave it out.", path)
    elif element.type in _RESOURCES_WITHIN:
        if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
            yield Issue("structure", "A resource with its type belongs here.", path)
        elif elements_of(value["resourceType"]):
            yield from _resource(value, path, depth + 1)
        # a type this server does not handle is left to whoever reads it
    elif element.type[0].islower():
        yield from _primitive(value, element, path)
    elif not isinstance(value, dict):
        yield Issue("structure", "An object belongs here.", path)
    else:
        yield from _object(value, element.type, path, depth + 1)
        if element.type == "Reference":
            yield from _reference(value, element, path)


def _companion(member: Any, value: Any, element: Element, path: str, depth: int) -> Iterator[Issue]:
    """Check ``_element``: id and extensions of a primitive, list for list."""
    if member in (None, [], {}):
        yield Issue("structure", "FHIR has no empty elements; leave it out.", path)
        return
    if isinstance(member, list) != element.many:
        yield Issue("structure", "A companion has the shape of its element.", path)
        return
    members = member if isinstance(member, list) else [member]
    if isinstance(value, list) and len(value) != len(members):
        yield Issue("structure", "A companion has as many members as its element.", path)
    for index, each in enumerate(members):
        place = f"{path}[{index}]" if element.many else path
        if each is None and element.many:
            continue
        if not isinstance(each, dict) or not each or each.keys() - {"id", "extension"}:
            yield Issue("structure", "A companion holds id and extensions only.", place)
        else:
            for number, extension in enumerate(each.get("extension", [])):
                yield from _single(extension, _EXTENSION, f"{place}.extension[{number}]", depth)


# OperationOutcome: of Bundle.entry.response; the others may hold anything.
_RESOURCES_WITHIN = frozenset({"Resource", "OperationOutcome"})
_EXTENSION = Element("Extension", False, True, False, None, None, "")


def _primitive(value: Any, element: Element, path: str) -> Iterator[Issue]:
    check = _PRIMITIVES.get(element.type, _is_string)
    problem = check(value)
    if problem:
        yield Issue("value", problem, path)
    elif isinstance(value, str) and element.type != "base64Binary" and fhir_string(value) != value:
        yield Issue("value", "The text is blank or holds characters FHIR forbids.", path)
    elif element.codes is not None and value not in element.codes:
        yield Issue("code-invalid", "The code is not in the required value set.", path)


def _reference(value: dict[str, Any], element: Element, path: str) -> Iterator[Issue]:
    target = value.get("reference")
    if not isinstance(target, str):
        return
    literal = _LITERAL.fullmatch(target)
    named = literal[1] if literal else None
    if not literal and not _ABSOLUTE.fullmatch(target) and not _FRAGMENT.fullmatch(target):
        yield Issue(
            "value", "This is no reference: Type/id, an address, or #id.", f"{path}.reference"
        )
    elif named and element.targets is not None and named not in element.targets:
        allowed = ", ".join(sorted(element.targets))
        yield Issue("value", f"This may point at {allowed} only.", f"{path}.reference")
    if named and isinstance(value.get("type"), str) and value["type"] != named:
        yield Issue("invariant", "The type is not that of the reference.", f"{path}.type")


def _contained_issues(resource: dict[str, Any], path: str) -> Iterator[Issue]:
    """Check dom-2 to dom-5 and that every ``#id`` is there (ref-1)."""
    contained = [each for each in resource.get("contained", []) or [] if isinstance(each, dict)]
    ids = [str(each.get("id", "")) for each in contained]
    used = set(_fragments(resource))
    for target in sorted(used - {*ids, ""}):
        yield Issue(
            "not-found", f"No contained resource has this id ({len(target)} letters).", path
        )
    for index, (each, own) in enumerate(zip(contained, ids, strict=True)):
        place = f"{path}.contained[{index}]"
        if "contained" in each:
            yield Issue("invariant", "A contained resource contains no others (dom-2).", place)
        if not own or ids.count(own) > 1:
            yield Issue("invariant", "A contained resource needs an id of its own.", place)
        if own not in used and "" not in set(_fragments(each)):
            yield Issue("invariant", "A contained resource must be referred to (dom-3).", place)
        if {"versionId", "lastUpdated"} & each.get("meta", {}).keys():
            yield Issue("invariant", "A contained resource has no version (dom-4).", place)


def _fragments(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for member in value:
            yield from _fragments(member)
    elif isinstance(value, dict):
        target = value.get("reference")
        if isinstance(target, str) and target.startswith("#"):
            yield target[1:]
        for member in value.values():
            yield from _fragments(member)


def _safe(key: str) -> str:
    """Return a key as it may stand in an outcome: an unknown one could be anything."""
    return key if key.isascii() and key.isidentifier() and len(key) < 64 else "(unknown)"


# ---- primitives: value -> what is wrong with it, "" when nothing ------------------------------


def _is_string(value: Any) -> str:
    if not isinstance(value, str):
        return "Text belongs here."
    return "A text may have at most 1,048,576 characters." if len(value) > 1024 * 1024 else ""


def _matching(pattern: re.Pattern[str], words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        return "" if isinstance(value, str) and pattern.fullmatch(value) else words

    return check


def _is_boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false belongs here, without quotes."


def _integer(least: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int):
            return "A whole number belongs here, without quotes."
        return (
            ""
            if least <= value <= _LARGEST_INT
            else f"The number must be {least} or more, 32 bits."
        )

    return check


def _is_decimal(value: Any) -> str:
    if isinstance(value, float):
        return "A decimal must keep its digits; a float has lost them."
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return "A number belongs here, without quotes."
    if isinstance(value, Decimal) and not value.is_finite():
        return "A FHIR decimal must be a number."
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    # R4 promises 18 digits; more would be cut by most receivers
    if (
        not isinstance(exponent, int)
        or not -30 <= exponent <= 30
        or len(number.as_tuple().digits) > 30
    ):
        return "A decimal may have 30 digits and an exponent of 30."
    return ""


def _is_date(value: Any) -> str:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return "A date is YYYY, YYYY-MM or YYYY-MM-DD."
    return "" if len(value) < 10 or _is_day(value) else "There is no such day."


def _is_date_time(value: Any) -> str:
    if isinstance(value, str) and "T" in value:
        return _is_instant(value)
    return _is_date(value)


def _is_instant(value: Any) -> str:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return "A time needs a date, seconds and a zone."
    return "" if _is_day(value[:10]) else "There is no such day."


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_base64(value: Any) -> str:
    if not isinstance(value, str):
        return "This is no base64."
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except ValueError:
        return "This is no base64."
    return ""


_PRIMITIVES: dict[str, Callable[[Any], str]] = {
    "base64Binary": _is_base64,
    "boolean": _is_boolean,
    "canonical": _matching(_NO_BLANK, "An address has no blanks."),
    "code": _matching(_CODE, "A code has no blanks around it."),
    "date": _is_date,
    "dateTime": _is_date_time,
    "decimal": _is_decimal,
    "id": _matching(_ID, "An id has 1 to 64 letters, digits, hyphens or dots."),
    "instant": _is_instant,
    "integer": _integer(-(2**31)),
    "oid": _matching(_OID, "An OID begins with urn:oid: and has numbers and dots."),
    "positiveInt": _integer(1),
    "time": _matching(re.compile(_TIME), "A time of day is hh:mm:ss."),
    "unsignedInt": _integer(0),
    "uri": _matching(_NO_BLANK, "An address has no blanks."),
    "url": _matching(_NO_BLANK, "An address has no blanks."),
    "uuid": _matching(_UUID, "A UUID begins with urn:uuid: and is in lower case."),
    "xhtml": _is_string,
}
