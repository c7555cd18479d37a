"""Evenly spaced printed numbers: which one stands where, also where OCR could not read it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Of a step: how far a number may be off its place. Where some are, so many and such a share of
# them must be in place.
_OFF, _FEWEST, _SHARE = 0.2, 3, 0.6
_AT = 0.25  # of a step: something stands at a number's place
_BEYOND = 1.6  # steps from the last number: what stands there is of something else


@dataclass(frozen=True, slots=True)
class NumberScale:
    """Numbers that stand at even steps.

    Attributes:
        step_px: from a number to the next.
        start_px: where 0 stands, or would.
        numbers: those in their places.
    """

    step_px: float
    start_px: float
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, known: Sequence[tuple[int, float]]) -> NumberScale | None:
        """The scale of numbers and their places; None where they stand on none.

        A circle glues its neighbours to one word ("3@)5"), and where in it they stand is guessed:
        of several numbers a few may be off.
        """
        if len(known) < 2:
            return None
        numbers, places = np.array(known, float).T
        every = np.ones(len(numbers), bool)
        scale = cls._through(numbers, places, every)
        if scale is not None or len(numbers) <= _FEWEST:
            return scale
        best = ~every
        for one, other in itertools.combinations(range(len(numbers)), 2):
            apart = numbers[other] - numbers[one]
            step = (places[other] - places[one]) / apart if apart else 0.0
            if step > 0:
                off = np.abs(places - places[one] - step * (numbers - numbers[one]))
                on = off <= _OFF * step
                best = on if on.sum() > best.sum() else best
        if len(set(numbers[best])) < max(_FEWEST, _SHARE * len(numbers)):
            return None
        return cls._through(numbers, places, best)

    @classmethod
    def _through(
        cls, numbers: NDArray[np.float64], places: NDArray[np.float64], chosen: NDArray[np.bool_]
    ) -> NumberScale | None:
        numbers, places = numbers[chosen], places[chosen]
        if len(set(numbers)) < 2 or np.ptp(places) < 1:
            return None
        step, start = np.polyfit(numbers, places, 1)
        if step <= 0 or np.abs(numbers * step + start - places).max() > _OFF * step:
            return None
        return cls(float(step), float(start), tuple(int(one) for one in numbers))

    def place(self, x_px: float) -> float:
        """Which number would stand at x, and how far from it."""
        return (x_px - self.start_px) / self.step_px

    def number_at(self, x_px: float) -> int | None:
        """The number whose place x is, read or not; None between two."""
        place = self.place(x_px)
        return round(place) if abs(place - round(place)) <= _AT else None

    def is_far_from(self, x_px: float) -> bool:
        """Whether x is so far from all numbers of a sure scale that it belongs to another row."""
        place = self.place(x_px)
        beyond = max(min(self.numbers) - place, place - max(self.numbers))
        return len(set(self.numbers)) >= _FEWEST and beyond > _BEYOND
