"""What a resource is found by: index rows as plain values, made from the resource alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from .served import SERVED, Parameter

MAX_VALUE = 255  # of the columns; longer values are cut here and in queries alike
_RELATIVE = re.compile(
    r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
_MOMENT = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


@dataclass(slots=True)
class IndexRows:
    """What one resource is found by; the parameter names are ``Type.name``.

    Attributes:
        tokens: (parameter, system, value).
        references: (parameter, type or "", id or address).
        dates: (parameter, first moment, first moment after).
        strings: (parameter, folded, as written).
    """

    tokens: set[tuple[str, str, str]] = field(default_factory=set)
    references: set[tuple[str, str, str]] = field(default_factory=set)
    dates: set[tuple[str, datetime, datetime]] = field(default_factory=set)
    strings: set[tuple[str, str, str]] = field(default_factory=set)


def index_rows(resource: dict[str, Any]) -> IndexRows:
    """Return the index rows of ``resource`` by the parameters its type is searched by."""
    rows = IndexRows()
    name = str(resource["resourceType"])
    for parameter in SERVED[name].all_parameters().values():
        if parameter.name in ("_id", "_lastUpdated"):
            continue  # columns of the store
        qualified = f"{name}.{parameter.name}"
        for value in _values(resource, parameter):
            match parameter.kind:
                case "token":
                    rows.tokens |= {(qualified, *pair) for pair in _tokens(value, parameter.name)}
                case "reference":
                    target = reference_target(value)
                    if target and parameter.target in ("", target[0]):
                        rows.references.add((qualified, *target))
                case "date":
                    span = _span(value)
                    if span:
                        rows.dates.add((qualified, *span))
                case _:
                    for text in _texts(value):
                        rows.strings.add((qualified, fold(text), text[:MAX_VALUE]))
                        # "Cruz" finds "de la Cruz" as well; only whole texts match exactly
                        words = fold(text).split()[1:]
                        rows.strings |= {(qualified, word, "") for word in words}
    return rows


def patient_of(resource: dict[str, Any]) -> str:
    """Return the id of the patient whose compartment the resource is in, "" for none."""
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    for name in ("subject", "for", "patient"):
        target = reference_target(resource.get(name))
        if target and target[0] == "Patient":
            return target[1]
    return ""


def _values(resource: dict[str, Any], parameter: Parameter) -> Iterator[Any]:
    for path in parameter.paths:
        yield from _at(resource, path.split("."))


def _at(value: Any, names: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for member in value:
            yield from _at(member, names)
    elif not names:
        if value is not None:
            yield value
    elif isinstance(value, dict):
        yield from _at(value.get(names[0]), names[1:])


def _tokens(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield (system, value) of a code, flag, Coding, CodeableConcept, Identifier or contact."""
    if isinstance(value, bool):
        yield "", "true" if value else "false"
    elif isinstance(value, str):
        yield "", value[:MAX_VALUE]
    elif isinstance(value, dict) and "coding" in value:
        for each in value["coding"]:
            yield from _tokens(each, name)
    elif isinstance(value, dict):
        system = str(value.get("system", ""))
        if name in ("phone", "email", "telecom"):
            if "value" in value and name in ("telecom", system):
                yield system, str(value["value"])[:MAX_VALUE]
            return
        code = value.get("code", value.get("value"))
        if code is not None:
            yield system[:MAX_VALUE], str(code)[:MAX_VALUE]


def reference_target(value: Any) -> tuple[str, str] | None:
    """Return (type, id) of a Reference, ("", address) of one elsewhere, None without either."""
    target = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(target, str) or target.startswith("#"):
        return None
    relative = _RELATIVE.fullmatch(target)
    return (relative[1], relative[2]) if relative else ("", target[:MAX_VALUE])


def _span(value: Any) -> tuple[datetime, datetime] | None:
    """Return the span of a date, time, Period; open ends reach to the ends of time."""
    if isinstance(value, str):
        return moment_span(value)
    if isinstance(value, dict) and ("start" in value or "end" in value):
        start, end = (moment_span(str(value.get(name, ""))) for name in ("start", "end"))
        return (start[0] if start else EARLIEST, end[1] if end else LATEST)
    return None


def moment_span(text: str) -> tuple[datetime, datetime] | None:
    """Return the first moment that ``text`` may mean and the first after it, None for no date.

    ``text`` is any precision from year to fractions of a second; without a zone it is UTC.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        low = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0),
                       min(int(second or 0), 59), tzinfo=_zone(zone))  # fmt: skip
    except (ValueError, OverflowError):
        return None
    step = timedelta(seconds=1) if second else timedelta(minutes=1)
    if fraction:
        digits = fraction[1:7]
        low = low.replace(microsecond=int(digits.ljust(6, "0")))
        step = timedelta(microseconds=10 ** (6 - len(digits)))
    return _in_utc(low, EARLIEST), _in_utc(_end(low, month, day, hour, step), LATEST)


def _end(
    low: datetime, month: str | None, day: str | None, hour: str | None, step: timedelta
) -> datetime:
    """Return the first moment after what begins at ``low`` and has these parts."""
    try:
        if month is None:
            return low.replace(year=low.year + 1)
        if day is None:
            return (low.replace(day=28) + timedelta(days=4)).replace(day=1)
        return low + (timedelta(days=1) if hour is None else step)
    except (ValueError, OverflowError):
        return LATEST  # there is no year 10000


def _in_utc(moment: datetime, otherwise: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return otherwise


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of a string, a HumanName or an Address."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name in ("text", "family", "given", "prefix", "suffix", "line", "city", "district",
                     "state", "postalCode", "country"):  # fmt: skip
            yield from (str(each) for each in _at(value.get(name), []))


def fold(text: str) -> str:
    """Return ``text`` without case and accents and with single blanks (R4 search, string)."""
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(bare.casefold().split())[:MAX_VALUE]
