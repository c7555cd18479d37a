"""Untrusted files to gray pages, through a child process with memory and time limits."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from clinic_hwr.pages.types import Gray

from .child_process import ChildDied, ChildOutput, ChildRefused, child_run
from .safety import (
    ACCEPTED,
    MAX_PAGE_PX,
    MAX_PAGES,
    MAX_TOTAL_PX,
    FileRefused,
    Problem,
    detect_type,
)

WORKING_PX = 9_000_000
"""Rasters are shrunk to this: A4 at 300 dpi has 8.7 Mpx, and reading gains nothing above it."""

_CHILD = Path(__file__).with_name("decoder") / "main.py"
_MEMORY_BYTES = 960 << 20
"""A 50 Mpx RGBA page takes 200 MB decoded and 200 MB more while it is put on white paper."""
_CPU_S = 120
"""Fifty 8.7 Mpx fax pages take about 20 s on one core."""
_PAGE_CPU_S = 5
"""A page of 50 Mpx takes 2 s; a PDF that draws a million lines for one page is no scan."""
_WALL_S = 300.0
_HEADER_CPU_S = 20
_HEADER_WALL_S = 45.0
"""Headers are read while the sender waits; a 50-page fax takes 0.3 s."""
_MAX_PDF_BYTES = 400 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the headers say: the type and every page's size in pixels (width, height)."""

    mime: str
    sizes_px: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class DecodedPage:
    """One page as a raster.

    Attributes:
        gray: shape (height, width), uint8, turned as the file's orientation tag says.
        dpi: dots an inch of ``gray``; 0 when the file does not say.
        scale: (x, y), pixels of ``gray`` per pixel of the page as displayed at full size.
        number: of the page in the file, from 1.
        codes: texts of the barcodes on it, as far as they were asked for.
    """

    gray: Gray
    dpi: int
    scale: tuple[float, float]
    number: int = 1
    codes: tuple[str, ...] = ()


Codes = Literal["", "separators", "all"]
"""Which barcodes to look for: none, QR codes (separator sheets), or those of forms as well."""


def inspect_file(data: bytes) -> Inspection:
    """Read the headers of a file in the child process.

    Raises:
        FileRefused: of another type, encrypted, broken, or over a page or pixel limit.
    """
    mime = detect_type(data).mime
    with _child("inspect", mime, data, cpu_s=_HEADER_CPU_S, wall_s=_HEADER_WALL_S) as output:
        header = output.line()
    sizes = tuple((int(width), int(height)) for width, height in header["pages"])
    return Inspection(mime, sizes)


def iterate_pages(
    data: bytes, *, only: Collection[int] = (), codes: Codes = ""
) -> Iterator[DecodedPage]:
    """Decode a file a page at a time; only one page is in memory at any moment.

    Args:
        data: the file.
        only: numbers of the pages wanted, from 1; all when empty.
        codes: which barcodes to look for.

    Raises:
        FileRefused: as ``inspect_file``, and when the pixels themselves are damaged.
    """
    more = ["--codes", codes] if codes else []
    with _child("pages", detect_type(data).mime, data, only=only, more=more) as output:
        count = len(output.line()["pages"])
        numbers = iter(sorted(only) or range(1, count + 1))
        while "end" not in (page := output.line()):
            width, height = int(page["width"]), int(page["height"])
            # A decoder that was taken over must not be able to fill this process either.
            if width < 1 or height < 1 or width * height > 2 * WORKING_PX:
                raise _refusal(Problem.BROKEN, "size")
            raw = output.exactly(width * height)
            gray = np.frombuffer(raw, dtype=np.uint8).reshape(height, width)
            scale_x, scale_y = page["scale"]
            found = tuple(str(code) for code in page.get("codes", ()))
            yield DecodedPage(gray, page["dpi"], (scale_x, scale_y), next(numbers), found)


def decode_pages(data: bytes) -> list[Gray]:
    """Return all pages of a file as gray rasters; raises as ``iterate_pages``."""
    return [page.gray for page in iterate_pages(data)]


def pdf_of_scan(data: bytes, *, only: Collection[int] = ()) -> bytes:
    """Return the scan, or the pages ``only`` of it, as a PDF that may leave the house.

    A PDF without anything active comes back byte for byte; scripts, actions, attachments and
    forms are taken out of others. Images are wrapped without loss where PDF allows.

    Raises:
        FileRefused: as ``iterate_pages``.
    """
    with _child("pdf", detect_type(data).mime, data, only=only) as output:
        output.line()
        return output.exactly(min(int(output.line()["bytes"]), _MAX_PDF_BYTES))


@contextmanager
def _child(
    mode: str,
    mime: str,
    data: bytes,
    *,
    only: Collection[int] = (),
    more: Collection[str] = (),
    cpu_s: int | None = None,
    wall_s: float | None = None,
) -> Iterator[ChildOutput]:
    """Run the decoder on ``data`` and give its output; a dead decoder becomes ``FileRefused``."""
    arguments = [mode, "--mime", mime, "--only", ",".join(map(str, sorted(only))), *more]
    arguments += ["--max-pages", str(MAX_PAGES), "--max-page-px", str(MAX_PAGE_PX)]
    arguments += ["--max-total-px", str(MAX_TOTAL_PX), "--working-px", str(WORKING_PX)]
    arguments += ["--memory-bytes", str(_MEMORY_BYTES), "--cpu-s", str(cpu_s or _CPU_S)]
    arguments += ["--page-cpu-s", str(_PAGE_CPU_S)]
    limit_s = _WALL_S if wall_s is None else min(wall_s, _WALL_S)
    try:
        with child_run(_CHILD, arguments, data, wall_s=limit_s) as output:
            yield output
    except ChildRefused as refusal:
        raise _refusal(refusal.code, refusal.detail) from refusal
    except ChildDied as death:
        why = (Problem.TOO_COMPLEX, "time") if death.overran else (Problem.BROKEN, "crash")
        raise _refusal(*why) from death


def _refusal(code: str, detail: str) -> FileRefused:
    """Return the refusal for a decoder's error code, in words for people."""
    sentences = {
        Problem.ENCRYPTED: "This PDF is locked with a password. Save it without one and send it "
        "again.",
        Problem.BROKEN: "This file is damaged or was cut off on its way, so it cannot be read "
        f"in full. Scan the paper again, or export it anew as {ACCEPTED}.",
        Problem.TOO_MANY_PAGES: f"This file has more than {MAX_PAGES} pages. "
        "Split it and send the parts.",
        Problem.TOO_MANY_PIXELS: f"{detail} pixels; the limit is "
        f"{MAX_PAGE_PX // 1_000_000} million a page and {MAX_TOTAL_PX // 1_000_000} million "
        "a file. Scan it at 300 dpi, or split it.",
        Problem.TOO_COMPLEX: "This file takes too much memory or time to decode. "
        "Scan the paper again at 300 dpi.",
    }
    try:
        problem = Problem(code)
    except ValueError:  # only a decoder that was taken over says such a thing
        problem = Problem.BROKEN
    return FileRefused(problem, sentences.get(problem, sentences[Problem.BROKEN]))
