"""How forms are set: cells, labels under rules, tables without rules, faxes, tables and folds."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import Box, FieldRegion, PrintedWord, UprightPage, find_fields, make_upright
from clinic_hwr.pages.creases import without_black_creases
from clinic_hwr.pages.fax import clean_fax, is_blackened
from clinic_hwr.pages.medication_groups import grouped
from clinic_hwr.pages.medications import name_lines
from clinic_hwr.pages.sheet import find_sheet
from clinic_hwr.pages.types import FIELD_NAMES, LineMaps, PageProblem
from clinic_hwr.pages.unread_print import _without_pen, unread_strips
from clinic_hwr.recognition.synthesis.pages_paper import Gray, Paper

from .lettered import lettered_page
from .scribble import ScribbleHand

SIZE = (900, 700)


def _paper() -> Paper:
    return Paper(SIZE[1] / 200, SIZE[0] / 200, 200, ScribbleHand(), np.random.default_rng(4))


def _fields(paper: Paper, words: list[PrintedWord]) -> dict[tuple[str, int], FieldRegion]:
    page = UprightPage(paper.ink, 0, 0.0, np.eye(3))
    return {(one.name, one.group): one for one in find_fields(page, words, forms=[])}


def _label(paper: Paper, x: float, y: float, text: str) -> list[PrintedWord]:
    """Print a label and say what OCR would read of it, word by word."""
    words = []
    for word in text.split():
        x0, y0, x1, y1 = (round(200 * side) for side in paper.text(x, y, word, points=8))
        words.append(PrintedWord(word, Box(x0, y0, x1 - x0, y1 - y0), 0.96))
        x = x1 / 200 + 0.05
    return words


def test_what_is_written_in_a_cell_is_the_value_of_its_label() -> None:
    paper = _paper()
    words = []
    for number, (label, name) in enumerate((("Patient", "patient_name"), ("DOB", "patient_dob"))):
        left = 0.3 + 1.5 * number
        paper.box(left, 0.5, left + 1.5, 1.05)
        words += _label(paper, left + 0.05, 0.62, label)
        paper.field(name, "text", "Jane Doe", left + 0.1, 0.95)
    found = _fields(paper, words)
    for name, left in (("patient_name", 60), ("patient_dob", 360)):
        box = found[(name, 0)].box_px
        assert left < box.x < left + 100
        assert box.y + box.height / 2 > 150  # the writing, not the label


@pytest.mark.parametrize(("gap_in", "whole"), [(0.11, True), (0.6, False)])
def test_a_fold_through_an_underline_does_not_end_its_value(gap_in: float, whole: bool) -> None:
    paper = _paper()
    words = _label(paper, 0.3, 0.6, "Address:")
    words += _label(paper, 0.3, 1.2, "Date:")
    paper.rule(0.95, 0.65, 1.3, 0.65)
    paper.rule(1.3 + gap_in, 0.65, 3.2, 0.65)
    paper.field("patient_address", "text", "abcdef", 1.0, 0.62)
    paper.field("patient_address", "text", "defgh", 1.65 + gap_in, 0.62)
    box = _fields(paper, words)[("patient_address", 0)].box_px
    assert (box.x + box.width > 200 * (1.65 + gap_in) + 40) is whole


def test_writing_that_is_longer_than_its_rule_is_read_to_its_end() -> None:
    paper = _paper()
    words = _label(paper, 0.3, 0.6, "Patient:") + _label(paper, 2.6, 0.6, "DOB:")
    paper.rule(0.85, 0.65, 1.3, 0.65)
    paper.field("patient_name", "text", "abcdefghijkl", 0.9, 0.62)
    paper.field("patient_dob", "text", "abc", 3.0, 0.62)
    found = _fields(paper, words)
    name, birth = found[("patient_name", 0)].box_px, found[("patient_dob", 0)].box_px
    assert name.x + name.width > 200 * 1.3 + 60
    assert name.x + name.width < birth.x
    assert not any(key[0] == "unnamed" for key in found)


def test_labels_under_their_rules_name_what_is_written_on_them() -> None:
    paper = _paper()
    words = []
    rows = (("Name", "patient_name"), ("Address", "patient_address"), ("Date", "date_written"))
    for number, (label, name) in enumerate(rows):
        y = 0.6 + 0.6 * number
        paper.rule(0.3, y, 2.8, y)
        words += _label(paper, 0.35, y + 0.12, label)
        paper.field(name, "text", "some words", 0.5, y - 0.03)
    found = _fields(paper, words)
    middles = [found[(name, 0)].box_px.y + found[(name, 0)].box_px.height / 2 for _, name in rows]
    for middle, number in zip(middles, range(3), strict=True):
        rule = 200 * (0.6 + 0.6 * number)
        assert rule - 40 < middle < rule


def test_a_table_without_rules_between_rows_has_one_medication_a_line() -> None:
    paper = _paper()
    words = []
    for heading, x in (("Drug", 0.3), ("Directions", 1.3), ("Qty", 2.7)):
        words += _label(paper, x, 0.6, heading)
    paper.rule(0.25, 0.65, 3.3, 0.65)
    for group, y in ((1, 0.95), (2, 1.35)):
        for name, text, x in (("drug", "Abcdef", 0.3), ("sig", "1 tab bid", 1.3),
                              ("quantity", "30", 2.75)):  # fmt: skip
            paper.field(name, name, text, x, y, group=group)
    paper.rule(0.25, 1.6, 3.3, 1.6)
    found = _fields(paper, words)
    for name in ("drug", "sig", "quantity"):
        first, second = found[(name, 1)].box_px, found[(name, 2)].box_px
        assert first.y + first.height < second.y + second.height / 2


def test_lines_side_by_side_are_named() -> None:
    """Pieces of one row have no distance: a page of them once ended in an error."""
    row = [Box(20, 100, 400, 40), Box(500, 101, 60, 40)]
    assert [one.name for one in name_lines(row, 30.0)] == ["drug", "quantity"]
    below = [*row, Box(60, 160, 380, 40)]
    assert [(one.name, one.group) for one in name_lines(below, 30.0)] == [
        ("drug", 1), ("quantity", 1), ("sig", 1),
    ]  # fmt: skip


def _region(name: str, x: int, y: int) -> FieldRegion:
    return FieldRegion(name, FIELD_NAMES[name], Box(x, y, 100, 30))


def test_an_amount_whose_drug_was_not_found_is_not_given_to_the_drug_before() -> None:
    fields = [_region("drug", 0, 0), _region("sig", 0, 50), _region("quantity", 0, 100),
              _region("sig", 0, 200), _region("quantity", 0, 250), _region("drug", 0, 300),
              _region("sig", 0, 350), _region("sig", 0, 400)]  # fmt: skip
    assert [one.group for one in grouped(fields)] == [1, 1, 1, 2, 2, 3, 3, 3]


def test_what_stands_under_drugs_side_by_side_goes_to_the_nearer() -> None:
    fields = [_region("drug", 0, 0), _region("drug", 400, 0), _region("sig", 0, 60),
              _region("sig", 400, 60)]  # fmt: skip
    assert [one.group for one in grouped(fields)] == [1, 2, 1, 2]


def _shaded_fax() -> tuple[Gray, Gray]:
    """A one-bit page with writing, and the same in a grainy shadow that ends black."""
    rng = np.random.default_rng(5)
    plain = np.full((600, 1728), 255, np.uint8)
    for x in range(100, 1600, 60):
        cv2.line(plain, (x, 250), (x + 20, 300), 0, 6)
    share = np.clip((np.arange(1728) - 800) / 600, 0, 1)[None, :]
    shaded = np.where(rng.random(plain.shape) < share, 0, plain).astype(np.uint8)
    return plain, shaded


def test_the_grain_of_a_shaded_fax_goes_and_its_writing_stays() -> None:
    plain, shaded = _shaded_fax()
    clean = clean_fax(shaded)
    assert np.array_equal(clean_fax(plain), plain)
    light = np.s_[:, 950:1100]  # a quarter to a half of the dots black
    paper, ink = plain[light] > 0, plain[light] == 0
    assert np.mean(clean[light][paper] < 128) < 0.08 < 0.3 < np.mean(shaded[light][paper] < 128)
    assert np.mean(clean[light][ink] < 128) > 0.6


def test_a_part_of_a_fax_that_arrived_black_is_said() -> None:
    plain, shaded = _shaded_fax()
    assert is_blackened(shaded, clean_fax(shaded))
    assert PageProblem.BLACKENED in make_upright(shaded, turns=0).problems
    assert PageProblem.BLACKENED not in make_upright(plain, turns=0).problems


@pytest.mark.parametrize("light", [0.35, 0.9])
def test_a_sheet_on_a_table_nearly_as_bright_is_cut_out(light: float) -> None:
    """Light falls off over the picture: no one level parts sheet and table."""
    rng = np.random.default_rng(6)
    page = np.full((800, 600), 165.0)
    grain = cv2.GaussianBlur(rng.normal(0, 30, page.shape), (0, 0), sigmaX=20, sigmaY=0.7)
    page += grain
    page[100:700, 90:500] = 215
    for y in range(160, 640, 40):
        page[y : y + 6, 140:440:9] = 60
    falloff = np.linspace(1.0, light, 800)[:, None]
    picture = np.clip(page * falloff, 0, 255).astype(np.uint8)
    found = find_sheet(picture).corners_px
    assert found is not None
    assert np.abs(found - [[90, 100], [499, 100], [499, 699], [90, 699]]).max() < 8


def test_a_small_sheet_on_a_dark_table_is_cut_out() -> None:
    """The table is more than half of the picture: most of it is not the sheet."""
    rng = np.random.default_rng(6)
    page = 22 + cv2.GaussianBlur(rng.normal(0, 30, (800, 600)), (0, 0), sigmaX=20, sigmaY=0.7)
    page[200:600, 160:440] = 180
    for y in range(240, 560, 40):
        page[y : y + 6, 190:400:9] = 60
    found = find_sheet(np.clip(page, 0, 255).astype(np.uint8)).corners_px
    assert found is not None
    assert np.abs(found - [[160, 200], [439, 200], [439, 599], [160, 599]]).max() < 8


@pytest.mark.parametrize("turned", [False, True])
def test_the_black_fold_of_a_fax_goes_and_strokes_across_it_stay(turned: bool) -> None:
    page = lettered_page()
    page[500:503, 120:1000] = 0  # a rule of the form
    page[620:626, 560:660] = 0  # a stroke across the fold
    whole = page.copy()
    page[120:1500, 600:609] = 0
    if turned:
        page, whole = (np.ascontiguousarray(one.T) for one in (page, whole))
    clean = without_black_creases(page, np.where(page < 128, 255, 0).astype(np.uint8), 15.0)
    if turned:
        clean, whole = clean.T, whole.T
    assert (clean[1420:1500, 590:620] == 255).all()
    assert (clean[621:625, 560:660] == 0).all()
    assert (clean[501, 120:590] == 0).all()
    different = (clean != whole).mean(axis=0)
    assert different[:596].max() == different[613:].max() == 0
    again = without_black_creases(whole.copy(), np.where(whole < 128, 255, 0).astype(np.uint8), 15)
    assert np.array_equal(again, whole)
    said = make_upright(page, turns=0).problems
    assert PageProblem.FOLD_REMOVED in said
    assert PageProblem.FOLD_REMOVED not in make_upright(whole, turns=0).problems


def test_two_black_folds_go_though_grain_reaches_as_far_and_a_frame_stays() -> None:
    page = lettered_page()
    page[500:503, 120:1000] = 0
    grain = np.random.default_rng(4).random((40, 300)) < 0.05
    page[120:160, 700:1000][grain] = 0
    ink = np.where(page < 128, 255, 0).astype(np.uint8)
    framed = ink.copy()
    cv2.rectangle(framed, (100, 110), (1100, 1510), 255, 9)
    ink[120:1500, 300:309] = 255
    ink[120:1500, 600:609] = 255
    clean = without_black_creases(cv2.bitwise_not(ink), ink, 15.0)
    assert (clean[1420:1480, 291:318] == 255).all() and (clean[1420:1480, 591:618] == 255).all()
    kept = without_black_creases(cv2.bitwise_not(framed), framed, 15.0)
    assert np.array_equal(kept, cv2.bitwise_not(framed))


def test_pen_under_a_label_is_white_when_the_label_is_read_again() -> None:
    page = np.full((100, 200), 255, np.uint8)
    page[40:50, 40:120] = 60  # the label
    page[54:70, 60:90] = 60  # writing that runs into it from below
    page[40:50, 100:110] = 60
    hand = np.zeros((100, 200), np.float32)
    hand[38:52, 100:110] = 0.9
    maps = LineMaps(hand, np.zeros_like(hand), 1.0)
    clean = _without_pen(page, [Box(30, 31, 110, 26)], maps)
    assert (clean[40:50, 40:100] == 60).all()
    assert (clean[54:57, 60:90] == 255).all() and (clean[60:70, 60:90] == 60).all()
    assert (clean[40:50, 100:110] == 255).all()
    assert (page[54:57, 60:90] == 60).all()  # a copy: what is read later has all its ink


def test_a_fold_goes_and_the_rule_of_a_table_stays() -> None:
    page = lettered_page(20)
    page[1000:1004, 120:1160] = 60
    folded = page.copy()
    folded[:, 620:632] = np.minimum(folded[:, 620:632], 190)
    result = make_upright(folded, turns=0).gray
    paper = page[:990, 620:632] > 250
    assert np.mean(result[:990, 620:632][paper] > 250) > 0.9
    assert np.mean(result[995:1010, 150:600].min(axis=0) < 128) > 0.9


def test_print_that_no_word_covers_is_to_be_read_again() -> None:
    maps = LineMaps(np.zeros((100, 200), np.float32), np.zeros((100, 200), np.float32), 0.5)
    printed = maps.print.copy()
    printed[20:25, 10:60] = 0.9
    printed[60:65, 10:60] = 0.9
    maps = replace(maps, print=printed)
    read = PrintedWord("Name", Box(18, 36, 110, 18), 0.95)
    (strip,) = unread_strips(maps, [read], (200, 400))
    assert strip.y < 120 and strip.y + strip.height > 130
    assert strip.x < 20 and strip.x + strip.width > 120
    assert unread_strips(maps, [replace(read, confidence=0.1)], (200, 400)) != [strip]
