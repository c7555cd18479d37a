"""The place for drugs on a composed form, in five manners; each returns where it ends."""

from __future__ import annotations

from collections.abc import Callable

from .composed_style import Style, dots
from .pages_content import PageContent
from .pages_marks import written_and_struck
from .pages_paper import Paper
from .pages_rows import STRUCK_SHARE, medication_lines, struck_drug

DrugPart = Callable[[Paper, PageContent, Style, float, float, float, float], float]


def _rx_sign(paper: Paper, style: Style, left: float, y: float) -> float:
    """Print an Rx, large or small, or none; returns where writing may begin."""
    if paper.rng.random() < 0.2:
        return left + 0.1
    points = float(paper.rng.uniform(14, 34))
    right = paper.text(left, y + 0.1, "Rx", points=points, face="serif-bold")[2]
    return right + 0.12


def _free_lines(
    paper: Paper, content: PageContent, style: Style, left: float, right: float, top: float,
    bottom: float,
) -> float:  # fmt: skip
    """A line for drug, directions and quantity each; on blank, ruled or framed paper."""
    rng = paper.rng
    if rng.random() < 0.2:
        paper.box(left, top, right, bottom)
    start = _rx_sign(paper, style, left + 0.05, top + 0.3)
    y = top + 0.32
    quantity = ("#{}", "Disp {}", "disp: #{}", "qty {}")[int(rng.integers(4))]
    sig = ("{}", "Sig: {}", "S: {}", "{}")[int(rng.integers(4))]
    if rng.random() < 0.2:
        pitch = float(rng.uniform(0.27, 0.36))
        for row in range(1, int((bottom - top) / pitch)):
            paper.rule(left + 0.05, top + row * pitch, right - 0.05, top + row * pitch,
                       points=0.4, gray=int(rng.integers(90, 200)))  # fmt: skip
    return medication_lines(
        paper, content, start, y, bottom - 0.05, right=right - 0.1,
        numbered=("", "{})", "{}.")[int(rng.integers(3))], quantity=quantity, sig=sig,
        pitch=float(rng.uniform(0.28, 0.42)), scale=style.scale * 1.05,
    )  # fmt: skip


def _one_row(
    paper: Paper, content: PageContent, style: Style, left: float, right: float, top: float,
    bottom: float,
) -> float:  # fmt: skip
    """Drug and quantity on one row, directions on the next."""
    rng = paper.rng
    start = _rx_sign(paper, style, left + 0.05, top + 0.3)
    count = len(content.medications)
    pitch = min(float(rng.uniform(0.3, 0.42)), (bottom - top - 0.35) / (2 * count))
    size = style.scale * max(0.6, min(1.0, pitch / 0.3))
    y = top + 0.33
    at_edge = rng.random() < 0.5
    for group, one in enumerate(content.medications, start=1):
        end = paper.field("drug", "drug", one.drug, start, y, group=group, scale=size,
                          max_width=right - start - 0.8)  # fmt: skip
        x = right - 0.6 if at_edge else end + float(rng.uniform(0.2, 0.35))
        if x > right - 0.4:
            x = max(end + 0.12, right - 0.45)
        paper.field("quantity", "quantity", f"#{one.quantity}", x, y, group=group, scale=size,
                    max_width=max(0.25, right - x))  # fmt: skip
        indent = float(rng.uniform(0.0, 0.3))
        paper.field("sig", "sig", one.sig, start + indent, y + pitch, group=group, scale=size,
                    max_width=right - start - indent - 0.1)  # fmt: skip
        y += 2 * pitch * float(rng.uniform(1.0, 1.15)) if count < 3 else 2 * pitch
    return y - pitch


def _labelled_rows(
    paper: Paper, content: PageContent, style: Style, left: float, right: float, top: float,
    bottom: float,
) -> float:  # fmt: skip
    """Labelled rows or cells for every drug: drug (and strength), directions, quantity, refills."""
    rng = paper.rng
    apart = rng.random() < 0.4
    refills = rng.random() < 0.4
    count = len(content.medications)
    tall = min(style.row_in, (bottom - top) / (3 * count + 0.2))
    gap = min(0.15, max(0.0, (bottom - top - 3 * tall * count) / count))
    y = top
    for group, one in enumerate(content.medications, start=1):

        def put(name: str, text: str, x0: float, x1: float, level: float, group: int = group,
                ) -> None:  # fmt: skip
            style.value(paper, name, name, text, x0, x1, level, group=group, height=tall)

        split = left + (right - left) * 0.66
        if apart:
            put("drug", one.name, left, split, y)
            put("strength", one.dose, split, right, y)
        else:
            put("drug", one.drug, left, right, y)
        put("sig", one.sig, left, right, y + tall)
        middle = left + (right - left) * (0.5 if refills else 0.6)
        put("quantity", one.quantity, left, middle, y + 2 * tall)
        if refills:
            put("refills", content.refills, middle, right, y + 2 * tall)
        y += 3 * tall + gap
    return y


def _table(
    paper: Paper, content: PageContent, style: Style, left: float, right: float, top: float,
    bottom: float,
) -> float:  # fmt: skip
    """A row for every drug under a row of headings, with or without upright rules."""
    rng = paper.rng
    columns = ["drug", "sig", "quantity"]
    if rng.random() < 0.5:
        columns.insert(1, "strength")
    if rng.random() < 0.4:
        columns.append("refills")
    wide = {"drug": 2.0, "strength": 1.0, "sig": 2.2, "quantity": 0.8, "refills": 0.8}
    numbered = rng.random() < 0.25
    x = left + (0.25 if numbered else 0.0)
    per = (right - x) / sum(wide[name] for name in columns)
    edges = [x]
    for name in columns:
        edges.append(edges[-1] + per * wide[name])
    rows = max(len(content.medications), int(rng.integers(2, 6)))
    head = style.points / 72 * 2.0
    tall = min(style.row_in * 1.1, (bottom - top - head) / rows)
    if tall < 0.26:
        rows = len(content.medications)
        tall = min(style.row_in * 1.1, (bottom - top - head) / rows)
    end = top + head + rows * tall
    if rng.random() < 0.4:
        style.bar(paper, left, top, right, top + head)
    upright, across = rng.random() < 0.6, rng.random() < 0.85
    for row in range(rows + 1):
        if across or row in (0, rows):
            level = top + head + row * tall
            paper.rule(left, level, right, level, points=0.6)
    paper.rule(left, top, right, top)
    if upright:
        for edge in {left, *edges}:
            paper.rule(edge, top, edge, end, points=0.6)
    for name, x0, x1 in zip(columns, edges, edges[1:], strict=False):
        points = style.points * min(1.0, (x1 - x0 - 0.08) * 72 / (0.62 * style.points
                                    * max(1, len(style.word(name)))))  # fmt: skip
        paper.text(x0 + 0.05, top + head * 0.68, style.word(name), points=max(5.0, points),
                   face=style.label_face)  # fmt: skip
    scale = style.scale * min(1.0, tall / 0.3)
    whole = "strength" not in columns
    for group, one in enumerate(content.medications, start=1):
        texts = {"drug": one.drug if whole else one.name, "strength": one.dose, "sig": one.sig,
                 "quantity": one.quantity, "refills": content.refills}  # fmt: skip
        base = top + head + group * tall - 0.28 * tall
        if numbered:
            paper.text(left + 0.06, base, f"{group}", points=style.points, face=style.face)
        for name, x0, x1 in zip(columns, edges, edges[1:], strict=False):
            paper.field(name, name, texts[name], x0 + 0.07, base, group=group, scale=scale,
                        max_width=x1 - x0 - 0.12)  # fmt: skip
    return end


def _labelled_lines(
    paper: Paper, content: PageContent, style: Style, left: float, right: float, top: float,
    bottom: float,
) -> float:  # fmt: skip
    """Rx lines with printed Sig and Disp before some of the rows, on rules or dots."""
    rng = paper.rng
    count = len(content.medications)
    pitch = min(float(rng.uniform(0.3, 0.44)), (bottom - top - 0.1) / (3 * count))
    size = style.scale * max(0.6, min(1.0, pitch / 0.3))
    dotted = rng.random() < 0.4
    y = top + pitch
    struck = rng.random() < STRUCK_SHARE and count < 3
    for group, one in enumerate(content.medications, start=1):
        rows = (("drug", "Rx", one.drug), ("sig", style.word("sig"), one.sig),
                ("quantity", style.word("quantity"), one.quantity))  # fmt: skip
        for name, label, text in rows:
            start = 0.1 + paper.text(left, y, style.with_colon(label), points=style.points,
                                     face=style.label_face)[2]  # fmt: skip
            end = right if name != "quantity" else min(right, start + 1.1)
            if dotted:
                dots(paper, start - 0.04, end, y + 0.02)
            else:
                paper.rule(start - 0.04, y + 0.02, end, y + 0.02)
            if struck and name == "drug" and group == 1 and right - start > 2.8:
                written_and_struck(paper, "drug", struck_drug(content, 0), start, y, group=0,
                                   scale=size, max_width=(right - start) * 0.45)  # fmt: skip
                start += (right - start) * 0.5
            paper.field(name, name, text, start, y - 0.005, group=group, scale=size,
                        max_width=end - start - 0.05)  # fmt: skip
            y += pitch
    return y - pitch


DRUG_PARTS: dict[str, DrugPart] = {
    "free_lines": _free_lines,
    "one_row": _one_row,
    "labelled_rows": _labelled_rows,
    "table": _table,
    "labelled_lines": _labelled_lines,
}
"""The manners, by name."""
