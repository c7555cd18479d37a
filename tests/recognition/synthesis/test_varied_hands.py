"""Hands and faces that a finder of lines learns from: never twice alike, and split by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ImageFont

from clinic_hwr.recognition.segmentation.training import Writers, examples, ink_of_scan
from clinic_hwr.recognition.synthesis.hands import CannotWrite, FontHand, InkTile
from clinic_hwr.recognition.synthesis.line_bands import band_of
from clinic_hwr.recognition.synthesis.pages_hands import HersheyHand
from clinic_hwr.recognition.synthesis.pages_ink import FACES, other_faces, print_font
from clinic_hwr.recognition.synthesis.varied_hands import (
    ScrapHand,
    UnsteadyHand,
    fonts_in,
    kept_to_develop,
    scrap_hands,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one font, the one that comes with Pillow, and a licence beside it."""
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    (tmp_path / "plain.ttf").write_bytes(font.font_bytes)
    (tmp_path / "plain-LICENSE.txt").write_text("free", encoding="utf-8")
    return tmp_path


def drawn_line(blank_at: tuple[int, int], size: tuple[int, int] = (60, 900)) -> np.ndarray:
    """Letters of 20 px side by side, none in the columns of ``blank_at``."""
    ink = np.zeros(size, np.uint8)
    for x in range(10, size[1] - 30, 30):
        if not blank_at[0] - 20 < x < blank_at[1]:
            cv2.rectangle(ink, (x, 20), (x + 18, 40), 255, 4)
    return ink


def test_fonts_of_a_folder_know_what_they_lack(folder: Path) -> None:
    (font,) = fonts_in(folder)
    assert isinstance(font, FontHand)
    assert font.name == "plain"
    assert font.can_write("Metformin 500 mg")
    assert not font.capitals_only


def test_an_unsteady_hand_draws_no_letter_twice_alike(folder: Path) -> None:
    (font,) = fonts_in(folder)
    rng = np.random.default_rng(3)
    tiles = [UnsteadyHand(font).write("o o", rng, 30) for _ in range(12)]

    def difference(alpha: np.ndarray) -> float:
        columns = np.flatnonzero((alpha > 90).any(axis=0))
        gap = columns[np.flatnonzero(np.diff(columns) > 1)]
        assert len(gap), "two letters stand apart"
        left = (alpha[:, columns[0] : gap[0] + 1] > 90).astype(np.uint8)
        right = (alpha[:, columns[columns > gap[0]][0] : columns[-1] + 1] > 90).astype(np.uint8)
        right = cv2.resize(right, left.shape[::-1], interpolation=cv2.INTER_NEAREST)
        return float((left != right).sum() / (left | right).sum())

    assert np.mean([difference(tile.alpha) for tile in tiles]) > 0.25
    assert difference(font.write("o o", rng, 30).alpha) < 0.1
    for tile in tiles:
        rows = np.flatnonzero((tile.alpha > 90).any(axis=1))
        assert abs(tile.baseline_px - rows[-1]) < 15  # letters without descenders stand on it


def test_scraps_end_at_blanks_and_are_as_high_as_asked_for() -> None:
    scan = drawn_line((300, 360))
    hand = ScrapHand("scan:a", (scan,))
    rng = np.random.default_rng(0)
    for x_height in (10.0, 30.0):
        tile = hand.write("ten signs.", rng, x_height)
        thick = float(np.ptp(band_of(tile.alpha)[:, 1]))
        assert 0.7 * x_height < thick < 1.3 * x_height
        letters = cv2.connectedComponentsWithStats((tile.alpha > 90).astype(np.uint8))[2][1:]
        wide = letters[:, cv2.CC_STAT_WIDTH]
        assert wide.min() > 0.8 * wide.max(), "no letter is cut"
        assert len(wide) < 18  # of the 29 on the scan
        assert tile.baseline_px <= tile.alpha.shape[0]


def test_writers_with_few_scans_are_left_out(tmp_path: Path) -> None:
    for number in range(9):
        cv2.imwrite(str(tmp_path / f"{number}.png"), 255 - drawn_line((0, 0), (60, 300)))
    cv2.imwrite(str(tmp_path / "empty.png"), np.full((40, 200), 255, np.uint8))
    files = sorted(tmp_path.glob("[0-9].png"))
    scans = [("many", path) for path in files] + [("few", files[0])]
    scans.append(("many", tmp_path / "empty.png"))
    hands = scrap_hands(scans, ink_of_scan)
    assert [one.name for one in hands] == ["scan:many"]
    (hand,) = hands
    assert isinstance(hand, ScrapHand)
    assert len(hand.scans) == 9
    assert all(int(scan[:, [0, -1]].max()) > 90 for scan in hand.scans), "cut to the ink"


def test_other_faces_hold_for_one_page_only(folder: Path) -> None:
    usual = print_font("serif", 30).getbbox("Sig: 1 tab")
    with other_faces({"serif": str(folder / "plain.ttf")}):
        other = print_font("serif", 30)
        assert isinstance(other, ImageFont.FreeTypeFont)
        assert other.path == str(folder / "plain.ttf")
        assert print_font("sans", 30).getbbox("a")  # not named: as usual
    assert print_font("serif", 30).getbbox("Sig: 1 tab") == usual


def test_pages_to_learn_from_are_the_same_for_a_seed_and_mark_both_kinds(folder: Path) -> None:
    hands = [HersheyHand("hershey-script"), HersheyHand("hershey-plain")]
    fonts = [UnsteadyHand(font) for font in fonts_in(folder)]
    writers = Writers([hands, fonts], [folder / "plain.ttf"])
    rng = np.random.default_rng(1)
    printed = [writers.printed(rng) for _ in range(40)]
    assert {} in printed
    assert dict.fromkeys(FACES, str(folder / "plain.ttf")) in printed
    first, again = ([next(stream) for _ in range(3)] for stream in (
        examples(writers, 4), examples(writers, 4)
    ))  # fmt: skip
    for one, other in zip(first, again, strict=True):
        assert (one.ink == other.ink).all()
        assert (one.cores == other.cores).all()
    assert any(one.cores[0].any() and one.cores[1].any() for one in first)


def test_hands_that_lack_letters_write_pages_of_no_layout() -> None:
    @dataclass(frozen=True)
    class OnlyLetters:
        """Writes no digits, which every layout asks for."""

        own: HersheyHand
        name: str = "letters"

        def can_write(self, text: str) -> bool:
            return not any(char.isdigit() for char in text) and self.own.can_write(text)

        def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
            if not self.can_write(text):
                raise CannotWrite(text)
            return self.own.write(text, rng, x_height_px)

    stream = examples(Writers([[OnlyLetters(HersheyHand("hershey-plain"))]]), 2)
    assert any(next(stream).cores[0].any() for _ in range(4))


def test_a_font_is_kept_to_develop_or_not_by_its_name() -> None:
    names = [f"font-{number}" for number in range(400)]
    kept = [name for name in names if kept_to_develop(name)]
    assert 60 < len(kept) < 140
    assert kept == [name for name in names if kept_to_develop(name)]
