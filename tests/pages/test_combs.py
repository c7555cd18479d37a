"""Rows of printed cells are found, named by their label, and kept apart from print."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import Box, CombRun, PrintedWord, UprightPage, find_fields
from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.comb_fields import name_combs
from clinic_hwr.pages.combs import Comb, comb_print, dark_mask, find_combs, settled
from clinic_hwr.pages.known_forms import BadForm, KnownForm
from clinic_hwr.pages.labels import Label, Placement
from clinic_hwr.recognition.synthesis.pages import ScanSettings, draw_page
from clinic_hwr.recognition.synthesis.pages_samples import US_PAD

from .conftest import PreparedPage, needs_tesseract, prepare
from .plain import PlainHand

PITCH, HEIGHT, LEFT, TOP = 44, 56, 260, 300


def _page(style: str, cells: int = 8) -> np.ndarray:
    """A page of 200 dpi with one comb."""
    page = np.full((1650, 1300), 250, np.uint8)
    right, bottom = LEFT + cells * PITCH, TOP + HEIGHT
    edges = [LEFT + PITCH * i for i in range(cells + 1)]
    if style == "frame":
        cv2.rectangle(page, (LEFT, TOP), (right, bottom), 70, 2)
        for x in edges:
            cv2.line(page, (x, TOP), (x, bottom), 70, 2)
    if style == "boxes":
        for x in edges[:-1]:
            cv2.rectangle(page, (x + 4, TOP), (x + PITCH - 4, bottom), 70, 2)
    if style in ("ticks", "underline"):
        reach = 300 if style == "underline" else 0
        cv2.line(page, (LEFT - reach // 2, bottom), (right + reach, bottom), 70, 2)
        for x in edges:
            cv2.line(page, (x, bottom - 18), (x, bottom), 70, 2)
    return page


def _combs(page: np.ndarray):
    return find_combs(dark_mask(page, ink_mask(page)))


@pytest.mark.parametrize("style", ["frame", "boxes", "ticks"])
@pytest.mark.parametrize("cells", [3, 10])
def test_a_comb_is_found_with_its_cells(style: str, cells: int) -> None:
    (comb,) = _combs(_page(style, cells))
    assert [run.cells for run in comb.runs] == [cells]
    assert comb.framed is (style != "ticks")
    box = comb.box_px
    assert box.x == pytest.approx(LEFT, abs=5)
    assert box.width == pytest.approx(cells * PITCH, abs=10)
    assert box.y + box.height == pytest.approx(TOP + HEIGHT, abs=4)


def test_ones_on_an_underline_are_no_comb() -> None:
    assert _combs(_page("underline")) == ()


def test_two_boxes_are_to_be_ticked_and_no_comb() -> None:
    assert _combs(_page("frame", 2)) == ()


def test_the_groups_of_a_date_are_one_comb() -> None:
    page = np.full((1650, 1300), 250, np.uint8)
    x = LEFT
    for count in (2, 2, 4):
        for place in range(count + 1):
            cv2.line(page, (x + PITCH * place, TOP), (x + PITCH * place, TOP + HEIGHT), 70, 2)
        for y in (TOP, TOP + HEIGHT):
            cv2.line(page, (x, y), (x + PITCH * count, y), 70, 2)
        x += PITCH * count + 25
    (comb,) = _combs(page)
    assert [run.cells for run in comb.runs] == [2, 2, 4]


def test_the_print_is_masked_and_the_writing_is_not() -> None:
    page = _page("frame", 4)
    cv2.circle(page, (LEFT + PITCH // 2, TOP + HEIGHT // 2), 12, 40, 4)
    ink = dark_mask(page, ink_mask(page))
    (comb,) = find_combs(ink)
    left = ink & ~comb_print(ink, comb.runs)
    count, _, stats, _ = cv2.connectedComponentsWithStats(left)
    (kept,) = [row for row in stats[1:count].tolist() if row[4] > 20]
    assert kept[2:4] == [pytest.approx(29, abs=3)] * 2


def test_a_page_of_hatching_has_no_combs() -> None:
    page = np.full((1650, 1300), 250, np.uint8)
    for x in range(0, 1300, 6):
        for y in range(0, 1650, 40):
            cv2.line(page, (x, y), (x, y + 25), 60, 2)
            cv2.line(page, (0, y + 25), (1299, y + 25), 60, 2)
    assert _combs(page) == ()


def test_declared_cells_move_onto_the_printed_ones() -> None:
    page = _page("frame", 6)
    ink = dark_mask(page, ink_mask(page))
    declared = CombRun(Box(LEFT - 9, TOP + 7, 6 * PITCH, HEIGHT), 6)
    box = settled(declared, ink).box_px
    assert (box.x, box.y) == (pytest.approx(LEFT, abs=2), pytest.approx(TOP, abs=2))
    blank = np.zeros_like(ink)
    assert settled(declared, blank) == declared


def _found(page: np.ndarray, label: str, x: int, y: int):
    words = [PrintedWord(part, Box(x + 60 * i, y, 50, 18), 0.95) for i, part in
             enumerate(label.split())]  # fmt: skip
    cv2.circle(page, (LEFT + PITCH // 2, TOP + HEIGHT // 2), 13, 40, 4)
    upright = UprightPage(page, 0, 0.0, np.eye(3))
    return [field for field in find_fields(upright, words) if field.comb]


@pytest.mark.parametrize(
    ("x", "y"), [(LEFT - 90, TOP + 20), (LEFT, TOP - 32), (LEFT, TOP + HEIGHT + 8)],
    ids=["left", "above", "below"],
)  # fmt: skip
def test_a_label_beside_above_or_below_names_a_comb(x: int, y: int) -> None:
    (field,) = _found(_page("frame", 10), "NPI", x, y)
    assert (field.name, field.label) == ("prescriber_npi", "NPI")
    assert [run.cells for run in field.comb] == [10]


@pytest.mark.parametrize(
    ("style", "unit", "is_comb"),
    [("ticks", 20.0, True), ("ticks", 11.0, False), ("frame", 11.0, True), ("boxes", 11.0, True)],
)
def test_cells_without_a_frame_that_are_larger_than_cells_are_letters(
    style: str, unit: float, is_comb: bool
) -> None:
    """Where capitals are 11 px high, a cell of 44 px has four of them side by side."""
    label = Label("patient_name", "Name", Box(LEFT - 90, TOP + 20, 70, 18), Placement.BESIDE, ())
    found = name_combs(_combs(_page(style)), [], [label], unit)
    assert [one.field for one in found] == (["patient_name"] if is_comb else [])


@pytest.mark.parametrize(
    ("wide", "high", "is_comb"), [(3.7, 4.5, True), (3.9, 2, False), (2, 4.7, False)]
)
def test_both_sides_of_such_a_cell_count(wide: float, high: float, is_comb: bool) -> None:
    box = Box(200, 100, round(4 * wide * 100), round(high * 100))
    comb = Comb((CombRun(box, 4),), box, framed=False)
    label = Label("patient_name", "Name", Box(90, 150, 70, 100), Placement.BESIDE, ())
    assert len(name_combs([comb], [], [label], 100.0)) == is_comb


def test_a_short_comb_that_nothing_names_is_left_alone() -> None:
    assert _found(_page("frame", 4), "NPI", 40, 1500) == []


def test_a_long_comb_that_nothing_names_is_shown_unnamed() -> None:
    (field,) = _found(_page("frame", 9), "NPI", 40, 1500)
    assert field.name == "unnamed"


def test_an_empty_comb_is_an_empty_value() -> None:
    page = _page("frame", 10)
    words = [PrintedWord("NPI", Box(LEFT - 90, TOP + 20, 50, 18), 0.95)]
    assert find_fields(UprightPage(page, 0, 0.0, np.eye(3)), words) == ()


def test_writing_in_the_place_of_a_hidden_cell_makes_the_comb_longer() -> None:
    page = _page("frame", 5)
    cv2.circle(page, (LEFT + 5 * PITCH + PITCH // 2, TOP + HEIGHT // 2), 14, 40, 4)
    (field,) = _found(page, "Qty", LEFT - 90, TOP + 20)
    assert [run.cells for run in field.comb] == [6]


@pytest.fixture(scope="module")
def boxed() -> PreparedPage:
    settings = ScanSettings(quarter_turns=1, skew_deg=1.4, noise=4.0, shadow=0.15)
    return prepare(draw_page("boxed_form", US_PAD, PlainHand(), seed=3, dpi=200, settings=settings))


@needs_tesseract
@pytest.mark.parametrize(
    ("name", "group", "cells"),
    [("prescriber_npi", 0, 10), ("prescriber_dea", 0, 9), ("patient_dob", 0, 8),
     ("date_written", 0, 8), ("quantity", 1, 3)],
)  # fmt: skip
def test_combs_of_a_scanned_form_are_found(
    boxed: PreparedPage, name: str, group: int, cells: int
) -> None:
    assert sum(run.cells for run in boxed.field(name, group).comb) == cells
    assert boxed.overlap(name, group) > 0.7


@needs_tesseract
def test_notes_are_one_block_of_lines(boxed: PreparedPage) -> None:
    notes = boxed.field("notes")
    assert notes.kind == "paragraph"
    assert len(notes.lines_px) in (2, 3)
    assert boxed.overlap("notes") > 0.7


@needs_tesseract
def test_other_forms_have_no_combs(us_pad: PreparedPage, order_sheet: PreparedPage) -> None:
    assert not any(field.comb for field in us_pad.fields + order_sheet.fields)


def _form(regions: list[dict[str, object]]) -> KnownForm:
    import json

    labels = [
        {"text": text, "box_in": [0.2, 0.2 + 0.5 * n, 0.4, 0.1]}
        for n, text in enumerate(("Alpha", "Beta", "Gamma", "Delta", "Omega", "Sigma", "Kappa"))
    ]
    return KnownForm.from_json(
        json.dumps({"name": "x", "size_in": [6.5, 4], "labels": labels, "regions": regions})
    )


def test_a_known_form_declares_its_cells() -> None:
    run = {"box_in": [LEFT / 200 + 0.03, TOP / 200, 10 * PITCH / 200, HEIGHT / 200], "cells": 10}
    form = _form([{"field": "prescriber_npi", "mode": "comb", "runs": [run]}])
    page = _page("frame", 10)
    cv2.circle(page, (LEFT + PITCH // 2, TOP + HEIGHT // 2), 13, 40, 4)
    words = [
        PrintedWord(label.text, Box(*(round(200 * v) for v in label.box_in)), 0.95)
        for label in form.labels
    ]
    (field,) = [
        f for f in find_fields(UprightPage(page, 0, 0.0, np.eye(3)), words, forms=[form]) if f.comb
    ]
    assert field.name == "prescriber_npi"
    assert field.comb[0].cells == 10
    assert field.comb[0].box_px.x == pytest.approx(LEFT, abs=3)


@pytest.mark.parametrize(
    "region",
    [
        {"field": "prescriber_npi", "mode": "comb", "box_in": [0, 0, 1, 1]},
        {"field": "prescriber_npi", "mode": "comb", "runs": [{"box_in": [0, 0, 1, 1], "cells": 0}]},
        {"field": "prescriber_npi", "mode": "comb", "runs": [{"box_in": [0, 0, 1]}]},
        {
            "field": "prescriber_npi", "mode": "value",
            "runs": [{"box_in": [0, 0, 1, 1], "cells": 3}],
        },
    ],
    ids=["no runs", "no cells", "bad box", "not a comb"],
)  # fmt: skip
def test_broken_declarations_are_refused(region: dict[str, object]) -> None:
    with pytest.raises(BadForm):
        _form([region])


def test_stems_of_letters_on_a_rule_are_no_comb() -> None:
    page = _page("ticks", 4)
    assert len(_combs(page)) == 1
    bottom = TOP + HEIGHT
    for x in [LEFT + PITCH * i for i in range(5)]:  # an F and its arms
        for y in (bottom - 17, bottom - 9):
            cv2.line(page, (x, y), (x + 12, y), 70, 3)
    assert _combs(page) == ()


def test_a_few_stems_that_stand_evenly_on_an_underline_are_no_comb() -> None:
    page = _page("ticks", 3)
    bottom = TOP + HEIGHT
    cv2.line(page, (LEFT, bottom), (LEFT + 5 * PITCH, bottom), 70, 2)
    assert [run.cells for comb in _combs(page) for run in comb.runs] == [5]
    for x in [LEFT + PITCH * i for i in range(4)]:  # an r
        cv2.line(page, (x, bottom - 15), (x + 12, bottom - 15), 70, 3)
    assert _combs(page) == ()
