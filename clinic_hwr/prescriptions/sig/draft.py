"""One dosage while it is put together; a part that contradicts an earlier one is refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from clinic_hwr.prescriptions.routes import ROUTES, site_route
from clinic_hwr.prescriptions.sig import parts as p
from clinic_hwr.prescriptions.types import Dosage

# FHIR timing abbreviations (GTSAbbreviation) of plain frequencies; others have none.
_TIMING_CODES: dict[tuple[int, Decimal, str], str] = {
    (1, Decimal(1), "d"): "QD", (2, Decimal(1), "d"): "BID", (3, Decimal(1), "d"): "TID",
    (4, Decimal(1), "d"): "QID", (1, Decimal(2), "d"): "QOD", (1, Decimal(1), "wk"): "WK",
    (1, Decimal(1), "mo"): "MO",
    **{(1, Decimal(hours), "h"): f"Q{hours}H" for hours in (1, 2, 3, 4, 6, 8)},
}  # fmt: skip
_GENERIC_MEALS = frozenset({"AC", "PC", "C"})
_ONCE_DAILY = p.Frequency(1, None, p.Span(Decimal(1)), "d")
_ONCE_WEEKLY = p.Frequency(1, None, p.Span(Decimal(1)), "wk")

GRID_MOMENTS: dict[int, tuple[str, ...]] = {
    3: ("MORN", "AFT", "NIGHT"),
    4: ("MORN", "AFT", "EVE", "NIGHT"),
}
"""Moments of an Indian dose pattern by its number of cells."""


@dataclass(slots=True)
class Draft:
    """The parts of one dosage so far."""

    dose: p.Dose | None = None
    frequency: p.Frequency | None = None
    when: list[str] = field(default_factory=list)
    clocks: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    duration: p.Duration | None = None
    count: int | None = None
    as_needed: p.AsNeeded | None = None
    maximum: p.Maximum | None = None
    route: str | None = None
    site: str | None = None
    instructions: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def has_moment(self) -> bool:
        """Whether it says at which moments of the day."""
        return bool(self.when or self.clocks)

    def put(self, part: p.Part) -> bool:
        """Add a part; False when it contradicts what is there or cannot be held."""
        match part:
            case p.Unclear() | p.Grid():
                return False
            case p.Dose():
                return self._put_dose(part)
            case p.DoseEach():
                if not self._put_dose(part.dose):
                    return False
                if part.dose.amount != p.Span(Decimal(1)):
                    self.warnings.append("A daily amount is written; it may be meant divided.")
                return self._put_frequency(part.frequency)
            case p.Frequency():
                return self._put_frequency(part)
            case p.When():
                return self._put_when(part)
            case p.Clock():
                self.clocks.append(part.time)
            case p.Day():
                self.days.append(part.code)
            case p.Instruction():
                if part.text not in self.instructions:
                    self.instructions.append(part.text)
            case _:
                return self._put_once(part)
        return True

    def _put_once(self, part: p.Part) -> bool:
        """Add a part that may stand only once, or again with the same meaning."""
        match part:
            case p.Duration():
                name, value = "duration", part
                if part.vague:
                    self.warnings.append("The duration is a range or a limit, not one value.")
            case p.Count():
                name, value = "count", part.value  # type: ignore[assignment]
            case p.AsNeeded():
                if self.as_needed is not None and "" in (self.as_needed.reason, part.reason):
                    self.as_needed = p.AsNeeded(self.as_needed.reason or part.reason)
                    return True
                name, value = "as_needed", part  # type: ignore[assignment]
            case p.Maximum():
                name, value = "maximum", part  # type: ignore[assignment]
            case p.Route():
                name, value = "route", part.code  # type: ignore[assignment]
            case p.Site():
                name, value = "site", part.name  # type: ignore[assignment]
            case _:  # pragma: no cover - every part kind is named above
                return False
        present = getattr(self, name)
        if present is not None and present != value:
            return False
        setattr(self, name, value)
        return True

    def _put_dose(self, dose: p.Dose) -> bool:
        if self.dose is not None:
            return self.dose == dose
        self.dose = dose
        if dose.extra:
            self.instructions.append(dose.extra)
        return True

    def _put_frequency(self, new: p.Frequency) -> bool:
        old = self.frequency
        if self.days and new == _ONCE_WEEKLY and old is not None and old.unit == "d":
            return True  # "twice a day on Mondays, each week"
        if old is None or old == new:
            self.frequency = new
            return True
        # "twice a day, daily": the plain "daily" says nothing more.
        for plain, other in ((old, new), (new, old)):
            if plain == _ONCE_DAILY and other.unit == "d" and other.period == plain.period:
                self.frequency = other
                return True
        return False

    def _put_when(self, part: p.When) -> bool:
        for code in part.codes:
            if code not in self.when:
                self.when.append(code)
        if part.extra:
            self.instructions.append(part.extra)
        return True

    def settle(self) -> list[str]:
        """Bring moments, times and frequency together; return what contradicts, in words."""
        problems: list[str] = []
        if self.clocks and self.when:
            problems.append("both times of day and moments of the day are written")
        self.clocks = sorted(dict.fromkeys(self.clocks))
        self.days = sorted(dict.fromkeys(self.days), key=_WEEK.index)
        # "after food" alone says when, not how often: it never makes a frequency.
        counts = self._event_counts()
        if counts and self.frequency is None and self.count is None:
            self.frequency = p.Frequency(counts[0], None, p.Span(Decimal(1)), "d")
        elif self.has_moment and self.frequency is not None and not self._agrees(counts):
            problems.append("how often and the moments of the day do not agree")
        if self.days and self.frequency is not None and not self._days_agree():
            problems.append("how often and the days of the week do not agree")
        return problems

    def _event_counts(self) -> list[int]:
        """Times a day that the moments amount to, the likeliest first; empty when they do not say.

        "After meals and at bedtime" is four times; "morning and night after food" is twice.
        """
        if self.clocks:
            return [len(self.clocks)]
        moments = [code for code in self.when if code not in _GENERIC_MEALS]
        if not moments:
            return []
        alone = len(moments)
        with_meals = alone + 3 * (len(self.when) - alone)
        first_is_meal = self.when[0] in _GENERIC_MEALS
        return [with_meals, alone] if first_is_meal else [alone, with_meals]

    def _agrees(self, counts: list[int]) -> bool:
        frequency = self.frequency
        assert frequency is not None  # noqa: S101 - the caller has checked; narrows the type
        if frequency.times is None:
            return False
        if not counts:
            return frequency.unit in {"d", "h"} or frequency.times == 1
        if frequency.unit == "h":
            return False
        return frequency.times in counts and (frequency.unit == "d" or frequency.times == 1)

    def _days_agree(self) -> bool:
        frequency = self.frequency
        assert frequency is not None  # noqa: S101 - the caller has checked; narrows the type
        if frequency.period != p.Span(Decimal(1)):
            return False
        return frequency.unit == "d" or (
            frequency.unit == "wk" and frequency.times == len(self.days)
        )

    def dosage(self, sequence: int, text: str, default_unit: tuple[str, str] | None) -> Dosage:
        """Return the dosage; ``default_unit`` is (UCUM, word) of the form when none is written."""
        made = Dosage(sequence=sequence, text=text)
        if self.dose is not None:
            unit = self.dose.unit or (default_unit[0] if default_unit else None)
            made = replace(
                made, dose=self.dose.amount.low, dose_high=self.dose.amount.high, dose_unit=unit
            )
        frequency = self.frequency
        if frequency is not None:
            made = replace(
                made,
                frequency=frequency.times,
                frequency_max=frequency.times_max,
                period=frequency.period.low,
                period_max=frequency.period.high,
                period_unit=frequency.unit,
                timing_code=self._timing_code(),
            )
        if self.duration is not None and not self.duration.vague:
            made = replace(made, duration=self.duration.value, duration_unit=self.duration.unit)
        if self.maximum is not None:
            counted = made.dose_unit if (made.dose_unit or "").startswith(("{", "[")) else None
            made = replace(
                made,
                max_dose=self.maximum.amount,
                max_dose_unit=self.maximum.unit or counted,
                max_dose_period=self.maximum.period,
                max_dose_period_unit=self.maximum.period_unit,
            )
        route = self.route or (site_route(self.site) if self.site else None)
        return replace(
            made,
            route=ROUTES[route] if route else None,
            site=self.site,
            when=tuple(self.when),
            times_of_day=tuple(self.clocks),
            days_of_week=tuple(self.days),
            count=self.count,
            as_needed=self.as_needed is not None,
            as_needed_reason=(self.as_needed.reason or None) if self.as_needed else None,
            additional=tuple(self.instructions),
        )

    def _timing_code(self) -> str | None:
        frequency = self.frequency
        if frequency is None or frequency.times is None or frequency.times_max is not None:
            return None
        if frequency.period.high is not None or self.days:
            return None
        if frequency == _ONCE_DAILY and self.when:
            return {"MORN": "AM", "HS": "BED"}.get(",".join(self.when))
        return _TIMING_CODES.get((frequency.times, frequency.period.low, frequency.unit))


_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
