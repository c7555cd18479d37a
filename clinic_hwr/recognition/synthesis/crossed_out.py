"""Crosses out lines in every way people do it, and draws strokes beside them that only look so.

What a layout crosses out itself (``pages_marks.strike_out``) is rare and of four kinds. A network
that is to tell a crossed-out order from an underlined one has to see many of both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .pages_paper import Paper
from .pages_truth import LineTruth

Points = NDArray[np.float64]

_PRINT_TOO = 0.15  # of the share: printed values are crossed out as well
_LOOKS_SO = 0.25  # of the lines that are not crossed out have a stroke near them
_RULES = 0.5  # of these are rules of a form
_LONG, _PARTLY = 7.0, 0.25  # heights of small letters; share of such lines crossed out in part
_OTHER_PEN = 0.25  # share crossed out by somebody else, or later
_STEP = 0.15  # of a height between the points of a drawn curve


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of writing as a pen sees it, all in inches.

    Attributes:
        left, right: its ends.
        xs, ys: its middle, from left to right.
        height: of its small letters.
    """

    left: float
    right: float
    xs: Points
    ys: Points
    height: float

    def at(self, x: Points) -> Points:
        """The middle of the line at places along it, and beyond its ends."""
        return np.interp(x, self.xs, self.ys)

    def part(self, start: float, end: float) -> _Line:
        """The same line between two shares of its length."""
        width = self.right - self.left
        left, right = self.left + start * width, self.left + end * width
        return replace(self, left=left, right=right)


Way = Callable[[_Line, np.random.Generator], list[Points]]


def cross_out_more(paper: Paper, share: float) -> None:
    """Cross out a share of a page's lines of writing, and draw what only looks so near others.

    Which lines were crossed out, and how much of each, is noted in ``paper.lines``; the fields of
    the page are left as they are: the page is for a network to learn from, not for a benchmark.

    Args:
        paper: a page with everything on it.
        share: 0..1 of its lines of writing.
    """
    rng = paper.rng
    for number, truth in enumerate(paper.lines):
        line = _seen(truth, paper)
        if line is None or truth.struck:
            continue
        if rng.random() < share * (_PRINT_TOO if truth.printed else 1.0):
            start, end = 0.0, 1.0
            if line.right - line.left > _LONG * line.height and rng.random() < _PARTLY:
                end = float(rng.uniform(0.25, 0.65))
                start = float(rng.uniform(0.0, 1.0 - end))
                end += start
            _draw(paper, WAYS[int(rng.integers(len(WAYS)))](line.part(start, end), rng), line)
            paper.lines[number] = replace(truth, struck=True, struck_part=(start, end))
        elif not truth.printed and rng.random() < _LOOKS_SO:
            if rng.random() < _RULES:
                paper.rule(*_form_rule(line, rng), gray=int(rng.integers(40, 150)))
            else:
                _draw(paper, LOOKALIKES[int(rng.integers(len(LOOKALIKES)))](line, rng), line)


def _seen(truth: LineTruth, paper: Paper) -> _Line | None:
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
    return _Line(float(xs[0]), float(xs[-1]), xs, ys, height)


def _draw(paper: Paper, strokes: list[Points], line: _Line) -> None:
    rng = paper.rng
    pen, gray = paper.pen_width_in * float(rng.uniform(0.7, 1.5)), paper.pen_gray
    if rng.random() < _OTHER_PEN:
        paper.pen_gray = int(rng.integers(20, 140))
        pen = float(rng.uniform(0.006, 0.022))
    for points in strokes:
        shaken = points + np.cumsum(rng.normal(0.0, 0.008 * line.height, points.shape), axis=0)
        paper.stroke(shaken, width_in=pen)
    paper.pen_gray = gray


def _ends(line: _Line, rng: np.random.Generator) -> tuple[float, float]:
    """Where a stroke along a line begins and ends: beyond the line's ends or a little short."""
    before, behind = rng.uniform(-0.4, 1.4, 2) * line.height
    return line.left - float(before), line.right + float(behind)


def _along(line: _Line, rng: np.random.Generator) -> Points:
    """Places from where a stroke begins to where it ends."""
    start, end = _ends(line, rng)
    return np.linspace(start, end, max(8, round((end - start) / (_STEP * line.height))))


def _level(line: _Line, rng: np.random.Generator, *, off: float, tilt: float = 0.0) -> Points:
    """A level stroke so many heights below the middle, sinking by ``tilt`` heights in all."""
    xs = _along(line, rng)
    ys = line.at(xs) if rng.random() < 0.5 else np.full(len(xs), float(np.median(line.at(xs))))
    ys = ys + line.height * (off + np.linspace(-tilt / 2, tilt / 2, len(xs)))
    return np.stack([xs, ys], 1)


def one_stroke(line: _Line, rng: np.random.Generator) -> list[Points]:
    """One line, level."""
    return [_level(line, rng, off=float(rng.uniform(-0.4, 0.4)), tilt=float(rng.normal(0.0, 0.2)))]


def low_stroke(line: _Line, rng: np.random.Generator) -> list[Points]:
    """One line through the feet of the letters, where a form's rule may be, too."""
    return [_level(line, rng, off=float(rng.uniform(0.2, 0.5)), tilt=float(rng.normal(0.0, 0.1)))]


def some_strokes(line: _Line, rng: np.random.Generator) -> list[Points]:
    """Two or three lines."""
    offs = np.sort(rng.uniform(-0.7, 0.7, int(rng.integers(2, 4))))
    return [_level(line, rng, off=float(off), tilt=float(rng.normal(0.0, 0.2))) for off in offs]


def sloping_stroke(line: _Line, rng: np.random.Generator) -> list[Points]:
    """One line from above to below, or back up."""
    tilt = float(rng.uniform(0.6, 2.0)) * float(rng.choice((-1.0, 1.0)))
    return [_level(line, rng, off=float(rng.uniform(-0.2, 0.2)), tilt=tilt)]


def wave(line: _Line, rng: np.random.Generator) -> list[Points]:
    """A wave, shallow or high, short or long."""
    xs = _along(line, rng)
    turns = (xs - xs[0]) / (line.height * float(rng.uniform(0.8, 5.0)))
    high = line.height * float(rng.uniform(0.15, 0.9))
    ys = line.at(xs) + high * np.sin(2 * np.pi * turns + float(rng.uniform(0, 6)))
    ys += line.height * float(rng.uniform(-0.2, 0.25))
    return [np.stack([xs, ys], 1)]


def zigzag(line: _Line, rng: np.random.Generator) -> list[Points]:
    """A zigzag, small or large, there and perhaps back."""
    high, step = rng.uniform(0.25, 1.3), float(rng.uniform(0.2, 1.2)) * line.height
    passes = 1 if rng.random() < 0.7 else 2
    found = []
    for _ in range(passes):
        start, end = _ends(line, rng)
        count = max(4, int((end - start) / step))
        xs = np.linspace(start, end, count) + rng.normal(0.0, 0.12 * step, count)
        ys = np.where(np.arange(count) % 2, -high, high) * line.height
        ys *= rng.uniform(0.7, 1.2, count)
        found.append(np.stack([xs, line.at(xs) + ys], 1))
    return found


def loops(line: _Line, rng: np.random.Generator) -> list[Points]:
    """A scribble of loops."""
    step, high = rng.uniform(0.25, 0.9) * line.height, rng.uniform(0.6, 1.3) * line.height
    turns = max(3.0, (line.right - line.left) / step)
    t = np.linspace(0.0, 2 * np.pi * turns, round(14 * turns))
    xs = np.linspace(line.left, line.right, len(t)) + rng.uniform(0.4, 1.0) * high * np.cos(t) / 2
    return [np.stack([xs, line.at(xs) + high * np.sin(t)], 1)]


def cross(line: _Line, rng: np.random.Generator) -> list[Points]:
    """A large X."""
    high = rng.uniform(0.8, 2.0) * line.height
    return [_diagonal(line, rng, high), _diagonal(line, rng, -high)]


def slash(line: _Line, rng: np.random.Generator) -> list[Points]:
    """One stroke from corner to corner."""
    high = rng.uniform(0.8, 1.6) * line.height * float(rng.choice((-1.0, 1.0), p=(0.2, 0.8)))
    return [_diagonal(line, rng, -high)]


def _diagonal(line: _Line, rng: np.random.Generator, high: float) -> Points:
    xs = np.linspace(*_ends(line, rng), 10)
    return np.stack([xs, np.median(line.at(xs)) + np.linspace(-high, high, 10)], 1)


def hatching(line: _Line, rng: np.random.Generator) -> list[Points]:
    """Short slanting strokes, one after another."""
    high, step = rng.uniform(0.8, 1.6) * line.height, rng.uniform(0.5, 1.6) * line.height
    lean = rng.uniform(0.2, 1.2) * line.height * float(rng.choice((-1.0, 1.0)))
    found = []
    for x in np.arange(line.left, line.right, step):
        xs = x + np.linspace(lean, -lean, 5) + rng.normal(0.0, 0.1 * line.height)
        middle = line.at(np.array([x]))[0]
        found.append(np.stack([xs, middle + np.linspace(-high, high, 5)], 1))
    return found


def blackened(line: _Line, rng: np.random.Generator) -> list[Points]:
    """Stroke over stroke, until little is left to be read."""
    rows = np.arange(-0.8, 0.8, float(rng.uniform(0.12, 0.3)))
    return [_level(line, rng, off=float(row), tilt=float(rng.normal(0.0, 0.15))) for row in rows]


def underline(line: _Line, rng: np.random.Generator) -> list[Points]:
    """One or two lines below the letters."""
    first = float(rng.uniform(0.75, 1.3))
    return [
        _level(line, rng, off=first + 0.35 * number, tilt=float(rng.normal(0.0, 0.1)))
        for number in range(int(rng.choice((1, 2), p=(0.8, 0.2))))
    ]


def overline(line: _Line, rng: np.random.Generator) -> list[Points]:
    """A line above the letters."""
    return [_level(line, rng, off=float(rng.uniform(-2.2, -1.3)))]


def dash_behind(line: _Line, rng: np.random.Generator) -> list[Points]:
    """A dash or an arrow in the row, behind what is written."""
    start = line.right + float(rng.uniform(0.2, 1.0)) * line.height
    end = start + float(rng.uniform(1.0, 8.0)) * line.height
    xs = np.linspace(start, end, 10)
    strokes = [np.stack([xs, line.at(xs)], 1)]
    if rng.random() < 0.4:
        tip, head = np.array([end, line.at(np.array([end]))[0]]), 0.4 * line.height
        strokes.append(tip + np.array([[-head, -head], [0.0, 0.0], [-head, head]]))
    return strokes


def ring(line: _Line, rng: np.random.Generator) -> list[Points]:
    """A ring around what is written, or a part of it."""
    share = float(rng.uniform(0.3, 1.0))
    part = line.part(start := float(rng.uniform(0.0, 1.0 - share)), start + share)
    angle = np.linspace(0.0, 2.1 * np.pi, 50) + float(rng.uniform(0, 6))
    across = (part.right - part.left) / 2 + float(rng.uniform(0.2, 0.8)) * line.height
    down = float(rng.uniform(1.2, 1.9)) * line.height
    middle = (part.left + part.right) / 2
    xs, ys = middle + across * np.cos(angle), down * np.sin(angle)
    return [np.stack([xs, line.at(np.array([middle]))[0] + ys], 1)]


def _form_rule(line: _Line, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A printed rule that the line was written over: it goes on far beyond what is written."""
    beyond = rng.uniform(2.0, 12.0, 2) * line.height
    y = float(np.median(line.ys)) + float(rng.uniform(-0.3, 0.9)) * line.height
    return max(0.05, line.left - float(beyond[0])), y, line.right + float(beyond[1]), y


WAYS: tuple[Way, ...] = (
    one_stroke, one_stroke, low_stroke, some_strokes, sloping_stroke, wave, wave, zigzag, zigzag,
    loops, cross, slash, hatching, blackened,
)  # fmt: skip
"""How lines are crossed out, the usual ways twice."""
LOOKALIKES: tuple[Way, ...] = (underline, underline, overline, dash_behind, ring)
"""What only looks so."""
