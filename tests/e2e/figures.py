"""Figures that browser tests measure: printed, and kept where ``CLINIC_HWR_FIGURES`` names a file.

``python -m benchmarks.workstation`` sets it and writes them to ``benchmarks/results``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FILE = "CLINIC_HWR_FIGURES"


def are_kept() -> bool:
    """Whether a benchmark asks: then more is measured than a test needs."""
    return bool(os.environ.get(FILE))


def note(*path: str, value: Any) -> None:
    """Print a figure and keep it under its ``path``; the last one of a path stands."""
    print(f"{' / '.join(path)}: {value}")
    if not are_kept():
        return
    file = Path(os.environ[FILE])
    figures: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    place = figures
    for name in path[:-1]:
        place = place.setdefault(name, {})
    place[path[-1]] = value
    file.write_text(json.dumps(figures, indent=1))
