"""Tesseract kept ready reads what the program reads, and its faults stay its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytesseract
import pytest

from clinic_hwr.pages import TesseractFailed, TesseractMissing, print_words, warm_tesseract
from clinic_hwr.pages.print_words import recognize_words
from clinic_hwr.pages.types import Gray, PrintedWord

from .conftest import needs_tesseract

pytestmark = needs_tesseract


@pytest.fixture(autouse=True)
def no_child() -> Iterator[None]:
    """Every test starts, and leaves, without a child."""
    warm_tesseract.let_go()
    yield
    warm_tesseract.let_go()


def _page(*rows: str) -> Gray:
    page = np.full((80 + 70 * len(rows), 900), 255, np.uint8)
    for number, text in enumerate(rows):
        at = (40, 80 + 70 * number)
        cv2.putText(page, text, at, cv2.FONT_HERSHEY_DUPLEX, 1.2, 0, 2, cv2.LINE_AA)
    return page


def _by_the_program(page: Gray, monkeypatch: pytest.MonkeyPatch) -> tuple[PrintedWord, ...]:
    with monkeypatch.context() as patch:
        patch.setattr(print_words, "warm_table", lambda gray, **options: None)
        return recognize_words(page, languages="eng")


def _texts(words: tuple[PrintedWord, ...]) -> list[str]:
    return [word.text for word in words]


def _child() -> warm_tesseract.Child:
    child = warm_tesseract.running()
    if child is None:
        pytest.skip("no library of the program's version on this machine")
    return child


def test_reads_word_for_word_what_the_program_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _page("Patient name", "Date of birth"), _page("Refills 3", "Qty 30", "Sig")

    words = [recognize_words(page, languages="eng") for page in (first, second, first)]

    assert _child().pages == 3
    assert words[0] == _by_the_program(first, monkeypatch)
    assert words[1] == _by_the_program(second, monkeypatch)
    assert words[2] == words[0]  # nothing is left of the pages before
    assert _texts(words[0]) == ["Patient", "name", "Date", "of", "birth"]


def test_a_page_that_is_written_bit_by_bit_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    page, at_once = _page("Patient name", "Allergies none known"), 40_000
    whole = _by_the_program(page, monkeypatch)
    assert recognize_words(page[:100], languages="eng")
    child = _child()
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, some, at: write(file, some[:at_once], at))

    assert page.size > 2 * at_once
    assert recognize_words(page, languages="eng") == whole
    assert warm_tesseract.running() is child
    assert child.pages == 2


def test_a_child_that_was_killed_costs_no_page() -> None:
    page = _page("Patient name")
    words = recognize_words(page, languages="eng")
    lost = _child().pid
    os.kill(lost, signal.SIGKILL)

    again = [recognize_words(page, languages="eng") for _ in range(2)]

    assert again == [words, words]
    assert _child().pid != lost


def test_a_child_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    page = _page("Patient name")
    recognize_words(page, languages="eng")
    stuck = _child().pid
    os.kill(stuck, signal.SIGSTOP)
    monkeypatch.setattr(print_words, "_TIMEOUT_S", 0.2)

    with pytest.raises(TesseractFailed, match="longer"):
        recognize_words(page, languages="eng")

    assert warm_tesseract.running() is None
    assert not Path(f"/proc/{stuck}").exists()


def test_missing_language_is_named_and_does_not_end_the_child() -> None:
    recognize_words(_page("Patient name"), languages="eng")
    before = _child().pid

    with pytest.raises(TesseractMissing, match="tesseract-ocr-xyz"):
        recognize_words(_page("Patient name"), languages="xyz")

    assert _texts(recognize_words(_page("Refills"), languages="eng")) == ["Refills"]
    assert _child().pid == before


def test_a_script_in_the_programs_place_is_asked_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "tesseract"
    script.write_text('#!/bin/sh\n[ "$1" = --version ] && echo tesseract 5.3.0 && exit 0\nexit 3\n')
    script.chmod(0o755)
    monkeypatch.setattr(pytesseract.pytesseract, "tesseract_cmd", str(script))

    with pytest.raises(TesseractFailed, match="status 3"):
        recognize_words(_page("Patient name"), languages="eng")

    assert warm_tesseract.running() is None


def test_library_of_another_version_is_left_alone() -> None:
    page = _page("Patient name")

    table = warm_tesseract.warm_table(
        page,
        program="tesseract",
        version="0.0.1",
        page_mode=11,
        languages="eng",
        inverted=False,
        limit_s=20.0,
    )

    assert table is None
    assert warm_tesseract.running() is None


@pytest.mark.parametrize("fault", ["no program", "another version"])
def test_a_child_that_cannot_start_leaves_nothing_open(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "no program":
        monkeypatch.setattr(sys, "executable", "/no/such/python")
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(OSError, match=r"No such file|not the program"):
        warm_tesseract.Child("0.0.1")
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_a_forked_process_starts_a_child_of_its_own() -> None:
    page = _page("Patient name")
    words = recognize_words(page, languages="eng")
    owned = _child().pid

    forked = os.fork()
    if forked == 0:
        same = recognize_words(page, languages="eng") == words
        child = warm_tesseract.running()
        good = same and child is not None and child.pid != owned
        warm_tesseract.let_go()
        os._exit(0 if good else 1)

    assert os.waitpid(forked, 0)[1] == 0
    assert recognize_words(page, languages="eng") == words
    assert _child().pid == owned
