"""Lines are crossed out as the truth says, and lookalikes cross out nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clinic_hwr.recognition.synthesis import crossed_out, strike_ways
from clinic_hwr.recognition.synthesis.crossed_out import LOOKALIKES, WAYS, cross_out_more
from clinic_hwr.recognition.synthesis.pages import draw_page, random_content
from clinic_hwr.recognition.synthesis.pages_paper import Paper
from clinic_hwr.recognition.synthesis.scattered_pages import bands_by_kind
from tests.pages.scribble import ScribbleHand

LONG = "a long line of directions"


def _paper(seed: int = 3) -> Paper:
    paper = Paper(6.0, 3.0, 200, ScribbleHand(), np.random.default_rng(seed))
    for y in (0.6, 1.2, 1.8, 2.4):
        paper.write(1.0, y, LONG)
    return paper


def _new_ink(way: object, monkeypatch: pytest.MonkeyPatch, *, look: bool) -> tuple[Paper, Paper]:
    """A page before and after a way of stroke near every line."""
    monkeypatch.setattr(crossed_out, "LOOKALIKES" if look else "WAYS", (way,))
    monkeypatch.setattr(crossed_out, "_LOOKS_SO", 1.0)
    monkeypatch.setattr(crossed_out, "_RULES", 0.0)
    monkeypatch.setattr(crossed_out, "_PARTLY", 0.0)
    before, after = _paper(), _paper()
    cross_out_more(after, 0.0 if look else 1.0)
    return before, after


@pytest.mark.parametrize("way", sorted(set(WAYS), key=lambda one: one.__name__))
def test_every_way_goes_through_the_letters(way, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = _new_ink(way, monkeypatch, look=False)
    assert all(line.struck and line.struck_part == (0.0, 1.0) for line in after.lines)
    for line in after.lines:
        band = np.array(line.band_px)
        (x0, y0), (x1, y1) = band.min(axis=0).astype(int), band.max(axis=0).astype(int)
        middle = slice(y0 - (y1 - y0) // 2, y1 + (y1 - y0) // 2)
        fresh = (after.ink[middle, x0:x1] < 160) & (before.ink[middle, x0:x1] >= 160)
        columns = fresh.any(axis=0)
        # Hatching leaves gaps between its strokes, and steep ones of a cross leave the band.
        assert columns[: len(columns) // 2].mean() > 0.15
        assert columns[len(columns) // 2 :].mean() > 0.15


@pytest.mark.parametrize("way", sorted(set(LOOKALIKES), key=lambda one: one.__name__))
def test_what_only_looks_so_strikes_nothing_out(way, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = _new_ink(way, monkeypatch, look=True)
    assert not any(line.struck for line in after.lines)
    assert (after.ink < 160).sum() > (before.ink < 160).sum()


def test_a_part_of_a_line_is_crossed_out_where_the_truth_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crossed_out, "_PARTLY", 1.0)
    monkeypatch.setattr(crossed_out, "WAYS", (strike_ways.one_stroke,))
    before, after = _paper(), _paper()
    cross_out_more(after, 1.0)
    for line in after.lines:
        start, end = line.struck_part
        assert 0.2 < end - start < 0.7
        band = np.array(line.band_px)
        (x0, y0), (x1, y1) = band.min(axis=0).astype(int), band.max(axis=0).astype(int)
        fresh = (after.ink[y0:y1, x0:x1] < 160) & (before.ink[y0:y1, x0:x1] >= 160)
        at = np.flatnonzero(fresh.any(axis=0)) / (x1 - x0)
        assert abs(at.mean() - (start + end) / 2) < 0.12
        (_, _, (part,)) = bands_by_kind([line])
        share = (part[:, 0] - x0) / (x1 - x0)
        assert abs(share.min() - start) < 0.03 and abs(share.max() - end) < 0.03


def test_nothing_is_crossed_out_twice_and_print_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossed_out, "_PRINT_TOO", 0.0)
    paper = _paper()
    paper.text(1.0, 2.8, "Name and address")
    paper.lines[0] = replace(paper.lines[0], struck=True, struck_part=(0.25, 0.5))
    cross_out_more(paper, 1.0)
    assert paper.lines[0].struck_part == (0.25, 0.5)
    assert not paper.lines[-1].struck and paper.lines[-1].printed


def test_a_page_says_which_lines_were_crossed_out_besides() -> None:
    content = random_content(np.random.default_rng(5))
    plain = draw_page("us_pad", content, ScribbleHand(), seed=4)
    struck = draw_page("us_pad", content, ScribbleHand(), seed=4, crossed_out=1.0)
    written = [line for line in struck.lines if not line.printed]
    assert written and all(line.struck for line in written)
    assert sum(line.struck for line in plain.lines) <= 1
    assert [line.text for line in plain.lines] == [line.text for line in struck.lines]
