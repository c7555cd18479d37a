"""What the pages room hands on: upright page rasters, printed words and named fields."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
"""Grayscale raster, shape (height, width), 0 = black ink, 255 = white paper."""


class FieldKind(StrEnum):
    """What sort of value a field holds; it selects the lexicon, the checks and the threshold."""

    DRUG = "drug"  # a drug line: name, often with strength and form behind it
    STRENGTH = "strength"
    SIG = "sig"
    QUANTITY = "quantity"
    REFILLS = "refills"
    DATE = "date"
    NAME = "name"
    DIGITS = "digits"  # identifiers: MRN, NPI, DEA, phone
    TEXT = "text"
    PARAGRAPH = "paragraph"  # free text of one or more lines
    CHECKBOX = "checkbox"
    SIGNATURE = "signature"


FIELD_NAMES: dict[str, FieldKind] = {
    "patient_name": FieldKind.NAME,
    "patient_dob": FieldKind.DATE,
    "patient_age": FieldKind.TEXT,
    "patient_sex": FieldKind.TEXT,
    "patient_weight": FieldKind.TEXT,
    "patient_address": FieldKind.TEXT,
    "patient_mrn": FieldKind.DIGITS,
    "allergies": FieldKind.TEXT,
    "prescriber_name": FieldKind.NAME,
    "prescriber_npi": FieldKind.DIGITS,
    "prescriber_dea": FieldKind.DIGITS,
    "prescriber_phone": FieldKind.DIGITS,
    "practice_name": FieldKind.TEXT,
    "date_written": FieldKind.DATE,
    "drug": FieldKind.DRUG,
    "strength": FieldKind.STRENGTH,
    "sig": FieldKind.SIG,
    "quantity": FieldKind.QUANTITY,
    "refills": FieldKind.REFILLS,
    "substitution": FieldKind.CHECKBOX,
    "signature": FieldKind.SIGNATURE,
    "notes": FieldKind.PARAGRAPH,
    "unnamed": FieldKind.TEXT,  # ink that nobody could name: shown to the reviewer, never dropped
}
"""Every field name the product knows, with its kind."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in pixels of the upright page; origin top left."""

    x: int
    y: int
    width: int
    height: int

    def as_list(self) -> list[int]:
        """Return ``[x, y, width, height]`` in pixels."""
        return [self.x, self.y, self.width, self.height]


@dataclass(frozen=True, slots=True)
class UprightPage:
    """One page, turned upright, deskewed and cleaned.

    Attributes:
        gray: the page raster, shape (height, width), uint8.
        rotation_deg: clockwise quarter turns that were undone (0, 90, 180 or 270).
        skew_deg: small-angle rotation that was undone, in degrees, counter-clockwise positive.
        to_original: 3x3 homogeneous matrix, upright page pixels -> original raster pixels.
    """

    gray: Gray
    rotation_deg: int
    skew_deg: float
    to_original: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PrintedWord:
    """One printed word found by OCR. ``confidence`` is the engine's, 0..1."""

    text: str
    box_px: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class CombRun:
    """Printed cells side by side, one character each.

    Attributes:
        box_px: the cells with their print, on the upright page.
        cells: how many; evenly wide.
    """

    box_px: Box
    cells: int


@dataclass(frozen=True, slots=True)
class FieldRegion:
    """One slot to read on a page.

    Attributes:
        name: a key of ``FIELD_NAMES``.
        kind: what sort of value it holds.
        box_px: where the ink is, on the upright page.
        group: medication number on the page (1, 2, ...) for drug/sig/quantity/...; 0 otherwise.
        label: the printed label that named it, or "" when a known form or its position did.
        printed_text: the value when it is print and OCR has read it, else None (handwriting).
        confidence: OCR confidence 0..1 of ``printed_text``; 0.0 for handwriting.
        present: for signature and checkbox kinds: whether there is a mark. None otherwise.
        comb: runs of cells the value is written into, left to right; () for free writing.
            A date may have three. ``box_px`` then is around the cells.
        lines_px: the lines of a paragraph, top to bottom; () for other kinds.
    """

    name: str
    kind: FieldKind
    box_px: Box
    group: int = 0
    label: str = ""
    printed_text: str | None = None
    confidence: float = 0.0
    present: bool | None = None
    comb: tuple[CombRun, ...] = ()
    lines_px: tuple[Box, ...] = ()
