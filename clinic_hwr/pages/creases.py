"""Creases of a folded sheet taken off the ink of a page whose form is off already.

A fold is photographed as a gray band. It runs straight through rows and columns and would join
them, and what it leaves between lines would count as writing, or on a line for a signature as a
signature. A fax makes black bands of them, which nothing tells from pen but that they are thicker
than the form's rules and reach beyond all that is written and printed (``without_black_creases``).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import connected_pieces, inked_places, of_pieces
from .crease_pieces import MOST_SLOPE, Piece, chains_of, pieces_of, slope_of
from .resampling import reduced
from .straight_runs import opened_along, opened_down
from .types import Gray

_SCALE = 2
# No letter is straight and upright, or level, for so many heights of a printed capital.
_STRAIGHT = 3.0
_WIDEST, _BROAD = 1.2, 1.8  # of a crease, in the same, and of one of a thick or soft sheet
# A crease may be paler than any pen: so many gray levels off the paper are looked at.
_OFF_PAPER = 12
# A crease runs from one edge of the sheet to the other. It is seen over so much of that, between
# two places so far apart: a line through words, or along a margin, ends where the words do.
_LENGTH, _EXTENT = 0.25, 0.7
_MOST_FOLDS = 3  # of one direction, that begin and end alike
# It is darker than the paper on both sides of it, by so many gray levels, where it was seen.
_DARKER = 10.0
# Pen in a crease is so much darker than the crease itself, in gray levels, where that can be told.
_PEN_DARKER = 35.0
# A line in it that is so much darker than the rest, in gray levels, is a rule beside a shadow.
_RULE_DARKER = 50.0
# Where a fifth of it is as dark as this it cannot be told from pen: a line, or a crease on a fax.
_BLACK, _BLACK_SHARE = 100.0, 20
_PAPER = 255
# A black band on a fax: unbroken over so much of its length, as long as so much of all ink is high,
# so much thicker than the rules, so far beyond everything else (heights of a printed capital).
_BLACK_LENGTH, _BLACK_EXTENT, _THICKER, _BEYOND = 0.3, 0.8, 1.5, 1.0
_LETTER = 0.6  # heights of a capital: grain is lower
_BLACK_WIDTH = 0.3  # heights of a capital: a rule is thinner


def without_creases(
    gray: Gray,
    ink: NDArray[np.uint8],
    sheet: NDArray[np.float64],
    unit_px: float,
    *,
    extent: float = _EXTENT,
) -> tuple[Gray, NDArray[np.uint8]]:
    """Take the creases of a sheet off a page; pen that crosses one stays whole.

    Args:
        gray: upright page without its form's print, (height, width) uint8, white paper.
        ink: where it has ink, 255.
        sheet: corners (4, 2) of the sheet, x and y in pixels, clockwise from the upper left one;
            table beside it is no crease.
        unit_px: height of a printed capital.
        extent: of the sheet that a crease is seen over; more where the rules of a form, which
            reach far too, are still on the page.

    Returns:
        Both without creases; the very same arrays where there is none. What is crossed out must be
        looked for on what came in: a line through words from edge to edge is no crease.
    """
    bands = find_creases(gray, sheet, unit_px, extent=extent)
    return without_bands(gray, ink, bands) if bands else (gray, ink)


def find_creases(
    gray: Gray, sheet: NDArray[np.float64], unit_px: float, *, extent: float = _EXTENT
) -> list[NDArray[np.int32]]:
    """Return the creases of a sheet, each as corners (parts, 4, 2) of its parts, in pixels.

    Args:
        gray, sheet, unit_px, extent: see ``without_creases``.
    """
    inner = np.full_like(gray, _PAPER)
    part = _filled(np.round(sheet).astype(np.int32)[None], gray.shape)
    cv2.copyTo(gray, cv2.erode(part, np.ones((9, 9), np.uint8)), inner)
    # Bands are wide and long: half of the pixels each way shows where they are.
    half = reduced(inner, (gray.shape[1] // _SCALE, gray.shape[0] // _SCALE))
    sides = np.linalg.norm(np.roll(sheet, -1, axis=0) - sheet, axis=1)
    across, down = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    upright = _bands(inner, half, down, unit_px, extent)
    turned, half = (np.asarray(cv2.transpose(one), np.uint8) for one in (inner, half))
    level = _bands(turned, half, across, unit_px, extent)
    return [*upright, *(np.ascontiguousarray(band[:, :, ::-1]) for band in level)]


def without_bands(
    gray: Gray, ink: NDArray[np.uint8], bands: Sequence[NDArray[np.int32]]
) -> tuple[Gray, NDArray[np.uint8]]:
    """Take some creases off a page and its ink; see ``find_creases`` and ``without_creases``."""
    masks = [_filled(band, ink.shape) for band in bands]
    creased = np.asarray(np.maximum.reduce(masks), np.uint8)
    left = np.asarray(cv2.bitwise_and(ink, cv2.bitwise_not(creased)), np.uint8)
    pen = left.copy()
    for mask in masks:
        x, y, width, height = cv2.boundingRect(mask)
        near = slice(y, y + height), slice(x, x + width)
        pen[near] |= _pen_in(gray[near], ink[near], mask[near])
    pen = _without_flakes(pen, left)
    page = gray.copy()
    page[(creased > 0) & (cv2.dilate(pen, np.ones((3, 3), np.uint8)) == 0)] = _PAPER
    return page, pen


def _filled(band: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Mask of the parts of one crease, 255."""
    mask = np.zeros(shape, np.uint8)
    for part in band:  # one at a time: cv2 leaves out what two of them share
        cv2.fillPoly(mask, [part], 255)
    return mask


def _without_flakes(pen: NDArray[np.uint8], outside: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drop what lies in a crease as a whole: a piece of it, and no stroke that crosses it."""
    count, labels, _, _ = connected_pieces(pen)
    beyond = np.bincount(labels.ravel()[inked_places(outside)], minlength=count) > 0
    beyond[0] = False
    return of_pieces(np.where(beyond, 255, 0).astype(np.uint8), labels, pen)


def _pen_in(gray: Gray, ink: NDArray[np.uint8], creased: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pen inside of a crease: what is darker than the crease."""
    level = float(np.median(gray[creased > 0])) - _PEN_DARKER
    pen = np.where((creased > 0) & (ink > 0) & (gray < level), 255, 0).astype(np.uint8)
    # Single dark pixels are the crease's grain; the rim of what is more is pen again.
    firm = cv2.morphologyEx(pen, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return np.asarray(cv2.bitwise_and(cv2.dilate(firm, np.ones((3, 3), np.uint8)), pen), np.uint8)


def _bands(
    gray: Gray, small: Gray, side: float, unit_px: float, least: float
) -> list[NDArray[np.int32]]:
    """Upright creases, each as the corners (parts, 4, 2) of the parts it is made of.

    Args:
        gray: the sheet.
        small: the same at one ``_SCALE``-th of its size, where they are looked for.
        side, unit_px, least: see ``without_creases``; in pixels of the sheet.
    """
    height = gray.shape[0]
    unit = unit_px / _SCALE
    straight_px = round(_STRAIGHT * unit)
    if small.shape[0] <= straight_px or small.shape[1] < 2:
        return []
    dark = cv2.threshold(small, _PAPER - _OFF_PAPER, 255, cv2.THRESH_BINARY_INV)[1]
    # grain of the paper breaks a pale crease
    dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    straight = opened_down(np.asarray(dark, np.uint8), straight_px)
    # No chain of pieces is longer than they are together, nor from further up to further down.
    rows = np.flatnonzero(straight.any(axis=1))
    if not len(rows) or _SCALE * (rows[-1] + 1 - rows[0]) < least * side:
        return []
    # Beside a shadow only the narrow is a crease's.
    together = _LENGTH * side / _SCALE, least * side / _SCALE
    found = [
        pieces_of(_without_areas(straight, widest), unit, widest, least=together)
        for widest in (_WIDEST * unit, _BROAD * unit)
    ]
    chains = [
        [piece.enlarged(_SCALE) for piece in chain]
        for pieces in found
        for chain in chains_of(pieces, unit)
    ]
    bands = []
    long = [
        chain for chain in chains
        if sum(piece.bottom - piece.top for piece in chain) >= _LENGTH * side
        and chain[-1].bottom - chain[0].top >= least * side
    ]  # fmt: skip
    for chain in long:
        if _equals(chain, long, unit_px) > _MOST_FOLDS:
            continue
        slope = slope_of(chain)
        if abs(slope) > MOST_SLOPE:
            continue
        half = max(piece.width for piece in chain) / 2 + 2
        seen = [(one.at(y), float(y)) for one in chain for y in (one.top, one.bottom)]
        inside, *beside = (
            gray[_filled(_band(seen, half, off), gray.shape) > 0]
            for off in (0.0, -2 * half, 2 * half)
        )
        if not inside.size or not all(one.size for one in beside):
            continue  # along the very edge of the page
        if np.percentile(inside, _BLACK_SHARE) < _BLACK:
            continue
        if np.median(inside) > min(np.median(one) for one in beside) - _DARKER:
            continue
        if _holds_rule(gray, seen, half):
            continue
        # what is paler than pen may go on unseen
        (x0, y0), (x1, y1) = seen[0], seen[-1]
        seen = [(x0 - slope * y0, 0.0), *seen, (x1 + slope * (height - y1), float(height))]
        bands.append(_band(seen, half, 0.0))
    return bands


def _equals(chain: Sequence[Piece], others: Sequence[Sequence[Piece]], unit_px: float) -> int:
    """How many lines, itself among them, begin and end where one does: rules of a table do."""
    places = sorted(
        other[0].at(chain[0].top) for other in others
        if abs(other[0].top - chain[0].top) < unit_px
        and abs(other[-1].bottom - chain[-1].bottom) < unit_px
    )  # fmt: skip
    return 1 + sum(after - before > unit_px for before, after in itertools.pairwise(places))


def _holds_rule(gray: Gray, middle: Sequence[tuple[float, float]], half: float) -> bool:
    """Whether one line along a band is far darker than the band, as no fold is."""
    y = np.arange(int(middle[0][1]), int(middle[-1][1]))
    x = np.interp(y, [row for _, row in middle], [column for column, _ in middle])
    off = np.arange(-int(half) + 1, int(half))[:, None]
    columns = np.clip(np.round(x + off).astype(np.intp), 0, gray.shape[1] - 1)
    across = np.median(gray[np.minimum(y, len(gray) - 1), columns], axis=1)
    return bool(across.min() < min(_BLACK, np.median(across) - _RULE_DARKER))


def _without_areas(straight: NDArray[np.uint8], widest: float) -> NDArray[np.uint8]:
    """Take out what is wider than a crease, such as a tinted bar that one runs through."""
    area = opened_along(straight, round(2 * widest))
    return np.asarray(cv2.subtract(straight, area), np.uint8)


def _band(middle: Sequence[tuple[float, float]], half: float, off: float) -> NDArray[np.int32]:
    """Corners (parts, 4, 2) of a band of ``2 * half`` pixels around a line moved by ``off``."""
    parts = [
        [(x0 + off - half, y0), (x0 + off + half, y0), (x1 + off + half, y1), (x1 + off - half, y1)]
        for (x0, y0), (x1, y1) in itertools.pairwise(middle)
    ]
    return np.round(np.array(parts)).astype(np.int32)


def without_black_creases(gray: Gray, ink: NDArray[np.uint8], unit_px: float) -> Gray:
    """Take the black bands of folds off a page that came by fax.

    Args:
        gray: upright page, (height, width) uint8, white paper.
        ink: where it has ink, 255.
        unit_px: height of a printed capital.

    Returns:
        The page without them; what crosses one from side to side stays. The very same array where
        there is none.
    """
    upright = _black_bands(ink, unit_px)
    level = _black_bands(np.asarray(cv2.transpose(ink), np.uint8), unit_px)
    if not upright and not level:
        return gray
    page = gray.copy()
    for band in upright:
        _erase_between(page, ink, band)
    turned = np.asarray(cv2.transpose(page), np.uint8)
    turned_ink = np.asarray(cv2.transpose(ink), np.uint8)
    for band in level:
        _erase_between(turned, turned_ink, band)
    return np.asarray(cv2.transpose(turned), np.uint8)


def _black_bands(ink: NDArray[np.uint8], unit_px: float) -> list[NDArray[np.uint8]]:
    """Masks of upright black bands that reach beyond all other ink."""
    straight_px = round(_STRAIGHT * unit_px)
    if ink.shape[0] <= straight_px:
        return []
    straight = opened_down(ink, straight_px)
    pieces = pieces_of(straight, unit_px, _WIDEST * unit_px)
    chains = [
        chain for chain in chains_of(pieces, unit_px)
        if sum(one.bottom - one.top for one in chain)
        >= _BLACK_LENGTH * (chain[-1].bottom - chain[0].top)
        and abs(slope_of(chain)) <= MOST_SLOPE
        and np.median([one.width for one in chain]) >= _BLACK_WIDTH * unit_px
    ]  # fmt: skip
    longest = max((chain[-1].bottom - chain[0].top for chain in chains), default=0)
    chains = [c for c in chains if c[-1].bottom - c[0].top >= _BLACK_EXTENT * longest]
    # A sheet that was folded twice shows two bands of one length: neither is a rule.
    rules = [one.width for one in pieces if not any(one in chain for chain in chains)]
    thick = _THICKER * float(np.median(rules)) if rules else 0.0
    candidates = []
    for chain in chains:
        if np.median([one.width for one in chain]) >= thick:
            half = max(piece.width for piece in chain) / 2 + 2
            seen = [(one.at(y), float(y)) for one in chain for y in (one.top, one.bottom)]
            band = _filled(_band(seen, half, 0.0), ink.shape)
            candidates.append((chain[0].top, chain[-1].bottom, band))
    if not candidates:
        return []
    rest = ink
    for _, _, band in candidates:
        rest = np.asarray(cv2.subtract(rest, band), np.uint8)
    rows = np.flatnonzero((_letters(rest, unit_px) > 0).sum(axis=1) > 0.2 * unit_px)
    if not len(rows):
        return []
    first, last = int(rows[0]), int(rows[-1])
    return [
        band for top, bottom, band in candidates
        if bottom - top > _BLACK_EXTENT * (last - first)
        and max(first - top, bottom - last) > _BEYOND * unit_px
    ]  # fmt: skip


def _letters(ink: NDArray[np.uint8], unit_px: float) -> NDArray[np.uint8]:
    """Ink without pieces lower than a letter, such as the grain of a shaded sheet."""
    _, labels, stats, _ = connected_pieces(ink)
    large = np.where(stats[:, cv2.CC_STAT_HEIGHT] > _LETTER * unit_px, 255, 0).astype(np.uint8)
    large[0] = 0
    return of_pieces(large, labels, ink)


def _erase_between(page: Gray, ink: NDArray[np.uint8], band: NDArray[np.uint8]) -> None:
    """Whiten a band in place, but for the rows that have ink on both of its sides."""
    rows = np.flatnonzero(band.any(axis=1))
    left, right = band.argmax(axis=1), band.shape[1] - 1 - band[:, ::-1].argmax(axis=1)
    crossed = np.zeros(len(band), bool)
    for row in rows:
        before = ink[row, max(0, left[row] - 3) : left[row]].any()
        crossed[row] = before and ink[row, right[row] + 1 : right[row] + 4].any()
    crossed = cv2.dilate(crossed.astype(np.uint8)[:, None], np.ones((3, 1), np.uint8))[:, 0] > 0
    erased = (band > 0) & ~crossed[:, None]
    page[erased] = _PAPER
