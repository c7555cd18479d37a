"""FHIR R4 Dosage back to ours, so that it can be said in words; half-said elements are refused.

A quantity without its unit, a period without its unit or a code that nobody knows cannot be said
without inventing something: ``read_dosage`` refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from clinic_hwr.prescriptions.routes import ROUTES
from clinic_hwr.prescriptions.sig.render import plain_language
from clinic_hwr.prescriptions.sig.vocabulary import DAYS, PERIOD_WORDS, WHEN_PLAIN
from clinic_hwr.prescriptions.types import Coded, Dosage

_UNITS = {"day": "d", "week": "wk", "month": "mo", "hour": "h", "minute": "min", "year": "a",
          "milligram": "mg", "gram": "g", "millilitre": "mL", "microgram": "ug"}  # fmt: skip
_OTHER_EVENTS = frozenset({"PHS", "MORN.early", "MORN.late", "AFT.early", "AFT.late", "EVE.early",
                           "EVE.late"})  # fmt: skip


class DosageRefused(ValueError):
    """A Dosage cannot be said in words without guessing; the message names the element."""


def dosage_words(elements: Sequence[Mapping[str, Any]]) -> str:
    """Say FHIR R4 Dosages in words, in the order of their sequence; "" when there are none.

    Raises:
        DosageRefused: one of them cannot be said without guessing.
    """
    dosages = [read_dosage(element) for element in elements if element]
    return plain_language(sorted(dosages, key=lambda dosage: dosage.sequence))


def read_dosage(element: Mapping[str, Any]) -> Dosage:
    """Read one FHIR R4 Dosage (JSON).

    Raises:
        DosageRefused: an element is incomplete, or its code is not known.
    """
    repeat = element.get("timing", {}).get("repeat", {})
    extra = [*_rates(element), *_repeat_words(repeat), *_events(element), *_limits(element)]
    extra += [_words(element["method"], "method").lower()] if "method" in element else []
    extra += [_words(item, "additionalInstruction") for item in element.get(
        "additionalInstruction", [])]  # fmt: skip
    low, high, unit = _dose(element)
    bounds = _bounds(repeat)
    period_unit = _period_unit(repeat)
    maximum = _maximum(element)
    reason = element.get("asNeededCodeableConcept")
    return Dosage(
        sequence=int(element.get("sequence", 1)),
        text=str(element.get("text", "")),
        dose=low,
        dose_high=high,
        dose_unit=unit,
        route=_route(element),
        frequency=_frequency(repeat),
        frequency_max=repeat.get("frequencyMax"),
        period=_decimal(repeat.get("period"), "period"),
        period_max=_decimal(repeat.get("periodMax"), "periodMax"),
        period_unit=period_unit,
        when=tuple(_known(code, WHEN_PLAIN, "when") for code in repeat.get("when", ())
                   if code not in _OTHER_EVENTS),
        times_of_day=tuple(str(time)[:8] for time in repeat.get("timeOfDay", ())),
        days_of_week=tuple(_known(d, DAYS, "dayOfWeek") for d in repeat.get("dayOfWeek", ())),
        offset_min=repeat.get("offset"),
        duration=bounds[0],
        duration_high=bounds[1],
        duration_unit=bounds[2],
        count=repeat.get("count"),
        as_needed=bool(element.get("asNeededBoolean")) or reason is not None,
        as_needed_reason=_words(reason, "asNeededCodeableConcept") if reason is not None else None,
        max_dose=maximum[0],
        max_dose_unit=maximum[1],
        max_dose_period=maximum[2],
        max_dose_period_unit=maximum[3],
        site=_words(element["site"], "site") if "site" in element else None,
        additional=tuple(extra),
    )  # fmt: skip


def _decimal(value: Any, name: str) -> Decimal | None:
    if value is None:
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise DosageRefused(f"{name} is no number.") from error


def _quantity(element: Any, name: str) -> tuple[Decimal, str]:
    """Return value and unit; both are needed to say anything."""
    value = _decimal(element.get("value"), name) if isinstance(element, Mapping) else None
    if value is None:
        raise DosageRefused(f"{name} has no value.")
    unit = element.get("unit") or element.get("code")
    if not unit:
        raise DosageRefused(f"{name} has no unit.")
    ucum = element.get("system") == "http://unitsofmeasure.org" and element.get("code")
    return value, str(ucum or _UNITS.get(str(unit), str(unit)))


def _dose(element: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None, str | None]:
    for rate in element.get("doseAndRate", ())[:1]:
        if "doseQuantity" in rate:
            value, unit = _quantity(rate["doseQuantity"], "doseQuantity")
            return value, None, unit
        if "doseRange" in rate:
            low, unit = _quantity(rate["doseRange"].get("low"), "doseRange.low")
            high, high_unit = _quantity(rate["doseRange"].get("high"), "doseRange.high")
            if unit == high_unit:
                return low, high, unit
            if (unit, high_unit) == ("mg", "g"):
                return low, high * 1000, unit
            raise DosageRefused("doseRange has two units.")
    return None, None, None


def _rates(element: Mapping[str, Any]) -> list[str]:
    words = []
    for rate in element.get("doseAndRate", ()):
        if "rateRatio" in rate:
            top = _quantity(rate["rateRatio"].get("numerator"), "rateRatio.numerator")
            per = _quantity(rate["rateRatio"].get("denominator"), "rateRatio.denominator")
            words.append(f"at a rate of {top[0]} {top[1]} per {per[0]} {per[1]}")
        if "rateRange" in rate:
            low = _quantity(rate["rateRange"].get("low"), "rateRange.low")
            high = _quantity(rate["rateRange"].get("high"), "rateRange.high")
            words.append(f"at a rate of {low[0]} {low[1]} to {high[0]} {high[1]}")
        if "rateQuantity" in rate:
            value, unit = _quantity(rate["rateQuantity"], "rateQuantity")
            words.append(f"at a rate of {value} {unit}")
    return words


def _repeat_words(repeat: Mapping[str, Any]) -> list[str]:
    words = []
    for code in repeat.get("when", ()):
        if code in _OTHER_EVENTS:
            words.append("once asleep" if code == "PHS" else code)
    if "duration" in repeat:
        unit = _known(repeat.get("durationUnit"), PERIOD_WORDS, "durationUnit")
        most = f" (at most {repeat['durationMax']})" if "durationMax" in repeat else ""
        words.append(f"over {repeat['duration']} {PERIOD_WORDS[unit]}{most}")
    if "boundsPeriod" in repeat:
        ends = [(end, repeat["boundsPeriod"].get(end)) for end in ("start", "end")]
        shown = [f"{'from' if end == 'start' else 'to'} {_date(day)}" for end, day in ends if day]
        words.append(" ".join(shown))
    if "countMax" in repeat:
        if "count" not in repeat:
            raise DosageRefused("countMax stands without count.")
        words.append(f"at most {repeat['countMax']} times")
    return words


def _events(element: Mapping[str, Any]) -> list[str]:
    return [f"on {_date(event)}" for event in element.get("timing", {}).get("event", ())]


def _date(written: Any) -> str:
    try:
        return date.fromisoformat(str(written)[:10]).isoformat()
    except ValueError as error:
        raise DosageRefused(f"{written!r} is no date.") from error


def _limits(element: Mapping[str, Any]) -> list[str]:
    words = []
    for name, what in (("maxDosePerAdministration", "dose"), ("maxDosePerLifetime", "lifetime")):
        if name in element:
            value, unit = _quantity(element[name], name)
            words.append(f"at most {value} {unit} per {what}")
    return words


def _frequency(repeat: Mapping[str, Any]) -> int | None:
    frequency = repeat.get("frequency")
    if frequency is None and "frequencyMax" not in repeat:
        if "periodMax" in repeat:
            raise DosageRefused("periodMax stands without frequency.")
        # R4: frequency is 1 where only a period is written.
        return 1 if "period" in repeat else None
    return frequency


def _period_unit(repeat: Mapping[str, Any]) -> str | None:
    if "periodMax" in repeat and "period" not in repeat:
        raise DosageRefused("periodMax stands without period.")
    if "period" not in repeat:
        return None
    return _known(repeat.get("periodUnit"), PERIOD_WORDS, "periodUnit")


def _bounds(repeat: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None, str | None]:
    if "boundsDuration" in repeat:
        value, unit = _quantity(repeat["boundsDuration"], "boundsDuration")
        return value, None, _known(unit, PERIOD_WORDS, "boundsDuration")
    if "boundsRange" in repeat:
        bounds = repeat["boundsRange"]
        if "high" not in bounds:
            raise DosageRefused("boundsRange has no upper end.")
        high, unit = _quantity(bounds["high"], "boundsRange.high")
        _known(unit, PERIOD_WORDS, "boundsRange")
        if "low" not in bounds:
            return None, high, unit
        low, low_unit = _quantity(bounds["low"], "boundsRange.low")
        if low_unit == "min" and unit == "h":
            return low, high * 60, "min"
        if low_unit != unit:
            raise DosageRefused("boundsRange has two units.")
        return low, high, unit
    return None, None, None


def _maximum(
    element: Mapping[str, Any],
) -> tuple[Decimal | None, str | None, Decimal | None, str | None]:
    if "maxDosePerPeriod" not in element:
        return None, None, None, None
    ratio = element["maxDosePerPeriod"]
    value, unit = _quantity(ratio.get("numerator"), "maxDosePerPeriod.numerator")
    per, per_unit = _quantity(ratio.get("denominator"), "maxDosePerPeriod.denominator")
    return value, unit, per, _known(per_unit, PERIOD_WORDS, "maxDosePerPeriod.denominator")


def _route(element: Mapping[str, Any]) -> Coded | None:
    if "route" not in element:
        return None
    codes = [c.get("code") for c in element["route"].get("coding", ())]
    known = next((ROUTES[code] for code in codes if code in ROUTES), None)
    return known or Coded("", "", _words(element["route"], "route"))


def _words(concept: Any, name: str) -> str:
    """Return what a concept says in words; a code alone says nothing to a person."""
    if not isinstance(concept, Mapping):
        raise DosageRefused(f"{name} is no concept.")
    shown = [str(c["display"]) for c in concept.get("coding", ()) if c.get("display")]
    text = concept.get("text") or (shown[0] if shown else "")
    if not text:
        raise DosageRefused(f"{name} has no words.")
    return str(text)


def _known(code: Any, table: Mapping[str, Any], name: str) -> str:
    if code not in table:
        raise DosageRefused(f"{name} {code!r} is not known.")
    return str(code)
