"""Fields written into cells, one character each, read as one value with its probability.

Which characters may stand where is known from the field: a date has digits, a DEA number two
letters (or a letter and 9) and seven digits. Check digits are judged in the interpretation.
"""

from __future__ import annotations

import math
import string
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from .architectures.contract import Recognizer
from .calibration import Calibrator
from .comb import Cell, read_cells, read_character
from .images import Gray
from .types import Alternative, CharConfidence, Reading

DIGITS, CAPITALS = string.digits, string.ascii_uppercase
NUMBERS = frozenset({"digits", "date", "quantity", "refills"})
# Drawn combs are all that the calibrator was fitted on: below every threshold at which the
# routing policy accepts a field by itself, until a site's own outcomes say more.
PROVISIONAL_MOST = 0.9
COMB_FEATURES = ("joint", "weakest", "second", "capsule", "cells", "empty")


@dataclass(frozen=True)
class CombCrop:
    """Cells side by side.

    Attributes:
        gray: crop, (height, width) uint8; it may reach over the cells by less than half of one.
        cells: how many.
        allowed: the characters that may stand in each.
    """

    gray: Gray
    cells: int
    allowed: tuple[str, ...]


def allowed_in_cells(name: str, kind: str, cells: int) -> tuple[str, ...]:
    """Return the characters that may stand in each cell of a field.

    Args:
        name: of the field, a key of ``pages.types.FIELD_NAMES``.
        kind: a ``FieldKind``.
        cells: of the whole field.
    """
    if name == "prescriber_dea":
        if cells == 9:
            return (CAPITALS, CAPITALS + "9", *[DIGITS] * 7)
        return (CAPITALS + DIGITS,) * cells
    if name == "patient_mrn":  # hospitals number with letters, too
        return (DIGITS + CAPITALS,) * cells
    if kind in NUMBERS:
        return (DIGITS,) * cells
    if kind == "name":
        return (CAPITALS,) * cells
    return (CAPITALS + DIGITS,) * cells


def is_whole(name: str, kind: str, cells: int) -> bool:
    """Whether a comb of this field can have so many cells; else a part of it was not found."""
    known = {"prescriber_npi": (10,), "prescriber_dea": (9,)}
    return cells in known.get(name, (6, 8) if kind == "date" else (cells,))


class CombReader:
    """Reads combs; thread-safe.

    Args:
        model: a recognizer that ``reads="character"``.
        model_version: name and content hash of its weights.
        calibrator: from ``comb_scores`` to the probability that a whole comb is right.
    """

    def __init__(self, model: Recognizer, model_version: str, calibrator: Calibrator):
        self.model = model.eval()
        self.model_version = model_version
        self.calibrator = calibrator
        self._lock = threading.Lock()

    def read(self, runs: Sequence[CombCrop], nbest: int = 5) -> Reading:
        """Read one field.

        Args:
            runs: its runs of cells, left to right.
            nbest: most alternatives.

        Returns:
            runs are joined by a blank, and an empty cell is one; blanks at the ends are left
            out. A field without ink reads as "" with ``p_correct`` 0.
        """
        with self._lock:
            found = [read_cells(self.model, run.gray, run.cells, run.allowed) for run in runs]
        return self._reading(found, nbest)

    def read_character(self, gray: Gray, allowed: str, nbest: int = 5) -> Reading:
        """Read a crop of one character without print around it, (height, width) uint8."""
        with self._lock:
            found = read_character(self.model, gray, allowed)
        return self._reading([[found]], nbest)

    def _reading(self, found: Sequence[Sequence[Cell]], nbest: int) -> Reading:
        if all(cell.nbest[0][0] == " " for cells in found for cell in cells):
            return Reading("", 0.0, (), (), self.model_version, {"no_ink": 1.0})
        cells = [cell for place, some in enumerate(found) for cell in _joined(some, place)]
        scores = comb_scores(found)
        chars = [CharConfidence(*cell.nbest[0]) for cell in cells]
        while chars[0].char == " ":
            chars.pop(0)
        while chars[-1].char == " ":
            chars.pop()
        alternatives = tuple(Alternative(text, share) for text, share in _best(cells, nbest))
        return Reading(
            "".join(char.char for char in chars),
            min(PROVISIONAL_MOST, self.calibrator.probability(scores)),
            tuple(chars),
            alternatives,
            self.model_version,
            scores,
        )


class CharacterReader:
    """A ``types.Reader`` of crops that hold one character, or one comb, each.

    Args:
        combs: the reader of cells.
        cells: of each crop; None: a single character without any print around it.
    """

    def __init__(self, combs: CombReader, cells: int | None = None):
        self.combs = combs
        self.cells = cells

    @property
    def model_version(self) -> str:
        """Name and content hash of the weights in use."""
        return self.combs.model_version

    def read(
        self,
        crops: Sequence[Gray],
        *,
        kinds: Sequence[str] | None = None,
        lexicon: Sequence[str] | None = None,
        nbest: int = 5,
    ) -> list[Reading]:
        """Read crops, each (height, width) uint8; one reading a crop, in order.

        Args:
            kinds: of each crop; ``digits`` and other numbers allow digits, the rest every
                letter and digit that the model knows.

        Raises:
            ValueError: a list of names was given, and characters are none.
        """
        if lexicon:
            raise ValueError("A reader of characters cannot rank names: leave the list away.")
        kinds = kinds or ["text"] * len(crops)
        return [self._read(crop, kind, nbest) for crop, kind in zip(crops, kinds, strict=True)]

    def _read(self, gray: Gray, kind: str, nbest: int) -> Reading:
        if self.cells is not None:
            allowed = allowed_in_cells("", kind, self.cells)
            return self.combs.read([CombCrop(gray, self.cells, allowed)], nbest)
        known = "".join(c for c in self.combs.model.charset.characters if c.isalnum())
        return self.combs.read_character(gray, DIGITS if kind in NUMBERS else known, nbest)


def comb_scores(runs: Sequence[Sequence[Cell]]) -> dict[str, float]:
    """Raw scores of a comb, in natural logarithms: inputs of its calibrator.

    ``joint`` of all best characters, ``weakest`` of them, ``second``: how much less likely the
    second best text is, ``capsule``: shortest best capsule, ``cells`` and how many are ``empty``.
    """
    cells = [cell for some in runs for cell in some]
    written = [cell for cell in cells if cell.nbest[0][0] != " "]
    logs = [math.log(max(cell.nbest[0][1], 1e-12)) for cell in written]
    gaps = [
        log - math.log(max(cell.nbest[1][1], 1e-12)) if len(cell.nbest) > 1 else 20.0
        for log, cell in zip(logs, written, strict=True)
    ]
    return {
        "joint": sum(logs),
        "weakest": min(logs, default=0.0),
        "second": min(gaps, default=0.0),
        "capsule": min((math.log(max(cell.length, 1e-12)) for cell in written), default=0.0),
        "cells": float(len(cells)),
        "empty": float(len(cells) - len(written)),
    }


def _joined(cells: Sequence[Cell], place: int) -> list[Cell]:
    """The cells of a run, behind a blank unless it is the first."""
    blank = Cell(((" ", 1.0),), 1.0)
    return [blank, *cells] if place else list(cells)


def _best(cells: Sequence[Cell], nbest: int) -> list[tuple[str, float]]:
    """The best texts with their shares, best first: cells are independent of each other."""
    beam: list[tuple[str, float]] = [("", 1.0)]
    for cell in cells:
        grown = [(text + char, share * p) for text, share in beam for char, p in cell.nbest]
        beam = sorted(grown, key=lambda one: -one[1])[:nbest]
    return [(text.strip(), share) for text, share in beam]
