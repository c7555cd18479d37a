"""What is read once more: loops around all that stands in their box, no letters of print."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import circled_phrases
from clinic_hwr.pages.circled_phrases import circled_phrase
from clinic_hwr.pages.rules import FormRules
from clinic_hwr.pages.survey import PageSurvey
from clinic_hwr.pages.types import Box, Gray, PrintedWord

_BOX = Box(100, 80, 300, 50)  # of what OCR took for a word


@pytest.mark.parametrize(("width", "read"), [(290, True), (90, False), (170, False)])
def test_only_a_loop_around_all_of_its_box_is_read(
    width: int, read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Box] = []

    def reread(
        gray: Gray, rows: Sequence[tuple[Box, tuple[()], tuple[()]]], capitals_px: Sequence[float]
    ) -> list[tuple[PrintedWord, ...]]:
        asked.extend(row[0] for row in rows)
        return [() for _ in rows]

    monkeypatch.setattr(circled_phrases, "reread_rows", reread)
    ink = np.zeros((240, 500), np.uint8)
    middle = _BOX.x + width // 2, _BOX.y + _BOX.height // 2
    cv2.ellipse(ink, middle, (width // 2, _BOX.height // 2), 0, 0, 360, 255, 2)
    for left in (-16, 0, 16):  # three letters in the loop, and one at the far end of the box
        cv2.rectangle(ink, (middle[0] + left, 97), (middle[0] + left + 6, 112), 255, -1)
    cv2.rectangle(ink, (_BOX.x + _BOX.width - 8, 97), (_BOX.x + _BOX.width, 112), 255, -1)
    survey = PageSurvey(
        255 - ink, FormRules(np.zeros_like(ink), (), ()), (), (), ink, (), 20.0, all_ink=ink
    )

    assert circled_phrase(survey, [PrintedWord("clinic", _BOX, 0.4)], []) is None

    assert bool(asked) is read
