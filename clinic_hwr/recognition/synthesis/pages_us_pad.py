"""Draws a US prescription pad: 4.25 x 5.5 in, header, underlined rows, Rx area, refills, signature.

The drawing keeps the printed parts where ``clinic_hwr/pages/forms/us_pad.json`` says they are,
so that the pad is also a known form.
"""

from __future__ import annotations

import cv2
import numpy as np

from .hands import Hand
from .pages_content import PageContent
from .pages_layouts import layout
from .pages_paper import Paper


@layout("us_pad")
def us_pad(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """US prescription pad with one to three medications."""
    paper = Paper(4.25, 5.5, dpi, hand, rng)
    if rng.random() < 0.5:
        _pantograph(paper)
    _header(paper, content)
    _patient_rows(paper, content)
    paper.text(0.28, 2.42, "Rx", points=26, face="serif-bold")
    _medications(paper, content)
    _refills(paper, content)
    _signatures(paper, content)
    return paper


def _pantograph(paper: Paper) -> None:
    tint = int(paper.rng.integers(226, 244))
    height, width = paper.ink.shape
    for start in range(-height, width, paper.px(0.11)):
        cv2.line(paper.ink, (start, 0), (start + height, height), tint, 1)


def _header(paper: Paper, content: PageContent) -> None:
    paper.printed_field(
        "practice_name", "text", content.practice_name, 2.125, 0.36, points=12, face="serif-bold",
        align="middle",
    )  # fmt: skip
    paper.printed_field(
        "prescriber_name", "name", content.prescriber_name, 2.125, 0.56, points=9.5, face="bold",
        align="middle",
    )  # fmt: skip
    paper.text(2.125, 0.71, content.specialty, points=7, align="middle")
    paper.text(2.125, 0.84, content.practice_address, points=7, align="middle")
    rows = (
        ("Tel:", "prescriber_phone", content.prescriber_phone, 0.28),
        ("DEA:", "prescriber_dea", content.prescriber_dea, 1.72),
        ("NPI:", "prescriber_npi", content.prescriber_npi, 2.93),
    )
    for label, name, value, x in rows:
        _, _, right, _ = paper.text(x, 1.03, label, points=7.5)
        paper.printed_field(name, "digits", value, right + 0.06, 1.03, points=7.5)
    paper.rule(0.2, 1.13, 4.05, 1.13, points=1.2, gray=40)


def _patient_rows(paper: Paper, content: PageContent) -> None:
    rows = (
        (1.46, "Name", "patient_name", "name", content.patient_name, 0.28, 2.75),
        (1.46, "DOB", "patient_dob", "date", content.patient_dob, 2.85, 4.02),
        (1.82, "Address", "patient_address", "text", content.patient_address, 0.28, 2.75),
        (1.82, "Date", "date_written", "date", content.date_written, 2.85, 4.02),
    )
    for y, label, name, kind, value, left, right in rows:
        _, _, start, _ = paper.text(left, y, label, points=8)
        paper.rule(start + 0.05, y + 0.02, right, y + 0.02)
        width = right - start - 0.16
        paper.field(name, kind, value, start + 0.11, y - 0.005, max_width=width)


def _medications(paper: Paper, content: PageContent) -> None:
    count = len(content.medications)
    pitch = {1: 0.33, 2: 0.27, 3: 0.205}.get(count, 0.2)
    gap = {1: 0.3, 2: 0.22, 3: 0.10}.get(count, 0.1)
    scale = {1: 1.15, 2: 1.0, 3: 0.85}.get(count, 0.8)
    y = 2.42
    for group, medication in enumerate(content.medications, start=1):
        left = 0.85 + float(paper.rng.uniform(-0.05, 0.1))
        paper.field("drug", "drug", medication.drug, left, y, group=group, scale=scale,
                    max_width=3.0)  # fmt: skip
        y += pitch
        paper.field("sig", "sig", medication.sig, left + 0.12, y, group=group, scale=scale,
                    max_width=2.9)  # fmt: skip
        y += pitch
        paper.field("quantity", "quantity", "#" + medication.quantity, left + 0.12, y,
                    group=group, scale=scale)  # fmt: skip
        y += pitch + gap


def _refills(paper: Paper, content: PageContent) -> None:
    y = 4.72
    _, _, x, _ = paper.text(0.28, y, "Refill", points=8)
    x += 0.16
    for choice in ("0", "1", "2", "3", "4", "5", "NR"):
        box = paper.text(x, y, choice, points=8)
        if choice == content.refills:
            paper.circle(*box)
            paper.mark("refills", "refills", box, choice)
        x = box[2] + 0.17


def _signatures(paper: Paper, content: PageContent) -> None:
    y = 5.16
    sides = ((0.28, 2.0, "Dispense as written"), (2.3, 4.02, "Substitution permitted"))
    for left, right, label in sides:
        paper.rule(left, y, right, y)
        paper.text((left + right) / 2, y + 0.12, label, points=6.5, align="middle")
    if not content.signed:
        return
    left, right, _ = sides[1 if content.substitution_allowed else 0]
    corners = paper.signature(left + 0.2, y - 0.01, right - left - 0.5)
    paper.mark("signature", "signature", corners)
