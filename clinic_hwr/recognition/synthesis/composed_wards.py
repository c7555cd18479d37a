"""Order tables of many narrow columns and framed blocks of small cells, as wards use them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .composed_drugs import DrugPart
from .composed_style import Style
from .composed_words import ORDER_LABELS
from .pages_content import MedicationContent, PageContent
from .pages_marks import check_box, strike_out
from .pages_paper import Paper
from .pages_rows import STRUCK_SHARE

Corners = tuple[float, float, float, float]

# What a column or a cell may be for, and how many parts of the width it likes.
_WIDTHS = {
    "drug": 2.2, "strength": 1.0, "dose": 0.95, "route": 0.7, "frequency": 1.15, "sig": 2.4,
    "quantity": 0.7, "start": 0.95, "time": 0.75, "duration": 0.75, "initials": 0.7, "given": 0.5,
    "stopped": 0.5,
}  # fmt: skip
_LEAST_IN = 0.42  # height of a cell with a label over its value
_TAKEN = ("dose", "route", "frequency", "duration")  # together they are the directions


@dataclass
class _Written:
    """What was written for one medication, by the name of its cell."""

    first_field: int
    corners: dict[str, Corners]
    texts: dict[str, str]


def _word(style: Style, rng: np.random.Generator, name: str) -> str:
    some = ORDER_LABELS[style.language].get(name)
    if some is None:
        return style.word(name)
    word = some[int(rng.integers(len(some)))]
    return word.upper() if style.upper else word


def _texts(
    one: MedicationContent, content: PageContent, rng: np.random.Generator, *, whole: bool
) -> dict[str, str]:
    """What a prescriber writes into each kind of cell."""
    hour = f"{int(rng.integers(6, 23)):02d}{int(rng.choice((0, 15, 30, 45))):02d}"
    return {
        "drug": one.drug if whole else one.name, "strength": one.dose, "dose": one.dose,
        "route": one.route, "frequency": one.frequency, "sig": one.sig, "quantity": one.quantity,
        "start": content.date_written.rsplit("/", 1)[0].rsplit(".", 1)[0],
        "time": hour, "duration": f"{int(rng.choice((3, 5, 7, 10, 14)))} d",
    }  # fmt: skip


def _columns(rng: np.random.Generator) -> list[str]:
    """Columns of an order table, left to right."""
    directions = ["sig"] if rng.random() < 0.35 else ["dose", "route", "frequency"]
    if directions == ["sig"] and rng.random() < 0.5:
        directions.insert(0, "strength" if rng.random() < 0.5 else "dose")
    if "route" in directions and rng.random() < 0.2:
        directions.remove("route")
    before = [name for name, share in (("start", 0.3), ("time", 0.15)) if rng.random() < share]
    if rng.random() < 0.25:
        directions.append("duration")
    after = [
        name for name, share in (("quantity", 0.5), ("initials", 0.25)) if rng.random() < share
    ]
    if rng.random() < 0.25:
        after += ["given", "stopped"]
    return [*before, "drug", *directions, *after]


def _orders(
    paper: Paper, content: PageContent, style: Style, left: float, right: float, top: float,
    bottom: float,
) -> float:  # fmt: skip
    """One row a drug, many columns; dose, route and frequency together are the directions."""
    rng = paper.rng
    columns = _columns(rng)
    shares = np.array([_WIDTHS[name] * float(rng.uniform(0.85, 1.2)) for name in columns])
    edges = left + (right - left) * np.concatenate([[0.0], np.cumsum(shares) / shares.sum()])
    rows = max(len(content.medications), int(rng.integers(4, 11)))
    head = style.points / 72 * float(rng.uniform(1.8, 2.6))
    tall = min(float(rng.uniform(0.3, 0.52)), (bottom - top - head) / rows)
    if tall < 0.27:
        rows = len(content.medications)
        tall = min(0.4, (bottom - top - head) / rows)
    end = top + head + rows * tall
    if rng.random() < 0.35:
        style.bar(paper, left, top, right, top + head)
    points, gray = float(rng.uniform(0.4, 1.0)), int(rng.integers(40, 150))
    for row in range(rows + 1):
        level = top + head + row * tall
        paper.rule(left, level, right, level, points=points, gray=gray)
    paper.rule(left, top, right, top, points=points * 1.5)
    if rng.random() < 0.75:
        for edge in edges:
            paper.rule(float(edge), top, float(edge), end, points=points, gray=gray)
    middle = rng.random() < 0.4
    for name, x0, x1 in zip(columns, edges, edges[1:], strict=False):
        _head(paper, style, name, float(x0), float(x1), top + head * 0.68, middle=middle)
    scale = style.scale * min(1.0, tall / 0.32)
    whole = "strength" not in columns and "dose" not in columns
    struck = int(rng.integers(len(content.medications))) if rng.random() < STRUCK_SHARE else -1
    for number, one in enumerate(content.medications):
        base = top + head + (number + 1) * tall - float(rng.uniform(0.2, 0.32)) * tall
        texts = _texts(one, content, rng, whole=whole)
        written = _Written(len(paper.fields), {}, texts)
        for name, x0, x1 in zip(columns, edges, edges[1:], strict=False):
            inset = float(rng.uniform(0.05, 0.1))
            _fill(paper, style, content, written, name, float(x0) + inset, float(x1) - 0.05, base,
                  scale=scale)  # fmt: skip
        _record(paper, written, 0 if number == struck else number + 1)
        if number == struck:
            _strike(paper, written)
    return end


def _head(
    paper: Paper, style: Style, name: str, x0: float, x1: float, y: float, *, middle: bool
) -> None:
    """Print a column's heading, as small as it must be."""
    word = _word(style, paper.rng, name)
    most = (x1 - x0 - 0.08) * 72 / (0.62 * max(1, len(word)))
    x, align = ((x0 + x1) / 2, "middle") if middle else (x0 + 0.05, "left")
    paper.text(x, y, word, points=max(5.0, min(style.points, most)), face=style.label_face,
               align=align)  # fmt: skip


def _fill(
    paper: Paper, style: Style, content: PageContent, written: _Written, name: str, x0: float,
    x1: float, base: float, *, scale: float,
) -> None:  # fmt: skip
    """Write into one cell and note what stands where."""
    rng = paper.rng
    if name in ("given", "stopped"):
        check_box(paper, x0 + 0.1, base + 0.02, "", checked=bool(rng.random() < 0.3), side=0.13)
    elif name == "initials":
        if content.signed and rng.random() < 0.7:
            corners = paper.signature(x0, base, max(0.25, min(0.5, x1 - x0 - 0.15)))
            paper.mark("unnamed", "signature", corners)
    else:
        written.corners[name] = paper.write(x0, base, written.texts[name], scale=scale,
                                            max_width=x1 - x0)  # fmt: skip


def _record(paper: Paper, written: _Written, group: int) -> None:
    """The fields that the cells of one medication mean."""
    for name, corners in written.corners.items():
        called = "strength" if name == "dose" and "sig" in written.corners else name
        if called in ("drug", "strength", "quantity"):
            paper.mark(called, called, corners, written.texts[name], group=group)
        elif name in ("start", "time"):
            paper.mark("unnamed", "text", corners, written.texts[name])
    taken = [name for name in ("sig", *_TAKEN) if name in written.corners]
    if "sig" in taken and "dose" in taken:
        taken.remove("dose")
    boxes = np.array([written.corners[name] for name in taken])
    low, high = boxes.min(axis=0), boxes.max(axis=0)
    around = float(low[0]), float(low[1]), float(high[2]), float(high[3])
    paper.mark("sig", "sig", around, " ".join(written.texts[name] for name in taken), group=group)


def _strike(paper: Paper, written: _Written) -> None:
    boxes = np.array(list(written.corners.values()))
    low, high = boxes.min(axis=0), boxes.max(axis=0)
    strike_out(paper, (float(low[0]), float(low[1]), float(high[2]), float(high[3])))
    paper.struck_since(written.first_field, lines=len(written.corners))


def _blocks(
    paper: Paper, content: PageContent, style: Style, left: float, right: float, top: float,
    bottom: float,
) -> float:  # fmt: skip
    """A framed block a drug: two or three rows of cells with small labels in their corners."""
    rng = paper.rng
    first = ["drug"] + [name for name in ("dose", "start", "route") if rng.random() < 0.6]
    others = [name for name in ("dose", "route", "frequency", "quantity", "time", "duration")
              if name not in first and rng.random() < 0.65]  # fmt: skip
    if rng.random() < 0.6:
        others.insert(int(rng.integers(len(others) + 1)), "sig")
    elif "frequency" not in others:
        others.append("frequency")
    if rng.random() < 0.4:
        others.append("initials")
    half = (len(others) + 1) // 2
    lines = [first, others] if len(others) <= 4 else [first, others[:half], others[half:]]
    # what does not fit stands on another sheet
    count = min(len(content.medications), max(1, int((bottom - top) / (_LEAST_IN * len(lines)))))
    gap = min(float(rng.choice((0.0, 0.08, 0.2))), (bottom - top) / count - _LEAST_IN * len(lines))
    room = (bottom - top) / count - gap
    tall = min(float(rng.uniform(0.44, 0.66)), room / len(lines))
    small = min(style.points * 0.8, tall * 72 * 0.2)
    scale = style.scale * min(1.0, (tall - small / 72) / 0.4)
    words = {name: _word(style, rng, name) for line in lines for name in line}
    cells = []
    for line in lines:
        shares = np.array([_WIDTHS[name] * float(rng.uniform(0.8, 1.25)) for name in line])
        edges = left + (right - left) * np.concatenate([[0.0], np.cumsum(shares) / shares.sum()])
        cells.append(list(zip(line, edges.tolist(), edges[1:].tolist(), strict=False)))
    y = top
    for group, one in enumerate(content.medications[:count], start=1):
        whole = "dose" not in words
        written = _Written(len(paper.fields), {}, _texts(one, content, rng, whole=whole))
        for row, some in enumerate(cells):
            for name, x0, x1 in some:
                upper = y + row * tall
                paper.box(x0, upper, x1, upper + tall, points=0.6)
                paper.text(x0 + 0.04, upper + 0.03 + small / 72, words[name], points=small,
                           face=style.label_face)  # fmt: skip
                base = upper + tall - float(rng.uniform(0.07, 0.12))
                _fill(paper, style, content, written, name, x0 + float(rng.uniform(0.06, 0.15)),
                      x1 - 0.05, base, scale=scale)  # fmt: skip
        _record_apart(paper, written, group)
        y += len(lines) * tall + gap
    return y - gap


def _record_apart(paper: Paper, written: _Written, group: int) -> None:
    """A dose with a cell of its own is the strength; with no cell for directions, how often is
    the directions.

    Where directions have a cell, route and frequency only say them once more.
    """
    names = {"dose": "strength", "drug": "drug", "sig": "sig", "quantity": "quantity"}
    if "sig" not in written.corners:
        names["frequency"] = "sig"
    for name, corners in written.corners.items():
        called = names.get(name)
        if called:
            paper.mark(called, called, corners, written.texts[name], group=group)
        else:
            paper.mark("unnamed", "text", corners, written.texts[name])


WARD_PARTS: dict[str, DrugPart] = {"orders": _orders, "blocks": _blocks}
"""The manners, by name."""
