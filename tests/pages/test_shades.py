"""A soft, pale shade is no ink; a sharp tick, a faint line and what has a name stay."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.shades import without_shades
from clinic_hwr.pages.survey import survey_page
from clinic_hwr.pages.types import FIELD_NAMES, Box, FieldRegion, LineMaps, NamedBy

PEN, PLACE = Box(40, 40, 300, 30), Box(100, 200, 80, 60)


def _field(name: str = "unnamed", by: NamedBy = NamedBy.NOBODY) -> FieldRegion:
    return FieldRegion(name, FIELD_NAMES[name], PLACE, named_by=by)


def _kept(
    *, blur: float, gray: int, field: FieldRegion | None = None, hand: float = 0.0,
    printed: float = 0.0, pen: bool = True, maps: bool = True, wide: bool = False,
) -> bool:  # fmt: skip
    """Whether a disc of a gray, blurred, is still a region beside a line of sharp writing."""
    page = np.full((400, 400), 255, np.uint8)
    cv2.circle(page, (190, 240) if wide else (140, 230), 80 if wide else 18, gray, -1)
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), blur)) if blur else page
    ink = np.where(page < 225, 255, 0).astype(np.uint8)
    if pen:
        cv2.putText(page, "amoxicillin tab", (PEN.x, 65), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1, 30, 2)
        ink[page < 120] = 255
    planes = np.zeros((2, 200, 200), np.float32)
    planes[0, 20:35, 20:170] = 0.95
    planes[:, 110:120, 60:80] = np.array([hand, printed])[:, None, None]
    survey = replace(
        survey_page(page, ()), all_ink=ink,
        maps=LineMaps(planes[0], planes[1], 0.5) if maps else None,
    )  # fmt: skip
    fields = [field or replace(_field(), box_px=Box(30, 110, 330, 280) if wide else PLACE)]
    return without_shades(survey, fields) == fields


def test_a_soft_pale_disc_is_a_shade() -> None:
    assert not _kept(blur=9.0, gray=150)


@pytest.mark.parametrize(
    "what",
    [
        {"blur": 0.0, "gray": 150},
        {"blur": 20.0, "gray": 0, "wide": True},
        {"blur": 9.0, "gray": 150, "hand": 0.2},
        {"blur": 9.0, "gray": 150, "printed": 0.2},
        {"blur": 9.0, "gray": 150, "pen": False},
        {"blur": 9.0, "gray": 150, "maps": False},
        {"blur": 9.0, "gray": 150, "field": _field("drug", NamedBy.LABEL)},
    ],
    ids=["sharp", "dark", "maybe writing", "maybe print", "no pen", "no segmenter", "named"],
)
def test_anything_else_stays(what: dict) -> None:
    assert _kept(**what)
