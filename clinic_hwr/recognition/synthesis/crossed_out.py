"""Crosses out lines of a page in every way people do it, and draws strokes that only look so.

What a layout crosses out itself (``pages_marks.strike_out``) is rare and of four kinds. A network
that is to tell a crossed-out order from an underlined one has to see many of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .crossed_groups import Group, order_strokes, orders_of, row_line, rows_of
from .pages_paper import Paper
from .pages_truth import LineTruth
from .strike_ways import LOOKALIKES, ROW_WAYS, SHORT_WAYS, WAYS, PenLine, form_rule

Points = NDArray[np.float64]

_PRINT_TOO = 0.15  # of the share: printed values are crossed out as well
_LOOKS_SO = 0.25  # of the lines that are not crossed out have a stroke near them
_RULES = 0.5  # of these are rules of a form
_LONG, _PARTLY = 7.0, 0.3  # heights of small letters; share of such lines crossed out in part
_SHORT = 3.0  # heights: a number or a short word
_OTHER_PEN = 0.25  # share crossed out by somebody else, or later
# Of the share: rows that are crossed out as one; share of pages on which one whole order is.
_ROWS, _ORDER = 0.6, 0.25
# Share of the rows that a rule of the form goes through, or below, and how high (heights).
_ROW_RULES, _ROW_RULE = 0.06, 0.2


def cross_out_more(paper: Paper, share: float) -> None:
    """Cross out a share of a page's lines of writing, and draw what only looks so near others.

    Which lines were crossed out, and how much of each, is noted in ``paper.lines``; the fields of
    the page are left as they are: the page is for a network to learn from, not for a benchmark.

    Args:
        paper: a page with everything on it.
        share: 0..1 of its lines of writing.
    """
    rng = paper.rng
    lines = {
        number: line for number, truth in enumerate(paper.lines)
        if not truth.struck and (line := _seen(truth, paper)) is not None
    }  # fmt: skip
    done = _cross_out_groups(paper, lines, share) if share else set()
    for number, line in lines.items():
        truth = paper.lines[number]
        if number in done:
            continue
        if rng.random() < share * (_PRINT_TOO if truth.printed else 1.0):
            start, end = 0.0, 1.0
            wide = line.right - line.left
            if wide > _LONG * line.height and rng.random() < _PARTLY:
                end = float(rng.uniform(0.25, 0.65))
                start = float(rng.uniform(0.0, 1.0 - end))
                end += start
            ways = SHORT_WAYS if wide < _SHORT * line.height else WAYS
            _draw(paper, ways[int(rng.integers(len(ways)))](line.part(start, end), rng), line)
            paper.lines[number] = replace(truth, struck=True, struck_part=(start, end))
        elif not truth.printed and rng.random() < _LOOKS_SO:
            if rng.random() < _RULES:
                paper.rule(*form_rule(line, rng), gray=int(rng.integers(40, 150)))
            else:
                _draw(paper, LOOKALIKES[int(rng.integers(len(LOOKALIKES)))](line, rng), line)


def _cross_out_groups(paper: Paper, lines: dict[int, PenLine], share: float) -> set[int]:
    """Cross out rows and orders as one; return the lines that are done."""
    rng = paper.rng
    written = {number: line for number, line in lines.items() if not paper.lines[number].printed}
    done: set[int] = set()
    if rng.random() < _ORDER and (orders := orders_of(written, rng)):
        order = orders[int(rng.integers(len(orders)))]
        done |= _struck_together(paper, lines, order, order_strokes(order, rng))
    for row in rows_of({number: one for number, one in written.items() if number not in done}):
        line = row_line(row, lines, rng)
        if rng.random() < _ROWS * share:
            strokes = ROW_WAYS[int(rng.integers(len(ROW_WAYS)))](line, rng)
            done |= _struck_together(paper, lines, row, strokes)
        elif rng.random() < _ROW_RULES:
            paper.rule(*form_rule(line, rng, _ROW_RULE), gray=int(rng.integers(40, 150)))
    return done


def _struck_together(
    paper: Paper, lines: dict[int, PenLine], group: Group, strokes: Sequence[Points]
) -> set[int]:
    _draw(paper, strokes, lines[group.numbers[0]])
    inside = {number for number, line in lines.items() if group.holds(line)} | set(group.numbers)
    for number in inside:
        paper.lines[number] = replace(paper.lines[number], struck=True, struck_part=(0.0, 1.0))
    return inside


def _seen(truth: LineTruth, paper: Paper) -> PenLine | None:
    """A line as its band has it; None where there is none."""
    if not truth.band_px:
        return None
    band = np.asarray(truth.band_px, float) / paper.dpi
    half = len(band) // 2
    upper, lower = band[:half], band[half:][::-1]
    if half < 2 or len(lower) != half:
        return None
    middle = (upper + lower) / 2
    order = np.argsort(middle[:, 0])
    xs, ys = middle[order, 0], middle[order, 1]
    height = float(np.median(np.linalg.norm(upper - lower, axis=1))) / 0.8
    if height <= 0 or xs[-1] - xs[0] < 0.8 * height:
        return None
    return PenLine(float(xs[0]), float(xs[-1]), xs, ys, height)


def _draw(paper: Paper, strokes: Sequence[Points], line: PenLine) -> None:
    rng = paper.rng
    pen, gray = paper.pen_width_in * float(rng.uniform(0.7, 1.5)), paper.pen_gray
    if rng.random() < _OTHER_PEN:
        paper.pen_gray = int(rng.integers(20, 140))
        pen = float(rng.uniform(0.006, 0.022))
    for points in strokes:
        shaken = points + np.cumsum(rng.normal(0.0, 0.008 * line.height, points.shape), axis=0)
        paper.stroke(shaken, width_in=pen)
    paper.pen_gray = gray
