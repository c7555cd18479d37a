"""Pieces that several layouts share: a labelled row, a medication in lines, a signature line."""

from __future__ import annotations

from .pages_content import MedicationContent, PageContent
from .pages_marks import written_and_struck
from .pages_paper import Paper

STRUCK_SHARE = 0.15
"""Share of pages on which the prescriber first wrote another drug and crossed it out."""


def free_hand(paper: Paper) -> Paper:
    """Let this page's rows of writing climb or fall a little, each somewhat differently."""
    paper.row_slope_deg = float(paper.rng.normal(0.0, 0.7))
    paper.row_jitter_deg = float(paper.rng.uniform(0.1, 0.8))
    return paper


def labelled_row(
    paper: Paper,
    label: str,
    name: str,
    kind: str,
    value: str,
    left: float,
    right: float,
    y: float,
    *,
    points: float = 8.5,
    face: str = "sans",
    rule: bool = True,
    group: int = 0,
    scale: float = 1.05,
) -> None:
    """Print a label at ``left``, a rule up to ``right``, and write the value on it."""
    start = paper.text(left, y, label, points=points, face=face)[2]
    if rule:
        paper.rule(start + 0.05, y + 0.03, right, y + 0.03)
    paper.field(name, kind, value, start + 0.12, y - 0.005, group=group, scale=scale,
                max_width=right - start - 0.16)  # fmt: skip


def labelled_below(
    paper: Paper,
    label: str,
    name: str,
    kind: str,
    value: str,
    left: float,
    right: float,
    y: float,
    *,
    points: float = 6.5,
    face: str = "sans",
) -> None:
    """Write a value on a rule at ``y`` whose label is printed small under it."""
    paper.rule(left, y, right, y)
    paper.text(left + 0.02, y + 0.11, label, points=points, face=face)
    paper.field(name, kind, value, left + 0.1, y - 0.03, max_width=right - left - 0.15)


def signature_line(
    paper: Paper, content: PageContent, left: float, right: float, y: float, label: str,
    *, points: float = 7.0, face: str = "sans",
) -> None:  # fmt: skip
    """Draw a line with a label under it, signed or not."""
    paper.rule(left, y, right, y)
    paper.text((left + right) / 2, y + 0.13, label, points=points, face=face, align="middle")
    sign(paper, content, left + 0.2, y - 0.01, right - left - 0.5)


def sign(paper: Paper, content: PageContent, x: float, y: float, width: float) -> None:
    """Sign at a place when the content says so."""
    if content.signed:
        paper.mark("signature", "signature", paper.signature(x, y, width))


def struck_drug(content: PageContent, number: int) -> str:
    """Return a drug that was first written and then crossed out: a neighbour's of ``number``."""
    other = content.medications[(number + 1) % len(content.medications)]
    return other.name if len(content.medications) > 1 else "Ampicillin 250 mg"


def medication_lines(
    paper: Paper,
    content: PageContent,
    x: float,
    y: float,
    bottom: float,
    *,
    right: float,
    numbered: str = "",
    quantity: str = "#{}",
    sig: str = "{}",
    pitch: float = 0.32,
    scale: float = 1.15,
) -> float:
    """Write every medication as a drug line, a sig line and a quantity line of their own.

    Args:
        paper, content: what to write on and what.
        x, y: left edge and first baseline in inches.
        bottom: no baseline may be below; the rows are closed up to fit.
        right: right edge in inches.
        numbered: prefix of a drug line, with ``{}`` for its number.
        quantity, sig: how they are written; "" leaves the quantity out.
        pitch: distance of baselines where there is room.
        scale: size of the writing where there is room.

    Returns:
        The baseline after the last line.
    """
    crossed = bool(paper.rng.random() < STRUCK_SHARE)
    rows = float((3 if quantity else 2) * len(content.medications) + crossed)
    rows += 0.45 * (len(content.medications) - 1)
    step = min(pitch, (bottom - y) / max(1.0, rows - 1))
    scale = scale * max(0.62, min(1.0, step / 0.29))
    indent = float(paper.rng.uniform(0.0, 0.4))
    if crossed:
        written_and_struck(paper, "drug", struck_drug(content, 0), x, y, group=0, scale=scale,
                           max_width=right - x)  # fmt: skip
        y += step
    for group, one in enumerate(content.medications, start=1):
        start = x + float(paper.rng.uniform(-0.04, 0.06))
        paper.field("drug", "drug", one.drug, start, y, group=group, scale=scale,
                    prefix=numbered.format(group), max_width=right - start)  # fmt: skip
        y = _directions(paper, one, start + indent, y + step, right, group, scale, step, sig)
        if quantity:
            paper.field("quantity", "quantity", quantity.format(one.quantity), start + indent, y,
                        group=group, scale=scale, max_width=right - start - indent)  # fmt: skip
            y += step
        y += 0.45 * step
    return y


def _directions(
    paper: Paper, one: MedicationContent, x: float, y: float, right: float, group: int,
    scale: float, step: float, sig: str,
) -> float:  # fmt: skip
    paper.field("sig", "sig", sig.format(one.sig), x, y, group=group, scale=scale,
                max_width=right - x)  # fmt: skip
    return y + step
