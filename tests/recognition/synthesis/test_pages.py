"""Generated prescriptions: same seed same bytes, truth where the ink is, every layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pikepdf
import pytest

from clinic_hwr.recognition.synthesis.pages import (
    LAYOUTS,
    ScanSettings,
    UnknownLayout,
    draw_page,
    draw_pages,
    random_content,
)
from clinic_hwr.recognition.synthesis.pages_content import (
    dea_with_check_digit,
    npi_with_check_digit,
)
from clinic_hwr.recognition.synthesis.pages_samples import US_PAD, draw_samples
from tests.pages.scribble import ScribbleHand


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_same_seed_draws_the_same_page(layout: str) -> None:
    settings = ScanSettings(skew_deg=2.0, noise=5.0, jpeg_quality=70)
    one, two, other = (
        draw_page(layout, US_PAD, ScribbleHand(), seed=seed, dpi=100, settings=settings)
        for seed in (5, 5, 6)
    )
    assert np.array_equal(one.gray, two.gray)
    assert one.fields == two.fields
    assert not np.array_equal(one.gray, other.gray)


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_truth_boxes_hold_the_ink(quarter_turns: int) -> None:
    settings = ScanSettings(quarter_turns=quarter_turns, skew_deg=4.0)
    page = draw_page("us_pad", US_PAD, ScribbleHand(), seed=1, dpi=120, settings=settings)
    height, width = page.gray.shape
    assert (width > height) == (quarter_turns % 2 == 1)
    for field in page.fields:
        x, y, w, h = field.box_px
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        assert page.gray[y : y + h, x : x + w].min() < 130


def test_pad_says_what_the_content_says() -> None:
    page = draw_page("us_pad", US_PAD, ScribbleHand(), seed=1, dpi=100)
    said = {(field.name, field.group): field.text for field in page.fields}
    assert said[("drug", 1)] == "Amoxicillin 500 mg cap"
    assert said[("sig", 1)] == "1 cap po tid x 7 days"
    assert said[("quantity", 1)] == "#21"
    assert said[("refills", 0)] == "0"
    assert said[("prescriber_npi", 0)] == "1234567893"


def test_unknown_layout_lists_the_valid_ones() -> None:
    with pytest.raises(UnknownLayout, match="hospital_order_sheet, indian_letterhead"):
        draw_page("napkin", US_PAD, ScribbleHand(), seed=1)


def test_pages_come_in_all_layouts_and_repeat() -> None:
    first = list(draw_pages([ScribbleHand()], count=len(LAYOUTS), seed=9))
    again = list(draw_pages([ScribbleHand()], count=3, seed=9))
    assert {page.layout for page in first} == set(LAYOUTS)
    pairs = zip(first[:3], again, strict=True)
    assert all(np.array_equal(one.gray, two.gray) for one, two in pairs)


def test_no_hand_that_can_write_is_an_error() -> None:
    class Nobody(ScribbleHand):
        def can_write(self, text: str) -> bool:
            return False

    with pytest.raises(ValueError, match="none of the hands"):
        next(draw_pages([Nobody()], count=1, seed=1))


def test_identifiers_carry_valid_check_digits() -> None:
    assert npi_with_check_digit("123456789") == "1234567893"
    assert dea_with_check_digit("AB", "123456") == "AB1234563"
    content = random_content(np.random.default_rng(3))
    assert len(content.prescriber_npi) == 10
    assert len(content.prescriber_dea) == 9


def test_samples_are_small_described_and_the_letter_is_locked(tmp_path: Path) -> None:
    files = draw_samples(tmp_path, [ScribbleHand()], seed=1)
    names = [path.name for path in files]
    assert names == ["us_pad.png", "hospital_order_sheet.pdf", "letterhead_note.pdf"]
    assert all(path.stat().st_size < 400_000 for path in files)
    truth = json.loads((tmp_path / "hospital_order_sheet.json").read_text())
    drugs = [field["text"] for field in truth["fields"] if field["name"] == "drug"]
    assert drugs == ["Furosemide", "Ondansetron"]
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(files[2])
