"""Draws papers of clinics and wards: rows, a faxed request, a plain sheet, a discharge sheet."""

from __future__ import annotations

import numpy as np

from .hands import Hand
from .pages_content import PageContent
from .pages_layouts import layout
from .pages_marks import check_box, choices, rubber_stamp, strike_out, written_and_struck
from .pages_paper import Paper
from .pages_rows import (
    STRUCK_SHARE,
    free_hand,
    labelled_below,
    labelled_row,
    medication_lines,
    sign,
    signature_line,
    struck_drug,
)


@layout("row_pad")
def row_pad(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """Pad for several drugs: each has labelled rows for drug, sig, quantity and refills."""
    paper = free_hand(Paper(5.5, 8.5, dpi, hand, rng))
    paper.printed_field("practice_name", "text", content.practice_name, 0.4, 0.5, points=13,
                        face="bold")  # fmt: skip
    paper.printed_field("prescriber_name", "name", f"{content.prescriber_name}, M.D.", 0.4, 0.7,
                        points=9.5)  # fmt: skip
    for label, name, value, x in (
        ("Phone", "prescriber_phone", content.prescriber_phone, 0.4),
        ("DEA #", "prescriber_dea", content.prescriber_dea, 2.2),
        ("NPI #", "prescriber_npi", content.prescriber_npi, 3.8),
    ):
        right = paper.text(x, 0.92, label, points=7.5, face="bold")[2]
        paper.printed_field(name, "digits", value, right + 0.07, 0.92, points=7.5)
    paper.rule(0.3, 1.02, 5.2, 1.02, points=1.4)
    labelled_row(paper, "Patient Name", "patient_name", "name", content.patient_name, 0.4, 3.5, 1.4)
    labelled_row(paper, "DOB", "patient_dob", "date", content.patient_dob, 3.6, 5.15, 1.4)
    labelled_row(paper, "Address", "patient_address", "text", content.patient_address, 0.4, 3.5,
                 1.76)  # fmt: skip
    labelled_row(paper, "Date", "date_written", "date", content.date_written, 3.6, 5.15, 1.76)
    y, block = 2.1, min(1.75, 5.2 / len(content.medications))
    for group, one in enumerate(content.medications, start=1):
        tall = block / 1.75
        size = 0.72 + 0.4 * tall
        row = y + 0.36 * tall + 0.05
        if rng.random() < STRUCK_SHARE:
            written_and_struck(paper, "drug", struck_drug(content, group - 1), 1.3, row - 0.02,
                               group=0, scale=size, max_width=1.5)  # fmt: skip
            start = paper.text(0.4, row, "Rx", points=9, face="bold")[2]
            paper.rule(start + 0.05, row + 0.03, 5.15, row + 0.03)
            paper.field("drug", "drug", one.name, 3.05, row, group=group, scale=size,
                        max_width=2.0)  # fmt: skip
        else:
            labelled_row(paper, "Rx", "drug", "drug", one.drug, 0.4, 5.15, row, points=9,
                         face="bold", group=group, scale=size)  # fmt: skip
        labelled_row(paper, "Sig", "sig", "sig", one.sig, 0.4, 5.15, row + 0.4 * tall, points=9,
                     face="bold", group=group, scale=size)  # fmt: skip
        last = row + 0.8 * tall
        labelled_row(paper, "Disp", "quantity", "quantity", one.quantity, 0.4, 1.7, last, points=9,
                     face="bold", group=group, scale=size)  # fmt: skip
        x = paper.text(1.9, last, "Refill", points=9, face="bold")[2] + 0.15
        box = choices(paper, x, last, ("0", "1", "2", "3", "4", "5"), content.refills)
        if box is not None:
            paper.mark("refills", "refills", box, content.refills, group=group)
        check_box(paper, 4.35, last, "DAW", checked=not content.substitution_allowed)
        paper.rule(0.3, last + 0.2 * tall, 5.2, last + 0.2 * tall, points=0.5, gray=150)
        y += block
    signature_line(paper, content, 2.8, 5.1, 7.95, "Prescriber signature")
    if rng.random() < 0.3:
        rubber_stamp(paper, 1.4, 7.9, ("RECEIVED", content.date_written))
    return paper


@layout("refill_request")
def refill_request(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """Pharmacy's faxed refill request: everything is print but the doctor's answers."""
    paper = free_hand(Paper(8.5, 11.0, dpi, hand, rng))
    needle = bool(rng.random() < 0.4)
    one = content.medications[0]
    paper.text(4.25, 0.8, "PRESCRIPTION REFILL REQUEST", points=15, face="bold", align="middle")
    paper.text(4.25, 1.02, "Please complete, sign and fax back", points=9, align="middle")
    paper.rule(0.6, 1.15, 7.9, 1.15, points=1.5)
    rows = (
        ("Prescriber:", "prescriber_name", "name", content.prescriber_name, 0.7, 1.5),
        ("NPI:", "prescriber_npi", "digits", content.prescriber_npi, 4.6, 1.5),
        ("Practice:", "practice_name", "text", content.practice_name, 0.7, 1.8),
        ("Patient:", "patient_name", "name", content.patient_name, 0.7, 2.25),
        ("DOB:", "patient_dob", "date", content.patient_dob, 4.6, 2.25),
        ("Address:", "patient_address", "text", content.patient_address, 0.7, 2.55),
        ("Medication:", "drug", "drug", one.drug, 0.7, 3.15),
        ("Directions:", "sig", "sig", one.sig, 0.7, 3.5),
        ("Quantity:", "quantity", "quantity", one.quantity, 0.7, 3.85),
    )
    for label, name, kind, value, x, y in rows:
        paper.text(x, y, label, points=10, face="bold")
        group = 1 if name in ("drug", "sig", "quantity") else 0
        paper.printed_field(name, kind, value, x + 1.15, y, points=10.5, group=group, dots=needle)
    paper.box(0.6, 4.3, 7.9, 7.4, points=1.2)
    paper.text(0.8, 4.6, "FOR PRESCRIBER USE", points=10, face="bold")
    verdict = int(rng.integers(3))
    for place, label in enumerate(("Approved", "Denied", "Patient needs appointment")):
        check_box(paper, 0.8 + 1.6 * place, 5.0, label, checked=place == verdict, points=10,
                  side=0.15)  # fmt: skip
    x = paper.text(0.8, 5.45, "Refills authorized:", points=10)[2] + 0.25
    box = choices(paper, x, 5.45, ("0", "1", "2", "3", "4", "5", "PRN"), content.refills,
                  points=10, gap=0.3)  # fmt: skip
    if box is not None:
        paper.mark("refills", "refills", box, content.refills)
    x = paper.text(0.8, 5.9, "Generic substitution allowed?", points=10)[2] + 0.25
    said = "Yes" if content.substitution_allowed else "No"
    choices(paper, x, 5.9, ("Yes", "No"), said, points=10, gap=0.35)
    paper.text(0.8, 6.35, "Comments:", points=10)
    if rng.random() < 0.6:
        note = "see me in 3 months"
        corners = paper.write(1.8, 6.35, note, scale=1.25, max_width=5.8)
        paper.mark("notes", "paragraph", corners, note)
    paper.rule(1.75, 6.4, 7.6, 6.4)
    labelled_row(paper, "Date:", "date_written", "date", content.date_written, 5.2, 7.6, 7.1,
                 points=10, scale=1.2)  # fmt: skip
    right = paper.text(0.8, 7.1, "Signature:", points=10)[2]
    paper.rule(right + 0.08, 7.13, 4.9, 7.13)
    sign(paper, content, right + 0.3, 7.1, 1.8)
    for place in range(6):
        words = ("This fax may hold confidential health information that is meant only for the",
                 "person named above. If it reached you by mistake, destroy it and call us.",
                 "Fictional Pharmacy, 12 Sample Street", "Phone (555) 010-0100",
                 "Fax (555) 010-0101", "Page 1 of 1")[place]  # fmt: skip
        paper.text(0.7, 8.2 + 0.2 * place, words, points=8.5)
    return paper


@layout("plain_note")
def plain_note(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """A sheet without any print: everything is written, on blank, ruled or squared paper."""
    paper = free_hand(Paper(5.0, 7.0, dpi, hand, rng))
    ground = int(rng.integers(3))
    tint = int(rng.integers(185, 225))
    pitch = 0.28 if ground == 1 else 0.2
    if ground:
        for step in range(1, int(7.0 / pitch)):
            paper.rule(0.0, step * pitch, 5.0, step * pitch, points=0.4, gray=tint)
    if ground == 2:
        for step in range(1, int(5.0 / pitch)):
            paper.rule(step * pitch, 0.0, step * pitch, 7.0, points=0.4, gray=tint)
    paper.field("prescriber_name", "name", content.prescriber_name, 0.5, 0.6, prefix="Dr",
                scale=1.2, max_width=4.0)  # fmt: skip
    paper.field("date_written", "date", content.date_written, 3.3, 1.0, scale=1.1, max_width=1.5)
    paper.field("patient_name", "name", content.patient_name, 0.5, 1.4, prefix="for", scale=1.2,
                max_width=4.0)  # fmt: skip
    bottom = medication_lines(paper, content, 0.6, 2.0, 5.7, right=4.8, pitch=0.37, scale=1.25)
    sign(paper, content, 2.6, min(6.6, bottom + 0.45), 1.6)
    return paper


_DISCHARGE = (
    ("Medication", 0.5, 2.7), ("Dose", 2.7, 3.6), ("Route", 3.6, 4.25), ("Frequency", 4.25, 5.45),
    ("Qty", 5.45, 6.05), ("New", 6.05, 6.6), ("Stop", 6.6, 7.2), ("Initials", 7.2, 8.0),
)  # fmt: skip


@layout("discharge_sheet")
def discharge_sheet(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """Discharge medication list: a table without side rules, with boxes to tick in its rows."""
    paper = free_hand(Paper(8.5, 11.0, dpi, hand, rng))
    paper.printed_field("practice_name", "text", content.practice_name, 4.25, 0.75, points=15,
                        face="serif-bold", align="middle")  # fmt: skip
    paper.text(4.25, 1.0, "Discharge Medication List", points=12, face="serif", align="middle")
    labelled_row(paper, "Patient name:", "patient_name", "name", content.patient_name, 0.5, 4.4,
                 1.55, points=10, scale=1.2)  # fmt: skip
    labelled_row(paper, "MRN:", "patient_mrn", "digits", content.patient_mrn, 4.6, 6.2, 1.55,
                 points=10, scale=1.2)  # fmt: skip
    labelled_row(paper, "DOB:", "patient_dob", "date", content.patient_dob, 6.3, 8.0, 1.55,
                 points=10, scale=1.1)  # fmt: skip
    labelled_row(paper, "Allergies:", "allergies", "text", content.allergies, 0.5, 4.4, 2.0,
                 points=10, scale=1.2)  # fmt: skip
    labelled_row(paper, "Weight:", "patient_weight", "text", content.patient_weight, 4.6, 6.2, 2.0,
                 points=10, scale=1.2)  # fmt: skip
    top, height = 2.4, 0.5
    paper.rule(0.5, top, 8.0, top, points=1.4)
    for heading, left, _ in _DISCHARGE:
        paper.text(left + 0.05, top + 0.2, heading, points=9, face="bold")
    paper.rule(0.5, top + 0.3, 8.0, top + 0.3, points=0.9)
    row_of = top + 0.3 + height - 0.15
    struck = int(rng.integers(0, 5)) if rng.random() < 0.3 else -1
    for group, one in enumerate(content.medications, start=1):
        cells = (
            ("drug", one.name, 0.6, 2.0), ("", one.dose, 2.78, 0.75), ("", one.route, 3.66, 0.5),
            ("", one.frequency, 4.32, 1.05), ("quantity", one.quantity, 5.53, 0.45),
        )  # fmt: skip
        written = [paper.write(x, row_of, text, scale=1.15, max_width=wide)
                   for _, text, x, wide in cells]  # fmt: skip
        crossed = group - 1 == struck
        first = len(paper.fields)
        paper.mark("drug", "drug", written[0], one.name, group=0 if crossed else group)
        around = (written[1][0], min(b[1] for b in written[1:4]), written[3][2],
                  max(b[3] for b in written[1:4]))  # fmt: skip
        paper.mark("sig", "sig", around, f"{one.dose} {one.route} {one.frequency}",
                   group=0 if crossed else group)  # fmt: skip
        paper.mark("quantity", "quantity", written[4], one.quantity, group=0 if crossed else group)
        check_box(paper, 6.2, row_of + 0.02, "", checked=bool(rng.random() < 0.4), side=0.14)
        check_box(paper, 6.75, row_of + 0.02, "", checked=crossed, side=0.14)
        if crossed:
            whole = (written[0][0], min(b[1] for b in written), written[4][2],
                     max(b[3] for b in written))  # fmt: skip
            strike_out(paper, whole)
            paper.struck_since(first, lines=len(cells))
        row_of += height
    for row in range(1, 9):
        level = top + 0.3 + height * row
        paper.rule(0.5, level, 8.0, level, points=0.5, gray=130)
    labelled_row(paper, "Prescriber:", "prescriber_name", "name", content.prescriber_name, 0.5,
                 4.3, 7.6, points=10, scale=1.2)  # fmt: skip
    labelled_row(paper, "Date:", "date_written", "date", content.date_written, 5.6, 8.0, 7.6,
                 points=10, scale=1.2)  # fmt: skip
    signature_line(paper, content, 4.8, 8.0, 8.4, "Signature of prescriber", points=9)
    return paper


@layout("dental_pad")
def dental_pad(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """Dentist's landscape pad: labels under their rules, two columns, refills by a number."""
    paper = free_hand(Paper(5.5, 4.25, dpi, hand, rng))
    paper.printed_field("practice_name", "text", content.practice_name, 0.3, 0.38, points=11,
                        face="serif-bold")  # fmt: skip
    paper.printed_field("prescriber_name", "name", f"{content.prescriber_name}, DDS", 5.2, 0.38,
                        points=10, face="serif-bold", align="right")  # fmt: skip
    paper.text(0.3, 0.54, content.practice_address, points=7, face="serif")
    right = paper.text(3.7, 0.54, "Tel", points=7, face="serif")[2]
    paper.printed_field("prescriber_phone", "digits", content.prescriber_phone, right + 0.06, 0.54,
                        points=7, face="serif")  # fmt: skip
    paper.rule(0.25, 0.62, 5.25, 0.62, points=1.0)
    labelled_below(paper, "Patient name", "patient_name", "name", content.patient_name, 0.3, 2.9,
                   0.98)  # fmt: skip
    labelled_below(paper, "Date of birth", "patient_dob", "date", content.patient_dob, 3.0, 4.1,
                   0.98)  # fmt: skip
    labelled_below(paper, "Date", "date_written", "date", content.date_written, 4.2, 5.2, 0.98)
    paper.text(0.3, 1.5, "Rx", points=20, face="serif-bold")
    bottom = 3.05
    medication_lines(paper, content, 0.9, 1.4, bottom, right=5.1, quantity="Disp {}", pitch=0.3,
                     scale=1.05)  # fmt: skip
    start = paper.text(0.3, 3.45, "Refills", points=8)[2]
    paper.rule(start + 0.05, 3.47, 1.4, 3.47)
    paper.field("refills", "refills", content.refills, start + 0.2, 3.45)
    check_box(paper, 1.7, 3.45, "Generic", checked=content.substitution_allowed)
    check_box(paper, 2.6, 3.45, "Brand only", checked=not content.substitution_allowed)
    signature_line(paper, content, 2.9, 5.2, 3.85, "Dentist's signature")
    return paper


@layout("chart_blocks")
def chart_blocks(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """Ward chart: a framed block a drug, small labels in the corners of its cells."""
    paper = free_hand(Paper(8.27, 11.69, dpi, hand, rng))
    paper.printed_field("practice_name", "text", content.practice_name, 0.5, 0.7, points=14,
                        face="bold")  # fmt: skip
    paper.text(0.5, 0.95, "INPATIENT PRESCRIPTION CHART", points=11, face="bold")
    paper.box(4.6, 0.45, 7.8, 1.5, points=1.0)
    for label, name, kind, value, y in (
        ("Name", "patient_name", "name", content.patient_name, 0.72),
        ("DOB", "patient_dob", "date", content.patient_dob, 1.04),
        ("Hospital No", "patient_mrn", "digits", content.patient_mrn, 1.36),
    ):
        labelled_row(paper, label, name, kind, value, 4.7, 7.7, y, points=8.5, rule=False)
    labelled_row(paper, "Allergies", "allergies", "text", content.allergies, 0.5, 3.6, 1.4,
                 points=9, face="bold")  # fmt: skip
    y = 1.85
    for group, one in enumerate(content.medications, start=1):
        right, middle, bottom = 7.8, y + 0.55, y + 1.15
        paper.box(0.5, y, right, bottom, points=1.0)
        paper.rule(0.5, middle, right, middle)
        for x in (4.2, 5.9):
            paper.rule(x, y, x, middle)
        for x in (2.0, 4.2, 5.9):
            paper.rule(x, middle, x, bottom)
        cells = (
            ("Drug", "drug", "drug", one.drug, 0.5, 4.2, y),
            ("Dose", "strength", "strength", one.dose, 4.2, 5.9, y),
            ("Route", "unnamed", "text", one.route, 5.9, right, y),
            ("Frequency", "unnamed", "text", one.frequency, 0.5, 2.0, middle),
            ("Directions", "sig", "sig", one.sig, 2.0, 4.2, middle),
            ("Quantity", "quantity", "quantity", one.quantity, 4.2, 5.9, middle),
            ("Signature", "", "", "", 5.9, right, middle),
        )
        for label, name, kind, value, left, end, top in cells:
            paper.text(left + 0.05, top + 0.13, label, points=7)
            if not value:
                continue
            corners = paper.write(left + 0.15, top + 0.43, value, scale=1.1,
                                  max_width=end - left - 0.25)  # fmt: skip
            paper.mark(name, kind, corners, value, group=0 if name == "unnamed" else group)
        if content.signed:
            signed = paper.signature(6.1, bottom - 0.08, 1.2)
            paper.mark("unnamed", "signature", signed)
        y = bottom + 0.25
    labelled_row(paper, "Prescriber", "prescriber_name", "name", content.prescriber_name, 0.5, 4.0,
                 10.6, points=9)  # fmt: skip
    labelled_row(paper, "Date", "date_written", "date", content.date_written, 4.6, 7.6, 10.6,
                 points=9)  # fmt: skip
    return paper
