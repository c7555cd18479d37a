"""What is remembered of a page is of its pixels; the part with ink holds all of it."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages.background import ink_mask, inked_part, smoothed


def test_part_with_ink() -> None:
    page = np.full((400, 300), 250, np.uint8)
    page[100:120, 50:60] = 30
    page[390:, 290:] = 60

    assert inked_part(page, 20) == (slice(80, 420), slice(30, 320))
    assert inked_part(np.full((40, 40), 230, np.uint8), 20) is None


def test_ink_of_a_page_that_was_changed_in_place_is_looked_for_anew() -> None:
    page = np.full((900, 700), 255, np.uint8)
    page[100:120, 50:60] = 0
    before = ink_mask(page)
    page[300:320, 50:60] = 0

    after = ink_mask(page)

    assert cv2.countNonZero(before) < cv2.countNonZero(after)
    assert smoothed(page)[0] is smoothed(page.copy())[0]
    assert not smoothed(page)[0].flags.writeable
