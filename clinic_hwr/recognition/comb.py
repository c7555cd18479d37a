"""Boxed characters: finds the cells of a comb, lifts the writing out of them, and reads it.

Dates, NPI and DEA numbers are written into printed boxes, one character each. A line reader
is misled by the boxes; a reader of characters (``architectures.capsnet``) is not asked about
them at all. Check digits are judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from clinic_hwr.pages.rules import erase_mask

from .architectures.contract import Recognizer
from .charset import Charset
from .images import Gray, Ink, ink_map

SIDE_PX = 28
# EMNIST scales the longer side of a character to 24 px and centres its bounding box (measured:
# the box's middle is 13.5 +- 0.2 px; MNIST instead takes 20 px and the centre of mass).
GLYPH_PX = 24
SMOOTHING_PX = 0.4  # EMNIST blurs by one pixel of 128, where a character is about 70 high
NBEST = 5

_INK = 0.35  # as in ``images.ink_box``
_REACH = 0.45  # of a cell: how far the crop may go beyond the comb to the left and right
_NEAR = 0.15  # of a cell: how far a printed line may be from where even cells would have it
_SIDE = 0.24  # the same, where an edge was found at one of the two lines of boxes with a gap
# What the best spacing scores, in squared shares of the crop's height. Measured on 48 drawn
# combs: at least 0.44 with boxes and 0.046 with ticks of a quarter of the cell; digits without
# any print reach 0.075; ones in every cell could reach more, dividers of full height have 0.5.
_FOUND = 0.02
_FOUND_ALONE = 0.4  # where no line runs across, so that writing could pass for dividers
_LINE = 0.2  # ink of a printed line: a hairline between two rows of pixels is faint
_OWN = 0.75  # share of its ink in one cell from which a shape belongs to that cell wholly
_SPECK = 0.004  # of a cell's width squared: smaller shapes are dirt; the dot of an i is larger
_SMALLEST = 0.15  # of a cell's side: what is shorter in both directions is no character


def split_comb(gray: Gray, cells: int) -> list[Ink]:
    """Cut a comb into its characters.

    Boxes side by side, boxes with gaps, a frame with dividers, ticks on a line, and cells
    without any print all do, as long as they are evenly spaced.

    Args:
        gray: crop of the comb, (height, width) uint8, deskewed; it may reach over the comb by
            less than half a cell.
        cells: how many.

    Returns:
        for each cell an ink map (28, 28) as the characters of EMNIST look; all zero when the
        cell is empty.

    Raises:
        ValueError: less than one cell.
    """
    if cells < 1:
        raise ValueError("A comb has at least one cell.")
    if gray.shape[0] < 8 or gray.shape[1] < 8 * cells:  # nothing legible
        return [np.zeros((SIDE_PX, SIDE_PX), np.float32) for _ in range(cells)]
    ink = ink_map(gray)
    across = _horizontal_rules(ink, cells)
    uprights = _uprights(ink, across)
    edges = _cell_edges(uprights, cells, _FOUND if across.any() else _FOUND_ALONE)
    rules = across | _dividers(uprights, edges, _SIDE if across.any() else _NEAR)
    writing = _without(ink, rules)
    owners = _owners(writing, rules, edges, _inside(across))
    return [
        character_image(writing * _grown(owners == cell), _smallest_px(edges))
        for cell in range(cells)
    ]


@dataclass(frozen=True)
class Cell:
    """What a reader of characters says of one cell.

    Attributes:
        nbest: characters with their share (0..1) of the probability of all that are allowed,
            best first; a space with 1 for an empty cell.
        length: of the longest allowed capsule, 0..1: how sure it is that any of them is there;
            1 for an empty cell.
    """

    nbest: tuple[tuple[str, float], ...]
    length: float


EMPTY = Cell(((" ", 1.0),), 1.0)


@torch.inference_mode()
def read_cells(
    model: Recognizer, gray: Gray, cells: int, allowed: str | Sequence[str]
) -> list[Cell]:
    """Read a comb character by character.

    Args:
        model: a recognizer that ``reads="character"``, in evaluation mode.
        gray, cells: see ``split_comb``.
        allowed: the characters that may stand there, such as the digits for a date; or those
            of each cell. A capital stands for both cases where its small letter is not allowed.

    Raises:
        ValueError: the model knows none of the allowed characters, or there are not as many
            strings as cells.
    """
    each = [allowed] * cells if isinstance(allowed, str) else list(allowed)
    if len(each) != cells:
        raise ValueError(f"{len(each)} strings of allowed characters for {cells} cells.")
    known = ["".join(c for c in dict.fromkeys(a) if c in model.charset.characters) for a in each]
    if not all(known):
        raise ValueError(f"The reader of characters knows none of {each[known.index('')]!r}.")
    inks = split_comb(gray, cells)
    written = [i for i, ink in enumerate(inks) if ink.any()]
    found = [EMPTY] * cells
    if written:
        log_lengths = _log_lengths(model, [inks[i] for i in written])
        for i, row in zip(written, log_lengths, strict=True):
            found[i] = _cell(row, known[i], model.charset)
    return found


@torch.inference_mode()
def read_character(model: Recognizer, gray: Gray, allowed: str) -> Cell:
    """Read a crop of one character without any print around it; see ``read_cells``.

    Raises:
        ValueError: the model knows none of the allowed characters.
    """
    known = "".join(c for c in dict.fromkeys(allowed) if c in model.charset.characters)
    if not known:
        raise ValueError(f"The reader of characters knows none of {allowed!r}.")
    ink = character_image(ink_map(gray))
    return _cell(_log_lengths(model, [ink])[0], known, model.charset) if ink.any() else EMPTY


def read_comb(
    model: Recognizer, gray: Gray, cells: int, allowed: str | Sequence[str]
) -> tuple[str, list[list[tuple[str, float]]]]:
    """Read a comb; see ``read_cells``.

    Returns:
        the text, one character a cell, a space for an empty one; and for each cell its best
        characters with their shares.
    """
    found = read_cells(model, gray, cells, allowed)
    return "".join(cell.nbest[0][0] for cell in found), [list(cell.nbest) for cell in found]


def _log_lengths(model: Recognizer, inks: Sequence[Ink]) -> NDArray[np.float64]:
    """Log length of the capsule of each class, (n, classes); not normalised."""
    device = next(model.parameters()).device
    images = torch.from_numpy(np.stack(inks)).unsqueeze(1).to(device)
    widths = torch.full((len(inks),), SIDE_PX, device=device)
    logits = model.encode(images, widths).ctc_logits
    if logits is None:
        raise ValueError("A reader of characters answers with one CTC column.")
    lengths: NDArray[np.float64] = logits[:, 0].float().double().cpu().numpy()
    return lengths


def _cell(log_lengths: NDArray[np.float64], known: str, charset: Charset) -> Cell:
    weights = []
    for char in known:
        twin = char.lower()
        both = [char, twin] if twin not in known and twin in charset.characters else [char]
        weights.append(float(np.exp(log_lengths[charset.encode("".join(both))]).sum()))
    p = np.array(weights)
    shares = p / max(p.sum(), 1e-300)
    best = np.argsort(-shares, kind="stable")[:NBEST]
    return Cell(tuple((known[k], float(shares[k])) for k in best), float(min(1.0, p.max())))


def character_image(ink: Ink, smallest_px: float = 0.0) -> Ink:
    """Scale one character as EMNIST does: longer side 24 px, box centred, smoothed.

    Args:
        ink: ink map with nothing else on it.
        smallest_px: what is smaller than this in both directions is dirt.

    Returns:
        (28, 28) ink map, all zero without ink.
    """
    image = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    ys, xs = np.nonzero(ink > _INK)
    if len(ys) == 0:
        return image
    cut = ink[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    longer = max(cut.shape)
    if longer < smallest_px:
        return image
    scale = GLYPH_PX / longer
    height, width = (max(1, round(side * scale)) for side in cut.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    glyph = cv2.resize(cut, (width, height), interpolation=way)
    y, x = (SIDE_PX - height) // 2, (SIDE_PX - width) // 2
    image[y : y + height, x : x + width] = glyph
    smooth = np.asarray(cv2.GaussianBlur(image, (0, 0), SMOOTHING_PX), np.float32)
    return np.asarray((smooth / smooth.max()).clip(0, 1), np.float32)


def _smallest_px(edges: NDArray[np.float64]) -> float:
    return _SMALLEST * float(edges[1] - edges[0])


def _without(ink: Ink, rules: NDArray[np.uint8]) -> Ink:
    """The ink with the rules painted over, strokes that cross them kept whole."""
    if not rules.any():
        return ink
    cleaned = erase_mask(np.asarray(255 * (1 - ink), np.uint8), rules)
    return np.asarray(1 - cleaned.astype(np.float32) / 255, np.float32)


def _horizontal_rules(ink: Ink, cells: int) -> NDArray[np.uint8]:
    """Mask (255) of the printed lines above and below the cells."""
    binary = np.asarray(ink > _LINE, np.uint8)
    length = max(6, round(0.6 * ink.shape[1] / cells))
    runs = cv2.morphologyEx(
        cv2.dilate(binary, np.ones((3, 1), np.uint8)),
        cv2.MORPH_OPEN,
        np.ones((1, length), np.uint8),
    )
    runs = np.asarray(runs, np.uint8) & binary
    # A line goes along most cells, a stroke of writing does not; both may lean a little.
    along = cv2.dilate(runs, np.ones((7, 1), np.uint8)).sum(1)
    rows = along > 0.45 * ink.shape[1]
    return np.asarray(runs * rows[:, None] * 255, np.uint8)


def _uprights(ink: Ink, across: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1 on vertical strokes that may be printed.

    Where lines run across, those that stand on one or hang from one; else the long ones.
    """
    binary = np.asarray(ink > _LINE, np.uint8)
    length = max(6, len(ink) // 8 if across.any() else len(ink) // 3)
    # A line that leans by a pixel or two is still one.
    runs = cv2.morphologyEx(
        cv2.dilate(binary, np.ones((1, 3), np.uint8)),
        cv2.MORPH_OPEN,
        np.ones((length, 1), np.uint8),
    )
    runs = np.asarray(runs, np.uint8) & binary
    if not across.any():
        return runs
    _, labels = cv2.connectedComponents(runs, connectivity=8)
    touching = np.unique(labels[cv2.dilate(across, np.ones((5, 5), np.uint8)) > 0])
    return np.asarray(np.isin(labels, touching[touching > 0]), np.uint8)


def _cell_edges(uprights: NDArray[np.uint8], cells: int, least: float) -> NDArray[np.float64]:
    """Where the cells begin and end, (cells + 1,) columns, evenly spaced.

    Tries every first and last edge and keeps the pair whose even spacing meets most printed
    lines; where not even that scores ``least`` the crop is divided evenly.
    """
    height, width = uprights.shape
    pitch = width / cells
    # Long lines count most: those of writing are shorter than those of the boxes.
    lines = (uprights.sum(0).astype(np.float64) / height) ** 2
    near = max(2, round(_NEAR * pitch))
    padded = np.pad(lines, near)
    meets = np.max(
        [
            padded[near + offset : near + offset + width] * (1 - abs(offset) / (near + 1))
            for offset in range(-near, near + 1)
        ],
        axis=0,
    )
    reach = np.arange(max(1, round(_REACH * pitch)))
    first, last = (x.ravel() for x in np.meshgrid(reach, width - 1 - reach, indexing="ij"))
    tried = first[:, None] + np.linspace(0, 1, cells + 1) * (last - first)[:, None]
    weights = np.ones(cells + 1)
    weights[[0, -1]] = 0.5  # the crop may have been cut inside of the frame
    scores = meets[np.rint(tried).astype(int)] @ weights / weights.sum()
    best = int(scores.argmax())
    if scores[best] < least:
        return np.linspace(0, width - 1, cells + 1)
    return np.asarray(tried[best], np.float64)


def _dividers(
    uprights: NDArray[np.uint8], edges: NDArray[np.float64], reach: float
) -> NDArray[np.uint8]:
    """Mask (255) of the printed lines at most ``reach`` of a cell from its edges.

    Stems of letters beside an edge are kept: the lines of a comb are all of one length.
    """
    mask = np.zeros_like(uprights)
    near = max(2, round(reach * (edges[1] - edges[0])))
    lengths = uprights.sum(0)
    windows = [
        slice(max(0, round(edge) - near), min(len(lengths), round(edge) + near + 1))
        for edge in edges
    ]
    longest = [int(lengths[window].max()) for window in windows]
    usual = float(np.median([length for length in longest if length] or [0]))
    for window in windows:
        like = (lengths[window] > 0.8 * usual) & (lengths[window] < 1.25 * usual)
        # The blurred sides of a line are shorter than its core.
        like = np.convolve(like, np.ones(3), "same") > 0
        mask[:, window] = uprights[:, window] * like * 255
    return mask


def _inside(across: NDArray[np.uint8]) -> tuple[int, int]:
    """First and last row between the line above and the line below, or of the crop."""
    height = len(across)
    rows = np.flatnonzero(across.any(1))
    above, below = rows[rows < 0.4 * height], rows[rows > 0.6 * height]
    return int(above.max()) if len(above) else 0, int(below.min()) if len(below) else height - 1


def _owners(
    writing: Ink, rules: NDArray[np.uint8], edges: NDArray[np.float64], inside: tuple[int, int]
) -> NDArray[np.int64]:
    """The cell (-1: none) that each inked pixel belongs to, (height, width).

    A shape that reaches into the neighbour's cell stays whole; one that is as much in one
    cell as in another is two touching characters and is cut between them.
    """
    binary = (writing > _INK).astype(np.uint8)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(binary, connectivity=8)
    owners = np.full(writing.shape, -1, np.int64)
    column_cell = np.full(writing.shape[1], -1, np.int64)
    for cell, (a, b) in enumerate(pairwise(edges)):
        column_cell[max(0, round(a)) : round(b) + 1] = cell
    smallest = _SPECK * (edges[1] - edges[0]) ** 2
    near_rule = cv2.dilate(rules, np.ones((7, 7), np.uint8)) > 0
    for index in range(1, count):
        shape = labels == index
        if stats[index, cv2.CC_STAT_AREA] < smallest or near_rule[shape].mean() > 0.9:
            continue
        if not inside[0] <= centres[index][1] <= inside[1]:  # a printed label above or below
            continue
        cells = np.broadcast_to(column_cell, shape.shape)[shape]
        found, sizes = np.unique(cells, return_counts=True)
        if sizes.max() >= _OWN * sizes.sum():
            owners[shape] = found[sizes.argmax()]
        else:
            owners[shape] = cells
    return owners


def _grown(mask: NDArray[np.bool_]) -> Ink:
    """The mask and the pixels around it, where strokes fade out."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)), np.float32)
