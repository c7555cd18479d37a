"""Of ink that joins what OCR read with writing, the writing is left."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages.line_cores import line_cores
from clinic_hwr.pages.pen_strokes import Stroke, pen_strokes
from clinic_hwr.pages.types import Box, LineMaps

READ = Box(26, 28, 140, 24)  # the upper row


def _strokes(*, printed: bool) -> tuple[np.ndarray, list[Stroke]]:
    """Two rows of letters that a stroke joins; the segmenter may take the upper one for print."""
    ink = np.zeros((160, 200), np.uint8)
    for x, y in [(38 + 16 * n, 40) for n in range(4)] + [(38 + 16 * n, 72) for n in range(8)]:
        cv2.ellipse(ink, (x, y), (9, 10), 0, 0, 360, 255, 3)
    cv2.line(ink, (62, 40), (62, 72), 255, 3)
    maps = [np.zeros((80, 100), np.float32) for _ in range(2)]
    maps[0][32:40, 10:85] = 1.0
    maps[printed][16:24, 10:50] = 1.0
    both = LineMaps(maps[0], maps[1], 0.5)
    left, strokes = pen_strokes(ink, [READ], 20.0, [], both, line_cores(both))
    return left, sorted(strokes, key=lambda one: one.box_px.y)


def test_a_label_that_was_read_is_cut_off_the_writing_it_touches() -> None:
    left, (stroke,) = _strokes(printed=True)
    assert not stroke.printed
    assert 50 < stroke.box_px.y < 65
    assert stroke.box_px.width > 120
    assert not left[:50].any()


def test_writing_that_a_box_of_print_reaches_over_stays() -> None:
    left, strokes = _strokes(printed=False)
    assert [one.box_px.y < 50 for one in strokes] == [True, False]
    assert left[:50].any()
