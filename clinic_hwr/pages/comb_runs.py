"""Runs of even cells: upright lines on one row at even steps, closed by straight lines.

Writing hides lines and adds others, so a run may miss some lines and skip what stands between.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .comb_steps import EVEN, PITCH_PX, likely_pitches, with_far_sides
from .components import connected_pieces
from .types import Box, CombRun

# Pages are about 200 dpi (``upright``): lines of 0.05 to 0.55 inch.
LENGTH_PX = (10, 110)
_THICKEST_PX = 9
_UPRIGHT = 0.85  # share of an edge's height that must be ink where no single line was seen
_LOWEST_PX = 26  # boxes are higher than print, whose stems stand evenly now and then
_OVERHANG = 3.3  # cells that a line may run on: further, it is an underline
_FEWEST_ALIKE = 3
_ALIKE = 0.6  # share of the edges whose line has the usual ends; writing may hide some
# Share of a run that straight lines must cover: above and below, where boxes have gaps; or only
# below, where ticks stand on one line. Letters of bold print reach 0.9 in places.
_JOINED, _UNBROKEN = 0.75, 0.97
_TICK = 0.85  # of the pitch: a tick between two places on a line is no higher
# A stem is part of a letter, a tick stands free. The columns this far from its middle are looked
# at over the line it stands on; of 188 drawn runs of ticks, scanned, faxed and photographed, the
# median tick had ink in no more than 0.32 of either side, of 91 runs of stems nine in ten had more.
_SIDE_PX, _BESIDE_TICKS = (6, 9), 0.35
# Half as many cells more as between the ticks that were seen are told by none of them unless one
# tick stands free at least: so do 151 of 152 runs of drawn ticks, and 1 of 16 runs of stems.
_UNSEEN, _FREE = 0.5, 0.05
_MOST_LINES = 3000  # that touch a straight line; a form full of combs has some hundred
FEWEST = 3  # cells of a comb: two boxes side by side are to be ticked, more often than not


@dataclass(frozen=True, slots=True)
class _Line:
    """An upright line: its middle, top and bottom row in pixels.

    ``alike``: in a row, whether it begins and ends where most lines of the row do.
    """

    x: float
    top: int
    bottom: int
    alike: bool = False

    @property
    def length(self) -> int:
        return self.bottom - self.top


class _Band:
    """The ink between the usual first and last row of a row of lines, asked again and again.

    Args:
        ink: of the page.
        extent: first and last row.
    """

    def __init__(self, ink: NDArray[np.uint8], extent: tuple[int, int]) -> None:
        self.ink, self.extent = ink, extent
        part = ink[extent[0] : extent[1]]
        self._over = part[: len(part) - max(3, len(part) // 5)]  # over the line below
        heights = np.count_nonzero(part, axis=0) / max(1, len(part))
        # Counted from the left, and as a list: thousands of walks ask for a few columns each, the
        # last of them beyond the page.
        counts = np.cumsum(heights >= _UPRIGHT).tolist()
        self._uprights = [0, *counts, *counts[-1:] * (2 * PITCH_PX[1])]
        self._straight: dict[tuple[int, int], NDArray[np.intp]] = {}

    def is_upright(self, x: float, reach: float) -> bool:
        """Whether some column near x is ink over almost all of the row's height.

        Args:
            x: right of the page's left edge by ``reach``, at most a step beyond its right one.
            reach: how near.
        """
        return bool(self._uprights[round(x - reach)] < self._uprights[round(x + reach) + 1])

    def beside(self, x: float) -> float:
        """Share of ink right or left of an upright line, whichever has more."""
        near, far = _SIDE_PX
        middle, shares = round(x), []
        for first in (middle - far, middle + near):
            side = self._over[:, max(0, first) : max(0, first + far - near + 1)]
            shares.append(np.count_nonzero(side) / side.size if side.size else 0.0)
        return max(shares)

    def covered(self, left: float, right: float, y: int, pitch: float) -> float:
        """Share of the columns from left to right that a straight line runs through near a row."""
        sums = self._sums(y, round(0.7 * pitch))
        x0, x1 = max(0, round(left)), min(len(sums) - 1, round(right) + 1)
        return float(sums[x1] - sums[x0]) / (x1 - x0) if x1 > x0 else 0.0

    def line(self, y: int, pitch: float) -> NDArray[np.bool_]:
        """Columns that a straight line runs through near a row."""
        return np.diff(self._sums(y, round(0.7 * pitch))) > 0

    def _sums(self, y: int, length: int) -> NDArray[np.intp]:
        """How many columns before each one a straight line of some length runs through."""
        if (y, length) not in self._straight:
            rows = self.ink[max(0, y - 6) : y + 7]
            line = (straight_lines(rows, (length, 1)) > 0).any(axis=0)
            self._straight[y, length] = np.concatenate(([0], np.cumsum(line)))
        return self._straight[y, length]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of cells, and whether straight lines close it above and below."""

    cells: CombRun
    framed: bool


def find_runs(ink: NDArray[np.uint8]) -> list[Run]:
    """Find the runs of even cells on a page.

    Args:
        ink: (height, width) uint8, 255 = ink of any sort; see ``combs.dark_mask``.
    """
    found: list[Run] = []
    left = _uprights(ink)
    while left:
        row = _longest_row(left)
        # Rows come with the most lines of one length first.
        if len(row) <= FEWEST or sum(line.alike for line in row) < _FEWEST_ALIKE:
            break
        runs = list(_runs(row, ink))
        found += runs
        # What lies between the lines of a comb is its writing.
        if runs:
            left = [line for line in left if not _in_any(line, runs)]
        else:
            spent = {(line.x, line.top) for line in row if line.alike}
            left = [line for line in left if (line.x, line.top) not in spent]
    return found


def straight_lines(ink: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Ink that is at least (width, height) long; a line may lean by a pixel or two."""
    width, height = size
    across = np.ones((3, 1) if width > height else (1, 3), np.uint8)
    runs = cv2.morphologyEx(
        cv2.dilate(ink, across), cv2.MORPH_OPEN, np.ones((height, width), np.uint8)
    )
    return np.asarray(runs, np.uint8) & ink


def _uprights(ink: NDArray[np.uint8]) -> list[_Line]:
    """Upright lines that are thin enough to be printed."""
    shortest, longest = LENGTH_PX
    runs = straight_lines(ink, (1, shortest))
    count, _, stats, _ = connected_pieces(runs)
    _, _, width, height, area = stats[1:count].T
    # The mean, not the widest row: a stroke of writing may touch the line.
    thin = (area <= _THICKEST_PX * height) & (width <= height)
    fits = np.flatnonzero((height >= shortest) & (height <= longest) & thin) + 1
    # Every line of a comb stands on a straight one: most stems of letters fall out here.
    floor = straight_lines(ink, (round(0.65 * PITCH_PX[0]), 1))
    floor = np.asarray(cv2.dilate(floor, np.ones((11, 11), np.uint8)), np.uint8)
    bottoms = np.minimum(stats[fits, 1] + stats[fits, 3] - 1, len(ink) - 1)
    middles = stats[fits, 0] + stats[fits, 2] // 2
    fits = fits[floor[bottoms, middles] > 0]
    if len(fits) > _MOST_LINES:  # a page of hatching is no form
        return []
    return [
        _Line(x + (width - 1) / 2, y, y + height) for x, y, width, height, _ in stats[fits].tolist()
    ]


def _longest_row(lines: Sequence[_Line]) -> list[_Line]:
    """The lines that span one row, left to right; the row with the most lines of one length."""
    tops = np.array([line.top for line in lines])
    bottoms = np.array([line.bottom for line in lines])
    tight = np.maximum(2, 0.06 * (bottoms - tops))
    alike = (np.abs(tops[:, None] - tops) <= tight[:, None]) & (
        np.abs(bottoms[:, None] - bottoms) <= tight[:, None]
    )
    best = int(alike.sum(1).argmax())
    model = lines[best]
    slack = max(3.0, 0.12 * model.length)
    row = [
        _Line(line.x, line.top, line.bottom, bool(same))
        for line, same in zip(lines, alike[best], strict=True)
        if line.top <= model.top + slack
        and line.bottom >= model.bottom - slack
        and line.length <= 1.5 * model.length
    ]
    return sorted(row, key=lambda line: line.x)


def _runs(row: Sequence[_Line], ink: NDArray[np.uint8]) -> Iterator[Run]:
    """Runs of even cells in a row of lines."""
    left = list(row)
    band = _Band(ink, _extent(row))
    pitch: float | None = None
    while len(left) >= 3:
        places = np.array([line.x for line in left])
        worth = np.array([1.0 if line.alike else 0.0 for line in left])
        # The runs of one row are mostly of one form: their pitch is tried first.
        found = _longest_run(places, worth, [pitch], band) if pitch else None
        found = found or _longest_run(places, worth, likely_pitches(places), band)
        if found is None:
            return
        pitch = found.pitch
        box = found.run.cells.box_px
        if _are_alike([x for x in left if box.x - 3 <= x.x <= box.x + box.width + 3], found.run):
            yield found.run
        reach = 0.25 * pitch
        left = [x for x in left if not box.x - reach <= x.x <= box.x + box.width + reach]


def _are_alike(lines: Sequence[_Line], run: Run) -> bool:
    """Whether the lines of a run are of one length, as printed ones are and stems are not."""
    return sum(line.alike for line in lines) >= _ALIKE * (run.cells.cells + 1)


class _Found(NamedTuple):
    run: Run
    pitch: float


def _longest_run(
    places: NDArray[np.float64],
    worth: NDArray[np.float64],
    pitches: Sequence[float],
    band: _Band,
) -> _Found | None:
    stops, worths = places.tolist(), worth.tolist()
    tried = [
        (_walk(stops, worths, start, pitch, band), pitch)
        for pitch in pitches
        for start in range(len(stops))
    ]
    for (edges, _), pitch in sorted(tried, key=lambda one: -one[0][1]):
        # A half at least of what is to be covered by more than three quarters in the end.
        if len(edges) < 2 or band.covered(edges[0], edges[-1], band.extent[1], pitch) < 0.5:
            continue
        run = _run(with_far_sides(edges, places, pitch), pitch, band)
        if run is not None:
            return _Found(run, pitch)
    return None


def _walk(
    places: Sequence[float],
    worth: Sequence[float],
    start: int,
    pitch: float,
    band: _Band,
) -> tuple[list[float], float]:
    """Edges at even steps from a line to the right: lines, or upright ink where writing hides one.

    Args:
        places: of the lines, left to right.
        worth: of each.
        start: number of the line to begin at.
        pitch: the step.
        band: the ink of the row.

    Returns:
        the edges up to the last one that is a line of its own, and what they are worth: lines
        count by their worth; a hidden edge takes away, or a walk of a wrong pitch would live on
        writing.
    """
    edges, value = [places[start]], worth[start]
    best, reach = (1, value), EVEN * pitch
    while True:
        wanted = edges[-1] + pitch
        nearest = bisect_left(places, wanted)
        if nearest == len(places) or (
            nearest > 0 and wanted - places[nearest - 1] <= places[nearest] - wanted
        ):
            nearest = bisect_left(places, places[nearest - 1])  # the first of equal ones
        if abs(places[nearest] - wanted) <= reach:
            edges.append(places[nearest])
            value += worth[nearest]
            best = (len(edges), value)
        elif band.is_upright(wanted, reach):
            edges.append(wanted)
            value -= 1.0
        else:
            return edges[: best[0]], best[1]


def _run(edges: Sequence[float], pitch: float, band: _Band) -> Run | None:
    """A run of cells, when straight lines close it above or below and end where it ends."""
    left, right = edges[0], edges[-1]
    top, bottom = band.extent
    if len(edges) < 3:
        return None
    above, below = (band.covered(left, right, y, pitch) for y in band.extent)
    framed = min(above, below) > _JOINED
    if framed and bottom - top < _LOWEST_PX:
        return None
    if not framed and below < _UNBROKEN:
        return None
    if not framed and bottom - top > _TICK * pitch:
        return None  # strokes as high as writing are writing
    beside = [] if framed else [band.beside(x) for x in edges]
    if beside and float(np.median(beside)) > _BESIDE_TICKS:
        return None  # stems of letters that stand on a line
    before, behind = _overhang(band.line(bottom, pitch), left, right, pitch)
    if not framed and any(end > 0.25 and not _whole(end) for end in (before, behind)):
        return None  # an underline, and strokes that stand on it
    left -= pitch * (_whole(before) or _boxes(band, left, -pitch))
    right += pitch * (_whole(behind) or _boxes(band, right, pitch))
    if not framed:  # ticks: the cells are higher than their lines
        top = max(0, min(top, bottom - round(1.15 * pitch)))
    box = Box(round(left), top, round(right - left), bottom - top)
    cells = round((right - left) / pitch)
    unseen = cells - (len(edges) - 1)
    if beside and min(beside) > _FREE and unseen >= _UNSEEN * (len(edges) - 1):
        return None  # a few stems of letters that happen to stand evenly on an underline
    if not 0.4 <= (box.width / cells) / max(1, box.height) <= 2.5:
        return None
    return Run(CombRun(box, cells), framed)


def _overhang(
    line: NDArray[np.bool_], left: float, right: float, pitch: float
) -> tuple[float, float]:
    """How far a line runs on to the left and to the right of a run, in cells."""
    line = np.convolve(line, np.ones(5), "same") > 0  # over pin holes
    edge = max(3, round(0.15 * pitch))
    before = line[: max(0, round(left) - edge)][::-1]
    behind = line[round(right) + edge :]
    ends = [float(some.argmin()) if some.size and not some.all() else float(some.size)
            for some in (before, behind)]  # fmt: skip
    return tuple((end + edge) / pitch if end else 0.0 for end in ends)  # type: ignore[return-value]


def _whole(overhang: float) -> int:
    """Cells at the end of a run whose dividers were not seen."""
    cells = round(overhang)
    return cells if cells <= _OVERHANG and abs(overhang - cells) <= 0.2 else 0


def _boxes(band: _Band, end: float, step: float) -> int:
    """Boxes beside a run whose uprights were not seen: lines above and below go on."""
    count = 0
    while count < _OVERHANG - 1:
        sides = sorted((end + count * step, end + (count + 1) * step))
        if sides[0] < 0 or sides[1] >= band.ink.shape[1]:
            break
        left, right = sides
        if min(band.covered(left, right, y, abs(step)) for y in band.extent) <= _JOINED:
            break
        count += 1
    return count if count <= 1 else 0


def _extent(row: Sequence[_Line]) -> tuple[int, int]:
    """First and last row of the usual line."""
    top = round(float(np.median([line.top for line in row])))
    bottom = round(float(np.median([line.bottom for line in row])))
    return top, bottom


def _in_any(line: _Line, runs: Sequence[Run]) -> bool:
    middle = (line.top + line.bottom) / 2
    return any(
        run.cells.box_px.x - 3 <= line.x <= run.cells.box_px.x + run.cells.box_px.width + 3
        and run.cells.box_px.y - 3 <= middle <= run.cells.box_px.y + run.cells.box_px.height + 3
        for run in runs
    )
