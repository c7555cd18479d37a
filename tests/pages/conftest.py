"""Generated pages, prepared once for all tests of the room: OCR is the slow part."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import numpy as np
import pytest

from clinic_hwr.pages import (
    FieldRegion,
    PrintedWord,
    UprightPage,
    find_fields,
    make_upright,
    read_print,
)
from clinic_hwr.recognition.synthesis.pages import DrawnPage, ScanSettings, draw_page
from clinic_hwr.recognition.synthesis.pages_samples import HOSPITAL, LETTERHEAD, US_PAD

from .scribble import ScribbleHand

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="the tesseract program is not installed"
)


@dataclass(frozen=True)
class PreparedPage:
    """A drawn page and what the room made of it."""

    drawn: DrawnPage
    upright: UprightPage
    words: tuple[PrintedWord, ...]
    fields: tuple[FieldRegion, ...]

    def field(self, name: str, group: int = 0) -> FieldRegion:
        """The one field of that name and group."""
        (found,) = [f for f in self.fields if f.name == name and f.group == group]
        return found

    def truth_box(self, name: str, group: int = 0) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of a field's ink on the upright page."""
        (truth,) = [f for f in self.drawn.fields if f.name == name and f.group == group]
        corners = np.c_[np.array(truth.quad_px), np.ones(4)]
        moved = corners @ np.linalg.inv(self.upright.to_original).T
        return (*moved[:, :2].min(axis=0), *moved[:, :2].max(axis=0))

    def overlap(self, name: str, group: int = 0) -> float:
        """Intersection over union of a found field and its truth, 0 when it was not found."""
        box = next((f.box_px for f in self.fields if (f.name, f.group) == (name, group)), None)
        if box is None:
            return 0.0
        x0, y0, x1, y1 = self.truth_box(name, group)
        width = min(x1, box.x + box.width) - max(x0, box.x)
        height = min(y1, box.y + box.height) - max(y0, box.y)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / ((x1 - x0) * (y1 - y0) + box.width * box.height - shared)


def prepare(drawn: DrawnPage) -> PreparedPage:
    upright = make_upright(drawn.gray)
    words = read_print(upright.gray)
    return PreparedPage(drawn, upright, words, find_fields(upright, words))


@pytest.fixture(scope="session")
def us_pad() -> PreparedPage:
    settings = ScanSettings(quarter_turns=3, skew_deg=2.0, noise=3.0, shadow=0.2)
    return prepare(draw_page("us_pad", US_PAD, ScribbleHand(), seed=3, dpi=220, settings=settings))


@pytest.fixture(scope="session")
def order_sheet() -> PreparedPage:
    settings = ScanSettings(skew_deg=-1.5, paper_gray=235, blur_px=0.5)
    return prepare(
        draw_page(
            "hospital_order_sheet", HOSPITAL, ScribbleHand(), seed=4, dpi=170, settings=settings
        )
    )


@pytest.fixture(scope="session")
def letterhead() -> PreparedPage:
    settings = ScanSettings(quarter_turns=2, noise=4.0)
    return prepare(
        draw_page("letterhead_note", LETTERHEAD, ScribbleHand(), seed=5, dpi=180, settings=settings)
    )
