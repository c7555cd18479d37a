"""A scan that was read, written row by row: no model, no OCR, known values and doubts."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import cv2
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.intake.services import scan_transition
from clinic_hwr.intake.states import ScanState
from clinic_hwr.intake.storage import blob_write
from clinic_hwr.pages.types import FIELD_NAMES
from clinic_hwr.review.services import prescription_refresh
from clinic_hwr.routing.models import Field, FieldReading

PAGE_WIDTH, PAGE_HEIGHT = 1000, 1300
MODEL = "scripted@0001"


@dataclass(frozen=True)
class Line:
    """One field to be: its name, medication number, what was read, and how sure the reader is."""

    name: str
    group: int
    text: str
    p_correct: float = 0.8
    alternatives: tuple[str, ...] = ()
    doubtful: tuple[int, ...] = ()
    present: bool | None = None
    is_print: bool = False


TWO_DRUGS: tuple[Line, ...] = (
    Line("practice_name", 0, "Riverside Clinic", 0.99, is_print=True),
    Line("prescriber_name", 0, "Amara Obi, MD", 0.99, is_print=True),
    Line("patient_name", 0, "Maria Lindqvist", 0.86, ("Maria Lindquist",), (11,)),
    Line("patient_dob", 0, "04/17/1968", 0.88, ("04/11/1968",), (4,)),
    Line("date_written", 0, "11/20/2026", 0.9),
    Line("drug", 1, "Metformin 500 mg", 0.82, ("Metformin 850 mg", "Metoprolol 50 mg"), (10, 11)),
    Line("sig", 1, "1 tab PO BID", 0.7, ("1 tab PO TID", "1 tab PO QID"), (9,)),
    Line("quantity", 1, "60", 0.93),
    Line("refills", 1, "3", 0.93),
    Line("drug", 2, "Lisinopril 10 mg", 0.9, ("Lisinopril 40 mg",), (11,)),
    Line("sig", 2, "1 tab PO daily", 0.9),
    Line("quantity", 2, "30", 0.95),
    Line("refills", 2, "3", 0.95),
    Line("signature", 0, "", present=True),
)


def with_drugs(first: Line, second: Line) -> tuple[Line, ...]:
    """Return ``TWO_DRUGS`` with other drugs."""
    drugs = {1: first, 2: second}
    return tuple(drugs[line.group] if line.name == "drug" else line for line in TWO_DRUGS)


# No reading of these is on a list: one person decides every field, with one key.
ORDINARY_DRUGS = with_drugs(
    Line("drug", 1, "Ibuprofen 600 mg", 0.82, ("Ibuprofen 800 mg",), (10,)),
    Line("drug", 2, "Atorvastatin 20 mg", 0.9, ("Atorvastatin 10 mg",), (13,)),
)
# Warfarin is a high-alert drug, oxycodone a controlled substance: two people enter them.
GRAVE_DRUGS = with_drugs(
    Line("drug", 1, "Warfarin 5 mg", 0.97, ("Warfarin 2 mg",), (9,)),
    Line("drug", 2, "Oxycodone 5 mg", 0.95),
)


@dataclass
class ReadScan:
    """The rows of one scripted scan; ``fields`` by ``name`` or ``name2`` for medication 2."""

    scan: Scan
    fields: dict[str, Field] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Field:
        return self.fields[key]


def read_scan(
    site: Site,
    lines: tuple[Line, ...] = TWO_DRUGS,
    *,
    name: str = "fax-0412.png",
    user: Any = None,
    refresh: bool = True,
) -> ReadScan:
    """Write a scan with one page and ``lines`` as fields, and let it be interpreted."""
    png, crops = _pictures(lines)
    sha256 = blob_write(_unique(png, name))
    scan = Scan.objects.create(
        site=site,
        sha256=sha256,
        original_name=name,
        content_type="image/png",
        size_bytes=len(png),
        source="web",
        uploaded_by=user,
        page_count=1,
    )
    page = Page.objects.create(
        scan=scan,
        number=1,
        image_sha256=blob_write(png),
        width_px=PAGE_WIDTH,
        height_px=PAGE_HEIGHT,
    )
    result = ReadScan(scan)
    for position, line in enumerate(lines):
        result.fields[_key(line)] = _field(page, crops[position], position, line)
    scan_transition(scan=scan, to=ScanState.PAGED)
    scan_transition(scan=scan, to=ScanState.READ)
    if refresh:
        prescription_refresh(scan=scan)
        scan.refresh_from_db()
    return result


def _key(line: Line) -> str:
    return line.name if line.group < 2 else f"{line.name}{line.group}"


def _field(page: Page, crop: bytes, position: int, line: Line) -> Field:
    x, y, width, height = _box(position)
    row = Field.objects.create(
        page=page,
        position=position,
        name=line.name,
        kind=FIELD_NAMES[line.name].value,
        group=line.group,
        x_px=x,
        y_px=y,
        width_px=width,
        height_px=height,
        crop_sha256=blob_write(crop),
        is_print=line.is_print,
        present=line.present,
    )
    if line.present is None:
        FieldReading.objects.create(
            field=row,
            text=line.text,
            p_correct=line.p_correct,
            chars=[
                [char, 0.5 if index in line.doubtful else 0.99]
                for index, char in enumerate(line.text)
            ],
            alternatives=[
                [text, share]
                for text, share in zip(
                    (line.text, *line.alternatives), (0.8, 0.1, 0.05, 0.03, 0.02), strict=False
                )
            ],
            model="tesseract 5.3.0" if line.is_print else MODEL,
        )
    return row


@cache
def _pictures(lines: tuple[Line, ...]) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the page and the crop of every line as PNG; drawn once a test run."""
    image = draw_page(lines)
    boxes = [_box(position) for position in range(len(lines))]
    return _png(image), tuple(_png(image[y : y + h, x : x + w]) for x, y, w, h in boxes)


def _box(position: int) -> tuple[int, int, int, int]:
    return 220, 60 + position * 86, 700, 70


def draw_page(lines: tuple[Line, ...]) -> np.ndarray:
    """Draw the lines in a script font on white paper: shape (PAGE_HEIGHT, PAGE_WIDTH)."""
    image = np.full((PAGE_HEIGHT, PAGE_WIDTH), 255, np.uint8)
    for position, line in enumerate(lines):
        x, y, width, height = _box(position)
        label = line.name.replace("_", " ")
        cv2.putText(image, label, (40, y + 45), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 90, 1, cv2.LINE_AA)
        cv2.line(image, (x, y + height - 4), (x + width, y + height - 4), 170, 1)
        font = cv2.FONT_HERSHEY_COMPLEX if line.is_print else cv2.FONT_HERSHEY_SCRIPT_SIMPLEX
        text = line.text or ("A. Obi" if line.present else "")
        cv2.putText(image, text, (x + 12, y + 48), font, 1.3, 30, 2, cv2.LINE_AA)
    return image


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def _unique(png: bytes, name: str) -> bytes:
    """Return the PNG with ``name`` in a text chunk: other bytes, same picture."""
    info = PngInfo()
    info.add_text("Title", name)
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()
