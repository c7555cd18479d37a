"""Rules and combs are looked for once a page, and taken out for OCR without their strokes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import printed_lines as module
from clinic_hwr.pages.printed_lines import printed_lines
from clinic_hwr.pages.resampling import reduced
from clinic_hwr.pages.rules import find_rules, lift_rules
from clinic_hwr.pages.types import Gray


def _ruled() -> Gray:
    page = np.full((600, 800), 255, np.uint8)
    page[300:303, 100:700] = 60
    cv2.line(page, (400, 280), (400, 325), 0, 5)
    return page


def test_equal_pages_are_looked_at_once_and_changed_ones_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, looked = _ruled(), []
    find = module.rules_of
    monkeypatch.setattr(module, "_kept", ())
    monkeypatch.setattr(module, "rules_of", lambda *args: looked.append(1) or find(*args))

    first, again = printed_lines(page), printed_lines(page.copy())
    page[450:453, 100:700] = 60
    changed = printed_lines(page)

    assert again is first
    assert len(looked) == 2
    assert [len(lines.rules.horizontal) for lines in (first, changed)] == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        first.parts.ink[0, 0] = 1


def test_a_lifted_rule_leaves_the_stroke_across_it() -> None:
    page = _ruled()

    clean = lift_rules(page, find_rules(page))

    assert clean[301, 150] == clean[301, 650] == 255
    assert clean[296:308, 400].max() == 0
    assert np.array_equal(clean[:275], page[:275])
    assert page[301, 150] == 60  # the page itself is left as it was


@pytest.mark.parametrize("size", [(700, 906), (100, 130), (1699, 2200), (1, 1)])
def test_reduced_is_the_average_in_one_step(size: tuple[int, int]) -> None:
    page = np.random.default_rng(2).integers(0, 256, (2200, 1700)).astype(np.uint8)
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), 3), np.uint8)

    small = reduced(page, size)

    wanted = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    assert small.shape == (size[1], size[0])
    assert np.abs(small.astype(int) - wanted).max() <= 3
