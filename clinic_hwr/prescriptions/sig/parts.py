"""The parts that directions are made of, as the grammar hands them to the assembly."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """A number or a range of numbers."""

    low: Decimal
    high: Decimal | None = None

    @property
    def valid(self) -> bool:
        """A range must rise; a single number may be anything but zero."""
        return self.low > 0 and (self.high is None or self.high > self.low)


@dataclass(frozen=True, slots=True)
class Dose:
    """How much at once. ``unit`` is UCUM or None; ``extra`` are words that say it again."""

    amount: Span
    unit: str | None = None
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often: ``times`` (None: an upper limit only) in every ``period`` of ``unit``.

    ``each`` marks "every day", which may stand beside "twice a day"; "daily" may not.
    ``amount_of_period`` marks "per day" alone, which may be an amount to divide.
    """

    times: int | None
    times_max: int | None
    period: Span
    unit: str
    each: bool = field(default=False, compare=False)
    amount_of_period: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Times:
    """A number of times without the period it is in."""

    low: int
    high: int | None = None


@dataclass(frozen=True, slots=True)
class DoseEach:
    """A dose with "per day" behind it."""

    dose: Dose
    frequency: Frequency


@dataclass(frozen=True, slots=True)
class When:
    """Moments of the day (FHIR event timing codes).

    Attributes:
        codes: FHIR event timing codes.
        offset_min: minutes before or after each of them, None when none are written.
        joined: "and" or a comma stands before it.
    """

    codes: tuple[str, ...]
    offset_min: int | None = None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day, ``HH:MM:SS``."""

    time: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the week, ``mon`` to ``sun``."""

    code: str


@dataclass(frozen=True, slots=True)
class Duration:
    """For how long: ``value`` (None: an upper limit only) to ``high`` of ``unit``."""

    value: Decimal | None
    unit: str
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many doses in all; ``now`` when it says at once ("stat"), or only "x 1"."""

    value: int
    now: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class AsNeeded:
    """As needed, with the reason in words or ""."""

    reason: str


@dataclass(frozen=True, slots=True)
class Maximum:
    """No more than ``amount`` of ``unit`` in ``period`` of ``period_unit``."""

    amount: Decimal
    unit: str | None
    period: Decimal
    period_unit: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Indian dose pattern: the dose of each moment of the day."""

    doses: tuple[Decimal, ...]
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """SNOMED CT code of a route."""

    code: str


@dataclass(frozen=True, slots=True)
class Site:
    """A body site in plain words."""

    name: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """A further instruction in fixed words."""

    text: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Words that belong together and whose meaning is not one that a Dosage can hold."""


Part = (
    Dose
    | Frequency
    | Times
    | DoseEach
    | When
    | Clock
    | Day
    | Duration
    | Count
    | AsNeeded
    | Maximum
    | Grid
    | Route
    | Site
    | Instruction
    | Unclear
)
