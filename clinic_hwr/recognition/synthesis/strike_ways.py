"""Strokes that cross out a line of writing in every way people do, and some that only look so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_STEP = 0.15  # of a height between the points of a drawn curve


@dataclass(frozen=True, slots=True)
class PenLine:
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

    def part(self, start: float, end: float) -> PenLine:
        """The same line between two shares of its length."""
        width = self.right - self.left
        left, right = self.left + start * width, self.left + end * width
        return replace(self, left=left, right=right)


Way = Callable[[PenLine, np.random.Generator], list[Points]]


def _ends(line: PenLine, rng: np.random.Generator) -> tuple[float, float]:
    """Where a stroke along a line begins and ends: beyond the line's ends or a little short."""
    before, behind = rng.uniform(-0.4, 1.4, 2) * line.height
    return line.left - float(before), line.right + float(behind)


def _along(line: PenLine, rng: np.random.Generator) -> Points:
    """Places from where a stroke begins to where it ends."""
    start, end = _ends(line, rng)
    return np.linspace(start, end, max(8, round((end - start) / (_STEP * line.height))))


def _level(line: PenLine, rng: np.random.Generator, *, off: float, tilt: float = 0.0) -> Points:
    """A level stroke so many heights below the middle, sinking by ``tilt`` heights in all."""
    xs = _along(line, rng)
    ys = line.at(xs) if rng.random() < 0.5 else np.full(len(xs), float(np.median(line.at(xs))))
    ys = ys + line.height * (off + np.linspace(-tilt / 2, tilt / 2, len(xs)))
    return np.stack([xs, ys], 1)


def one_stroke(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """One line, level."""
    return [_level(line, rng, off=float(rng.uniform(-0.4, 0.4)), tilt=float(rng.normal(0.0, 0.2)))]


def low_stroke(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """One line through the feet of the letters, where a form's rule may be, too."""
    return [_level(line, rng, off=float(rng.uniform(0.2, 0.5)), tilt=float(rng.normal(0.0, 0.1)))]


def some_strokes(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """Two or three lines."""
    offs = np.sort(rng.uniform(-0.7, 0.7, int(rng.integers(2, 4))))
    return [_level(line, rng, off=float(off), tilt=float(rng.normal(0.0, 0.2))) for off in offs]


def low_strokes(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """Two lines close to each other through the lower halves of the letters."""
    first = float(rng.uniform(0.0, 0.35))
    offs = (first, first + float(rng.uniform(0.12, 0.4)))
    return [_level(line, rng, off=off, tilt=float(rng.normal(0.0, 0.1))) for off in offs]


def sloping_stroke(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """One line from above to below, or back up."""
    tilt = float(rng.uniform(0.6, 2.0)) * float(rng.choice((-1.0, 1.0)))
    return [_level(line, rng, off=float(rng.uniform(-0.2, 0.2)), tilt=tilt)]


def wave(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """A wave, shallow or high, short or long."""
    xs = _along(line, rng)
    turns = (xs - xs[0]) / (line.height * float(rng.uniform(0.8, 5.0)))
    high = line.height * float(rng.uniform(0.15, 0.9))
    ys = line.at(xs) + high * np.sin(2 * np.pi * turns + float(rng.uniform(0, 6)))
    ys += line.height * float(rng.uniform(-0.2, 0.25))
    return [np.stack([xs, ys], 1)]


def zigzag(line: PenLine, rng: np.random.Generator) -> list[Points]:
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


def loops(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """A scribble of loops."""
    step, high = rng.uniform(0.25, 0.9) * line.height, rng.uniform(0.6, 1.3) * line.height
    turns = max(3.0, (line.right - line.left) / step)
    t = np.linspace(0.0, 2 * np.pi * turns, round(14 * turns))
    xs = np.linspace(line.left, line.right, len(t)) + rng.uniform(0.4, 1.0) * high * np.cos(t) / 2
    return [np.stack([xs, line.at(xs) + high * np.sin(t)], 1)]


def cross(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """A large X."""
    high = rng.uniform(0.8, 2.0) * line.height
    return [_diagonal(line, rng, high), _diagonal(line, rng, -high)]


def slash(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """One stroke from corner to corner."""
    high = rng.uniform(0.8, 1.6) * line.height * float(rng.choice((-1.0, 1.0), p=(0.2, 0.8)))
    return [_diagonal(line, rng, -high)]


def _diagonal(line: PenLine, rng: np.random.Generator, high: float) -> Points:
    xs = np.linspace(*_ends(line, rng), 10)
    return np.stack([xs, np.median(line.at(xs)) + np.linspace(-high, high, 10)], 1)


def hatching(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """Short slanting strokes, one after another."""
    high, step = rng.uniform(0.8, 1.6) * line.height, rng.uniform(0.5, 1.6) * line.height
    lean = rng.uniform(0.2, 1.2) * line.height * float(rng.choice((-1.0, 1.0)))
    found = []
    for x in np.arange(line.left, line.right, step):
        xs = x + np.linspace(lean, -lean, 5) + rng.normal(0.0, 0.1 * line.height)
        middle = line.at(np.array([x]))[0]
        found.append(np.stack([xs, middle + np.linspace(-high, high, 5)], 1))
    return found


def blackened(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """Stroke over stroke, until little is left to be read."""
    rows = np.arange(-0.8, 0.8, float(rng.uniform(0.12, 0.3)))
    return [_level(line, rng, off=float(row), tilt=float(rng.normal(0.0, 0.15))) for row in rows]


def underline(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """One or two lines below the letters."""
    first = float(rng.uniform(0.65, 1.3))
    return [
        _level(line, rng, off=first + 0.35 * number, tilt=float(rng.normal(0.0, 0.1)))
        for number in range(int(rng.choice((1, 2), p=(0.8, 0.2))))
    ]


def overline(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """A line above the letters."""
    return [_level(line, rng, off=float(rng.uniform(-2.2, -1.3)))]


def dash_behind(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """A dash or an arrow in the row, behind what is written."""
    start = line.right + float(rng.uniform(0.2, 1.0)) * line.height
    end = start + float(rng.uniform(1.0, 8.0)) * line.height
    xs = np.linspace(start, end, 10)
    strokes = [np.stack([xs, line.at(xs)], 1)]
    if rng.random() < 0.4:
        tip, head = np.array([end, line.at(np.array([end]))[0]]), 0.4 * line.height
        strokes.append(tip + np.array([[-head, -head], [0.0, 0.0], [-head, head]]))
    return strokes


def ring(line: PenLine, rng: np.random.Generator) -> list[Points]:
    """A ring around what is written, or a part of it."""
    share = float(rng.uniform(0.3, 1.0))
    part = line.part(start := float(rng.uniform(0.0, 1.0 - share)), start + share)
    angle = np.linspace(0.0, 2.1 * np.pi, 50) + float(rng.uniform(0, 6))
    across = (part.right - part.left) / 2 + float(rng.uniform(0.2, 0.8)) * line.height
    down = float(rng.uniform(1.2, 1.9)) * line.height
    middle = (part.left + part.right) / 2
    xs, ys = middle + across * np.cos(angle), down * np.sin(angle)
    return [np.stack([xs, line.at(np.array([middle]))[0] + ys], 1)]


def form_rule(
    line: PenLine, rng: np.random.Generator, highest: float = -0.3
) -> tuple[float, float, float, float]:
    """A printed rule that the line was written over: it goes on far beyond what is written.

    Args:
        line: what is written.
        rng: chance.
        highest: heights below the middle of the line, at least; negative is above it.
    """
    beyond = rng.uniform(2.0, 12.0, 2) * line.height
    y = float(np.median(line.ys)) + float(rng.uniform(highest, 0.9)) * line.height
    return max(0.05, line.left - float(beyond[0])), y, line.right + float(beyond[1]), y


WAYS: tuple[Way, ...] = (
    one_stroke, one_stroke, low_stroke, some_strokes, low_strokes, sloping_stroke, wave, wave,
    zigzag, zigzag, loops, cross, slash, hatching, blackened,
)  # fmt: skip
"""How lines are crossed out, the usual ways twice."""
SHORT_WAYS: tuple[Way, ...] = (one_stroke, some_strokes, zigzag, loops, cross, slash, slash)
"""How a number or a short word is."""
ROW_WAYS: tuple[Way, ...] = (
    one_stroke, one_stroke, one_stroke, low_stroke, some_strokes, low_strokes, sloping_stroke,
    wave, cross, slash,
)  # fmt: skip
"""How what stands side by side in a row is, with one stroke or two."""
LOOKALIKES: tuple[Way, ...] = (underline, underline, overline, dash_behind, ring)
"""What only looks so."""
