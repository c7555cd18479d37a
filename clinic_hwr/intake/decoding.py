"""Untrusted files to gray pages, through a child process with memory and time limits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from clinic_hwr.pages.types import Gray

from .safety import ACCEPTED, MAX_PAGE_PX, MAX_PAGES, FileRefused, Problem, detect_type

WORKING_PX = 9_000_000
"""Rasters are shrunk to this: A4 at 300 dpi has 8.7 Mpx, and reading gains nothing above it."""

_CHILD = Path(__file__).with_name("decode_child.py")
_MEMORY_BYTES = 1 << 30
"""A 50 Mpx RGBA page takes 200 MB decoded and 200 MB more while it is put on white paper."""
_CPU_S = 120
"""Fifty 8.7 Mpx fax pages take about 20 s on one core."""
_WALL_S = 300.0


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
    """

    gray: Gray
    dpi: int
    scale: tuple[float, float]


def inspect_file(data: bytes) -> Inspection:
    """Read the headers of a file in the child process.

    Raises:
        FileRefused: of another type, encrypted, broken, or over a page or pixel limit.
    """
    mime = detect_type(data).mime
    with _child("inspect", mime, data) as output:
        header = _line(output)
    sizes = tuple((width, height) for width, height in header["pages"])
    return Inspection(mime, sizes)


def iterate_pages(data: bytes) -> Iterator[DecodedPage]:
    """Decode a file a page at a time; only one page is in memory at any moment.

    Raises:
        FileRefused: as ``inspect_file``, and when the pixels themselves are damaged.
    """
    with _child("pages", detect_type(data).mime, data) as output:
        _line(output)
        while "end" not in (page := _line(output)):
            width, height = page["width"], page["height"]
            raw = _exactly(output, width * height)
            gray = np.frombuffer(raw, dtype=np.uint8).reshape(height, width)
            scale_x, scale_y = page["scale"]
            yield DecodedPage(gray, page["dpi"], (scale_x, scale_y))


def decode_pages(data: bytes) -> list[Gray]:
    """Return all pages of a file as gray rasters; raises as ``iterate_pages``."""
    return [page.gray for page in iterate_pages(data)]


def pdf_of_scan(data: bytes) -> bytes:
    """Return the scan as PDF: a PDF as it is, images wrapped without loss where PDF allows.

    Raises:
        FileRefused: as ``iterate_pages``.
    """
    mime = detect_type(data).mime
    if mime == "application/pdf":
        return data
    with _child("pdf", mime, data) as output:
        _line(output)
        return _exactly(output, _line(output)["bytes"])


@contextmanager
def _child(mode: str, mime: str, data: bytes) -> Iterator[IO[bytes]]:
    """Run the decoder on ``data`` and give its output; a dead decoder becomes ``FileRefused``."""
    command = [sys.executable, "-I", str(_CHILD), mode, "--mime", mime]
    command += ["--max-pages", str(MAX_PAGES), "--max-page-px", str(MAX_PAGE_PX)]
    command += ["--working-px", str(WORKING_PX)]
    command += ["--memory-bytes", str(_MEMORY_BYTES), "--cpu-s", str(_CPU_S)]
    process = subprocess.Popen(  # noqa: S603  our own interpreter and script
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    feeder = threading.Thread(target=_feed, args=(process.stdin, data), daemon=True)
    deadline = threading.Timer(_WALL_S, process.kill)
    feeder.start()
    deadline.start()
    try:
        yield process.stdout  # type: ignore[misc]  # set, because PIPE was asked for
    except EOFError as error:
        raise _death(process.wait()) from error
    finally:
        deadline.cancel()
        process.kill()
        process.wait()
        feeder.join()
        process.stdout.close()  # type: ignore[union-attr]


def _environment() -> dict[str, str]:
    """Pass on next to nothing: the decoder must not see secrets, nor start a thread pool."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _feed(stdin: IO[bytes], data: bytes) -> None:
    """Write the file to the child; a child that has already died needs no more of it."""
    try:
        with stdin:
            stdin.write(data)
    except BrokenPipeError:
        return


def _line(output: IO[bytes]) -> dict[str, Any]:
    """Read one JSON line; ``FileRefused`` if it carries an error, ``EOFError`` if none comes."""
    raw = output.readline()
    if not raw.endswith(b"\n"):
        raise EOFError("The decoder stopped early.")
    line: dict[str, Any] = json.loads(raw)
    if line.get("error"):
        raise _refusal(*line["error"])
    return line


def _exactly(output: IO[bytes], size: int) -> bytes:
    raw = output.read(size)
    if len(raw) != size:
        raise EOFError("The decoder stopped early.")
    return raw


def _death(status: int) -> FileRefused:
    """Return why a decoder that exited with ``status`` (negative: a signal) died."""
    if status in {-signal.SIGXCPU, -signal.SIGKILL}:
        return _refusal(Problem.TOO_COMPLEX, "time")
    return _refusal(Problem.BROKEN, "crash")


def _refusal(code: str, detail: str) -> FileRefused:
    """Return the refusal for a decoder's error code, in words for people."""
    sentences = {
        Problem.ENCRYPTED: "This PDF is locked with a password. Save it without one and send it "
        "again.",
        Problem.BROKEN: "This file is damaged or was cut off on its way, so it cannot be read "
        f"in full. Scan the paper again, or export it anew as {ACCEPTED}.",
        Problem.TOO_MANY_PAGES: f"This file has more than {MAX_PAGES} pages. "
        "Split it and send the parts.",
        Problem.TOO_MANY_PIXELS: f"A page of this file has {detail} pixels; the limit is "
        f"{MAX_PAGE_PX // 1_000_000} million a page. Scan it at 300 dpi.",
        Problem.TOO_COMPLEX: "This file takes too much memory or time to decode. "
        "Scan the paper again at 300 dpi.",
    }
    problem = Problem(code)
    return FileRefused(problem, sentences[problem])
