"""What the pages room hands on: upright page rasters, printed words and named fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import cv2
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


class NamedBy(StrEnum):
    """What a field got its name from; it says how much the name can be relied on."""

    UNSAID = ""
    FORM = "form"  # a known form says what is where
    LABEL = "label"  # a printed label or heading
    PLACE = "place"  # where it stands on the page: under an Rx, in the head
    READING = "reading"  # what it says: a guess that a person confirms
    PERSON = "person"
    NOBODY = "nobody"


class StruckOut(StrEnum):
    """Whether writing is crossed out."""

    NO = ""
    PERHAPS = "perhaps"  # something may go through it: words are shown, a person is asked
    PARTLY = "partly"
    WHOLLY = "wholly"

    @property
    def is_said(self) -> bool:
        """Whether its words are taken for crossed out until a person says otherwise."""
        return self in (StruckOut.PARTLY, StruckOut.WHOLLY)


class MarkDoubt(StrEnum):
    """Why the marks at printed choices do not say which is meant."""

    NO = ""
    SEVERAL = "several"  # two are marked, or one mark covers two
    CROSSED = "crossed"  # a stroke through a choice: chosen to some, deleted to others
    UNREAD = "unread"  # one is marked, and what it says could not be read
    NONE = "none"  # none is marked


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

    def turned(self) -> Box:
        """The same box on the transposed page."""
        return Box(self.y, self.x, self.height, self.width)


class PageProblem(StrEnum):
    """What could not be done for a page; its ink is there all the same."""

    BLANK = "blank"  # nothing on it, or nothing but black
    TOO_SMALL = "too_small"  # nothing to read in it
    ORIENTATION_UNSURE = "orientation_unsure"  # left as it came, or turned by the better guess
    SHEET_UNSURE = "sheet_unsure"  # an outline that may be the sheet or a shadow: not cropped
    ROWS_UNEVEN = "rows_uneven"  # rows sag in a way that could not be undone
    BLACKENED = "blackened"  # a part of a fax arrived black: what is written there is lost
    FOLD_REMOVED = "fold_removed"  # a black line right over a fax: a fold, or a pen that cancels


@dataclass(frozen=True, slots=True)
class RowBend:
    """How far the rows of a page sag: a smooth surface over the page.

    Attributes:
        size_px: (width, height) of the page it was measured on.
        coefficients: of ``u**i * v**j`` for i = 1..4 and j = 0..2, u and v from -0.5 to 0.5
            across and down the page, in pixels; () for straight rows.
    """

    size_px: tuple[int, int] = (1, 1)
    coefficients: tuple[float, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes; {} for straight rows."""
        if not self.coefficients:
            return {}
        return {"size_px": list(self.size_px), "coefficients": list(self.coefficients)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RowBend:
        """Make the bend that ``as_json`` wrote."""
        if not data:
            return cls()
        width, height = data["size_px"]
        return cls((int(width), int(height)), tuple(float(one) for one in data["coefficients"]))

    def sag(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how many pixels what belongs at (x, y) lies below it; shapes as given."""
        u, v = x / self.size_px[0] - 0.5, y / self.size_px[1] - 0.5
        # Beyond the page the sag of its edge goes on.
        u, v = np.clip(u, -0.6, 0.6), np.clip(v, -0.6, 0.6)
        total = np.zeros(np.broadcast(u, v).shape)
        for number, one in enumerate(self.coefficients):
            total = total + one * u ** (number // 3 + 1) * v ** (number % 3)
        return np.asarray(total, np.float64)

    def bent(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, 2) of the straightened page, where they are on the bent one."""
        if not self.coefficients:
            return points
        return np.stack([points[:, 0], points[:, 1] + self.sag(points[:, 0], points[:, 1])], 1)

    def unbent(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse of ``bent``; the sag is gentle down the page, so steps close in on it."""
        if not self.coefficients:
            return points
        x, y = points[:, 0], points[:, 1].copy()
        for _ in range(40):
            y = points[:, 1] - self.sag(x, y)
        return np.stack([x, y], 1)

    def straightened(
        self, raster: NDArray[np.uint8], *, paper: int, scale: float = 1.0
    ) -> NDArray[np.uint8]:
        """Undo the sag in a raster that is ``scale`` times the page and ``paper`` around it."""
        height, width = raster.shape
        xs, ys = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        u = np.clip(xs / scale / self.size_px[0] - 0.5, -0.6, 0.6)
        v = np.clip(ys / scale / self.size_px[1] - 0.5, -0.6, 0.6)
        # The sag as ``sag`` has it, as one matrix product for all pixels.
        weights = np.reshape(np.array(self.coefficients, np.float32) * scale, (-1, 3)).T  # (3, n)
        across = np.stack([u**power for power in range(1, weights.shape[1] + 1)])
        down = np.stack([np.ones_like(v), v, v * v], 1) @ (weights @ across)
        down += ys[:, None]
        along = np.broadcast_to(xs, down.shape)
        return np.asarray(
            cv2.remap(raster, along, down, cv2.INTER_LINEAR, borderValue=paper), np.uint8
        )


NO_BEND = RowBend()


@dataclass(frozen=True, slots=True)
class PageTransform:
    """Where the pixels of an upright page are on the raster as it came, and back.

    Attributes:
        matrix: 3x3 homogeneous, page with bent rows -> original raster.
        bend: straight rows -> bent rows.
    """

    matrix: NDArray[np.float64]
    bend: RowBend = NO_BEND

    def to_original(self, points_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, 2) of the upright page in pixels of the original raster."""
        return _projected(self.matrix, self.bend.bent(np.asarray(points_px, np.float64)))

    def from_original(self, points_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, 2) of the original raster in pixels of the upright page."""
        inverse = np.asarray(np.linalg.inv(self.matrix), np.float64)
        return self.bend.unbent(_projected(inverse, np.asarray(points_px, np.float64)))

    def quad_on_original(self, box: Box) -> NDArray[np.float64]:
        """The corners (4, 2) of a box of the upright page on the original, clockwise."""
        x0, y0, x1, y1 = box.x, box.y, box.x + box.width, box.y + box.height
        return self.to_original(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64))


def _projected(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    moved = np.c_[points, np.ones(len(points))] @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:], np.float64)


@dataclass(frozen=True, slots=True)
class UprightPage:
    """One page, turned upright, deskewed and cleaned.

    Attributes:
        gray: the page raster, shape (height, width), uint8.
        rotation_deg: clockwise quarter turns that were undone (0, 90, 180 or 270).
        skew_deg: small-angle rotation that was undone, in degrees, counter-clockwise positive.
        to_original: 3x3 homogeneous matrix, upright page pixels -> original raster pixels; exact
            unless rows were bent, for which ``transform`` is.
        bend: the sag of the rows that was undone.
        problems: what could not be done.
    """

    gray: Gray
    rotation_deg: int
    skew_deg: float
    to_original: NDArray[np.float64]
    bend: RowBend = NO_BEND
    problems: tuple[PageProblem, ...] = ()

    @property
    def transform(self) -> PageTransform:
        """The way back to the original raster, and forth."""
        return PageTransform(self.to_original, self.bend)


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
        lines_px: the pieces of a value that stands in several: lines of a paragraph or of a value
            on several rows, cells of a table row; in reading order. () for a value in one piece.
        named_by: what the name was taken from.
        struck_out: whether a stroke goes through it: its words are not meant then.
        mark_doubt: for printed choices: why their marks do not say which is meant.
        options: of printed choices the marked ones, or those it may be; () for other values.
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
    named_by: NamedBy = NamedBy.UNSAID
    struck_out: StruckOut = StruckOut.NO
    mark_doubt: MarkDoubt = MarkDoubt.NO
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineMaps:
    """How likely each place of a page is in the middle of a line, from a trained segmenter.

    Attributes:
        hand, print: (height, width) float32, 0..1, of a line of handwriting and of print.
        scale: their pixels a page pixel.
        struck: of the same shape, of a line of either sort that is crossed out there; None from a
            segmenter that does not say.
    """

    hand: NDArray[np.float32]
    print: NDArray[np.float32]
    scale: float
    struck: NDArray[np.float32] | None = None


class LineSegmenter(Protocol):
    """Something that marks the lines of a page, such as ``recognition.segmentation``."""

    @property
    def version(self) -> str:
        """Name and content hash of its weights."""
        ...

    def __call__(self, gray: Gray) -> LineMaps:
        """Mark the lines of an upright page, (height, width) uint8."""
        ...
