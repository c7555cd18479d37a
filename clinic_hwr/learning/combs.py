"""How well a reader of characters reads whole combs, and the calibrator that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.calibration import Calibrator, fit_calibrator
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.comb_reader import (
    COMB_FEATURES,
    CombCrop,
    CombReader,
    allowed_in_cells,
)
from clinic_hwr.recognition.metrics import expected_calibration_error, wilson_interval
from clinic_hwr.recognition.synthesis.combs import FIELDS, DrawnComb, draw_comb
from clinic_hwr.recognition.synthesis.hands import Hand, InkTile, stroke_hands
from clinic_hwr.recognition.synthesis.strokes import load_strokes
from clinic_hwr.recognition.training.characters import load_characters
from clinic_hwr.recognition.training.fitting import for_fitting
from clinic_hwr.recognition.types import Reading

LEAST_CHARACTERS = 30  # different ones that a writer must have left


@dataclass(frozen=True)
class CombReport:
    """Drawn combs of one field that were read.

    Attributes:
        name, n: the field and how many.
        exact, low, high: share read exactly, with its 95% Wilson interval.
        characters: share of cells read right, empty ones included.
        ece: of ``p_correct``, 15 equal-mass bins.
    """

    name: str
    n: int
    exact: float
    low: float
    high: float
    characters: float
    ece: float


class CharacterHand:
    """Writes single characters by scans of them, each by whoever wrote it.

    Args:
        name: of the collection.
        images: (n, side, side) uint8, 255 = ink; texts: what each shows.
    """

    def __init__(self, name: str, images: NDArray[np.uint8], texts: Sequence[str]):
        self.name = name
        self.images = images
        self.members = {text: [i for i, t in enumerate(texts) if t == text] for text in set(texts)}

    def can_write(self, text: str) -> bool:
        """Whether there is a scan of every character."""
        return text != "" and all(char in self.members for char in text)

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """Write one character as high as a capital."""
        members = self.members[text]
        image = self.images[members[int(rng.integers(len(members)))]]
        ys, xs = np.nonzero(image > 60)
        cut = image[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        height = max(4, round(1.8 * x_height_px * rng.uniform(0.9, 1.1)))
        width = max(2, round(cut.shape[1] * height / max(cut.shape[0], 0.4 * cut.shape[1])))
        if cut.shape[1] > 2.5 * cut.shape[0]:  # a dash stays one
            height = max(2, round(cut.shape[0] * width / cut.shape[1]))
        tile = cv2.resize(cut, (width, height), interpolation=cv2.INTER_CUBIC)
        return InkTile(np.asarray(tile, np.uint8), height)


def comb_hands(data_dir: Path, material: str, *, fitting: bool) -> list[Hand]:
    """Whoever writes into drawn cells.

    Args:
        data_dir: the data folder.
        material: ``emnist``: held-out characters, whose writers are not known and may span the
            split; ``unipen``: held-out writers, some of whose labels are wrong.
        fitting: the half that is fitted on, else the other half.
    """
    if material == "unipen":
        strokes = load_strokes(data_dir / "online" / "unipen_chars_val.npz")
        hands = stroke_hands(strokes, LEAST_CHARACTERS)
        return [hand for hand in hands if for_fitting(hand.name) == fitting]
    _, held_out = load_characters(data_dir, Charset())
    rows = [i for i in range(len(held_out.texts)) if for_fitting(f"character {i}") == fitting]
    return [CharacterHand("emnist", held_out.images[rows], [held_out.texts[i] for i in rows])]


def drawn_combs(hands: Sequence[Hand], each: int, seed: int) -> list[DrawnComb]:
    """Draw combs, ``each`` of every field; the same seed and hands draw the same."""
    return [
        draw_comb(name, hands, np.random.default_rng([seed, number, place]))
        for place, name in enumerate(FIELDS)
        for number in range(each)
    ]


def read_drawn(reader: CombReader, combs: Sequence[DrawnComb]) -> list[Reading]:
    """Read drawn combs as the pipeline does."""
    readings = []
    for comb in combs:
        allowed = iter(allowed_in_cells(comb.name, comb.kind, sum(n for _, n in comb.runs)))
        readings.append(
            reader.read([CombCrop(gray, n, tuple(islice(allowed, n))) for gray, n in comb.runs])
        )
    return readings


def fit_comb_calibrator(reader: CombReader, combs: Sequence[DrawnComb]) -> Calibrator:
    """Fit the calibrator of a reader on combs it has never seen."""
    pairs = [
        (comb, reading)
        for comb, reading in zip(combs, read_drawn(reader, combs), strict=True)
        if "joint" in reading.scores
    ]
    return fit_calibrator(
        [reading.scores for _, reading in pairs],
        [comb.text == reading.text for comb, reading in pairs],
        COMB_FEATURES,
    )


def report_combs(combs: Sequence[DrawnComb], readings: Sequence[Reading]) -> list[CombReport]:
    """Figures by field, then of all."""
    reports = []
    for name in (*FIELDS, "all"):
        rows = [
            (comb, reading)
            for comb, reading in zip(combs, readings, strict=True)
            if name in ("all", comb.name)
        ]
        right = [comb.text == reading.text for comb, reading in rows]
        low, high = wilson_interval(sum(right), len(right))
        cells = [
            a == b
            for comb, reading in rows
            for a, b in zip(comb.text, reading.text.ljust(len(comb.text)), strict=False)
        ]
        p = [reading.p_correct for _, reading in rows]
        reports.append(
            CombReport(
                name, len(rows), sum(right) / max(1, len(right)), low, high,
                sum(cells) / max(1, len(cells)), expected_calibration_error(p, right),
            )
        )  # fmt: skip
    return reports
