"""Pages come back upright, level and white, with a way back to the original."""

from __future__ import annotations

import numpy as np
import pytest

from clinic_hwr.pages import make_upright, orientation, upright
from clinic_hwr.pages.background import flatten_background, ink_mask, without_tints
from clinic_hwr.pages.glyphs import TurnVotes
from clinic_hwr.pages.orientation import clockwise_turns
from clinic_hwr.pages.skew import skew_degrees
from clinic_hwr.pages.types import PageProblem
from clinic_hwr.pages.upright import _median_within
from clinic_hwr.recognition.synthesis.pages import ScanSettings, draw_page
from clinic_hwr.recognition.synthesis.pages_samples import US_PAD

from .conftest import PreparedPage, needs_tesseract
from .scribble import ScribbleHand


@needs_tesseract
def test_quarter_turns_and_skew_are_undone(
    us_pad: PreparedPage, order_sheet: PreparedPage, letterhead: PreparedPage
) -> None:
    for page in (us_pad, order_sheet, letterhead):
        settings = page.drawn.settings
        assert page.upright.rotation_deg == 90 * settings.quarter_turns
        assert page.upright.skew_deg == pytest.approx(settings.skew_deg, abs=0.25)


@needs_tesseract
def test_a_page_on_its_side_is_turned() -> None:
    settings = ScanSettings(quarter_turns=1, skew_deg=-9.0)
    drawn = draw_page("us_pad", US_PAD, ScribbleHand(), seed=1, dpi=150, settings=settings)
    upright = make_upright(drawn.gray)
    assert upright.rotation_deg == 90
    assert upright.skew_deg == pytest.approx(-9.0, abs=0.25)


@needs_tesseract
def test_to_original_leads_back_to_the_scan(us_pad: PreparedPage) -> None:
    x0, y0, x1, y1 = us_pad.truth_box("patient_name")
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2, 1.0])
    back = us_pad.upright.to_original @ centre
    (truth,) = [f for f in us_pad.drawn.fields if f.name == "patient_name"]
    expected = np.mean(np.array(truth.quad_px), axis=0)
    assert back[:2] == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize("angle", [-14.0, -3.3, 0.0, 0.4, 7.7, 14.0])
def test_skew_is_measured_on_clean_rows(angle: float) -> None:
    settings = ScanSettings(skew_deg=angle)
    drawn = draw_page("us_pad", US_PAD, ScribbleHand(), seed=2, dpi=120, settings=settings)
    assert skew_degrees(ink_mask(drawn.gray)) == pytest.approx(angle, abs=0.2)


def test_shadow_is_flattened() -> None:
    columns = np.linspace(90, 250, 800)
    gray = np.repeat(columns[None, :], 600, axis=0).astype(np.uint8)
    gray[300:304, 100:700] = 20
    flat = flatten_background(gray)
    assert flat[100:250].min() >= 235
    assert flat[300:303, 200:600].max() < 140


@pytest.mark.parametrize("turns", [0, 1])
def test_a_gray_head_of_a_table_becomes_paper_and_its_words_stay(turns: int) -> None:
    page = np.full((1650, 1275), 250, np.uint8)
    for x in range(100, 1175, 12):
        page[520:540, x : x + 4] = 40  # a row of letters on white paper
    untouched = page.copy()
    page[300:340, 100:1175] = 190
    for x in range(150, 700, 12):
        page[310:330, x : x + 4] = 40
    page[298:301, 100:1175] = 10

    lying = flatten_background(np.ascontiguousarray(np.rot90(page, turns)))
    flat = np.rot90(without_tints(lying), -turns)

    band = flat[303:337, 104:1170]
    assert np.median(band) >= 245
    assert np.median(band[10:25, 47:590:12]) < 80
    assert flat[299, 600] < 40
    assert np.array_equal(flat[500:], flatten_background(untouched)[500:])


def test_what_ocr_reads_in_upside_down_writing_does_not_outvote_the_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    letters = {0: 6.0, 2: 4.4}
    seen: list[int] = []

    def evidence(gray: np.ndarray) -> float:
        seen.append(2 if gray[0, 0] == 2 else 0)
        return letters[seen[-1]]

    monkeypatch.setattr(orientation, "print_evidence", evidence)
    view = np.zeros((40, 30), np.uint8)
    view[-1, -1] = 2
    assert clockwise_turns(view, view, sideways=0.1, guess=2) == (2, False)
    letters[0] = 12.0
    assert clockwise_turns(view, view, sideways=0.1, guess=2) == (0, True)


@pytest.mark.parametrize(
    ("shape", "value"), [((1100, 850), 255), ((1100, 850), 0), ((9, 9), 255), ((40, 3000), 200)]
)
def test_pages_without_content_come_back_unturned(shape: tuple[int, int], value: int) -> None:
    page = make_upright(np.full(shape, value, np.uint8))
    assert (page.rotation_deg, page.skew_deg) == (0, 0.0)
    assert page.to_original.shape == (3, 3)


def test_very_large_pages_are_brought_to_working_size() -> None:
    page = make_upright(np.full((7000, 5000), 255, np.uint8))
    assert max(page.gray.shape) == 2200
    assert page.to_original[0, 0] == pytest.approx(7000 / 2200, rel=1e-2)


@pytest.mark.parametrize(
    "raster", [np.zeros((0, 5), np.uint8), np.zeros((5, 5, 3), np.uint8), np.zeros((5, 5))]
)
def test_what_is_no_page_raster_is_refused(raster: np.ndarray) -> None:
    with pytest.raises(ValueError, match="page raster"):
        make_upright(raster)


@pytest.mark.parametrize("pixels", [999, 1000])
def test_median_by_counting_is_the_median(pixels: int) -> None:
    rng = np.random.default_rng(pixels)
    view = rng.integers(0, 256, (1, 1500), np.uint8)
    part = np.zeros_like(view)
    part[0, :pixels] = 255

    assert _median_within(view, part) == np.median(view[part > 0])


@pytest.mark.parametrize(
    ("black", "margin", "letters", "sure"),
    [
        (False, 70.0, 0.0, True),
        (True, 70.0, 0.0, False),
        (True, 70.0, 60.0, True),
        (True, 400.0, 0.0, True),
    ],
    ids=["a clean fax", "streaks may vote", "but print is read", "or all letters agree"],
)
def test_streaks_of_a_blackened_fax_say_not_which_way_up_it_is(
    black: bool, margin: float, letters: float, sure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upright, "is_blackened", lambda gray, clean: black)
    monkeypatch.setattr(upright, "turn_votes", lambda ink: TurnVotes((margin, 0.0, 0.0, 0.0), 1))
    monkeypatch.setattr(orientation, "print_evidence", lambda gray: letters)
    fax = np.full((1100, 850), 255, np.uint8)
    fax[200:900:60, 100:700] = 0

    page = make_upright(fax)

    assert (PageProblem.ORIENTATION_UNSURE in page.problems) is not sure
    assert page.rotation_deg == 0
