"""What OCR makes of strips of print that it passed over at first."""

from __future__ import annotations

import numpy as np
import pytest

from clinic_hwr.pages import unread_print
from clinic_hwr.pages.types import Box, LineMaps, PrintedWord


def _read(
    monkeypatch: pytest.MonkeyPatch,
    *words: tuple[str, float],
    before: tuple[PrintedWord, ...] = (),
) -> list[str]:
    """Which words of one strip are believed; ``before``: what OCR read of the whole page."""
    read = tuple(
        PrintedWord(text, Box(100 + 60 * place, 100, 50, 20), confidence)
        for place, (text, confidence) in enumerate(words)
    )
    monkeypatch.setattr(unread_print, "reread_rows", lambda *_, **__: [read])
    printed = np.zeros((100, 200), np.float32)
    printed[50:56, 50:90] = 1.0
    maps = LineMaps(np.zeros_like(printed), printed, 0.5)
    found, doubtful = unread_print.read_rest(np.full((200, 400), 255, np.uint8), maps, before)
    assert not {one.text for one in doubtful} & {one.text for one in found}
    return [one.text for one in found]


@pytest.mark.parametrize(
    ("words", "believed"),
    [
        ([("Rx:", 0.2)], ["Rx:"]),
        ([("Date", 0.2), ("of", 0.16), ("birth", 0.5)], ["Date", "of", "birth"]),
        ([("Rx:", 0.1)], []),
        ([("Rx:", 0.2), ("glibber", 0.2)], []),
        ([("Sigmatur", 0.2), ("|", 0.9)], ["signature"]),  # all of a strip is like a long label
        ([("Weaica", 0.0), ("mento", 0.0)], ["medicamento"]),
        ([("Springfeld", 0.0)], []),
        ([("Date:", 0.9), ("glibbersure", 0.2)], ["Date:"]),
        ([("Rx:", 0.6), ("glibber", 0.2)], ["Rx:"]),
        ([("Springfield", 0.95)], ["Springfield"]),
    ],
)
def test_a_strip_that_says_a_label_letter_by_letter_needs_less_confidence(
    monkeypatch: pytest.MonkeyPatch, words: list[tuple[str, float]], believed: list[str]
) -> None:
    assert _read(monkeypatch, *words) == believed


def test_a_label_that_was_read_is_not_made_another(monkeypatch: pytest.MonkeyPatch) -> None:
    read = (PrintedWord("Signed", Box(100, 100, 50, 20), 0.2),)

    assert _read(monkeypatch, ("Sigmature", 0.2), before=read) == ["Signed"]
