"""What a received file may be: the allow-list, the limits, and what its first bytes say."""

from __future__ import annotations

import importlib.util
import mimetypes
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

import filetype

MAX_FILE_BYTES = 25 * 1024 * 1024
"""A 50-page fax as TIFF G4 is under 5 MB; a 600 dpi colour page as JPEG is under 15 MB."""

MAX_PAGES = 50

MAX_PAGE_PX = 50_000_000
"""Legal paper at 600 dpi is 42.8 Mpx."""

MAX_TOTAL_PX = 500_000_000
"""Fifty A4 pages at 300 dpi are 435 Mpx."""


class Problem(StrEnum):
    """Why a file cannot be worked on, or not now."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    UNKNOWN_TYPE = "unknown_type"
    TYPE_MISMATCH = "type_mismatch"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_COMPLEX = "too_complex"
    PROCESSING_FAILED = "processing_failed"
    DUPLICATE = "duplicate"
    NOT_INSTALLED = "not_installed"  # read again under a fitting installation
    NO_ATTACHMENT = "no_attachment"  # a message that brought nothing to read
    SPLIT = "split"  # nothing is wrong: its prescriptions are scans of their own
    WAITING = "waiting"  # nothing is wrong with the file: this machine lacks something


@dataclass(frozen=True, slots=True)
class ScanType:
    """One accepted file type."""

    mime: str
    label: str
    suffixes: tuple[str, ...]


SCAN_TYPES: dict[str, ScanType] = {
    kind.mime: kind
    for kind in (
        ScanType("image/png", "PNG", (".png",)),
        ScanType("image/jpeg", "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif")),
        ScanType("image/tiff", "TIFF", (".tif", ".tiff")),
        ScanType("image/webp", "WebP", (".webp",)),
        ScanType("image/heic", "HEIC", (".heic", ".heif", ".hif")),
        ScanType("application/pdf", "PDF", (".pdf",)),
    )
}
ACCEPTED = "PDF, TIFF, JPEG, PNG or WebP"

_HEIC_PACKAGE = "pillow_heif"


def heic_installed() -> bool:
    """Return whether HEIC photos can be read here (the optional package pillow-heif)."""
    return importlib.util.find_spec(_HEIC_PACKAGE) is not None


class FileRefused(ValueError):
    """The file cannot be worked on.

    Attributes:
        code: a ``Problem``, stored with the scan.
        problem: one sentence for people that says what to do; it never holds the file's name.
    """

    def __init__(self, code: Problem, problem: str) -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem


def check_size(size_bytes: int) -> None:
    """Raise ``FileRefused`` for an empty file and for one over ``MAX_FILE_BYTES``."""
    if size_bytes == 0:
        raise FileRefused(
            Problem.EMPTY, "This file is empty: nothing arrived. Scan the paper again."
        )
    if size_bytes > MAX_FILE_BYTES:
        raise FileRefused(
            Problem.TOO_LARGE,
            f"This file has {size_bytes / 2**20:.1f} MB; the limit is "
            f"{MAX_FILE_BYTES // 2**20} MB. Scan at 300 dpi, or split it into smaller files.",
        )


def detect_type(data: bytes) -> ScanType:
    """Return the type that the first bytes of ``data`` show.

    Raises:
        FileRefused: it is none of the accepted types.
    """
    guess = filetype.guess(data[:8192])
    found = SCAN_TYPES.get(guess.mime) if guess else None
    if found is None:
        raise FileRefused(
            Problem.UNKNOWN_TYPE,
            f"This file is not a scan that can be read. Send it as {ACCEPTED}.",
        )
    if found.mime == "image/heic" and not heic_installed():
        raise FileRefused(
            Problem.NOT_INSTALLED,
            "This is a HEIC photo, and this installation cannot read those. Send it as JPEG (on an "
            "iPhone: Settings, Camera, Formats, Most Compatible), or ask your administrator to "
            "install clinic-hwr[heic].",
        )
    return found


def check_claim(name: str, found: ScanType) -> None:
    """Raise ``FileRefused`` when the ending of ``name`` says another type than ``found``.

    An ending that names no known type (".scan", none at all) claims nothing and passes.
    """
    suffix = PurePath(name).suffix.lower()
    if not suffix or suffix in found.suffixes:
        return
    claimed_mime, _ = mimetypes.guess_type(f"x{suffix}")
    if claimed_mime is None or claimed_mime == "application/octet-stream":
        return
    raise FileRefused(
        Problem.TYPE_MISMATCH,
        f"This file is named {suffix[:12]} but holds a {found.label}. "
        f"Name it {found.suffixes[0]} and send it again.",
    )
