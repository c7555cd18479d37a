"""Draws a fill-in prescription form: combs for dates, identifiers and quantities, a notes block.

As insurers and health services print them: one character a cell, labels above or beside.
"""

from __future__ import annotations

import numpy as np

from .hands import Hand
from .pages_content import PageContent
from .pages_layouts import layout
from .pages_paper import Paper

STYLES = ("boxes", "gapped", "ticks")
_NOTES = (
    "call me if the rash comes back",
    "please counsel on side effects and driving",
    "patient cannot swallow tablets",
    "was on this drug last year with no problems",
)


@layout("boxed_form")
def boxed_form(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """Fill-in form with combs; a date has three runs of cells or one of eight."""
    paper = Paper(6.5, 8.0, dpi, hand, rng)
    style = STYLES[int(rng.integers(len(STYLES)))]
    paper.printed_field(
        "practice_name", "text", content.practice_name, 0.4, 0.5, points=13, face="bold"
    )
    paper.printed_field(
        "prescriber_name", "name", content.prescriber_name, 0.4, 0.75, points=10, face="bold"
    )
    paper.rule(0.4, 0.88, 6.1, 0.88, points=1.2, gray=40)
    _prescriber(paper, content, style)
    _patient(paper, content, style, together=bool(rng.random() < 0.5))
    _medication(paper, content, style)
    _notes(paper, _NOTES[int(rng.integers(len(_NOTES)))])
    _signature(paper, content)
    return paper


def packed_date(text: str) -> str:
    """Eight digits of a date with slashes: ``4/12/1988`` -> ``04121988``."""
    month, day, year = text.split("/")
    return f"{int(month):02d}{int(day):02d}{year}"


def _prescriber(paper: Paper, content: PageContent, style: str) -> None:
    paper.text(0.4, 1.15, "NPI", points=8.5)
    paper.comb("prescriber_npi", "digits", content.prescriber_npi, 0.75, 0.98, cells=[10],
               style=style)  # fmt: skip
    paper.text(3.25, 1.15, "DEA #", points=8.5)
    paper.comb("prescriber_dea", "digits", content.prescriber_dea, 3.75, 0.98, cells=[9],
               style=style)  # fmt: skip


def _patient(paper: Paper, content: PageContent, style: str, *, together: bool) -> None:
    y = 1.78
    _, _, right, _ = paper.text(0.4, y, "Patient name", points=8.5)
    paper.rule(right + 0.06, y + 0.03, 6.1, y + 0.03)
    paper.field("patient_name", "name", content.patient_name, right + 0.2, y, scale=1.2,
                max_width=3.5)  # fmt: skip
    runs = [8] if together else [2, 2, 4]
    paper.text(0.4, 2.12, "Date of birth (MM DD YYYY)", points=8)
    paper.comb("patient_dob", "date", packed_date(content.patient_dob), 0.4, 2.18, cells=runs,
               style=style)  # fmt: skip
    paper.text(3.6, 2.12, "Date written", points=8)
    paper.comb("date_written", "date", packed_date(content.date_written), 3.6, 2.18, cells=runs,
               style=style)  # fmt: skip


def _medication(paper: Paper, content: PageContent, style: str) -> None:
    medication = content.medications[0]
    y = 3.0
    for label, name, value, scale in (
        ("Medication", "drug", medication.drug, 1.3),
        ("Directions", "sig", medication.sig, 1.2),
    ):
        _, _, right, _ = paper.text(0.4, y, label, points=8.5, face="bold")
        paper.rule(right + 0.06, y + 0.03, 6.1, y + 0.03)
        paper.field(name, name, value, right + 0.2, y, group=1, scale=scale,
                    max_width=5.5 - right)  # fmt: skip
        y += 0.45
    paper.text(0.4, y + 0.17, "Quantity", points=8.5, face="bold")
    paper.comb("quantity", "quantity", medication.quantity.rjust(3), 1.15, y, cells=[3],
               style=style, group=1)  # fmt: skip


def _notes(paper: Paper, text: str) -> None:
    """A frame with a label in its upper left corner and two or three lines of writing."""
    top, bottom = 4.65, 6.35
    paper.box(0.4, top, 6.1, bottom)
    paper.text(0.5, top + 0.17, "Notes", points=8.5)
    words, lines, line = text.split(), [], ""
    for word in words:
        if len(line) + len(word) > 16:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    lines.append(line)
    boxes = [
        paper.write(0.9, top + 0.42 + 0.36 * number, one, scale=1.25, max_width=4.9)
        for number, one in enumerate(lines)
    ]
    corners = (
        min(b[0] for b in boxes), min(b[1] for b in boxes),
        max(b[2] for b in boxes), max(b[3] for b in boxes),
    )  # fmt: skip
    paper.mark("notes", "paragraph", corners, text)


def _signature(paper: Paper, content: PageContent) -> None:
    y = 7.2
    _, _, right, _ = paper.text(0.4, y, "Signature:", points=10, face="bold")
    paper.rule(right + 0.08, y + 0.04, 4.2, y + 0.04)
    if content.signed:
        corners = paper.signature(right + 0.3, y + 0.03, 1.6)
        paper.mark("signature", "signature", corners)
