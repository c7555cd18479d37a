"""Read the packaged tables: tab-separated, ``# note`` first, then a header, gzip or plain."""

from __future__ import annotations

import gzip
from importlib import resources


def read_table(name: str) -> list[list[str]]:
    """Return the rows (without note and header) of ``data/<name>``; cells are never stripped.

    Raises:
        FileNotFoundError: the package was built without its data files.
    """
    raw = (resources.files("clinic_hwr.prescriptions") / "data" / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8")
    return [line.split("\t") for line in text.splitlines()[2:]]


def read_note(name: str) -> str:
    """Return the source note of ``data/<name>`` without its leading ``# ``."""
    raw = (resources.files("clinic_hwr.prescriptions") / "data" / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8")
    return text.split("\n", 1)[0].removeprefix("# ")
