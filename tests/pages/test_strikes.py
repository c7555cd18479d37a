"""A struck-out line is told from an underlined one and from ruled paper."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.rules import FormRules, find_rules
from clinic_hwr.pages.strikes import find_strikes
from clinic_hwr.pages.stroke_cores import stroke_cores
from clinic_hwr.pages.struck_fields import is_read_through
from clinic_hwr.pages.types import FIELD_NAMES, Box, FieldRegion, StruckOut
from clinic_hwr.pages.zigzags import _ended, zigzagged
from clinic_hwr.recognition.synthesis.pages_paper import Paper

from .scribble import ScribbleHand


def _line(
    *strokes: tuple[float, float, float],
    ruled: bool = False,
    text: str = "Lisinoril 10 m tab one",
    found: bool = True,
) -> StruckOut:
    """Write a line, draw level strokes (height over the base in x-heights, start, end share).

    Without ``found`` no form rule of the page was found.
    """
    rng = np.random.default_rng(5)
    paper = Paper(6.0, 1.2, 200, ScribbleHand(), rng)
    if ruled:
        paper.rule(0.1, 0.73, 5.9, 0.73)
    x0, y0, x1, y1 = paper.write(0.6, 0.72, text)
    for height, start, end in strokes:
        xs = np.linspace(x0 + start * (x1 - x0), x0 + end * (x1 - x0), 30)
        ys = 0.72 - height * paper.x_height_in + 0.004 * np.sin(xs * 4)
        paper.stroke(np.stack([xs, ys], 1))
    box = Box(round(x0 * 200), round(y0 * 200), round((x1 - x0) * 200), round((y1 - y0) * 200))
    rules = find_rules(paper.ink)
    if not found:
        rules = FormRules(np.zeros_like(rules.mask), (), ())
    return find_strikes(paper.ink, ink_mask(paper.ink), rules, [box], 0.8 * box.height)[0]


@pytest.mark.parametrize(
    ("strokes", "struck"),
    [
        ((), StruckOut.NO),
        (((-0.5, 0.0, 1.0),), StruckOut.NO),
        (((0.6, 0.0, 1.0),), StruckOut.WHOLLY),
        (((0.6, 0.0, 0.4),), StruckOut.PARTLY),
    ],
    ids=["plain", "underlined", "struck", "half"],
)
def test_a_stroke_through_the_letters_strikes_them_out(
    strokes: tuple[tuple[float, float, float], ...], struck: StruckOut
) -> None:
    assert _line(*strokes) is struck


def test_a_form_rule_under_writing_is_no_strike() -> None:
    assert _line(ruled=True) is StruckOut.NO


def test_an_underline_through_descenders_is_no_strike() -> None:
    assert _line((-0.4, 0.0, 1.0), text="apply gently every day") is StruckOut.NO


def test_a_rule_through_the_letters_that_was_not_found_is_told_by_where_it_goes_on() -> None:
    # It begins 0.5 in before the line and ends 2 in behind it, with nothing on it.
    assert _line((0.5, -0.2, 1.8), text="Take one", found=False) is StruckOut.NO


def test_a_strike_may_go_on_a_little() -> None:
    assert _line((0.5, -0.1, 1.1), text="Take one", found=False) is StruckOut.WHOLLY


def test_a_bold_strike_right_over_a_form_rule_is_found() -> None:
    """Both are straight and level, and the rule reaches far: the strike once went for the rule."""
    assert _line((0.35, -0.05, 1.1), ruled=True) is StruckOut.WHOLLY


@pytest.mark.parametrize(
    ("name", "text", "confidence", "spared"),
    [
        ("patient_mrn", "0077510", 0.94, True), ("patient_mrn", "0077510", 0.6, False),
        ("patient_mrn", None, 0.94, False), ("drug", "Furosemide 40 mg", 0.96, False),
        ("unnamed", "Furosemide 40 mg", 0.96, False),
    ],
)  # fmt: skip
def test_print_that_was_read_surely_is_not_struck_unless_it_may_be_a_drug(
    name: str, text: str | None, confidence: float, spared: bool
) -> None:
    field = FieldRegion(
        name, FIELD_NAMES[name], Box(0, 0, 90, 20), printed_text=text, confidence=confidence
    )
    assert is_read_through(field) is spared


def _drawn_line(x0: int = 200, y0: int = 100, letters: int = 12, pen: int = 2) -> np.ndarray:
    """Ink of loops and stems like writing, 24 px high from (x0, y0) on, 20 px a letter."""
    ink = np.zeros((240, 900), np.uint8)
    for number in range(letters):
        x = x0 + 20 * number
        cv2.ellipse(ink, (x + 7, y0 + 15), (6, 9), 0, 20, 340, 255, pen)
        cv2.line(ink, (x + 14, y0 + 24), (x + 17, y0 + (0 if number % 3 else -6)), 255, pen)
    return ink


def _said(ink: np.ndarray, box: Box) -> StruckOut:
    none = FormRules(np.zeros_like(ink), (), ())
    return find_strikes(255 - ink, ink, none, [box], 24.0)[0]


_BOX = Box(200, 94, 240, 31)


def test_a_zigzag_over_a_row_strikes_out_what_stands_in_it() -> None:
    ink = _drawn_line()
    assert _said(ink, _BOX) is StruckOut.NO
    points = [(120 + 22 * n, 90 if n % 2 else 128) for n in range(22)]
    cv2.polylines(ink, [np.array(points, np.int32)], False, 255, 2)
    assert _said(ink, _BOX) is StruckOut.WHOLLY
    assert _said(ink, Box(300, 94, 60, 31)) is StruckOut.WHOLLY  # a cell of the row


def test_strokes_that_lean_one_way_or_come_unevenly_are_no_zigzag() -> None:
    leaning = np.zeros((240, 900), np.uint8)
    for x in range(200, 440, 16):
        cv2.line(leaning, (x, 124), (x + 16, 92), 255, 2)
    uneven = np.zeros_like(leaning)
    at = np.cumsum([0, 12, 40, 9, 36, 14, 44, 10, 38, 12]) + 200
    points = [(int(x), 92 if n % 2 else 124) for n, x in enumerate(at)]
    cv2.polylines(uneven, [np.array(points, np.int32)], False, 255, 2)
    assert not zigzagged(leaning, _BOX, 31.0).any()
    assert not zigzagged(uneven, _BOX, 31.0).any()
    even = [(200 + 16 * n, 92 if n % 2 else 124) for n in range(15)]
    wave = np.zeros_like(leaning)
    cv2.polylines(wave, [np.array(even, np.int32)], False, 255, 2)
    assert zigzagged(wave, _BOX, 31.0).mean() > 0.7


def test_a_rule_over_a_row_with_writing_above_it_is_no_strike() -> None:
    ink = _drawn_line() | _drawn_line(y0=56)
    cv2.line(ink, (190, 90), (450, 90), 255, 2)
    assert _said(ink, _BOX) is StruckOut.NO
    cv2.line(ink, (190, 112), (450, 112), 255, 2)
    assert _said(ink, _BOX) is StruckOut.WHOLLY


def test_a_stroke_that_joins_two_letters_is_no_strike() -> None:
    ink = _drawn_line()
    cv2.line(ink, (258, 110), (296, 111), 255, 2)
    assert _said(ink, _BOX) is StruckOut.NO
    cv2.line(ink, (258, 110), (340, 111), 255, 2)
    assert _said(ink, _BOX) is StruckOut.PARTLY


def test_letters_before_a_zigzag_may_fall_too() -> None:
    points = [(300 + 20 * n, 80 if n % 2 else 128) for n in range(14)]
    ink = np.zeros((240, 900), np.uint8)
    cv2.polylines(ink, [np.array(points, np.int32)], False, 255, 2)
    cv2.line(ink, (222, 80), (242, 128), 255, 2)
    cv2.line(ink, (262, 128), (282, 80), 255, 2)
    assert zigzagged(ink, Box(220, 78, 280, 52), 57.0)[120:220].all()


def test_a_rule_that_a_zigzag_crosses_does_not_hide_it() -> None:
    points = [(190 + 22 * n, 84 if n % 2 else 134) for n in range(13)]
    ink = np.zeros((240, 900), np.uint8)
    cv2.polylines(ink, [np.array(points, np.int32)], False, 255, 3)
    rule = Box(100, 106, 700, 7)
    mask = np.zeros_like(ink)
    mask[rule.y : rule.y + rule.height, rule.x : rule.x + rule.width] = 255
    ink |= mask
    rules = FormRules(mask, (rule,), ())
    box = Box(190, 84, 264, 51)
    assert find_strikes(255 - ink, ink, rules, [box], 32.0) == [StruckOut.WHOLLY]


def test_a_few_tall_even_strokes_are_a_zigzag() -> None:
    def said(points: list[tuple[int, int]]) -> float:
        ink = np.zeros((240, 900), np.uint8)
        cv2.polylines(ink, [np.array(points, np.int32)], False, 255, 2)
        return float(zigzagged(ink, Box(200, 82, 200, 48), 46.0).mean())

    even = [(200 + 32 * n, 82 if n % 2 else 130) for n in range(7)]
    assert said(even) > 0.6
    assert said(even[:5]) == 0.0  # a W
    assert said([(x + (18 if n % 3 else 0), y) for n, (x, y) in enumerate(even)]) == 0.0
    heights = (0, 0, 15, 0, 0, 14, 0)
    assert said([(x, y - up * (y < 106)) for (x, y), up in zip(even, heights, strict=True)]) > 0.6
    low = [(x, 106 + (y - 106) * 3 // 4) for x, y in even]
    assert said(low) == 0.0


def test_the_ends_of_a_zigzag_are_a_step_away() -> None:
    run = [(100.0, 40.0), (120.0, 40.0), (140.0, 40.0)]
    rising = [(79.0, 41.0), (99.0, 30.0), (141.0, 30.0), (161.0, 41.0), (176.0, 30.0)]

    assert _ended(run, rising) == [(79.0, 41.0), *run, (161.0, 41.0)]
    assert _ended(run, [(40.0, 41.0), (200.0, 41.0)]) == run


def _set(
    text: str, gray: int = 60, size: float = 1.2, pen: int = 2, font: int = cv2.FONT_HERSHEY_SIMPLEX
) -> np.ndarray:
    """A word or two at (60, 70) on white paper."""
    page = np.full((120, 700), 255, np.uint8)
    return np.asarray(cv2.putText(page, text, (60, 70), font, size, gray, pen, cv2.LINE_AA))


def _line_at(page: np.ndarray, y: int, gray: int = 60, pen: int = 2) -> np.ndarray:
    """The page with a stroke from left of all letters to right of them."""
    right = int(np.nonzero(page < 250)[1].max()) + 10
    return np.asarray(cv2.line(page.copy(), (50, y), (right, y + 1), gray, pen, cv2.LINE_AA))


def _around(page: np.ndarray) -> Box:
    rows, columns = np.nonzero(page < 250)
    return Box(*(int(one) for one in (columns.min(), rows.min(), np.ptp(columns) + 1,
                                      np.ptp(rows) + 1)))  # fmt: skip


def _said_of(
    page: np.ndarray, box: Box, *, letter: float = 0.8, ink: np.ndarray | None = None
) -> StruckOut:
    mask = np.where(page < 228, 255, 0).astype(np.uint8) if ink is None else ink
    none = FormRules(np.zeros_like(mask), (), ())
    return find_strikes(page, mask, none, [box], letter * box.height)[0]


def test_letters_that_a_soft_picture_runs_together_are_no_strike() -> None:
    """The mask of a photo holds the soft edges: small letters of it are a bar."""
    page = _set("Pantoprazole sodium")
    box = _around(page)

    def soft(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        gray = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.uint8)
        return gray, np.where(gray < 240, 255, 0).astype(np.uint8)

    plain, mask = soft(page)
    assert _said_of(255 - mask, box, ink=mask) is StruckOut.WHOLLY
    assert _said_of(plain, box, ink=mask) is StruckOut.NO
    struck, mask = soft(_line_at(page, 60))
    assert _said_of(struck, box, ink=mask) is StruckOut.WHOLLY


def test_small_words_of_a_thick_pen_are_no_wave() -> None:
    page = _set("Victor Placeholder", 30, 0.8, 5, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)
    assert _said_of(page, _around(page)) is StruckOut.NO


def test_a_dark_stroke_through_pale_letters_strikes_them_out() -> None:
    page = _set("Pantoprazole sodium", 190)
    assert _said_of(_line_at(page, 60, 20, 3), _around(page)) is StruckOut.WHOLLY


def test_two_lines_through_a_line_strike_it_out_and_an_underline_does_not() -> None:
    page = _set("One a day")
    twice, under = _line_at(_line_at(page, 52), 66), _line_at(page, 80)
    assert _said_of(twice, _around(twice), letter=0.62) is StruckOut.WHOLLY
    assert _said_of(under, _around(under), letter=0.62) is StruckOut.NO
    assert _said_of(page, _around(page), letter=0.62) is StruckOut.NO


def test_strokes_are_as_wide_as_the_pen() -> None:
    page = np.full((60, 200), 250, np.uint8)
    page[28:34, 20:180] = 40
    soft = cv2.GaussianBlur(page, (0, 0), 3.0)
    mask = np.where(soft < 240, 255, 0).astype(np.uint8)

    cores = stroke_cores(soft, mask, [Box(20, 20, 160, 24)])

    wide, thin = (int(np.count_nonzero(one[:, 100])) for one in (mask, cores))
    assert wide > 14
    assert 5 <= thin <= 11
    assert stroke_cores(soft, mask, []).tolist() == mask.tolist()
