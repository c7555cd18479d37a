"""Written units and their UCUM codes, and amounts brought to one base unit for comparison."""

from __future__ import annotations

from decimal import Decimal

MICRO_SIGNS = str.maketrans({"\u00b5": "u", "\u03bc": "u"})
"""Micro sign and Greek mu look alike and are both written for micrograms."""

UCUM: dict[str, str] = {
    "mg": "mg", "mgs": "mg", "milligram": "mg", "milligrams": "mg", "mgm": "mg",
    "mcg": "ug", "mcgs": "ug", "ug": "ug", "microgram": "ug", "micrograms": "ug",
    "g": "g", "gm": "g", "gms": "g", "gram": "g", "grams": "g",
    "kg": "kg", "ng": "ng",
    "gr": "[gr]", "grain": "[gr]", "grains": "[gr]",
    "ml": "mL", "mls": "mL", "cc": "mL", "millilitre": "mL", "millilitres": "mL",
    "milliliter": "mL", "milliliters": "mL",
    "l": "L", "litre": "L", "liter": "L", "litres": "L", "liters": "L",
    "u": "[iU]", "iu": "[iU]", "unit": "[iU]", "units": "[iU]", "unt": "[iU]",
    "meq": "meq", "mmol": "mmol", "%": "%",
}  # fmt: skip
"""Lower-case written unit -> UCUM; ``[iU]`` stands for all written "units" (insulin)."""

BASE: dict[str, tuple[str, Decimal]] = {
    "ng": ("mg", Decimal("0.000001")),
    "ug": ("mg", Decimal("0.001")),
    "mg": ("mg", Decimal(1)),
    "g": ("mg", Decimal(1000)),
    "kg": ("mg", Decimal(1000000)),
    "mL": ("mL", Decimal(1)),
    "L": ("mL", Decimal(1000)),
}
"""UCUM unit -> (base unit, factor). Units that are absent are their own base."""


def ucum_of(written: str) -> str | None:
    """Return the UCUM code of a written unit, or None when it is not one."""
    return UCUM.get(written.translate(MICRO_SIGNS).lower().rstrip("."))


def to_base(value: Decimal, unit: str) -> tuple[Decimal, str]:
    """Return ``(value, unit)`` in the base unit (mg, mL, or the unit itself)."""
    base, factor = BASE.get(unit, (unit, Decimal(1)))
    return value * factor, base
