"""Draws a free-form letterhead note: printed head, one row of patient labels, numbered lines."""

from __future__ import annotations

import numpy as np

from .hands import Hand
from .pages_content import PageContent
from .pages_layouts import layout
from .pages_paper import Paper


@layout("letterhead_note")
def letterhead_note(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """A5 clinic letterhead; drug and directions on lines of their own under a printed Rx."""
    paper = Paper(5.83, 8.27, dpi, hand, rng)
    _head(paper, content)
    _patient_row(paper, content)
    paper.text(0.5, 2.72, "Rx", points=30, face="serif-bold")
    _numbered_lines(paper, content)
    _foot(paper, content)
    return paper


def _head(paper: Paper, content: PageContent) -> None:
    name = content.prescriber_name.removesuffix(", M.D.")
    paper.printed_field("prescriber_name", "name", f"Dr. {name}, MD", 0.5, 0.62, points=12.5,
                        face="serif-bold")  # fmt: skip
    paper.text(0.5, 0.82, content.specialty, points=8.5, face="serif")
    paper.printed_field("practice_name", "text", content.practice_name, 5.35, 0.62, points=10,
                        face="serif-bold", align="right")  # fmt: skip
    paper.text(5.35, 0.80, content.practice_address, points=8, face="serif", align="right")
    _, _, right, _ = paper.text(3.72, 0.97, "Phone:", points=8, face="serif")
    paper.printed_field("prescriber_phone", "digits", content.prescriber_phone, right + 0.06,
                        0.97, points=8, face="serif")  # fmt: skip
    _, _, right, _ = paper.text(0.5, 0.99, "NPI:", points=8, face="serif")
    paper.printed_field("prescriber_npi", "digits", content.prescriber_npi, right + 0.06, 0.99,
                        points=8, face="serif")  # fmt: skip
    paper.rule(0.4, 1.12, 5.43, 1.12, points=1.5, gray=50)


def _patient_row(paper: Paper, content: PageContent) -> None:
    rows = (
        (1.52, "Patient:", "patient_name", "name", content.patient_name, 0.5, 3.3),
        (1.52, "Date:", "date_written", "date", content.date_written, 3.4, 5.35),
        (1.95, "Age:", "patient_age", "text", content.patient_age, 0.5, 1.5),
        (1.95, "Sex:", "patient_sex", "text", content.patient_sex, 1.7, 2.6),
        (1.95, "Wt:", "patient_weight", "text", content.patient_weight, 2.8, 4.3),
    )
    for y, label, name, kind, value, left, right in rows:
        _, _, start, _ = paper.text(left, y, label, points=9.5, face="serif")
        paper.field(name, kind, value, start + 0.12, y, scale=1.1,
                    max_width=right - start - 0.15)  # fmt: skip
    paper.rule(0.4, 2.15, 5.43, 2.15, points=0.8)


def _numbered_lines(paper: Paper, content: PageContent) -> None:
    y = 3.05
    for group, medication in enumerate(content.medications, start=1):
        left = 1.0 + float(paper.rng.uniform(-0.04, 0.04))
        paper.field("drug", "drug", medication.drug, left, y, group=group, scale=1.15,
                    prefix=f"{group})", max_width=4.3)  # fmt: skip
        y += 0.34
        paper.field("sig", "sig", medication.sig, left + 0.35, y, group=group, scale=1.15,
                    max_width=3.9)  # fmt: skip
        y += 0.34
        paper.field("quantity", "quantity", f"#{medication.quantity}", left + 0.35, y,
                    group=group, scale=1.15)  # fmt: skip
        y += 0.52


def _foot(paper: Paper, content: PageContent) -> None:
    y = 7.45
    paper.rule(3.1, y, 5.35, y)
    paper.text(4.22, y + 0.16, "Signature", points=8, face="serif", align="middle")
    if content.signed:
        corners = paper.signature(3.4, y - 0.01, 1.5)
        paper.mark("signature", "signature", corners)
    paper.text(2.915, 8.0, "Please bring this paper to your next visit.", points=7.5,
               face="serif", align="middle")  # fmt: skip
