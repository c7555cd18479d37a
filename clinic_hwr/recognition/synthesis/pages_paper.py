"""A sheet of paper to draw a form on: print, rules, handwriting, and what was written where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .hands import CannotWrite, Hand, InkTile
from .line_bands import band_of
from .pages_ink import climbing, needle_gaps, print_font, stroke_width
from .pages_truth import FieldTruth, LineTruth, MarkTruth, Quad

Gray = NDArray[np.uint8]


class Paper:
    """A page being drawn. Positions are in inches from the top left, sizes of print in points.

    Args:
        width_in: page width in inches.
        height_in: page height in inches.
        dpi: pixels per inch.
        hand: who writes on it.
        rng: source of all variation.
    """

    def __init__(
        self, width_in: float, height_in: float, dpi: int, hand: Hand, rng: np.random.Generator
    ) -> None:
        self.dpi = dpi
        self.hand = hand
        self.rng = rng
        self.width_in = width_in
        self.height_in = height_in
        shape = (round(height_in * dpi), round(width_in * dpi))
        self.ink = np.full(shape, 255, np.uint8)
        self.pen = np.zeros(shape, np.uint8)  # 255 = full pen ink, apart from print and rules
        self.row_slope_deg = 0.0  # how rows climb, and how much that varies
        self.row_jitter_deg = 0.0
        self.fields: list[FieldTruth] = []
        self.lines: list[LineTruth] = []
        self.marks: list[MarkTruth] = []
        # One pen a page: darkness 30 (black gel) .. 110 (blue ballpoint in gray).
        self.pen_gray = int(rng.integers(25, 105))
        self.pen_width_in = float(rng.uniform(0.010, 0.017))  # ballpoint 0.25 mm .. gel 0.43 mm
        self.x_height_in = float(rng.uniform(0.075, 0.105))

    def _inches(self, corners: Sequence[float]) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = (float(side) / self.dpi for side in corners)
        return x0, y0, x1, y1

    def px(self, inches: float) -> int:
        """Inches to whole pixels."""
        return round(inches * self.dpi)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        points: float = 8.0,
        face: str = "sans",
        gray: int = 30,
        align: str = "left",
        dots: bool = False,
    ) -> tuple[float, float, float, float]:
        """Print ``text`` with its baseline at ``y``; returns x0, y0, x1, y1 of its ink.

        ``dots``: as a needle printer does, in rows of dots 1/72 inch apart.
        """
        font = print_font(face, max(6, round(points / 72 * self.dpi)))
        anchor = {"left": "ls", "middle": "ms", "right": "rs"}[align]
        image = Image.fromarray(self.ink)
        draw = ImageDraw.Draw(image)
        at = (x * self.dpi, y * self.dpi)
        draw.text(at, text, fill=gray, font=font, anchor=anchor)
        box = draw.textbbox(at, text, font=font, anchor=anchor)
        drawn = np.asarray(image).copy()
        self.ink = np.where(needle_gaps(drawn.shape, self.dpi), self.ink, drawn) if dots else drawn
        corners = self._inches(box)
        if text.strip():
            band = self._printed_band(
                corners, y, draw.textbbox((0, 0), "x", font=font, anchor="ls")
            )
            self.lines.append(LineTruth(text, True, self.quad(corners), band_px=band))
        return corners

    def printed_field(
        self,
        name: str,
        kind: str,
        text: str,
        x: float,
        y: float,
        *,
        points: float = 8.0,
        face: str = "sans",
        align: str = "left",
        group: int = 0,
        dots: bool = False,
    ) -> float:
        """Print a value and record it as a field; returns its right end in inches."""
        x0, y0, x1, y1 = self.text(x, y, text, points=points, face=face, align=align, dots=dots)
        self._record(name, kind, group, text, printed=True, corners=(x0, y0, x1, y1))
        return x1

    def rule(
        self, x0: float, y0: float, x1: float, y1: float, *, points: float = 0.7, gray: int = 70
    ) -> None:
        """Draw a straight form rule."""
        thickness = max(1, round(points / 72 * self.dpi))
        cv2.line(self.ink, (self.px(x0), self.px(y0)), (self.px(x1), self.px(y1)), gray, thickness)

    def box(self, x0: float, y0: float, x1: float, y1: float, *, points: float = 0.7) -> None:
        """Draw a rectangle of rules."""
        for ends in ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)):
            self.rule(*ends, points=points)

    def write(
        self, x: float, y: float, text: str, *, scale: float = 1.0, max_width: float | None = None
    ) -> tuple[float, float, float, float]:
        """Write ``text`` by hand, baseline near ``y``; returns x0, y0, x1, y1 of its ink.

        Too wide a text is written smaller, as people do when a row runs out.
        """
        x_height_px = self.x_height_in * scale * self.dpi
        tile = self._with_the_same_pen(text, x_height_px)
        alpha, baseline = tile.alpha, tile.baseline_px
        if max_width is not None and alpha.shape[1] > self.px(max_width):
            ratio = self.px(max_width) / alpha.shape[1]
            size = (self.px(max_width), max(1, round(alpha.shape[0] * max(ratio, 0.6))))
            alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8)
            baseline = round(baseline * max(ratio, 0.6))
        if self.row_jitter_deg:
            angle = float(self.rng.normal(self.row_slope_deg, self.row_jitter_deg))
            alpha, baseline = climbing(alpha, baseline, angle)
        wander = float(self.rng.normal(0.0, 0.008))  # nobody keeps exactly to the rule
        top, left = self.px(y + wander) - baseline, self.px(x)
        corners = self._inches(self._lay(alpha, left, top))
        moved = band_of(alpha) + np.array([left, top])
        band = tuple((float(px), float(py)) for px, py in moved)
        self.lines.append(LineTruth(text, False, self.quad(corners), band_px=band))
        return corners

    def _printed_band(
        self, corners: tuple[float, float, float, float], y: float, small: Sequence[float]
    ) -> Quad:
        """From the baseline up to the height of a small letter, over the width of the text."""
        base = y * self.dpi
        return self.quad((corners[0], (base + small[1]) / self.dpi, corners[2], base / self.dpi))

    def _with_the_same_pen(self, text: str, x_height_px: float) -> InkTile:
        """Write a text up to four times and keep the one nearest to this page's stroke width.

        A hand varies its pen from text to text; one page is written with one pen.

        Raises:
            CannotWrite: the hand leaves no ink.
        """
        wanted = self.pen_width_in * self.dpi
        tiles = []
        for _ in range(4):
            tile = self.hand.write(text, self.rng, x_height_px)
            if not tile.alpha.size:
                raise CannotWrite(f"{self.hand.name} leaves no ink.")
            off = abs(np.log(stroke_width(tile.alpha) / wanted))
            tiles.append((off, tile))
            if off < 0.15:
                break
        return min(tiles, key=lambda one: one[0])[1]

    def field(
        self,
        name: str,
        kind: str,
        text: str,
        x: float,
        y: float,
        *,
        group: int = 0,
        scale: float = 1.0,
        max_width: float | None = None,
        prefix: str = "",
    ) -> float:
        """Write a value by hand and record it; ``prefix`` (e.g. "Sig:") is part of the ink.

        Returns:
            The right end of the ink in inches.
        """
        whole = f"{prefix} {text}".strip()
        corners = self.write(x, y, whole, scale=scale, max_width=max_width)
        self._record(name, kind, group, whole, printed=False, corners=corners)
        return corners[2]

    def comb(
        self,
        name: str,
        kind: str,
        text: str,
        x: float,
        y: float,
        *,
        cells: Sequence[int],
        style: str = "boxes",
        cell_in: tuple[float, float] = (0.22, 0.28),
        gap_in: float = 0.1,
        group: int = 0,
    ) -> float:
        """Draw a comb and write one character of ``text`` into each cell, by hand.

        Args:
            name, kind, group: of the field; ``text`` as written, a blank for an empty cell.
            x, y: upper left corner in inches.
            cells: cells of each run; runs are ``gap_in`` apart.
            style: ``boxes`` (a frame with dividers), ``gapped`` (single boxes) or ``ticks``.
            cell_in: width and height of a cell.

        Returns:
            The right end of the comb in inches.
        """
        width, height = cell_in
        left, characters, parts = x, iter(text), []
        for count in cells:
            self._cells(left, y, count, cell_in, style)
            written = "".join(next(characters, " ") for _ in range(count))
            for place, char in enumerate(written):
                if char != " ":
                    self._in_cell(char, left + width * place, y, width, height)
            parts.append(written)
            left += width * count + gap_in
        right = left - gap_in
        said = " ".join(parts).strip()
        self._record(name, kind, group, said, printed=False, corners=(x, y, right, y + height))
        return right

    def _cells(
        self, x: float, y: float, count: int, cell_in: tuple[float, float], style: str
    ) -> None:
        width, height = cell_in
        edges = [x + width * place for place in range(count + 1)]
        if style == "gapped":
            for left in edges[:-1]:
                self.box(left + 0.02, y, left + width - 0.02, y + height)
            return
        self.rule(edges[0], y + height, edges[-1], y + height)
        if style == "boxes":
            self.rule(edges[0], y, edges[-1], y)
        top = y if style == "boxes" else y + 0.72 * height
        for edge in edges:
            self.rule(edge, top, edge, y + height)

    def _in_cell(self, char: str, x: float, y: float, width: float, height: float) -> None:
        """Write one character near the middle of a cell, smaller where it would not fit."""
        tile = self._with_the_same_pen(char, 0.36 * height * self.dpi)
        alpha = tile.alpha
        most = (0.95 * width * self.dpi, 0.92 * height * self.dpi)
        fit = min(1.0, most[0] / alpha.shape[1], most[1] / alpha.shape[0])
        if fit < 1.0:
            size = (max(1, round(alpha.shape[1] * fit)), max(1, round(alpha.shape[0] * fit)))
            alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8)
        off_x, off_y = self.rng.normal(0.0, 0.05, 2) * (width, height)
        left = self.px(x + width / 2 + off_x) - alpha.shape[1] // 2
        top = self.px(y + height / 2 + off_y) - alpha.shape[0] // 2
        self._lay(alpha, left, top)

    def mark(
        self,
        name: str,
        kind: str,
        corners: tuple[float, float, float, float],
        text: str = "",
        *,
        group: int = 0,
    ) -> None:
        """Record a field whose ink was drawn otherwise (a circle, a signature, several cells)."""
        self._record(name, kind, group, text, printed=False, corners=corners)

    def circle(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Circle something by pen: a closed, slightly uneven loop around the given corners."""
        centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        radius = np.array([(x1 - x0) / 2 + 0.055, (y1 - y0) / 2 + 0.05])
        angle = np.linspace(0.0, 2.15 * np.pi, 60) + self.rng.uniform(0, 6)
        wobble = 1 + 0.06 * np.sin(angle * 2 + self.rng.uniform(0, 6))
        points = centre + radius * np.stack([np.cos(angle), np.sin(angle)], 1) * wobble[:, None]
        self.stroke(points)

    def stroke(self, points: NDArray[np.float64], *, width_in: float = 0.012) -> None:
        """Draw a pen stroke through points (n, 2) in inches."""
        pen = max(1, self.px(width_in))
        left, top = np.floor(points.min(axis=0) * self.dpi).astype(int) - pen - 2
        right, bottom = np.ceil(points.max(axis=0) * self.dpi).astype(int) + pen + 3
        alpha = np.zeros((bottom - top, right - left), np.uint8)
        path = np.round((points * self.dpi - (left, top)) * 16).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(alpha, [path], False, 255, pen, cv2.LINE_AA, shift=4)
        self._lay(alpha, int(left), int(top))

    def signature(self, x: float, y: float, width: float) -> tuple[float, float, float, float]:
        """Sign: a fast, unreadable line of loops; returns x0, y0, x1, y1 of its ink in inches."""
        n = int(self.rng.integers(6, 10))
        t = np.linspace(0, n, n * 14)
        height = 0.09 + 0.05 * np.sin(t * 0.7 + self.rng.uniform(0, 6)) ** 2
        xs = x + width * t / n + 0.05 * np.sin(t * 2 * np.pi)
        ys = (
            y
            - 0.08
            - height
            * np.cos(t * 2 * np.pi + self.rng.uniform(0, 1))
            * np.linspace(1.0, 0.35, len(t))
        )
        points = np.stack([xs, ys], 1)
        self.stroke(points)
        pad = 0.006
        return (xs.min() - pad, ys.min() - pad, xs.max() + pad, ys.max() + pad)

    def tint(self, strength: NDArray[np.float32], left: int, top: int, *, gray: int) -> None:
        """Blend something that is neither pen nor form (a stamp) over the page.

        Args:
            strength: (height, width), 0..1.
            left, top: where its corner goes, in pixels.
            gray: of the full strength.
        """
        height, width = self.ink.shape
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(width, left + strength.shape[1]), min(height, top + strength.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        part = strength[y0 - top : y1 - top, x0 - left : x1 - left]
        below = self.ink[y0:y1, x0:x1].astype(np.float32)
        mixed = np.minimum(below, below + part * (gray - below))
        self.ink[y0:y1, x0:x1] = np.round(mixed).astype(np.uint8)

    def _lay(self, alpha: Gray, left: int, top: int) -> tuple[int, int, int, int]:
        """Blend pen ink over the page; returns the pixel corners of what landed on paper."""
        height, width = self.ink.shape
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(width, left + alpha.shape[1]), min(height, top + alpha.shape[0])
        if x1 <= x0 or y1 <= y0:
            return x0, y0, x0, y0
        part = alpha[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32) / 255.0
        below = self.ink[y0:y1, x0:x1].astype(np.float32)
        # min: pen over print does not lighten the print
        blended = np.minimum(below, 255 - part * (255 - self.pen_gray))
        self.ink[y0:y1, x0:x1] = np.round(blended).astype(np.uint8)
        pen = self.pen[y0:y1, x0:x1]
        np.maximum(pen, alpha[y0 - top : y1 - top, x0 - left : x1 - left], out=pen)
        rows, cols = np.nonzero(part > 0.3)
        if len(rows) == 0:
            return x0, y0, x0, y0
        return (x0 + int(cols.min()), y0 + int(rows.min()),
                x0 + int(cols.max()) + 1, y0 + int(rows.max()) + 1)  # fmt: skip

    def _record(
        self,
        name: str,
        kind: str,
        group: int,
        text: str,
        *,
        printed: bool,
        corners: tuple[float, float, float, float],
    ) -> None:
        quad = self.quad(corners)
        self.fields.append(FieldTruth(name, kind, group, text, printed, quad))

    def quad(self, corners: Sequence[float]) -> Quad:
        """Corners in pixels of x0, y0, x1, y1 in inches."""
        x0, y0, x1, y1 = (float(side) * self.dpi for side in corners)
        return (x0, y0), (x1, y0), (x1, y1), (x0, y1)

    def struck_since(self, first: int, *, lines: int) -> None:
        """Mark the fields from ``first`` on and the last ``lines`` written lines as crossed out.

        The strokes are the caller's.
        """
        self.fields[first:] = [replace(one, struck=True) for one in self.fields[first:]]
        written = [n for n, line in enumerate(self.lines) if not line.printed][-lines:]
        for number in written:
            self.lines[number] = replace(self.lines[number], struck=True)
