"""The three sample prescriptions that ship with the product, and what is true of them.

The project's generator drew them (``recognition/synthesis``): nobody's prescription.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).resolve().parent / "samples"


@dataclass(frozen=True, slots=True)
class Truth:
    """One value on a sample; ``box_px`` is x, y, width, height in pixels of the scan."""

    name: str
    kind: str
    group: int
    text: str
    box_px: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample and where the demo takes it.

    The locked PDF is what clinics receive by mail from other systems; nothing can be read from
    it, and it must not get lost either.
    """

    file_name: str
    ends: Literal["released", "in_review", "quarantined"]

    def data(self) -> bytes:
        """Return the bytes of the scan."""
        return (FOLDER / self.file_name).read_bytes()

    def truths(self) -> tuple[Truth, ...]:
        """Return what is written on the page, from the ground truth beside it."""
        truth = json.loads((FOLDER / self.file_name).with_suffix(".json").read_text())
        return tuple(
            Truth(
                name=field["name"],
                kind=field["kind"],
                group=field["group"],
                text=field["text"],
                box_px=tuple(field["box_px"]),
            )
            for field in truth["fields"]
        )


SAMPLES = (
    Sample("us_pad.png", "released"),
    Sample("hospital_order_sheet.pdf", "in_review"),
    Sample("letterhead_note.pdf", "quarantined"),
)
