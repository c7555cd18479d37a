"""The parts that directions are made of, as the grammar hands them to the assembly."""

from __future__ import annotations

from dataclasses import dataclass
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
    """How often: ``times`` (None: an upper limit only) in every ``period`` of ``unit``."""

    times: int | None
    times_max: int | None
    period: Span
    unit: str


@dataclass(frozen=True, slots=True)
class DoseEach:
    """A dose with "per day" behind it."""

    dose: Dose
    frequency: Frequency


@dataclass(frozen=True, slots=True)
class When:
    """Moments of the day (FHIR event timing codes); ``extra`` keeps an offset in words."""

    codes: tuple[str, ...]
    extra: str = ""


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
    """For how long; a range or upper limit is ``vague`` and cannot be one value."""

    value: Decimal
    unit: str
    vague: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """How many doses in all."""

    value: int


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
