"""Draws papers whose answers are marked, not written: circled, underlined, ticked, crossed over.

The truth of a marked field is the printed choice; "" where the marks do not say which is meant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .hands import Hand
from .pages_content import PageContent
from .pages_layouts import layout
from .pages_marks import choices, mark_choice, ticked_choices
from .pages_paper import Paper
from .pages_rows import free_hand, labelled_row, medication_lines, signature_line
from .pages_truth import MarkTruth

Corners = tuple[float, float, float, float]
_TWO, _OVER = 0.12, 0.06  # share of rows with two marks, and with a cross over the choice


def _row(
    paper: Paper, name: str, kind: str, x: float, y: float, options: tuple[str, ...], chosen: str,
    *, points: float, gap: float, boxes: bool | None = None, face: str = "sans", truth: str = "",
) -> float:  # fmt: skip
    """Draw one row of choices in a random manner and record what it says; returns its right end.

    Args:
        boxes: None for choices without boxes, else whether a box stands behind its choice.
        truth: what is true when the mark is clear; the chosen option where it is "".
    """
    rng = paper.rng
    two, over = rng.random() < _TWO, rng.random() < _OVER
    other = [one for one in options if one != chosen]
    second = other[int(rng.integers(len(other)))] if two else ""
    before = len(paper.marks)
    if boxes is not None:
        marked = (chosen, second) if two else (chosen,)
        found = ticked_choices(paper, x, y, options, marked, points=points, gap=gap, behind=boxes,
                               face=face)  # fmt: skip
        clear = not two
    else:
        style = "cross" if over else "underline" if rng.random() < 0.25 else "circle"
        found = choices(paper, x, y, options, chosen, points=points, gap=gap, face=face,
                        style=style)  # fmt: skip
        clear = not (two or over)
        if two and not over:
            found = _second(paper, before, options, chosen, second, found)
        clear = clear or (two and over)
        if two and over:
            clear = False
    if found is not None:
        paper.mark(name, kind, found, (truth or chosen) if clear else "")
    return max(one.quad_px[1][0] for one in paper.marks[before:]) / paper.dpi


def _second(
    paper: Paper, before: int, options: Sequence[str], chosen: str, second: str,
    found: Corners | None,
) -> Corners | None:  # fmt: skip
    """Mark another choice too: a circle of its own, or one loop over both when they are close."""
    rows = {one.label: one for one in paper.marks[before:]}
    box = _inches(paper, rows[second])
    mark_choice(paper, box, "circle")
    paper.marks[before:] = [
        MarkTruth(one.kind, one.label, one.label in (chosen, second), one.quad_px)
        for one in paper.marks[before:]
    ]
    if found is None:
        return box
    return (min(found[0], box[0]), min(found[1], box[1]),
            max(found[2], box[2]), max(found[3], box[3]))  # fmt: skip


def _inches(paper: Paper, mark: MarkTruth) -> Corners:
    (x0, y0), _, (x1, y1), _ = mark.quad_px
    return x0 / paper.dpi, y0 / paper.dpi, x1 / paper.dpi, y1 / paper.dpi


@layout("choice_pad")
def choice_pad(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """Small pad: sex, refills and substitution are circled in rows behind their labels."""
    paper = free_hand(Paper(5.0, 7.0, dpi, hand, rng))
    paper.printed_field("practice_name", "text", content.practice_name, 0.3, 0.45, points=12,
                        face="bold")  # fmt: skip
    paper.printed_field("prescriber_name", "name", content.prescriber_name, 0.3, 0.65, points=9)
    paper.rule(0.2, 0.78, 4.8, 0.78)
    points = float(rng.uniform(7.5, 9.5))
    labelled_row(paper, "Name", "patient_name", "name", content.patient_name, 0.3, 3.2, 1.15)
    x = paper.text(3.35, 1.15, "Sex", points=points)[2] + 0.14
    sexes = (("M", "F"), ("M", "F"), ("Male", "Female"))[int(rng.integers(3))]
    male = bool(rng.random() < 0.5)
    _row(paper, "patient_sex", "text", x, 1.15, sexes, sexes[0 if male else 1], points=points,
         gap=0.16)  # fmt: skip
    labelled_row(paper, "DOB", "patient_dob", "date", content.patient_dob, 0.3, 2.0, 1.55)
    labelled_row(paper, "Date", "date_written", "date", content.date_written, 2.2, 4.7, 1.55)
    paper.text(0.3, 2.2, "Rx", points=22, face="serif-bold")
    medication_lines(paper, content, 0.9, 2.2, 4.9, right=4.7)
    x = paper.text(0.3, 5.4, "Refills", points=points)[2] + 0.16
    numbers = ("0", "1", "2", "3", "4", "NR") if rng.random() < 0.5 else ("NR", "1", "2", "3", "4")
    chosen = numbers[int(rng.integers(len(numbers)))]
    ticks = bool(rng.random() < 0.25)
    _row(paper, "refills", "refills", x, 5.4, numbers, chosen, points=points,
         gap=float(rng.uniform(0.16, 0.22)), boxes=False if ticks else None)  # fmt: skip
    x = paper.text(0.3, 5.8, "Substitution allowed", points=points)[2] + 0.2
    may = content.substitution_allowed
    _row(paper, "substitution", "checkbox", x, 5.8, ("Yes", "No"), "Yes" if may else "No",
         points=points, gap=0.25, truth="yes" if may else "no",
         boxes=None if rng.random() < 0.6 else bool(rng.random() < 0.3))  # fmt: skip
    signature_line(paper, content, 2.4, 4.7, 6.5, "Signature")
    return paper


@layout("choice_sheet")
def choice_sheet(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """Intake sheet: boxes beside choices, choices under their labels, questions to answer."""
    paper = free_hand(Paper(8.5, 11.0, dpi, hand, rng))
    paper.text(0.7, 0.8, "OUTPATIENT PRESCRIPTION", points=15, face="serif-bold")
    paper.printed_field("practice_name", "text", content.practice_name, 7.8, 0.8, points=11,
                        face="serif", align="right")  # fmt: skip
    paper.box(0.6, 1.0, 7.9, 3.2, points=1.0)
    labelled_row(paper, "Patient name:", "patient_name", "name", content.patient_name, 0.75, 5.2,
                 1.4, points=10, face="serif", scale=1.3)  # fmt: skip
    labelled_row(paper, "Date of birth:", "patient_dob", "date", content.patient_dob, 0.75, 3.4,
                 1.9, points=10, face="serif", scale=1.2)  # fmt: skip
    x = paper.text(3.7, 1.9, "Gender:", points=10, face="serif")[2] + 0.2
    male = bool(rng.random() < 0.5)
    sexes = (("Male", "Female"), ("M", "F"), ("F", "M"))[int(rng.integers(3))]
    chosen = next(one for one in sexes if one[0] == ("M" if male else "F"))
    boxes = (None, False, True)[int(rng.integers(3))]
    _row(paper, "patient_sex", "text", x, 1.9, sexes, chosen, points=10, gap=0.3, boxes=boxes,
         face="serif")  # fmt: skip
    x = paper.text(0.75, 2.4, "Known allergies:", points=10, face="serif")[2] + 0.2
    chosen = ("No", "Yes")[int(rng.integers(2))]
    _row(paper, "allergies", "text", x, 2.4, ("No", "Yes"), chosen, points=10, gap=0.35,
         boxes=None if rng.random() < 0.5 else False, face="serif")  # fmt: skip
    labelled_row(paper, "Date:", "date_written", "date", content.date_written, 0.75, 3.4, 2.95,
                 points=10, face="serif", scale=1.2)  # fmt: skip
    paper.text(0.7, 3.8, "Rx", points=30, face="serif-bold")
    medication_lines(paper, content, 1.4, 3.8, 7.4, right=7.6, pitch=0.42, scale=1.4)
    paper.text(0.75, 8.1, "Number of refills", points=9, face="serif")
    numbers = ("0", "1", "2", "3", "4", "5", "6", "PRN")
    chosen = numbers[int(rng.integers(len(numbers)))]
    _row(paper, "refills", "refills", 0.85, 8.4, numbers, chosen, points=10,
         gap=float(rng.uniform(0.2, 0.32)), face="serif")  # fmt: skip
    x = paper.text(4.3, 8.4, "Generic substitution permitted:", points=9, face="serif")[2] + 0.2
    may = content.substitution_allowed
    _row(paper, "substitution", "checkbox", x, 8.4, ("Yes", "No"), "Yes" if may else "No",
         points=9, gap=0.25, truth="yes" if may else "no",
         boxes=None if rng.random() < 0.5 else False, face="serif")  # fmt: skip
    signature_line(paper, content, 4.0, 7.6, 9.6, "Signature of prescriber", face="serif")
    return paper
