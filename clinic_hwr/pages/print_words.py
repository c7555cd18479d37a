"""Printed words of a page by Tesseract, one call a page."""

from __future__ import annotations

import os
import tempfile
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
_CERTAIN_CELLS = 6


class TesseractMissing(RuntimeError):
    """The Tesseract program, or one of its language files, is not installed."""


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
    """
    if min(gray.shape) < _MIN_SIDE_PX or int(gray.max()) == int(gray.min()):
        return ()
    # Cell borders next to text are read as letters, and boxes hide the text inside: take them out.
    return recognize_words(_without_lines(gray), languages=languages)


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
    try:
        with tempfile.TemporaryDirectory(prefix="clinic_hwr-") as folder:
            data = pytesseract.image_to_data(
                str(_write_pgm(gray, Path(folder))),
                lang=languages,
                config=f"--psm {page_mode}",
                output_type=Output.DICT,
                timeout=_TIMEOUT_S,
            )
    except pytesseract.TesseractNotFoundError as error:
        raise TesseractMissing(
            "Tesseract is not installed. Install it with 'apt-get install tesseract-ocr' "
            "(macOS: 'brew install tesseract')."
        ) from error
    except pytesseract.TesseractError as error:
        if "Error opening data file" not in str(error.message):
            raise
        raise TesseractMissing(
            f"Tesseract lacks a language file of {languages!r}. Install "
            f"{', '.join('tesseract-ocr-' + code for code in languages.split('+'))}."
        ) from error
    words = []
    columns = (data[key] for key in ("text", "conf", "left", "top", "width", "height"))
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
