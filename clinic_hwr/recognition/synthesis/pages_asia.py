"""Draws clinic papers as used in India and the Philippines."""

from __future__ import annotations

import numpy as np

from .hands import Hand
from .pages_content import PageContent
from .pages_layouts import layout
from .pages_marks import arrow, rubber_stamp, written_and_struck
from .pages_paper import Paper
from .pages_rows import STRUCK_SHARE, free_hand, labelled_row, sign, signature_line, struck_drug


@layout("indian_letterhead")
def indian_letterhead(
    content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int
) -> Paper:
    """Indian letterhead: a margin of findings, numbered lines with the directions behind."""
    paper = free_hand(Paper(5.83, 8.27, dpi, hand, rng))
    paper.printed_field("prescriber_name", "name", f"Dr. {content.prescriber_name}", 0.4, 0.5,
                        points=13, face="bold")  # fmt: skip
    paper.text(0.4, 0.68, f"M.B.B.S., M.D. ({content.specialty})", points=8)
    paper.text(0.4, 0.82, f"Reg. No. {content.patient_mrn[:5]}", points=7.5)
    paper.printed_field("practice_name", "text", content.practice_name, 5.45, 0.5, points=9.5,
                        face="bold", align="right")  # fmt: skip
    paper.text(5.45, 0.66, content.practice_address, points=7, align="right")
    right = paper.text(3.9, 0.82, "Ph:", points=7.5)[2]
    paper.printed_field("prescriber_phone", "digits", content.prescriber_phone, right + 0.06, 0.82,
                        points=7.5)  # fmt: skip
    paper.rule(0.3, 0.95, 5.53, 0.95, points=1.3)
    cells = (
        ("Name", "patient_name", "name", content.patient_name, 0.4, 2.6),
        ("Age", "patient_age", "text", content.patient_age, 2.68, 3.35),
        ("Sex", "patient_sex", "text", content.patient_sex, 3.42, 3.95),
        ("Wt", "patient_weight", "text", content.patient_weight, 4.02, 4.75),
    )
    for label, name, kind, value, left, end in cells:
        labelled_row(paper, label, name, kind, value, left, end, 1.25, points=8, scale=0.95)
    labelled_row(paper, "Date", "date_written", "date", content.date_written, 3.9, 5.45, 1.58,
                 points=8)  # fmt: skip
    paper.rule(1.45, 1.75, 1.45, 7.0, points=0.6)
    for place, label in enumerate(("C/O", "O/E", "BP", "Inv", "Dx")):
        paper.text(0.4, 2.05 + 0.75 * place, label, points=8, face="bold")
    for place, text in enumerate(("fever 3 d", "chest clear", "120/80")):
        if rng.random() < 0.6:
            paper.field("unnamed", "text", text, 0.5, 2.35 + 0.75 * place, scale=0.9,
                        max_width=0.9)  # fmt: skip
    paper.text(1.6, 2.2, "Rx", points=24, face="serif-bold")
    _numbered(paper, content, y=2.65)
    paper.text(0.4, 7.3, "Review after", points=8)
    if rng.random() < 0.5:
        paper.field("unnamed", "text", "1 week", 1.2, 7.3)
    signature_line(paper, content, 3.6, 5.4, 7.35, "Signature")
    if rng.random() < 0.4:
        rubber_stamp(paper, 4.5, 6.85, (content.practice_name.split()[0].upper(), "CLINIC"),
                     round_rim=True)  # fmt: skip
    return paper


def _numbered(paper: Paper, content: PageContent, *, y: float) -> None:
    step = min(0.5, 4.0 / (2 * len(content.medications) + 1))
    if paper.rng.random() < STRUCK_SHARE:
        written_and_struck(paper, "drug", struck_drug(content, 0), 1.7, y, group=0)
        y += step
    for group, one in enumerate(content.medications, start=1):
        paper.field("drug", "drug", f"T. {one.name} {one.dose}", 1.65, y, group=group,
                    prefix=f"{group})", scale=1.1, max_width=3.7)  # fmt: skip
        y += step
        if paper.rng.random() < 0.5:
            arrow(paper, 1.95, y - 0.05, 0.4)
        paper.field("sig", "sig", one.sig, 2.45, y, group=group, scale=1.0, max_width=2.9)
        y += 1.15 * step


@layout("philippine_pad")
def philippine_pad(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """Philippine pad: a very large gray Rx under the writing, licence numbers at the foot."""
    paper = free_hand(Paper(4.25, 6.5, dpi, hand, rng))
    paper.printed_field("prescriber_name", "name", f"{content.prescriber_name}, M.D.", 2.125, 0.42,
                        points=13, face="serif-bold", align="middle")  # fmt: skip
    paper.text(2.125, 0.58, content.specialty.upper(), points=7.5, face="serif", align="middle")
    paper.printed_field("practice_name", "text", content.practice_name, 2.125, 0.74, points=9,
                        face="serif", align="middle")  # fmt: skip
    paper.text(2.125, 0.88, content.practice_address, points=7, face="serif", align="middle")
    paper.rule(0.2, 0.98, 4.05, 0.98, points=1.6, gray=90)
    rows = (
        ("Name:", "patient_name", "name", content.patient_name, 0.25, 2.95, 1.28),
        ("Age:", "patient_age", "text", content.patient_age, 3.02, 3.55, 1.28),
        ("Sex:", "patient_sex", "text", content.patient_sex, 3.58, 4.05, 1.28),
        ("Address:", "patient_address", "text", content.patient_address, 0.25, 2.75, 1.6),
        ("Date:", "date_written", "date", content.date_written, 2.82, 4.05, 1.6),
    )
    for label, name, kind, value, left, right, y in rows:
        labelled_row(paper, label, name, kind, value, left, right, y, face="serif", scale=0.95)
    paper.text(0.25, 2.75, "Rx", points=70, face="serif-bold", gray=int(rng.integers(150, 205)))
    y = 2.35 + float(rng.uniform(0.0, 0.3))
    step = min(0.36, (5.2 - y) / (2 * len(content.medications) + 0.6))
    scale = max(0.75, min(1.1, step / 0.3))
    for group, one in enumerate(content.medications, start=1):
        left = 0.95 + float(rng.uniform(0.0, 0.2))
        paper.field("drug", "drug", one.drug, left, y, group=group, scale=scale, max_width=2.35)
        paper.field("quantity", "quantity", f"#{one.quantity}", 3.5, y, group=group, scale=scale,
                    max_width=0.6)  # fmt: skip
        y += step
        paper.field("sig", "sig", one.sig, left + 0.15, y, group=group, scale=scale,
                    prefix="Sig:", max_width=2.9)  # fmt: skip
        y += 1.2 * step
    paper.rule(2.1, 5.72, 4.0, 5.72)
    paper.text(4.0, 5.84, "M.D.", points=8, face="serif", align="right")
    sign(paper, content, 2.3, 5.7, 1.3)
    for place, (label, value) in enumerate(
        (("Lic. No.", content.patient_mrn[:6]), ("PTR No.", content.patient_mrn), ("S2 No.", ""))
    ):
        right = paper.text(2.15, 5.98 + 0.15 * place, label, points=7.5, face="serif")[2]
        paper.rule(right + 0.04, 6.0 + 0.15 * place, 4.0, 6.0 + 0.15 * place)
        if value:
            paper.text(right + 0.1, 5.98 + 0.15 * place, value, points=7.5)
    return paper
