"""Strokes are opened where they fit, and what is left is that of the whole window."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages.level_strokes import _add_opened, _line, level_strokes


def test_opened_around_its_middles_as_in_the_whole_window() -> None:
    rng = np.random.default_rng(2)
    soft = np.where(rng.random((60, 300)) < 0.3, 255, 0).astype(np.uint8)
    cv2.line(soft, (40, 31), (150, 22), 255, 3)
    kernel = _line(40, 4)
    long = np.zeros_like(soft)

    _add_opened(long, soft, kernel)

    assert long.any()
    assert np.array_equal(long, cv2.morphologyEx(soft, cv2.MORPH_OPEN, kernel))


def test_a_stroke_at_the_edge_of_its_window_is_found() -> None:
    part = np.zeros((40, 200), np.uint8)
    cv2.line(part, (0, 38), (120, 38), 255, 2)

    strokes = level_strokes(part, 20.0, 1.6, 0.0)

    assert len(strokes) == 1
    assert strokes[0].shape == part.shape
    assert np.count_nonzero(strokes[0].any(axis=0)) > 110


def test_an_empty_window_has_no_strokes() -> None:
    assert level_strokes(np.zeros((40, 200), np.uint8), 20.0, 1.6, 0.0) == []
