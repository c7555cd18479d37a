"""Drawn combs: identifiers, dates and quantities in printed cells, in real writers' characters.

Synthetic: the cells and the scanner are drawn; the characters are those of one writer each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clinic_hwr.pages.crops import crop_cells
from clinic_hwr.pages.types import Box, Gray

from .hands import Hand
from .pages_boxed import STYLES, packed_date
from .pages_content import random_content
from .pages_paper import Paper
from .pages_scan import ScanSettings, scan_paper

FIELDS = ("prescriber_npi", "prescriber_dea", "patient_dob", "quantity")
_KINDS = {"patient_dob": "date", "quantity": "quantity"}


@dataclass(frozen=True)
class DrawnComb:
    """One field in cells.

    Attributes:
        name, kind: of the field.
        text: as written; runs joined by a blank.
        runs: crop and number of cells of each run.
        writer: whose characters they are.
    """

    name: str
    kind: str
    text: str
    runs: tuple[tuple[Gray, int], ...]
    writer: str


def draw_comb(name: str, hands: Sequence[Hand], rng: np.random.Generator) -> DrawnComb:
    """Draw one field in cells; the same generator state gives the same crop.

    Args:
        name: one of ``FIELDS``.
        hands: who may write it.
        rng: source of all choices.

    Raises:
        ValueError: none of the hands can write it.
    """
    text, cells = _content(name, rng)
    able = [hand for hand in hands if hand.can_write(text.replace(" ", ""))]
    if not able:
        raise ValueError(f"None of the hands can write {text!r}.")
    hand = able[int(rng.integers(len(able)))]
    size = float(rng.uniform(0.19, 0.27)), float(rng.uniform(0.25, 0.32))
    gap = float(rng.uniform(0.08, 0.2))
    kind = _KINDS.get(name, "digits")
    paper = Paper(3.4, 0.8, 200, hand, rng)
    style = STYLES[int(rng.integers(len(STYLES)))]
    paper.comb(name, kind, text, 0.25, 0.25, cells=cells, style=style, cell_in=size, gap_in=gap)
    settings = ScanSettings(
        skew_deg=float(rng.normal(0.0, 0.15)),
        paper_gray=int(rng.integers(215, 254)),
        blur_px=float(rng.uniform(0.0, 1.1)),
        noise=float(rng.uniform(0.0, 9.0)),
        jpeg_quality=int(rng.integers(45, 95)) if rng.random() < 0.5 else 0,
    )
    gray, _ = scan_paper(paper.ink, (), settings, rng)
    runs, left = [], 0.25
    wander = rng.normal(0.0, 2.0, 4)  # pixels by which a page finder misses the frame
    for count in cells:
        corners = np.array([left, 0.25, left + size[0] * count, 0.25 + size[1]]) * 200 + wander
        x0, y0, x1, y1 = (round(float(v)) for v in corners)
        runs.append((crop_cells(gray, Box(x0, y0, x1 - x0, y1 - y0)), count))
        left += size[0] * count + gap
    said, start = [], 0
    for count in cells:
        said.append(text[start : start + count].ljust(count))
        start += count
    return DrawnComb(name, kind, " ".join(said).strip(), tuple(runs), hand.name)


def _content(name: str, rng: np.random.Generator) -> tuple[str, list[int]]:
    """A text and the runs of cells it is written into."""
    content = random_content(rng)
    if name == "prescriber_npi":
        return content.prescriber_npi, [10]
    if name == "prescriber_dea":
        return content.prescriber_dea, [9]
    if name == "patient_dob":
        return packed_date(content.patient_dob), [8] if rng.random() < 0.5 else [2, 2, 4]
    digits = str(int(rng.integers(1, 10 ** int(rng.integers(1, 4)))))
    return digits.rjust(3) if rng.random() < 0.5 else digits, [3]
