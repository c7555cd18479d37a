"""Directions as R4 Dosage: the words of the paper always, structure only where it is certain."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from clinic_hwr.prescriptions.types import Dosage, Sig

from ..primitives import coding, compact, concept, fhir_string, quantity

GTS_ABBREVIATION = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
# R4 value set timing-abbreviation; other abbreviations go out as text.
_TIMING_CODES = frozenset({
    "BID", "TID", "QID", "AM", "PM", "QD", "QOD", "Q1H", "Q2H", "Q3H", "Q4H", "Q6H", "Q8H", "BED",
    "WK", "MO",
})  # fmt: skip
PERIOD_UNITS = {
    "s": "second", "min": "minute", "h": "hour", "d": "day", "wk": "week", "mo": "month",
    "a": "year",
}  # fmt: skip
# R4 value set event-timing (required binding).
EVENTS = frozenset({
    "MORN", "MORN.early", "MORN.late", "NOON", "AFT", "AFT.early", "AFT.late", "EVE", "EVE.early",
    "EVE.late", "NIGHT", "PHS", "HS", "WAKE", "C", "CM", "CD", "CV", "AC", "ACM", "ACD", "ACV",
    "PC", "PCM", "PCD", "PCV",
})  # fmt: skip
DAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_LARGEST_INT = 2**31 - 1  # R4 positiveInt


def dosage_instructions(sig: Sig | None) -> list[dict[str, Any]]:
    """Return one Dosage for each part of the directions, in order.

    Every one carries the whole sig as written in ``text``: a reader who sees only one part of a
    taper must still see the words it was taken from.
    """
    text = fhir_string(sig.text) if sig else None
    if sig is None or text is None:
        return []
    if not sig.dosages:
        return [{"text": text}]
    return [_dosage(part, text) for part in sig.dosages]


def _dosage(part: Dosage, text: str) -> dict[str, Any]:
    reason = fhir_string(part.as_needed_reason or "")
    site = fhir_string(part.site or "")
    additional = [legal for legal in map(fhir_string, part.additional) if legal]
    return compact(
        {
            "sequence": part.sequence if 0 < part.sequence <= _LARGEST_INT else None,
            "text": text,
            "additionalInstruction": [{"text": words} for words in additional],
            "timing": _timing(part),
            "asNeededBoolean": True if part.as_needed and not reason else None,
            "asNeededCodeableConcept": {"text": reason} if reason else None,
            "site": {"text": site} if site else None,
            "route": concept(
                coding(part.route.system, part.route.code, fhir_string(part.route.display))
            )
            if part.route
            else None,
            "doseAndRate": _dose(part),
            "maxDosePerPeriod": _max_dose(part),
        }
    )


def _dose(part: Dosage) -> list[dict[str, Any]]:
    if part.dose is None:
        return []
    low = quantity(part.dose, part.dose_unit, part.dose_unit_display)
    if part.dose_high is None or part.dose_high == part.dose:
        return [{"doseQuantity": low}]
    if part.dose_high < part.dose:
        return []  # R4 has no such range (rng-2); the text stands alone
    high = quantity(part.dose_high, part.dose_unit, part.dose_unit_display)
    return [{"doseRange": {"low": low, "high": high}}]


def _max_dose(part: Dosage) -> dict[str, Any]:
    if part.max_dose is None or part.max_dose_period is None:
        return {}
    if part.max_dose_period_unit not in PERIOD_UNITS:
        return {}
    return {
        "numerator": quantity(part.max_dose, part.max_dose_unit or part.dose_unit),
        "denominator": _duration(part.max_dose_period, part.max_dose_period_unit),
    }


def _timing(part: Dosage) -> dict[str, Any]:
    """Return the Timing, or nothing when R4 has no way to say it (the text then stands alone).

    Half a timing would be worse than none: "at 8 in the morning with food" may not become
    "with food" (invariant tim-10 allows only one of the two).
    """
    if not _is_expressible(part):
        return {}
    repeat = compact(
        {
            **_bounds(part),
            "count": part.count,
            "frequency": part.frequency,
            "frequencyMax": part.frequency_max,
            "period": part.period,
            "periodMax": part.period_max,
            "periodUnit": part.period_unit if part.period is not None else None,
            "dayOfWeek": list(part.days_of_week),
            "timeOfDay": [_seconds(time) for time in part.times_of_day],
            "when": list(part.when),
            "offset": part.offset_min,
        }
    )
    return compact({"repeat": repeat, "code": _timing_code(part.timing_code)})


def _bounds(part: Dosage) -> dict[str, Any]:
    """Return how long: one duration, or a range of which the lower end may be open."""
    if part.duration_unit is None:
        return {}
    if part.duration_high is None:
        if part.duration is None:
            return {}
        return {"boundsDuration": _duration(part.duration, part.duration_unit)}
    low = _duration(part.duration, part.duration_unit) if part.duration is not None else None
    high = _duration(part.duration_high, part.duration_unit)
    return {"boundsRange": compact({"low": low, "high": high})}


def _timing_code(abbreviation: str | None) -> dict[str, Any] | None:
    shown = fhir_string(abbreviation or "")
    if shown is None:
        return None
    if shown in _TIMING_CODES:
        return concept(coding(GTS_ABBREVIATION, shown), text=shown)
    return {"text": shown}


def _is_expressible(part: Dosage) -> bool:
    counts = (part.frequency, part.frequency_max, part.count)
    spans = (part.period, part.period_max, part.duration, part.duration_high)
    return (
        all(count is None or 0 < count <= _LARGEST_INT for count in counts)
        and all(span is None or span > 0 for span in spans)
        and not (part.when and part.times_of_day)
        and (part.period is None or part.period_unit in PERIOD_UNITS)
        and (part.duration is None or part.duration_unit in PERIOD_UNITS)
        and (part.duration_high is None or part.duration_unit in PERIOD_UNITS)
        and _has_offset_events(part)
        and (part.period_max is None or part.period is not None)
        and all(event in EVENTS for event in part.when)
        and all(day in DAYS for day in part.days_of_week)
        and all(_TIME_OF_DAY.fullmatch(time) for time in part.times_of_day)
    )


def _has_offset_events(part: Dosage) -> bool:
    """Invariant tim-9: an offset needs events, and none that is "with" a meal."""
    if part.offset_min is None:
        return True
    whole = 0 <= part.offset_min <= _LARGEST_INT
    return whole and bool(part.when) and not {"C", "CM", "CD", "CV"} & set(part.when)


def _seconds(time: str) -> str:
    return time if len(time) == len("00:00:00") else f"{time}:00"


def _duration(value: Decimal, unit: str) -> dict[str, Any]:
    return quantity(value, unit, PERIOD_UNITS[unit])
