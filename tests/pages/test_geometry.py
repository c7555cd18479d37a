"""Sheets cut out of photos, bent rows, faxes, and the way back to the raster for every point."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_hwr.pages import Box, PageProblem, PageTransform, RowBend, make_upright, upright
from clinic_hwr.pages.curl import row_bend
from clinic_hwr.pages.fax import clean_fax, fax_stretch, is_one_bit
from clinic_hwr.pages.glyphs import turn_votes
from clinic_hwr.pages.print_words import TesseractMissing
from clinic_hwr.pages.sheet import find_sheet
from clinic_hwr.recognition.synthesis.pages import (
    DrawnPage,
    ScanSettings,
    content_for,
    draw_page,
    settings_for,
)

from .scribble import ScribbleHand


def drawn(layout: str = "dental_pad", seed: int = 4, **scanner: object) -> DrawnPage:
    content = content_for(layout, np.random.default_rng(seed))
    how = ScanSettings(**scanner)  # type: ignore[arg-type]
    return draw_page(layout, content, ScribbleHand(), seed=seed, dpi=170, settings=how)


def worst_off(page: DrawnPage) -> float:
    """How far, in shares of the long side, true rows are from level on the upright page."""
    result = make_upright(page.gray)
    offs = []
    for line in page.lines:
        if line.printed:
            moved = result.transform.from_original(np.array(line.quad_px))
            offs.append(abs(moved[3, 1] - moved[2, 1]) / max(result.gray.shape))
    return max(offs)


bends = st.lists(st.floats(-12, 12), min_size=12, max_size=12).map(
    lambda values: RowBend((900, 1200), tuple(values))
)
homographies = st.tuples(
    st.floats(-3.1, 3.1), st.floats(0.3, 3.0), st.floats(-2e-4, 2e-4), st.floats(-2e-4, 2e-4)
).map(
    lambda one: np.array(
        [
            [one[1] * np.cos(one[0]), -one[1] * np.sin(one[0]), 40.0],
            [one[1] * np.sin(one[0]), one[1] * np.cos(one[0]), -70.0],
            [one[2], one[3], 1.0],
        ]
    )
)


@given(bends, homographies, st.lists(st.tuples(st.floats(0, 900), st.floats(0, 1200)), min_size=1))
@settings(max_examples=60, deadline=None)
def test_a_point_of_the_page_comes_back_from_the_original(
    bend: RowBend, matrix: np.ndarray, points: list[tuple[float, float]]
) -> None:
    transform = PageTransform(matrix, bend)
    here = np.array(points)
    back = transform.from_original(transform.to_original(here))
    assert back == pytest.approx(here, abs=0.05)


def test_a_box_on_the_page_is_a_quadrilateral_on_the_original() -> None:
    turned = PageTransform(np.array([[0.0, -1, 500], [1, 0, 0], [0, 0, 1]]))
    corners = turned.quad_on_original(Box(10, 20, 30, 40))
    assert corners.tolist() == [[480, 10], [480, 40], [440, 40], [440, 10]]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_truth_comes_to_lie_where_the_page_shows_it(turns: int) -> None:
    page = drawn(photo=True, quarter_turns=turns, skew_deg=5.0, tilt_deg=(9.0, -7.0), margin=0.08,
                 table_gray=50)  # fmt: skip
    result = make_upright(page.gray)
    assert result.rotation_deg == 90 * turns
    assert result.problems == ()
    for line in page.lines:
        moved = result.transform.from_original(np.array(line.quad_px))
        (x0, y0), (x1, y1) = moved.min(axis=0), moved.max(axis=0)
        window = result.gray[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1]
        assert window.min() < 140
    # The table is gone.
    assert np.median(result.gray[:10]) > 240 and np.median(result.gray[:, -10:]) > 240


def test_perspective_is_undone_with_the_sheet_in_view_and_not_without_the_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = drawn(photo=True, tilt_deg=(14.0, 10.0), margin=0.08, table_gray=50, noise=3.0)
    assert worst_off(page) < 0.004
    monkeypatch.setattr(upright, "find_sheet", lambda gray: find_sheet(gray[:8, :8]))
    monkeypatch.setattr(upright, "row_bend", lambda ink: (RowBend(), False))
    assert worst_off(page) > 0.006


def test_the_edge_of_a_shadow_is_no_sheet() -> None:
    page = drawn("row_pad", seed=2, noise=2.0).gray.copy()
    page[:, : page.shape[1] // 2] //= 2
    found = find_sheet(page)
    assert found.corners_px is None


@pytest.mark.parametrize("value", [30, 128, 255])
def test_a_sheet_that_fills_the_frame_is_left_whole(value: int) -> None:
    assert find_sheet(np.full((600, 400), value, np.uint8)).corners_px is None


def test_bent_rows_are_straightened_and_straight_ones_left_alone() -> None:
    rows = np.zeros((1200, 900), np.uint8)
    rng = np.random.default_rng(1)
    for y in range(60, 1150, 45):
        for x in range(50, 850, 14):
            if rng.random() < 0.8:
                rows[y : y + 12, x : x + 8] = 255
    assert row_bend(rows) == (RowBend(), False)
    xs, ys = np.meshgrid(np.arange(900, dtype=np.float32), np.arange(1200, dtype=np.float32))
    sag = 22 * np.sin(np.pi * xs / 900)
    bent = cv2.remap(rows, xs, ys - sag, cv2.INTER_LINEAR)
    bend, uneven = row_bend(bent)
    assert not uneven
    at = np.linspace(60, 840, 9)
    measured = bend.sag(at, np.full(9, 600.0))
    true = 22 * np.sin(np.pi * at / 900)
    assert measured - measured.mean() == pytest.approx(true - true.mean(), abs=3.0)


def test_rows_of_a_standard_fax_are_drawn_twice_as_tall() -> None:
    page = drawn("discharge_sheet", fax_dpi=(204, 98))
    assert is_one_bit(page.gray) and fax_stretch(page.gray) == (1.0, 2.0)
    result = make_upright(page.gray)
    assert result.gray.shape[0] > 1.2 * result.gray.shape[1]
    fine = drawn("discharge_sheet", fax_dpi=(204, 196))
    assert fax_stretch(fine.gray) == (1.0, 1.0)
    turned = np.ascontiguousarray(np.rot90(page.gray))
    assert fax_stretch(turned) == (2.0, 1.0)


def test_specks_and_lost_rows_of_a_fax_are_repaired() -> None:
    fax = np.full((300, 1728), 255, np.uint8)
    fax[50:120, 300:310] = 0
    whole = fax.copy()
    fax[80:83] = 255
    rng = np.random.default_rng(2)
    fax[rng.integers(0, 300, 400), rng.integers(600, 1700, 400)] = 0
    clean = clean_fax(fax)
    assert np.array_equal(clean[:, :500], whole[:, :500])
    assert np.count_nonzero(clean[:, 600:] < 128) < 40


@pytest.mark.parametrize("way", ["fax_standard", "phone", "photocopy"])
def test_letters_vote_for_the_right_turn(way: str) -> None:
    how = settings_for(way, np.random.default_rng(3))
    content = content_for("chart_blocks", np.random.default_rng(3))
    page = draw_page("chart_blocks", content, ScribbleHand(), seed=3, dpi=150, settings=how)
    for extra in range(4):
        result = make_upright(np.ascontiguousarray(np.rot90(page.gray, -extra)))
        assert result.rotation_deg == 90 * ((how.quarter_turns + extra) % 4)
        assert PageProblem.ORIENTATION_UNSURE not in result.problems


def test_votes_turn_with_the_page() -> None:
    ink = 255 - drawn().gray
    ink = np.where(ink > 100, 255, 0).astype(np.uint8)
    for turns in range(4):
        assert turn_votes(np.ascontiguousarray(np.rot90(ink, -turns))).best == turns


def test_without_tesseract_a_page_that_does_not_tell_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(*args: object, **kwargs: object) -> tuple[int, bool]:
        raise TesseractMissing("not installed")

    monkeypatch.setattr(upright, "clockwise_turns", missing)
    page = np.full((1200, 900), 255, np.uint8)
    cv2.circle(page, (450, 600), 200, 20, 5)
    result = make_upright(page)
    assert PageProblem.ORIENTATION_UNSURE in result.problems


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (np.full((1100, 850), 255, np.uint8), PageProblem.BLANK),
        (np.zeros((1100, 850), np.uint8), PageProblem.BLANK),
        (np.full((9, 9), 255, np.uint8), PageProblem.TOO_SMALL),
        (np.full((20, 60_000), 200, np.uint8), PageProblem.TOO_SMALL),
    ],
)
def test_what_cannot_be_done_is_said(page: np.ndarray, problem: PageProblem) -> None:
    assert make_upright(page).problems == (problem,)


@pytest.mark.parametrize("kind", ["noise", "stripes", "checks", "half", "strip"])
def test_odd_pages_never_raise(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # OCR finds nothing in them and takes seconds to.
    monkeypatch.setattr(upright, "clockwise_turns", lambda *views, sideways, guess: (guess, False))
    rng = np.random.default_rng(5)
    rasters = {
        "noise": rng.integers(0, 256, (700, 500)),
        "stripes": np.tile((np.arange(700) // 8 % 2 * 255)[:, None], (1, 500)),
        "checks": (np.indices((700, 500)).sum(axis=0) // 16 % 2) * 255,
        "half": np.tile((np.arange(500) > 250) * 220 + 20, (700, 1)),
        "strip": rng.integers(0, 256, (40, 9000)),
    }
    result = make_upright(rasters[kind].astype(np.uint8))
    assert result.gray.dtype == np.uint8 and result.gray.size > 0
    assert np.isfinite(result.to_original).all()
