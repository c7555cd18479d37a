"""Read the packaged tables: tab-separated, ``# note`` first, then a header, gzip or plain."""

from __future__ import annotations

import gzip
from importlib import resources
from pathlib import Path


def read_table(name: str, folder: Path | None = None) -> list[list[str]]:
    """Return the rows (without note and header) of a table; cells are never stripped.

    Args:
        name: file name, gzip when it ends in ``.gz``.
        folder: where it lies; the packaged ``data/`` when None.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return [line.split("\t") for line in _text(name, folder).splitlines()[2:]]


def read_note(name: str, folder: Path | None = None) -> str:
    """Return the source note of a table without its leading ``# ``."""
    return _text(name, folder).split("\n", 1)[0].removeprefix("# ")


def _text(name: str, folder: Path | None) -> str:
    place = folder or resources.files("clinic_hwr.prescriptions") / "data"
    raw = (place / name).read_bytes()
    return (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8")
