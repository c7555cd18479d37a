"""Printed words of a page by Tesseract, one call a page."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytesseract
from pytesseract import Output

from .background import ink_mask
from .combs import dark_mask, find_combs
from .rules import erase_rules, find_rules
from .types import Box, Gray, PrintedWord

# One thread a call: on two cores with other work, two threads made a call up to 30 times slower
# (seen 2026-11-22); pages run in parallel through workers. An operator's own value stands.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")

_MIN_SIDE_PX = 20
_TIMEOUT_S = 60
_PROBE_S = 20.0
_CERTAIN_CELLS = 6


class PrintUnread(RuntimeError):
    """The print of a page could not be read; the page can go on without its printed words."""


class TesseractMissing(PrintUnread):
    """The Tesseract program, or one of its language files, is not installed."""


class TesseractFailed(PrintUnread):
    """Tesseract is installed and did not answer: it crashed, or took too long."""


def read_print(gray: Gray, *, languages: str = "eng") -> tuple[PrintedWord, ...]:
    """Read the printed words of an upright page.

    Args:
        gray: upright page, (height, width) uint8.
        languages: Tesseract language codes joined by ``+``.

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
    return recognize_words(_without_lines(gray), languages=languages)


@lru_cache(maxsize=4)
def _probe(command: str) -> None:
    """Make sure that the program answers at all; a success is remembered, a failure is not.

    pytesseract asks for the version without a time limit, and ends the process when it dislikes
    the answer.

    Raises:
        TesseractMissing: there is no such program.
        TesseractFailed: it does not say its version.
    """
    try:
        subprocess.run(  # noqa: S603 - the command is the site's own setting
            [command, "--version"], check=True, capture_output=True, timeout=_PROBE_S
        )
    except FileNotFoundError as error:
        raise TesseractMissing(
            "Tesseract is not installed. Install it with 'apt-get install tesseract-ocr' "
            "(macOS: 'brew install tesseract')."
        ) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise TesseractFailed(f"Tesseract does not start ({type(error).__name__}).") from error


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
    clean = erase_rules(gray, find_rules(gray)).copy()
    for comb in find_combs(dark_mask(gray, ink_mask(gray))):
        # Before anything is read, only a comb with lines above and below, or a long one, is sure.
        if comb.framed or comb.cells >= _CERTAIN_CELLS:
            box = comb.box_px
            clean[box.y - 3 : box.y + box.height + 4, box.x - 3 : box.x + box.width + 4] = 255
    return clean


def recognize_words(gray: Gray, *, languages: str, page_mode: int = 11) -> tuple[PrintedWord, ...]:
    """Run Tesseract on a raster as it is; mode 11 finds scattered text as forms have it."""
    _probe(pytesseract.pytesseract.tesseract_cmd)
    try:
        with tempfile.TemporaryDirectory(prefix="clinic_hwr-") as folder:
            data = pytesseract.image_to_data(
                str(_write_pgm(gray, Path(folder))),
                lang=languages,
                config=f"--psm {page_mode}",
                output_type=Output.DICT,
                timeout=_TIMEOUT_S,
            )
            columns = [data[key] for key in ("text", "conf", "left", "top", "width", "height")]
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
    words = []
    for text, confidence, left, top, width, height in zip(*columns, strict=True):
        if not text.strip() or float(confidence) < 0:
            continue
        box = Box(int(left), int(top), int(width), int(height))
        words.append(PrintedWord(text.strip(), box, min(1.0, float(confidence) / 100)))
    return tuple(words)


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
