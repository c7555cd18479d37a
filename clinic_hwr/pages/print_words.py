"""Printed words of a page by Tesseract, one call a page."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytesseract

from .background import ink_mask, inked_part
from .printed_lines import printed_lines
from .resampling import reduced
from .rules import lift_rules
from .sure_writing import is_remnant, sure_writing, without_ink
from .types import Box, Gray, LineSegmenter, PrintedWord
from .warm_tesseract import TookTooLong, warm_table

# One thread a call: on two cores with other work, two threads made a call up to 30 times slower
# (seen 2026-11-22); pages run in parallel through workers. An operator's own value stands.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")

_MIN_SIDE_PX = 20
_TIMEOUT_S = 60
_PROBE_S = 20.0
_CERTAIN_CELLS = 6
# White letters on black: a strip this high and this many times as wide is darker than this.
_GROUND_PX, _GROUND_LONG, _GROUND_BELOW = 4, 12, 110
# Ink is darker than 195 (``background``): Otsu's threshold above this is drawn through the paper.
_OTSU_IN_INK, _INK_RIM_PX = 205.0, 9
_MARGIN_PX = 40  # around the ink that is read
_COLUMNS, _WORD_LEVEL = 12, "5"  # of Tesseract's table; level 5 is a word


class PrintUnread(RuntimeError):
    """The print of a page could not be read; the page can go on without its printed words."""


class TesseractMissing(PrintUnread):
    """The Tesseract program, or one of its language files, is not installed."""


class TesseractFailed(PrintUnread):
    """Tesseract is installed and did not answer: it crashed, or took too long."""


def read_print(
    gray: Gray, *, languages: str = "eng", segmenter: LineSegmenter | None = None
) -> tuple[PrintedWord, ...]:
    """Read the printed words of an upright page.

    Args:
        gray: upright page, (height, width) uint8.
        languages: Tesseract language codes joined by ``+``.
        segmenter: marks the lines of writing; what it is sure of is not read. None: all is read.

    Returns:
        Words in Tesseract's reading order, confidence 0..1. Handwriting may be among them, mostly
        with low confidence; ``find_fields`` tells them apart.

    Raises:
        TesseractMissing: the program or a language file is not installed.
        TesseractFailed: it crashed, or took longer than a minute.
    """
    if min(gray.shape) < _MIN_SIDE_PX or int(gray.max()) == int(gray.min()):
        return ()
    # Cell borders next to text are read as letters, and boxes hide the text inside: take them out.
    clean = _without_lines(gray)
    if segmenter is None:
        return recognize_words(clean, languages=languages)
    pen = sure_writing(clean, segmenter(gray))
    words = _words_of_part(without_ink(clean, pen), languages)
    return tuple(word for word in words if not is_remnant(word, pen))


def _words_of_part(page: Gray, languages: str) -> tuple[PrintedWord, ...]:
    """Read the part of a page that has ink: Tesseract looks at every pixel several times."""
    part = inked_part(page, _MARGIN_PX)
    if part is None:
        _probe(pytesseract.pytesseract.tesseract_cmd)  # what is missing is said all the same
        return ()
    words = recognize_words(_with_white_paper(page[part]), languages=languages)
    top, left = part[0].start, part[1].start
    return tuple(
        replace(one, box_px=replace(one.box_px, x=one.box_px.x + left, y=one.box_px.y + top))
        for one in words
    )


@lru_cache(maxsize=4)
def _probe(command: str) -> str:
    """Return the version of the program; a success is remembered, a failure is not.

    pytesseract asks for the version without a time limit, and ends the process when it dislikes
    the answer.

    Raises:
        TesseractMissing: there is no such program.
        TesseractFailed: it does not say its version.
    """
    try:
        said = subprocess.run(  # noqa: S603 - the command is the site's own setting
            [command, "--version"], check=True, capture_output=True, timeout=_PROBE_S
        )
    except FileNotFoundError as error:
        raise TesseractMissing(
            "Tesseract is not installed. Install it with 'apt-get install tesseract-ocr' "
            "(macOS: 'brew install tesseract')."
        ) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise TesseractFailed(f"Tesseract does not start ({type(error).__name__}).") from error
    found = re.match(rb"tesseract v?(\S+)", said.stdout or said.stderr)
    return found[1].decode("ascii", "replace") if found else ""


def installed_packs() -> frozenset[str]:
    """Return the language files that Tesseract has.

    Raises:
        TesseractMissing: the program is not installed.
        TesseractFailed: it does not answer.
    """
    _probe(pytesseract.pytesseract.tesseract_cmd)
    try:
        return frozenset(pytesseract.get_languages(config=""))
    except pytesseract.TesseractNotFoundError as error:
        raise TesseractMissing("Tesseract is not installed.") from error
    except (RuntimeError, OSError, SystemExit) as error:
        raise TesseractFailed("Tesseract does not say which languages it has.") from error


def choose_packs(wanted: Sequence[str]) -> tuple[str, str]:
    """Return the packs of ``wanted`` that are installed, joined by ``+``, and which are not.

    English stands in where none of them is installed. The second value is a sentence that says what
    to install, "" when nothing is missing.

    Raises:
        PrintUnread: see ``installed_packs``; or not even English is installed.
    """
    there = installed_packs()
    missing = [pack for pack in wanted if pack not in there]
    chosen = [pack for pack in wanted if pack in there] or ["eng"]
    if not set(chosen) <= there:
        raise TesseractMissing(_lacks(missing or chosen))
    return "+".join(chosen), _lacks(missing) if missing else ""


def _lacks(packs: Sequence[str]) -> str:
    """Say which language files are missing and what to install."""
    names = ", ".join(f"tesseract-ocr-{pack.replace('_', '-')}" for pack in packs)
    return f"Tesseract lacks a language file of {'+'.join(packs)!r}. Install {names}."


def _without_lines(gray: Gray) -> Gray:
    """Erase form rules, and certain combs with what is written in them."""
    lines = printed_lines(gray)
    clean = lift_rules(gray, lines.rules)
    for comb in lines.combs:
        # Before anything is read, only a comb with lines above and below, or a long one, is sure.
        if comb.framed or comb.cells >= _CERTAIN_CELLS:
            box = comb.box_px
            clean[box.y - 3 : box.y + box.height + 4, box.x - 3 : box.x + box.width + 4] = 255
    return clean


def recognize_words(gray: Gray, *, languages: str, page_mode: int = 11) -> tuple[PrintedWord, ...]:
    """Run Tesseract on a raster as it is; mode 11 finds scattered text as forms have it."""
    command = pytesseract.pytesseract.tesseract_cmd
    version = _probe(command)
    inverted = _has_dark_ground(gray)
    try:
        table = warm_table(
            gray, program=command, version=version, page_mode=page_mode, languages=languages,
            inverted=inverted, limit_s=_TIMEOUT_S,
        )  # fmt: skip
    except TookTooLong as error:
        raise TesseractFailed(f"Tesseract took longer than {_TIMEOUT_S} seconds.") from error
    if table is None:
        table = _table_of_program(gray, languages, page_mode, inverted=inverted)
    words: list[PrintedWord] = []
    line: list[str] = []
    for row in table.splitlines():
        cells = row.split("\t")
        if len(cells) != _COLUMNS or not cells[-1].strip() or cells[0] != _WORD_LEVEL:
            continue
        try:
            left, top, width, height = (int(cell) for cell in cells[6:10])
            confidence = int(float(cells[10]))  # whole per cent: what weights were fitted on
        except ValueError as error:
            raise TesseractFailed("Tesseract gave no answer (ValueError).") from error
        if confidence >= 0:
            box = Box(left, top, width, height)
            if words and cells[1:5] == line:
                words[-1] = _ending_before(words[-1], box)
            words.append(PrintedWord(cells[-1].strip(), box, min(1.0, confidence / 100)))
            line = cells[1:5]
    return tuple(words)


def _ending_before(word: PrintedWord, following: Box) -> PrintedWord:
    """The word without what follows on its line: Tesseract's box of one may reach over the rest."""
    box = word.box_px
    if not box.x < following.x < box.x + box.width:
        return word
    return replace(word, box_px=replace(box, width=following.x - box.x))


def _has_dark_ground(gray: Gray) -> bool:
    """Whether white letters may stand on black here: something dark is wider than any stroke.

    Tesseract reads every line it is not sure of a second time in negative (16% of its time on 48
    generated pages of train and develop layouts, 2026-11-26, which had no such print).
    """
    size = gray.shape[1] // _GROUND_PX, gray.shape[0] // _GROUND_PX
    if min(size) < _GROUND_LONG:
        return True
    dark = cv2.threshold(reduced(gray, size), _GROUND_BELOW, 255, cv2.THRESH_BINARY_INV)[1]
    ground = cv2.erode(dark, np.ones((1, _GROUND_LONG), np.uint8), borderValue=0)
    return cv2.countNonZero(ground) > 0


def _with_white_paper(gray: Gray) -> Gray:
    """Whiten what can be no ink where Otsu's threshold would take the paper's noise for some.

    Tesseract draws one threshold for the page, between its two commonest grays. Where hardly any
    print is left, both are of paper, and it reads specks for seconds.
    """
    level, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)
    if level <= _OTSU_IN_INK:
        return gray
    near = cv2.dilate(ink_mask(gray), np.ones((_INK_RIM_PX, _INK_RIM_PX), np.uint8))
    return np.asarray(cv2.max(gray, cv2.bitwise_not(near)), np.uint8)


def _table_of_program(gray: Gray, languages: str, page_mode: int, *, inverted: bool) -> str:
    """Start Tesseract for one raster; returns its table (TSV)."""
    try:
        with tempfile.TemporaryDirectory(prefix="clinic_hwr-") as folder:
            table = pytesseract.image_to_data(
                str(_write_pgm(gray, Path(folder))),
                lang=languages,
                config=f"--psm {page_mode} -c tessedit_do_invert={int(inverted)}",
                timeout=_TIMEOUT_S,
            )
            head, _, rows = str(table).partition("\n")
            if head.count("\t") != _COLUMNS - 1:
                raise ValueError("no table")
            return rows
    except pytesseract.TesseractNotFoundError as error:
        raise TesseractMissing(
            "Tesseract is not installed. Install it with 'apt-get install tesseract-ocr' "
            "(macOS: 'brew install tesseract')."
        ) from error
    except pytesseract.TesseractError as error:
        if "Error opening data file" in str(error.message):
            raise TesseractMissing(_lacks(languages.split("+"))) from error
        raise TesseractFailed(f"Tesseract stopped with status {error.status}.") from error
    except RuntimeError as error:  # pytesseract says so of its timeout, and nothing else
        raise TesseractFailed(f"Tesseract took longer than {_TIMEOUT_S} seconds.") from error
    except (OSError, ValueError, KeyError, TypeError, SystemExit) as error:
        # A program that cannot be started, or answers what is no table.
        raise TesseractFailed(f"Tesseract gave no answer ({type(error).__name__}).") from error


def _write_pgm(gray: Gray, folder: Path) -> Path:
    """Write a raster as it is: compressing it to PNG took half as long as the reading itself."""
    height, width = gray.shape
    path = folder / "page.pgm"
    path.write_bytes(b"P5 %d %d 255\n" % (width, height) + gray.tobytes())
    return path


def shrink(gray: Gray, long_side_px: int) -> Gray:
    """Scale a page so that its long side has at most ``long_side_px`` pixels."""
    scale = long_side_px / max(gray.shape)
    if scale >= 1:
        return gray
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
