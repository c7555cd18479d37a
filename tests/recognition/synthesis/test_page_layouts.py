"""The layouts' roles, what the pen adds, and where a scanner, fax or camera puts the truth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from clinic_hwr.recognition.synthesis.pages import (
    DEGRADATIONS,
    LAYOUT_ROLES,
    LAYOUTS,
    DrawnPage,
    ScanSettings,
    UnknownDegradation,
    content_for,
    draw_page,
    draw_pages,
    layouts_with,
    settings_for,
)
from clinic_hwr.recognition.synthesis.pages_camera import camera_view
from clinic_hwr.recognition.synthesis.pages_hands import HersheyHand, page_hands
from clinic_hwr.recognition.synthesis.pages_layouts import UnknownLayout, layout
from clinic_hwr.recognition.synthesis.pages_marks import rubber_stamp
from clinic_hwr.recognition.synthesis.pages_paper import Paper
from tests.pages.scribble import ScribbleHand


def drawn(name: str, seed: int = 3, **settings: object) -> DrawnPage:
    content = content_for(name, np.random.default_rng(seed))
    scanner = ScanSettings(**settings)  # type: ignore[arg-type]
    return draw_page(
        name, content, ScribbleHand(), seed=seed, dpi=100, settings=scanner, with_pen=True
    )


def test_a_layout_is_for_training_or_held_out_and_never_both() -> None:
    assert set(LAYOUTS) == set(LAYOUT_ROLES)
    train, held_out = set(layouts_with("train")), set(layouts_with("held_out"))
    assert len(LAYOUTS) >= 12 and len(train) >= 6 and len(held_out) >= 4
    assert not train & held_out
    assert train | held_out | set(layouts_with("develop")) == set(LAYOUTS)


def test_a_layout_without_a_role_is_refused() -> None:
    with pytest.raises(UnknownLayout, match="no role"):
        layout("napkin")


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_fields_and_lines_stand_on_ink_inside_the_page(name: str) -> None:
    page = drawn(name)
    height, width = page.gray.shape
    for truth in (*page.fields, *page.lines):
        x, y, w, h = truth.box_px
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        assert page.gray[y : y + h, x : x + w].min() < 215
    assert page.pen is not None
    for line in page.lines:
        x, y, w, h = line.box_px
        if not line.printed:
            assert page.pen[y : y + h, x : x + w].max() > 200
    written = {field.text for field in page.fields if field.name == "drug" and not field.printed}
    assert written <= {line.text for line in page.lines}


@pytest.mark.parametrize("name", sorted(DEGRADATIONS))
def test_truth_stays_on_the_ink_under_every_degradation(name: str) -> None:
    settings = settings_for(name, np.random.default_rng(8))
    content = content_for("dental_pad", np.random.default_rng(2))
    page = draw_page("dental_pad", content, ScribbleHand(), seed=2, dpi=150, settings=settings,
                     with_pen=True)  # fmt: skip
    assert page.pen is not None and page.pen.shape == page.gray.shape
    written = [line for line in page.lines if not line.printed]
    for line in written:
        quad = np.round(np.array(line.quad_px)).astype(np.int32)
        mask = cv2.fillPoly(np.zeros_like(page.gray), [quad], 255)
        x, y, w, h = (max(0, side) for side in line.box_px)
        inside = page.pen[y : y + h, x : x + w].astype(float)
        assert inside.max() > 120
        # Nearly all the pen ink of the hull is in the quadrilateral itself, or a neighbour's.
        assert mask[y : y + h, x : x + w][inside > 128].mean() > 0.8 * 255


def test_a_struck_drug_is_marked_in_fields_and_lines() -> None:
    pages = [drawn("row_pad", seed) for seed in range(14)]
    struck = [field for page in pages for field in page.fields if field.struck]
    assert struck and {field.name for field in struck} == {"drug"}
    assert all(field.group == 0 for field in struck)
    lines = [line.text for page in pages for line in page.lines if line.struck]
    assert sorted(lines) == sorted(field.text for field in struck)


def test_ticked_boxes_hold_pen_ink_and_empty_ones_do_not() -> None:
    page = drawn("refill_request")
    ticked = [mark.marked for mark in page.marks if mark.kind == "checkbox"]
    assert ticked.count(True) == 1 and len(ticked) == 3
    assert page.pen is not None
    for mark in page.marks:
        x, y, w, h = mark.box_px
        if mark.kind == "checkbox":
            inside = page.pen[y + 2 : y + h - 2, x + 2 : x + w - 2].max()
            assert bool(inside > 100) is mark.marked
    circled = [mark.label for mark in page.marks if mark.kind == "choice" and mark.marked]
    assert len(circled) == 2


def test_a_standard_fax_has_1728_dots_and_rows_half_as_dense() -> None:
    page = drawn("discharge_sheet", fax_dpi=(204, 98))
    assert page.gray.shape == (1078, 1728)
    assert set(np.unique(page.gray)) == {0, 255}


def test_a_point_of_the_sheet_comes_back_through_the_camera() -> None:
    view = camera_view((600, 800), turn_deg=94.0, tilt_deg=(11.0, -8.0), bend=(0.06, 0.1),
                       margin=0.1)  # fmt: skip
    xs, ys = view.paper_points()
    wanted = np.array([[30.0, 40.0], [300.0, 400.0], [570.0, 90.0], [120.0, 760.0]])
    for (x, y), (column, row) in zip(wanted, view.project(wanted), strict=True):
        at = round(float(row)), round(float(column))
        assert xs[at] == pytest.approx(x, abs=1.5)
        assert ys[at] == pytest.approx(y, abs=1.5)


def test_unknown_degradation_lists_the_valid_ones() -> None:
    with pytest.raises(UnknownDegradation, match="clean, fax_fine, fax_standard, office"):
        settings_for("flood", np.random.default_rng(1))


def test_without_data_a_built_in_face_writes_every_layout(tmp_path: Path) -> None:
    hands = page_hands(None, "train")
    assert hands[0].name == "hershey-script"
    assert page_hands(tmp_path, "held_out") == hands
    pages = list(draw_pages(hands, count=5, seed=1, layouts=layouts_with("held_out")))
    assert {page.hand for page in pages} <= {hand.name for hand in hands}
    assert not HersheyHand("hershey-plain").can_write("für")


def test_every_layout_meets_every_degradation() -> None:
    ways = ("clean", "office")
    names = ("dental_pad", "row_pad")
    pages = list(draw_pages([ScribbleHand()], count=4, seed=1, layouts=names, degradations=ways))
    assert {(page.layout, page.degradation) for page in pages} == {
        (name, way) for name in names for way in ways
    }
    assert pages[0].to_json()["role"] == "held_out"


def test_needle_print_has_gaps() -> None:
    paper = Paper(3.0, 1.0, 200, ScribbleHand(), np.random.default_rng(1))
    solid = paper.text(0.2, 0.4, "MUSTER", points=14)
    dotted = paper.text(0.2, 0.9, "MUSTER", points=14, dots=True)
    dark = [
        np.count_nonzero(paper.ink[int(y0 * 200) : int(y1 * 200)] < 128)
        for _, y0, _, y1 in (solid, dotted)
    ]
    assert 0.3 * dark[0] < dark[1] < 0.75 * dark[0]


@pytest.mark.parametrize("round_rim", [False, True])
def test_every_line_of_a_stamp_is_noted_where_its_ink_is(round_rim: bool) -> None:
    paper = Paper(4.0, 3.0, 200, ScribbleHand(), np.random.default_rng(2))
    rubber_stamp(paper, 2.0, 1.5, ("RECEIVED", "11/28"), round_rim=round_rim)
    assert [(one.kind, one.label, one.marked) for one in paper.marks] == [
        ("stamp", "RECEIVED", False), ("stamp", "11/28", False),
    ]  # fmt: skip
    blank = paper.ink.copy()
    for mark in paper.marks:
        x, y, width, height = mark.box_px
        assert (paper.ink[y : y + height, x : x + width] < 200).mean() > 0.15
        blank[y - 2 : y + height + 2, x - 2 : x + width + 2] = 255
    boxes = [mark.box_px for mark in paper.marks]
    top, bottom = min(y for _, y, _, _ in boxes), max(y + h for _, y, _, h in boxes)
    left, right = min(x for x, _, _, _ in boxes), max(x + w for x, _, w, _ in boxes)
    around = blank[top - 4 : bottom + 4, left - 4 : right + 4]
    assert (around < 200).mean() < 0.03  # nothing of the text is outside of the places noted
