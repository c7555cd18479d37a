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

# A part of the day and the moments that name it more closely: "in the morning before breakfast".
_CLOSER: dict[str, frozenset[str]] = {
    "MORN": frozenset({"ACM", "CM", "PCM", "WAKE"}),
    "NOON": frozenset({"ACD", "CD", "PCD"}),
    "AFT": frozenset({"ACD", "CD", "PCD"}),
    "EVE": frozenset({"ACV", "CV", "PCV"}),
    "NIGHT": frozenset({"HS"}),
}
# These may be one moment or two: "in the evening, at bedtime".
_MAYBE_SAME = ({"EVE", "HS"}, {"EVE", "NIGHT"}, {"NIGHT", "CV"}, {"NIGHT", "PCV"}, {"NIGHT", "ACV"})

_HOUR_OF = {"WAKE": 0, "MORN": 1, "ACM": 1, "CM": 1, "PCM": 1, "NOON": 2, "ACD": 2, "CD": 2,
            "PCD": 2, "AFT": 3, "EVE": 4, "ACV": 4, "CV": 4, "PCV": 4, "NIGHT": 5,
            "HS": 5}  # fmt: skip


def _out_of_order(first: str, second: str) -> bool:
    return _HOUR_OF.get(second, 9) < _HOUR_OF.get(first, 0)


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
    times: p.Times | None = None
    when: list[str] = field(default_factory=list)
    clocks: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    duration: p.Duration | None = None
    count: p.Count | None = None
    as_needed: p.AsNeeded | None = None
    maximum: p.Maximum | None = None
    route: str | None = None
    site: str | None = None
    offset_min: int | None = None
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
                each = replace(part.frequency, amount_of_period=True)
                return self._put_frequency(each)
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
            case p.Times():
                name, value = "times", part
            case p.Duration():
                name, value = "duration", part  # type: ignore[assignment]
            case p.Count():
                name, value = "count", part  # type: ignore[assignment]
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
        # "twice a day, every day": the plain "every day" says nothing more. "Daily bid" may be a
        # frequency that was struck out or misread.
        for plain, other in ((old, new), (new, old)):
            same_day = other.unit == "d" and other.period == plain.period
            if plain.each and plain == _ONCE_DAILY and same_day:
                self.frequency = other
                return True
        return False

    def _put_when(self, part: p.When) -> bool:
        if part.offset_min is not None:
            if self.offset_min not in (None, part.offset_min) or (
                self.when and self.offset_min is None
            ):
                return False
            self.offset_min = part.offset_min
        elif self.offset_min is not None and not set(part.codes) <= set(self.when):
            return False  # FHIR holds one offset for all moments
        for index, code in enumerate(part.codes):
            self._add_moment(code, joined=part.joined or index > 0)
        return True

    def _add_moment(self, code: str, *, joined: bool) -> None:
        if code in self.when:
            self.warnings.append("The same moment of the day is written twice.")
            return
        if not joined:
            for known in self.when:
                if code in _CLOSER.get(known, ()):
                    self.when[self.when.index(known)] = code
                    return
                if known in _CLOSER.get(code, ()):
                    return
            if self.when and {self.when[-1], code} in _MAYBE_SAME:
                self.warnings.append("Check whether one moment of the day is meant or two.")
            elif self.when and self.when[-1] in _GENERIC_MEALS and code not in _GENERIC_MEALS:
                self.warnings.append("Check whether meals and another moment are both meant.")
            elif self.when and _out_of_order(self.when[-1], code):
                self.warnings.append("The moments of the day stand in an unusual order.")
        self.when.append(code)

    def settle(self) -> list[str]:
        """Bring moments, times and frequency together; return what contradicts, in words."""
        problems: list[str] = []
        if self.clocks and self.when:
            problems.append("both times of day and moments of the day are written")
        self.clocks = sorted(dict.fromkeys(self.clocks))
        self.days = sorted(dict.fromkeys(self.days), key=_WEEK.index)
        if self.count is not None and self.count.now:
            if self.frequency is not None or self.has_moment or self.days:
                problems.append("a single dose and how often are both written")
            elif self.as_needed is not None:
                problems.append("a single dose and as needed are both written")
        elif self.count == p.Count(1) and not self.frequency and self._event_counts() == [1]:
            self.count = None
            self.warnings.append("Check whether “once” is every day or a single dose.")
        # "after food" alone says when, not how often: it never makes a frequency.
        counts = self._event_counts()
        if counts and self.frequency is None and self.count is None:
            self.frequency = p.Frequency(counts[0], None, p.Span(Decimal(1)), "d")
        elif self.has_moment and self.frequency is not None and not self._agrees(counts):
            problems.append("how often and the moments of the day do not agree")
        if self.days and self.frequency is not None and not self._days_agree():
            problems.append("how often and the days of the week do not agree")
        if self.times is not None and self.frequency is not None:
            problems.append("two numbers of times are written")
        elif self.times is not None:
            self.warnings.append("A number of times is written without the time it is in.")
        divided = self.frequency is not None and self.frequency.amount_of_period
        if divided and self.dose is not None and self.dose.amount != p.Span(Decimal(1)):
            self.warnings.append("A daily amount is written; it may be meant divided.")
        self._take_reason()
        return problems

    def _take_reason(self) -> None:
        """ "For pain take 1 tablet prn": the only reason written is that of "as needed"."""
        reasons = [text for text in self.instructions if text.startswith("for ")]
        known = [text for text in reasons if text != "for external use only"]
        if self.as_needed is None or self.as_needed.reason or len(known) != 1:
            return
        self.instructions.remove(known[0])
        self.as_needed = p.AsNeeded(known[0].removeprefix("for "))

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
        elif self.times is not None:
            made = replace(made, frequency=self.times.low, frequency_max=self.times.high)
        if self.duration is not None:
            made = replace(
                made,
                duration=self.duration.value,
                duration_high=self.duration.high,
                duration_unit=self.duration.unit,
            )
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
        if route == ORAL and made.dose_unit in _INHALED:
            route = INHALED  # "2 puffs by mouth" are breathed in
        return replace(
            made,
            route=ROUTES[route] if route else None,
            site=self.site,
            when=tuple(self.when),
            times_of_day=tuple(self.clocks),
            days_of_week=tuple(self.days),
            count=self.count.value if self.count else None,
            offset_min=self.offset_min,
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


ORAL = "26643006"
INHALED = "447694001"
_INHALED = frozenset({"{puff}", "{nebule}"})

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
