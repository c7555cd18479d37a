"""Pages of no layout at all: print, rules and lines of writing strewn at random, with their places.

A finder of text lines that learns from a few layouts learns the layouts. Here every page is
another: heads, labelled rows, ruled and free writing, tables, footers and stamps in random sizes
and order; lines that slope, touch their neighbours, or are crossed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from .crossed_out import cross_out_more
from .hands import CannotWrite, Hand
from .line_bands import band_of
from .pages_content import random_content
from .pages_paper import Gray, Paper
from .pages_scan import ScanSettings, bands_moved, scan_with_moves
from .pages_truth import LineTruth

_SIZES_IN = ((4.25, 5.5), (5.83, 8.27), (8.27, 11.69), (8.5, 11.0), (5.5, 8.5), (8.27, 5.83))
_FACES = ("sans", "bold", "serif", "serif-bold", "narrow")
_LABELS = (
    "Name", "Patient", "DOB", "Date", "Address", "Tel:", "Rx", "Sig:", "Disp", "Refills", "NPI",
    "DEA #", "Age", "Sex", "Weight", "Allergies", "Signature", "Nombre", "Fecha", "Nom", "Datum",
    "Arzt", "Diagnosis", "MRN", "Quantity", "Prescriber", "Room", "Directions for use",
)  # fmt: skip
_SENTENCES = (
    "Generic substitution is permitted unless the prescriber writes otherwise.",
    "This prescription is void if altered. Valid for one year from the date of issue.",
    "Confidential: contains protected health information.",
    "Please bring this paper to your next visit. Office hours 9-5.",
)
_HANDS_TRIED = 12
_SIGNS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class ScatteredPage:
    """A page and the bands of its lines.

    Attributes:
        gray: the scan, (height, width) uint8.
        written: outline of the band of every line of handwriting, each (n, 2) float, clockwise in
            pixels; see ``line_bands``.
        printed: the same of every line of print.
        struck: the same of what is crossed out of either.
    """

    gray: Gray
    written: tuple[NDArray[np.float32], ...]
    printed: tuple[NDArray[np.float32], ...]
    struck: tuple[NDArray[np.float32], ...] = ()


def draw_scattered(
    hands: Sequence[Hand],
    rng: np.random.Generator,
    *,
    long_side_px: int,
    crossed_out: float = 0.0,
) -> ScatteredPage:
    """Draw one page.

    Args:
        hands: who may write on it; one is chosen that has most of the letters.
        rng: source of everything.
        long_side_px: of the page before small turns.
        crossed_out: share of its lines; see ``cross_out_more``.
    """
    width, height = _SIZES_IN[int(rng.integers(len(_SIZES_IN)))]
    dpi = round(long_side_px / max(width, height))
    for _ in range(_HANDS_TRIED):
        page = _Strewn(width, height, dpi, hands[int(rng.integers(len(hands)))], rng)
        if page.can_write_most():
            break
    page.fill()
    if crossed_out:
        cross_out_more(page.paper, crossed_out)
    settings = ScanSettings(
        skew_deg=float(rng.normal(0.0, 0.35)),
        paper_gray=int(rng.integers(205, 255)),
        shadow=float(rng.choice((0.0, rng.uniform(0.05, 0.4)))),
        blur_px=float(rng.uniform(0.0, 0.9)),
        noise=float(rng.uniform(0.0, 9.0)),
        jpeg_quality=int(rng.integers(35, 95)) if rng.random() < 0.5 else 0,
    )
    gray, moves, _ = scan_with_moves(page.paper.ink, settings, rng)
    lines = bands_moved(page.paper.lines, moves)
    if rng.random() < 0.2:  # fax: black or white, with specks
        gray = np.where(gray < rng.integers(120, 200), 0, 255).astype(np.uint8)
        specks = rng.random(gray.shape) < rng.uniform(0, 0.004)
        gray[specks] = 0
    return ScatteredPage(gray, *bands_by_kind(lines))


Bands = tuple[NDArray[np.float32], ...]


def bands_by_kind(lines: Sequence[LineTruth]) -> tuple[Bands, Bands, Bands]:
    """Outlines of the bands of handwriting, of those of print, and of what is crossed out."""
    bands: dict[bool, list[NDArray[np.float32]]] = {True: [], False: []}
    struck = []
    for line in lines:
        if line.band_px:
            band = np.asarray(line.band_px, np.float32)
            bands[line.printed].append(band)
            if line.struck:
                struck.append(_part_of(band, *line.struck_part))
    return tuple(bands[False]), tuple(bands[True]), tuple(struck)


def _part_of(band: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    """A band between two shares of its length."""
    half = len(band) // 2
    sides = []
    for side in (band[:half], band[half:][::-1]):
        left, right = side[0, 0], side[-1, 0]
        first, last = left + start * (right - left), left + end * (right - left)
        xs = np.array([first, *side[(side[:, 0] > first) & (side[:, 0] < last), 0], last])
        sides.append(np.stack([xs, np.interp(xs, side[:, 0], side[:, 1])], 1))
    return np.concatenate([sides[0], sides[1][::-1]]).astype(np.float32)


class _Strewn:
    """One page being filled from top to bottom with blocks of random kinds."""

    def __init__(
        self, width: float, height: float, dpi: int, hand: Hand, rng: np.random.Generator
    ) -> None:
        self.paper = Paper(width, height, dpi, hand, rng)
        self.paper.x_height_in = float(rng.uniform(0.06, 0.13))
        self.rng = rng
        # On small paper print is as small as on large: a pad has fewer lines, not smaller ones.
        self.points = float(rng.uniform(6.5, 10.5))
        self.content = random_content(rng)

    def can_write_most(self) -> bool:
        """Whether the hand has the letters of most of what is to be written."""
        texts = [text for text in self.content.written_texts() if text]
        return sum(map(self.paper.hand.can_write, texts)) > 0.7 * len(texts)

    def fill(self) -> None:
        """Lay blocks below one another until the page is full."""
        rng, paper = self.rng, self.paper
        blocks = (self._head, self._rows, self._writing, self._table, self._footer, self._writing)
        y = float(rng.uniform(0.15, 0.6))
        if rng.random() < 0.7:
            y = self._head(y)
        while y < paper.height_in - 0.5:
            y = blocks[int(rng.integers(1, len(blocks)))](y) + float(rng.uniform(0.05, 0.4))
        for _ in range(int(rng.integers(0, 3))):
            self._stray()
        if rng.random() < 0.25:
            self._stamp()
        if rng.random() < 0.5:
            self._signature()

    def _print(self, x: float, y: float, text: str, *, scale: float = 1.0) -> float:
        """Print a text, record its line, return its right end."""
        face = _FACES[int(self.rng.integers(len(_FACES)))]
        points = self.points * scale
        if y + 0.02 > self.paper.height_in or x > self.paper.width_in - 0.3:
            return x
        return self.paper.text(x, y, text, points=points, face=face)[2]

    def _head(self, y: float) -> float:
        rng, content = self.rng, self.content
        texts = [content.practice_name, content.prescriber_name, content.specialty,
                 content.practice_address, "Tel: " + content.prescriber_phone,
                 "NPI " + content.prescriber_npi]  # fmt: skip
        x = float(rng.uniform(0.2, 0.45 * self.paper.width_in))
        for text in texts[: int(rng.integers(1, 7))]:
            scale = float(rng.uniform(0.8, 2.0))
            y += self.points * scale / 72 * float(rng.uniform(1.0, 1.4))
            self._print(x, y, text, scale=scale)
        if rng.random() < 0.5:
            self.paper.rule(0.2, y + 0.08, self.paper.width_in - 0.2, y + 0.08, points=1.2)
        return y + 0.15

    def _rows(self, y: float) -> float:
        """Labels, each with a value beside or below it, underlined or not."""
        rng, paper = self.rng, self.paper
        underlined = rng.random() < 0.6
        pitch = float(rng.uniform(0.24, 0.5))
        for _ in range(int(rng.integers(1, 6))):
            y += pitch
            x = float(rng.uniform(0.2, 0.5))
            while x < paper.width_in - 0.8:
                label = _LABELS[int(rng.integers(len(_LABELS)))]
                start = self._print(x, y, label) + float(rng.uniform(0.05, 0.2))
                end = min(start + float(rng.uniform(0.6, 3.5)), paper.width_in - 0.15)
                if underlined:
                    paper.rule(start, y + 0.02, end, y + 0.02)
                kind = rng.random()
                if kind < 0.7:
                    self._write(start + 0.05, y, self._value(), end - start - 0.1)
                elif kind < 0.8:
                    self._print(start + 0.05, y, self._value())
                x = end + float(rng.uniform(0.05, 0.4))
        return y

    def _writing(self, y: float) -> float:
        """Free lines of writing, wide or tight, sloping together, ruled or not."""
        rng, paper = self.rng, self.paper
        x_height = paper.x_height_in
        pitch = x_height * float(rng.uniform(2.3, 5.0))
        slope = float(rng.normal(0.0, 2.0)) if rng.random() < 0.5 else 0.0
        left = float(rng.uniform(0.2, 0.4 * paper.width_in))
        ruled = rng.random() < 0.25
        if rng.random() < 0.4:
            self._print(max(0.1, left - 0.5), y + 0.25, "Rx", scale=float(rng.uniform(1.5, 3.5)))
        for _ in range(int(rng.integers(1, 8))):
            y += pitch * float(rng.uniform(0.9, 1.25))
            if y > paper.height_in - 0.15:
                break
            if ruled:
                paper.rule(0.3, y + 0.02, paper.width_in - 0.3, y + 0.02)
            x = left + float(rng.choice((0.0, rng.uniform(0.0, 0.6))))
            box = self._write(x, y, self._value(), paper.width_in - x - 0.15, slope=slope)
            if box is not None and rng.random() < 0.06:
                self._strike(box)
                paper.lines[-1] = replace(paper.lines[-1], struck=True)
            if rng.random() < 0.08:
                y += pitch
        return y + x_height

    def _table(self, y: float) -> float:
        rng, paper = self.rng, self.paper
        columns = np.sort(rng.uniform(0.4, paper.width_in - 0.4, int(rng.integers(1, 5))))
        edges = [0.2, *(float(x) for x in columns), paper.width_in - 0.2]
        height = float(rng.uniform(0.22, 0.45))
        rows = int(rng.integers(2, 7))
        for row in range(rows + 1):
            paper.rule(edges[0], y + row * height, edges[-1], y + row * height)
        for edge in edges:
            paper.rule(edge, y, edge, y + rows * height)
        for row in range(rows):
            base = y + (row + 0.75) * height
            for left, right in pairwise(edges):
                if right - left < 0.4:
                    continue
                if row == 0:
                    self._print(left + 0.05, base, _LABELS[int(rng.integers(len(_LABELS)))])
                elif rng.random() < 0.6:
                    self._write(left + 0.06, base, self._value(), right - left - 0.1)
        return y + rows * height

    def _footer(self, y: float) -> float:
        for _ in range(int(self.rng.integers(1, 4))):
            y += self.points / 72 * 1.3
            text = _SENTENCES[int(self.rng.integers(len(_SENTENCES)))]
            self._print(float(self.rng.uniform(0.2, 0.4)), y, text, scale=0.85)
        return y

    def _stray(self) -> None:
        """A word somewhere: a note at the margin."""
        x = float(self.rng.uniform(0.2, self.paper.width_in - 1.0))
        y = float(self.rng.uniform(0.4, self.paper.height_in - 0.3))
        if not self._taken(x, y):
            self._write(x, y, self._value(), 1.5)

    def _taken(self, x: float, y: float) -> bool:
        rows = slice(max(0, self.paper.px(y - 0.3)), self.paper.px(y + 0.15))
        part = self.paper.ink[rows, self.paper.px(x) : self.paper.px(x + 1.5)]
        return bool(part.size == 0 or (part < 128).any())

    def _signature(self) -> None:
        y = float(self.rng.uniform(0.6, 1.0)) * self.paper.height_in - 0.15
        x = float(self.rng.uniform(0.2, 0.5)) * self.paper.width_in
        if not self._taken(x, y):
            x0, y0, x1, y1 = self.paper.signature(x, y, float(self.rng.uniform(0.8, 1.8)))
            # Loops from top to bottom: the middle half stands for it.
            rim = (y1 - y0) / 4
            band = self.paper.quad((x0, y0 + rim, x1, y1 - rim))
            quad = self.paper.quad((x0, y0, x1, y1))
            self.paper.lines.append(LineTruth("", False, quad, band_px=band))

    def _stamp(self) -> None:
        """A ring of pen and print as of a rubber stamp; no line of writing."""
        rng, paper = self.rng, self.paper
        centre = rng.uniform(0.8, paper.width_in - 0.8), rng.uniform(0.8, paper.height_in - 0.8)
        for radius in (0.55, 0.48):
            middle = (paper.px(centre[0]), paper.px(centre[1]))
            cv2.circle(paper.ink, middle, paper.px(radius), 120, max(1, paper.px(0.01)))
        self._print(float(centre[0]) - 0.35, float(centre[1]), "PHARMACY", scale=0.9)

    def _value(self) -> str:
        """Something that people write: values of a prescription, or letters."""
        rng, content = self.rng, self.content
        texts = [text for text in content.written_texts() if text]
        if rng.random() < 0.3:
            sizes = rng.integers(2, 11, int(rng.integers(1, 5)))
            words = ("".join(rng.choice(list(_SIGNS), int(size))) for size in sizes)
            return " ".join(words)
        return texts[int(rng.integers(len(texts)))]

    def _write(
        self, x: float, y: float, text: str, room: float, *, slope: float = 0.0
    ) -> tuple[float, float, float, float] | None:
        """Write a line at a slope (degrees, rising) and record its corners; None without ink."""
        paper, rng = self.paper, self.rng
        if not paper.hand.can_write(text):
            text = next((t for t in self.content.written_texts() if paper.hand.can_write(t)), "")
        if not text:
            return None
        try:
            scale = float(rng.uniform(0.85, 1.2))
            tile = paper.hand.write(text, rng, max(3.0, paper.x_height_in * scale * paper.dpi))
        except CannotWrite:
            return None
        alpha, baseline = tile.alpha, tile.baseline_px
        most = max(8, paper.px(room))
        if alpha.shape[1] > most:  # people write smaller, or cut it short
            ratio = max(0.7, most / alpha.shape[1])
            size = (round(alpha.shape[1] * ratio), max(3, round(alpha.shape[0] * ratio)))
            alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8)
            alpha, baseline = alpha[:, :most], round(baseline * ratio)
        height, width = alpha.shape
        band = band_of(alpha)
        turn = cv2.getRotationMatrix2D((0.0, float(baseline)), slope, 1.0)
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        moved = corners @ turn[:, :2].T + turn[:, 2]
        low, high = moved.min(axis=0), moved.max(axis=0)
        turn[:, 2] -= low
        span = np.ceil(high - low).astype(int) + 1
        alpha = np.asarray(cv2.warpAffine(alpha, turn, (int(span[0]), int(span[1]))), np.uint8)
        left = paper.px(x) + low[0]
        top = paper.px(y) - baseline + low[1]
        laid = paper._lay(alpha, round(left), round(top))
        if laid[2] <= laid[0] or laid[3] <= laid[1]:
            return None
        corner = np.array([paper.px(x), paper.px(y) - baseline])
        turned = band @ turn[:, :2].T + turn[:, 2] + low
        points = [
            tuple((float(px), float(py)) for px, py in some + corner) for some in (moved, turned)
        ]
        paper.lines.append(LineTruth(text, False, points[0], band_px=points[1]))
        return (laid[0] / paper.dpi, laid[1] / paper.dpi, laid[2] / paper.dpi, laid[3] / paper.dpi)

    def _strike(self, box: tuple[float, float, float, float]) -> None:
        x0, y0, x1, y1 = box
        xs = np.linspace(x0, x1, 12)
        middle = y0 + (y1 - y0) * float(self.rng.uniform(0.4, 0.65))
        ys = middle + np.cumsum(self.rng.normal(0, 0.006, 12))
        self.paper.stroke(np.stack([xs, ys], 1), width_in=self.paper.pen_width_in)
