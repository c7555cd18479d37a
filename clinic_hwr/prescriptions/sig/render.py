"""Structured dosages to plain English, in words that the parser reads back as the same."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from clinic_hwr.prescriptions.routes import ROUTE_PLAIN, site_route
from clinic_hwr.prescriptions.sig.parts import Span
from clinic_hwr.prescriptions.sig.rule_words import unit_words
from clinic_hwr.prescriptions.sig.vocabulary import DAYS, DOSE_UNITS, PERIOD_WORDS, WHEN_PLAIN
from clinic_hwr.prescriptions.types import Dosage


def display_of(dosage: Dosage) -> str | None:
    """Return the dose unit in words ("tablet"), or None when there is no unit."""
    if dosage.dose_unit is None:
        return None
    return DOSE_UNITS.get(dosage.dose_unit, (dosage.dose_unit, "", ""))[0]


def plain_language(dosages: Sequence[Dosage]) -> str:
    """Write dosages for the reviewer and the patient; "" when there are none.

    Doses at the same time are joined by "and", steps one after the other by "then".
    """
    text = ""
    for index, dosage in enumerate(dosages):
        words = _one(dosage)
        if not words:
            continue
        if text:
            together = dosages[index - 1].sequence == dosage.sequence
            text += (" and " if together else ", then ") + words
        else:
            text = words
    return text[:1].upper() + text[1:]


def _one(dosage: Dosage) -> str:
    core: list[str] = []
    if dosage.dose is not None:
        # "2 3 times" would read as 23: a bare number gets a comma behind it.
        core.append(_dose(dosage) + ("" if dosage.dose_unit else ","))
    implied = site_route(dosage.site) if dosage.site else None
    if dosage.route is not None and dosage.route.code != implied:
        core.append(ROUTE_PLAIN.get(dosage.route.code, dosage.route.display.lower()))
    if dosage.site:
        core.append(_site(dosage.site))
    core.append(_frequency(dosage))
    moments = []
    for code in dosage.when:
        words = WHEN_PLAIN[code] if code != "HS" or dosage.offset_min is None else "before bedtime"
        moments.append(f"{_offset(dosage.offset_min)}{words}")
    core.append(" and ".join(moments))
    core.append(" and ".join(f"at {time[:5]}" for time in dosage.times_of_day))
    core.append(" and ".join(f"on {DAYS[day]}" for day in dosage.days_of_week))
    pieces = [" ".join(word for word in core if word)]
    if dosage.as_needed:
        pieces.append(
            f"as needed for {dosage.as_needed_reason}" if dosage.as_needed_reason else "as needed"
        )
    if dosage.duration is not None and dosage.duration_unit:
        days = _periods(dosage.duration, dosage.duration_unit, dosage.duration_high)
        pieces.append(f"for {days}")
    elif dosage.duration_high is not None and dosage.duration_unit:
        pieces.append(f"for up to {_periods(dosage.duration_high, dosage.duration_unit)}")
    if dosage.count is not None:
        pieces.append(f"for {dosage.count} dose{'s' if dosage.count != 1 else ''}")
    pieces.append(_maximum(dosage))
    pieces.extend(text for text in dosage.additional if not text.startswith("("))
    return f"{_verb(dosage)} {', '.join(piece for piece in pieces if piece)}".strip(" ,")


_VERBS = {"{puff}": "inhale", "[drp]": "put", "{patch}": "apply", "{suppository}": "insert",
          "{application}": "apply", "{applicator}": "insert"}  # fmt: skip
_INJECTED = frozenset({"34206005", "78421000", "47625008"})
_TAKEN = frozenset({"{tablet}", "{capsule}", "{lozenge}", "{packet}", "[tsp_us]", "[tbs_us]"})


def _verb(dosage: Dosage) -> str:
    """Return the word a patient expects in front; none where the route is not sure."""
    unit = dosage.dose_unit or ""
    if unit in _VERBS:
        return _VERBS[unit]
    route = dosage.route.code if dosage.route else None
    if unit == "[iU]" and route in _INJECTED:  # units of vitamin D or nystatin are swallowed
        return "inject"
    return "take" if unit in _TAKEN or route == "26643006" else ""


def _offset(minutes: int | None) -> str:
    if minutes is None:
        return ""
    unit, value = ("h", minutes // 60) if minutes % 60 == 0 else ("min", minutes)
    return _periods(Decimal(value), unit) + " "


def _site(site: str) -> str:
    return f"to {site}" if site.startswith(("both", "each")) else f"to the {site}"


def _dose(dosage: Dosage) -> str:
    assert dosage.dose is not None  # noqa: S101 - the caller has checked; narrows the type
    words = unit_words(Span(dosage.dose, dosage.dose_high), dosage.dose_unit)
    again = next((text for text in dosage.additional if text.startswith("(")), "")
    return f"{words} {again}".strip()


def _periods(value: Decimal, unit: str, high: Decimal | None = None) -> str:
    word = PERIOD_WORDS[unit]
    many = "s" if high is not None or value != 1 else ""
    return unit_words(Span(value, high), None) + f" {word}{many}"


def _frequency(dosage: Dosage) -> str:
    if dosage.period is None or dosage.period_unit is None:
        most = f" to {dosage.frequency_max}" if dosage.frequency_max else ""
        return f"{dosage.frequency}{most} times" if dosage.frequency else ""
    unit = PERIOD_WORDS[dosage.period_unit]
    single = dosage.period == 1 and dosage.period_max is None
    every = (
        f"every {unit}"
        if single
        else (f"every {_periods(dosage.period, dosage.period_unit, dosage.period_max)}")
    )
    per = f"per {unit}" if single else every
    if dosage.frequency is None:
        return f"up to {dosage.frequency_max} times {per}" if dosage.frequency_max else ""
    if dosage.frequency_max is not None:
        return f"{dosage.frequency} to {dosage.frequency_max} times {per}"
    if dosage.frequency == 1:
        return "once daily" if single and unit == "day" else every
    return f"{dosage.frequency} times {per}"


def _maximum(dosage: Dosage) -> str:
    if dosage.max_dose is None or dosage.max_dose_period is None:
        return ""
    amount = unit_words(Span(dosage.max_dose), dosage.max_dose_unit)
    period = _periods(dosage.max_dose_period, dosage.max_dose_period_unit or "d")
    return f"maximum {amount} in {period}"
