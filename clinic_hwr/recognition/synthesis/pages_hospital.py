"""Draws a hospital order sheet: letter, patient sticker, allergies row, ruled order table."""

from __future__ import annotations

import numpy as np

from .hands import Hand
from .pages_content import PageContent
from .pages_layouts import layout
from .pages_paper import Paper

_COLUMNS = (
    ("Date / Time", 0.5, 1.5),
    ("Medication", 1.5, 3.5),
    ("Dose", 3.5, 4.5),
    ("Route", 4.5, 5.2),
    ("Frequency", 5.2, 6.4),
    ("Prescriber", 6.4, 7.3),
    ("RN", 7.3, 8.0),
)
"""Column heading, left and right rule in inches."""

_TABLE_TOP, _HEADER_HEIGHT, _ROW_HEIGHT, _ROWS = 3.35, 0.32, 0.52, 6


@layout("hospital_order_sheet")
def hospital_order_sheet(
    content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int
) -> Paper:
    """Hospital medication order sheet with a ruled table, one medication a row."""
    paper = Paper(8.5, 11.0, dpi, hand, rng)
    paper.printed_field(
        "practice_name", "text", content.practice_name, 0.5, 0.8, points=15, face="bold"
    )
    paper.text(0.5, 1.06, "PHYSICIAN ORDER SHEET", points=11, face="bold")
    paper.text(0.5, 1.26, "All orders must be dated, timed and signed.", points=8)
    _sticker(paper, content)
    _patient_row(paper, content)
    _order_table(paper, content)
    _footer(paper, content)
    return paper


def _sticker(paper: Paper, content: PageContent) -> None:
    left, top = 5.15, 0.55
    paper.box(left, top, 8.0, top + 1.35, points=1.0)
    rows = (
        ("Patient:", "patient_name", "name", content.patient_name),
        ("MRN:", "patient_mrn", "digits", content.patient_mrn),
        ("DOB:", "patient_dob", "date", content.patient_dob),
        ("Sex:", "patient_sex", "text", content.patient_sex),
    )
    for place, (label, name, kind, value) in enumerate(rows):
        y = top + 0.32 + 0.28 * place
        paper.text(left + 0.15, y, label, points=10, face="sans")
        paper.printed_field(name, kind, value, left + 0.95, y, points=10, face="bold")


def _patient_row(paper: Paper, content: PageContent) -> None:
    y = 2.45
    cells = (
        ("Allergies:", "allergies", "text", content.allergies, 0.5, 3.2),
        ("Weight:", "patient_weight", "text", content.patient_weight, 3.4, 5.5),
        ("Date:", "date_written", "date", content.date_written, 5.7, 8.0),
    )
    for label, name, kind, value, left, right in cells:
        _, _, start, _ = paper.text(left, y, label, points=10, face="bold")
        paper.rule(start + 0.06, y + 0.04, right, y + 0.04)
        paper.field(name, kind, value, start + 0.15, y, scale=1.2, max_width=right - start - 0.2)


def _order_table(paper: Paper, content: PageContent) -> None:
    bottom = _TABLE_TOP + _HEADER_HEIGHT + _ROW_HEIGHT * _ROWS
    for edge in [_TABLE_TOP, *(_TABLE_TOP + _HEADER_HEIGHT + _ROW_HEIGHT * i
                               for i in range(_ROWS + 1))]:  # fmt: skip
        paper.rule(0.5, edge, 8.0, edge)
    for heading, left, right in _COLUMNS:
        paper.rule(left, _TABLE_TOP, left, bottom)
        paper.text((left + right) / 2, _TABLE_TOP + 0.21, heading, points=8.5, face="bold",
                   align="middle")  # fmt: skip
    paper.rule(8.0, _TABLE_TOP, 8.0, bottom)
    for group, medication in enumerate(content.medications[:_ROWS], start=1):
        y = _TABLE_TOP + _HEADER_HEIGHT + _ROW_HEIGHT * group - 0.17
        paper.field("drug", "drug", medication.name, 1.6, y, group=group, scale=1.2,
                    max_width=1.8)  # fmt: skip
        _directions(paper, medication.dose, medication.route, medication.frequency, y, group)


def _directions(paper: Paper, dose: str, route: str, frequency: str, y: float, group: int) -> None:
    """Dose, route and frequency stand in three cells and mean one sig."""
    boxes = [
        paper.write(3.6, y, dose, scale=1.2, max_width=0.8),
        paper.write(4.6, y, route, scale=1.2, max_width=0.5),
        paper.write(5.3, y, frequency, scale=1.2, max_width=1.0),
    ]
    corners = (
        min(b[0] for b in boxes), min(b[1] for b in boxes),
        max(b[2] for b in boxes), max(b[3] for b in boxes),
    )  # fmt: skip
    paper.mark("sig", "sig", corners, f"{dose} {route} {frequency}", group=group)


def _footer(paper: Paper, content: PageContent) -> None:
    y = 7.75
    _, _, right, _ = paper.text(0.5, y, "Physician:", points=10, face="bold")
    paper.printed_field("prescriber_name", "name", content.prescriber_name, right + 0.12, y,
                        points=10)  # fmt: skip
    _, _, right, _ = paper.text(4.4, y, "NPI:", points=10, face="bold")
    paper.printed_field("prescriber_npi", "digits", content.prescriber_npi, right + 0.12, y,
                        points=10)  # fmt: skip
    y = 8.35
    _, _, right, _ = paper.text(0.5, y, "Signature:", points=10, face="bold")
    paper.rule(right + 0.08, y + 0.04, 4.2, y + 0.04)
    if content.signed:
        corners = paper.signature(right + 0.3, y + 0.03, 1.6)
        paper.mark("signature", "signature", corners)
    paper.text(0.5, 10.5, "Form 1234-A  Rev. 01/26   Page 1 of 1", points=7)
