"""Any page raster made upright: resolution, background, quarter turn and skew put right."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import flatten_background, ink_mask, without_tints
from .creases import find_creases, without_bands, without_black_creases
from .curl import row_bend
from .fax import clean_fax, fax_stretch, is_blackened, is_one_bit
from .glyphs import turn_votes
from .orientation import clockwise_turns, rows_are_vertical
from .print_words import PrintUnread
from .sheet import find_sheet, flat_view
from .skew import skew_degrees
from .straight_runs import opened_along, opened_down
from .types import Gray, PageProblem, UprightPage

# Long side after normalisation. Letter at 200 dpi has 2200 px; beyond that OCR gets slower and not
# better. Small rasters (a pad at 150 dpi has 825 px) are enlarged, as Tesseract wants capitals of
# about 25 px; thumbnails are not, there is nothing in them to enlarge.
_LONG_SIDE_PX = (1650, 2200)
_MAX_ENLARGEMENT = 2.0
_MIN_SIDE_PX = 32
# Nats by which the letters' choice must lead: see "Which way up" in docs/pages.md.
# Streaks of a fax that arrived black vote as letters do: on generated pages they led by 74 once,
# and wrongly (2026-11-28).
_SURE_MARGIN, _SURE_OF_BLACKENED = 15.0, 150.0
_PAGE_ROWS = 110.0  # heights of a printed capital that a page is high, more or less
_WHOLE = 0.955  # of the sheet: a fold reaches from edge to edge, the rules of a form seldom do
_MOST_INK = 0.2  # of the page: dense print has 0.1


def make_upright(gray: Gray, *, turns: int | None = None) -> UprightPage:
    """Turn a page upright, flatten and deskew it, whiten its paper, bring it to one resolution.

    The steps, in order: rows of a half-dense fax are drawn twice as tall and the line's faults
    repaired; the sheet of a photo is cut out of its table and its perspective undone; shadows are
    divided away; letters vote on the quarter turn (OCR is asked when they do not agree); skew and
    the sag of bent rows are undone.

    Args:
        gray: page raster as it came, (height, width) uint8, of any size.
        turns: the clockwise quarter turns to undo where they are known; None: letters vote.

    Returns:
        The upright page with the way back to the raster. Never raises on odd content (blank,
        black, tiny): such a page comes back unturned, and ``problems`` says what was not done.
        Without Tesseract only the letters say which way the rows run.

    Raises:
        ValueError: the raster is not two-dimensional uint8, or empty.
    """
    if gray.ndim != 2 or gray.dtype != np.uint8 or gray.size == 0:
        raise ValueError("a page raster must be a non-empty (height, width) uint8 array")
    if min(gray.shape) < _MIN_SIDE_PX:
        return UprightPage(gray.copy(), 0, 0.0, np.eye(3), problems=(PageProblem.TOO_SMALL,))
    page, to_page, blackened = _normalised(gray)
    page, to_page, border, problems = _flattened(page, to_page)
    if blackened:
        problems.append(PageProblem.BLACKENED)
    ink = ink_mask(page)
    if not _looks_written(ink):
        problems.append(PageProblem.BLANK)
        return UprightPage(page, 0, 0.0, _inverse(to_page), problems=tuple(problems))

    needed = _SURE_OF_BLACKENED if blackened else _SURE_MARGIN
    turns, sure = _quarter_turns(page, ink, needed) if turns is None else (turns % 4, True)
    if not sure:
        problems.append(PageProblem.ORIENTATION_UNSURE)
    skew = skew_degrees(_rotated(ink, turns))
    upright, matrix = _turned(page, turns, skew)
    inked = ink_mask(upright)
    bend, uneven = row_bend(inked)
    if uneven:
        problems.append(PageProblem.ROWS_UNEVEN)
    if bend.coefficients:
        upright = bend.straightened(upright, paper=255)
    sheet = _corners(page.shape, border, matrix, turns)
    known = None if bend.coefficients else inked
    unfolded = _without_folds(upright, known, sheet, by_fax=(by_fax := is_one_bit(gray)))
    if by_fax and unfolded is not upright:
        problems.append(PageProblem.FOLD_REMOVED)
    to_original = _inverse(matrix @ to_page)
    return UprightPage(unfolded, 90 * turns, skew, to_original, bend, tuple(problems))


def _corners(
    shape: tuple[int, ...], border: int, matrix: NDArray[np.float64], turns: int
) -> NDArray[np.float64]:
    """Where the corners of a sheet are once its raster is turned, clockwise; see ``_turned``.

    Args:
        shape: of the raster, height and width.
        border: pixels of it around the sheet.
        matrix, turns: as it was turned.
    """
    right, bottom = shape[1] - border, shape[0] - border
    corners = np.array(
        [[border, border], [right, border], [right, bottom], [border, bottom]], np.float64
    )
    moved = cv2.perspectiveTransform(corners[:, None], matrix)[:, 0]
    return np.asarray(np.roll(moved, -turns, axis=0), np.float64)


def _without_folds(
    page: Gray, ink: NDArray[np.uint8] | None, sheet: NDArray[np.float64], *, by_fax: bool
) -> Gray:
    """Take off the bands, gray or by fax black, that a folded sheet shows from edge to edge.

    Args:
        page: the upright page.
        ink: its mask, where it is known.
        sheet: see ``_corners``.
        by_fax: whether the page is black and white.
    """
    unit = max(page.shape) / _PAGE_ROWS
    if by_fax:
        ink = ink_mask(page) if ink is None else ink
        unfolded = without_black_creases(page, ink, unit)
        if unfolded is not page:
            page, ink = unfolded, None
    bands = find_creases(page, sheet, unit, extent=_WHOLE)
    if not bands:
        return page
    return without_bands(page, ink_mask(page) if ink is None else ink, bands)[0]


def _flattened(
    page: Gray, to_page: NDArray[np.float64]
) -> tuple[Gray, NDArray[np.float64], int, list[PageProblem]]:
    """Cut the sheet out of its table, undo perspective, make the paper white.

    Returns:
        The page, the way to it, pixels around the sheet, and what is wrong.
    """
    sheet = find_sheet(page)
    if sheet.corners_px is None or sheet.outline is None:
        problems = [PageProblem.SHEET_UNSURE] if sheet.doubtful else []
        return without_tints(flatten_background(page)), to_page, 0, problems
    matrix, size = flat_view(sheet.corners_px)
    # A little more than the sheet: its corners may be worn, its edges curved.
    border = round(0.02 * max(size))
    matrix = np.array([[1.0, 0, border], [0, 1, border], [0, 0, 1]]) @ matrix
    size = size[0] + 2 * border, size[1] + 2 * border
    view = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    outline = cv2.resize(sheet.outline, (page.shape[1], page.shape[0]))
    inside = cv2.warpPerspective(outline, matrix, size, flags=cv2.INTER_LINEAR)
    # Table beside the sheet would darken what counts as paper there.
    lit_part = np.asarray(cv2.threshold(inside, 127, 255, cv2.THRESH_BINARY)[1], np.uint8)
    paper = _median_within(np.asarray(view, np.uint8), lit_part)
    lit = np.where(inside > 127, view, np.uint8(min(255, round(paper)))).astype(np.uint8)
    flat = without_tints(flatten_background(lit))
    edge = max(3, 2 * round(0.002 * max(size)) + 1)
    sure = cv2.erode(inside, np.ones((edge, edge), np.uint8))
    flat[sure < 127] = 255
    return flat, matrix @ to_page, border, []


def _median_within(view: Gray, part: NDArray[np.uint8]) -> float:
    """The median gray of a part of a page (> 0), by counting: sorting pixels takes long."""
    counts = cv2.calcHist([view], [0], part, [256], [0, 256]).ravel().astype(np.int64)
    below, total = np.cumsum(counts), int(counts.sum())
    middle = np.searchsorted(below, [(total - 1) // 2, total // 2], side="right")
    return float(middle.mean())


def _quarter_turns(page: Gray, ink: NDArray[np.uint8], needed: float) -> tuple[int, bool]:
    """The clockwise quarter turns to undo, and whether that is sure.

    ``needed``: nats by which letters must lead where OCR is not to be asked.
    """
    rules_off = _without_long_parts(ink)
    votes = turn_votes(rules_off)
    if votes.margin >= needed:
        return votes.best, True
    if np.count_nonzero(ink) > _MOST_INK * ink.size:
        return votes.best, False  # noise: OCR would search it for a minute and find nothing
    sideways = rows_are_vertical(rules_off)
    skews = (skew_degrees(ink), skew_degrees(np.rot90(ink)))
    views = tuple(
        _turned(page, quarter, skew)[0] for quarter, skew in zip((0, 1), skews, strict=True)
    )
    try:
        return clockwise_turns(views[0], views[1], sideways=sideways, guess=votes.best)
    except PrintUnread:
        return votes.best, False


def _normalised(gray: Gray) -> tuple[Gray, NDArray[np.float64], bool]:
    """Scale into the working resolution.

    Returns:
        The raster, original -> raster, and whether a part of a fax arrived black.
    """
    across, down, source = 1.0, 1.0, gray
    blackened = False
    if is_one_bit(gray):
        (across, down), source = fax_stretch(gray), clean_fax(gray)
        blackened = is_blackened(gray, source)
    low, high = _LONG_SIDE_PX
    side = max(gray.shape[0] * down, gray.shape[1] * across)
    scale = high / side if side > high else min(low / side, _MAX_ENLARGEMENT) if side < low else 1.0
    if scale == across == down == 1.0:
        return source, np.eye(3), blackened
    size = (
        max(1, round(gray.shape[1] * scale * across)),
        max(1, round(gray.shape[0] * scale * down)),
    )
    how = cv2.INTER_AREA if scale < 1 and across == down else cv2.INTER_CUBIC
    page = np.asarray(cv2.resize(source, size, interpolation=how), np.uint8)
    matrix = np.diag([size[0] / gray.shape[1], size[1] / gray.shape[0], 1.0])
    return page, matrix, blackened


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    inverse = np.linalg.inv(matrix)
    return np.asarray(inverse / inverse[2, 2], np.float64)


def _looks_written(ink: NDArray[np.uint8]) -> bool:
    """Whether the page has some ink, and is not all ink."""
    share = np.count_nonzero(ink) / ink.size
    return bool(1e-5 < share < 0.6)


def _without_long_parts(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drop table borders, which join the letters that touch them into one component."""
    length = max(ink.shape) // 20
    long = cv2.max(opened_along(ink, length), opened_down(ink, length))
    return np.asarray(cv2.subtract(ink, long), np.uint8)


def _turned(gray: Gray, turns: int, skew_deg: float) -> tuple[Gray, NDArray[np.float64]]:
    """Undo clockwise quarter turns and skew in one resampling; returns raster and 3x3 matrix.

    The canvas grows so that no corner of the paper is lost.
    """
    height, width = gray.shape
    if skew_deg == 0.0:
        return _rotated(gray, turns), _quarter_matrix(height, width, turns)
    quarter = _quarter_matrix(height, width, turns)
    if turns % 2:
        height, width = width, height
    centre = ((width - 1) / 2, (height - 1) / 2)
    small = np.vstack([cv2.getRotationMatrix2D(centre, -skew_deg, 1.0), [0.0, 0.0, 1.0]])
    cos, sin = abs(small[0, 0]), abs(small[0, 1])
    out = round(height * sin + width * cos), round(height * cos + width * sin)
    small[0, 2] += (out[0] - width) / 2
    small[1, 2] += (out[1] - height) / 2
    matrix = small @ quarter
    page = cv2.warpAffine(gray, matrix[:2], out, flags=cv2.INTER_CUBIC, borderValue=255)
    return np.asarray(page, np.uint8), matrix


def _rotated(raster: NDArray[np.uint8], turns: int) -> NDArray[np.uint8]:
    """``np.rot90(raster, turns)`` in a raster of its own; a copy of that takes 20 times as long."""
    ways = (None, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)
    way = ways[turns % 4]
    return raster.copy() if way is None else np.asarray(cv2.rotate(raster, way), np.uint8)


def _quarter_matrix(height: int, width: int, turns: int) -> NDArray[np.float64]:
    """Matrix of ``np.rot90(page, turns)`` (counter-clockwise) on (x, y) pixel positions."""
    right, bottom = width - 1.0, height - 1.0
    matrices = (
        ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        ((0, 1, 0), (-1, 0, right), (0, 0, 1)),
        ((-1, 0, right), (0, -1, bottom), (0, 0, 1)),
        ((0, -1, bottom), (1, 0, 0), (0, 0, 1)),
    )
    return np.array(matrices[turns % 4], np.float64)
