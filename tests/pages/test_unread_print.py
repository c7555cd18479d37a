"""What OCR makes of strips of print that it passed over at first."""

from __future__ import annotations

import numpy as np
import pytest

from clinic_hwr.pages import unread_print
from clinic_hwr.pages.types import Box, LineMaps, PrintedWord


def _read(monkeypatch: pytest.MonkeyPatch, *words: tuple[str, float]) -> list[str]:
    """Which words of one strip are believed."""
    read = tuple(
        PrintedWord(text, Box(100 + 60 * place, 100, 50, 20), confidence)
        for place, (text, confidence) in enumerate(words)
    )
    monkeypatch.setattr(unread_print, "reread_rows", lambda *_, **__: [read])
    printed = np.zeros((100, 200), np.float32)
    printed[50:56, 50:90] = 1.0
    maps = LineMaps(np.zeros_like(printed), printed, 0.5)
    found, doubtful = unread_print.read_rest(np.full((200, 400), 255, np.uint8), maps, ())
    assert len(found) + len(doubtful) == len(read)
    return [one.text for one in found]


@pytest.mark.parametrize(
    ("words", "believed"),
    [
        ([("Rx:", 0.2)], ["Rx:"]),
        ([("Date", 0.2), ("of", 0.16), ("birth", 0.5)], ["Date", "of", "birth"]),
        ([("Rx:", 0.1)], []),
        ([("Rx:", 0.2), ("glibber", 0.2)], []),
        ([("Sigmature", 0.2)], []),
        ([("Rx:", 0.6), ("glibber", 0.2)], ["Rx:"]),
        ([("Springfield", 0.95)], ["Springfield"]),
    ],
)
def test_a_strip_that_says_a_label_letter_by_letter_needs_less_confidence(
    monkeypatch: pytest.MonkeyPatch, words: list[tuple[str, float]], believed: list[str]
) -> None:
    assert _read(monkeypatch, *words) == believed
