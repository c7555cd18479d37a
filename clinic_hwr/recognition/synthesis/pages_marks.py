"""What a pen and a stamp add to a form: ticks, circles, crossings-out, arrows, rubber stamps."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw

from .pages_ink import print_font
from .pages_paper import Paper
from .pages_truth import MarkTruth


def check_box(
    paper: Paper,
    x: float,
    y: float,
    label: str,
    *,
    checked: bool,
    side: float = 0.12,
    points: float = 8.0,
    face: str = "sans",
) -> float:
    """Print a box with its bottom at ``y`` and a label behind it; tick it if ``checked``.

    Returns:
        The right end of the label in inches.
    """
    corners = (x, y - side, x + side, y)
    paper.box(*corners)
    right = paper.text(x + side + 0.06, y, label, points=points, face=face)[2] if label else x
    if checked:
        _tick(paper, corners)
    paper.marks.append(MarkTruth("checkbox", label, checked, paper.quad(corners)))
    return max(right, x + side)


def _tick(paper: Paper, corners: tuple[float, float, float, float]) -> None:
    """A tick, a cross or a scribble, not quite inside the box."""
    x0, y0, x1, y1 = corners
    side = x1 - x0
    rng = paper.rng
    shake = rng.normal(0.0, 0.08 * side, (6, 2))
    style = int(rng.integers(3))
    if style == 0:
        points = np.array([[x0, y0 + 0.5 * side], [x0 + 0.4 * side, y1], [x1 + 0.3 * side, y0]])
        paper.stroke(points + shake[:3])
    elif style == 1:
        paper.stroke(np.array([[x0, y0], [x1, y1]]) + shake[:2])
        paper.stroke(np.array([[x1, y0], [x0, y1]]) + shake[2:4])
    else:
        t = np.linspace(0, 1, 9)
        across = np.where(np.arange(9) % 2, 0.15, 0.85)
        paper.stroke(np.stack([x0 + side * across, y0 + side * t], 1))


CHOICE_STYLES = ("circle", "underline", "cross")
"""How a pen marks a printed choice; a cross over it may mean either."""


def choices(
    paper: Paper,
    x: float,
    y: float,
    options: tuple[str, ...],
    chosen: str,
    *,
    points: float = 8.0,
    gap: float = 0.17,
    face: str = "sans",
    style: str = "circle",
) -> tuple[float, float, float, float] | None:
    """Print choices in a row and mark one of them, as one of ``CHOICE_STYLES``.

    Returns:
        The corners of the marked one, or None when ``chosen`` is not among them.
    """
    found = None
    for option in options:
        box = paper.text(x, y, option, points=points, face=face)
        if option == chosen:
            mark_choice(paper, box, style)
            found = box
        paper.marks.append(MarkTruth("choice", option, option == chosen, paper.quad(box)))
        x = box[2] + gap
    return found


def mark_choice(paper: Paper, box: tuple[float, float, float, float], style: str) -> None:
    """Mark something printed by pen: circle it, underline it, or cross it over."""
    x0, y0, x1, y1 = box
    rng = paper.rng
    if style == "circle":
        paper.circle(*box)
    elif style == "underline":
        low = y1 + float(rng.uniform(0.02, 0.06))
        ys = low + np.cumsum(rng.normal(0.0, 0.002, 8))
        paper.stroke(np.stack([np.linspace(x0 - 0.03, x1 + 0.04, 8), ys], 1))
    else:
        over = 0.05
        shake = rng.normal(0.0, 0.01, (4, 2))
        paper.stroke(np.array([[x0 - over, y0 - over], [x1 + over, y1 + over]]) + shake[:2])
        paper.stroke(np.array([[x0 - over, y1 + over], [x1 + over, y0 - over]]) + shake[2:])


def ticked_choices(
    paper: Paper,
    x: float,
    y: float,
    options: tuple[str, ...],
    chosen: tuple[str, ...],
    *,
    points: float = 8.0,
    gap: float = 0.2,
    behind: bool = False,
    face: str = "sans",
) -> tuple[float, float, float, float] | None:
    """Print choices with a box before (or ``behind``) each and tick those that are chosen.

    Returns:
        The corners around the boxes ticked, or None when none is.
    """
    side = 0.12
    ticked: list[tuple[float, float, float, float]] = []
    for option in options:
        left = x
        if behind:
            x = paper.text(x, y, option, points=points, face=face)[2] + 0.06
        corners = (x, y - side, x + side, y)
        right = check_box(paper, x, y, "" if behind else option, checked=option in chosen,
                          points=points, face=face, side=side)  # fmt: skip
        paper.marks[-1] = MarkTruth("checkbox", option, option in chosen, paper.quad(corners))
        if option in chosen:
            ticked.append(corners)
        x = max(right, left + side) + gap
    if not ticked:
        return None
    x0s, y0s, x1s, y1s = zip(*ticked, strict=True)
    return min(x0s), min(y0s), max(x1s), max(y1s)


def strike_out(paper: Paper, corners: tuple[float, float, float, float]) -> None:
    """Cross out what stands in ``corners``: one line, two lines, a zigzag or a big X."""
    x0, y0, x1, y1 = corners
    rng, height = paper.rng, y1 - y0
    middle = y0 + height * float(rng.uniform(0.4, 0.6))
    style = int(rng.integers(4))
    if style in (0, 1):
        for offset in (0.0, 0.05)[: style + 1]:
            n = 12
            ys = middle + offset + np.cumsum(rng.normal(0.0, 0.003, n))
            paper.stroke(np.stack([np.linspace(x0 - 0.06, x1 + 0.06, n), ys], 1))
    elif style == 2:
        turns = max(6, round((x1 - x0) / 0.09))
        xs = np.linspace(x0 - 0.03, x1 + 0.03, turns)
        ys = np.where(np.arange(turns) % 2, y0 + 0.2 * height, y1 - 0.1 * height)
        paper.stroke(np.stack([xs, ys + rng.normal(0.0, 0.01, turns)], 1))
    else:
        paper.stroke(np.array([[x0, y0], [x1, y1]]))
        paper.stroke(np.array([[x0, y1], [x1, y0]]))


def written_and_struck(
    paper: Paper, name: str, text: str, x: float, y: float, *, group: int, scale: float = 1.0,
    max_width: float | None = None,
) -> None:  # fmt: skip
    """Write a value and cross it out: it stands on the page and must never be ordered."""
    first = len(paper.fields)
    corners = paper.write(x, y, text, scale=scale, max_width=max_width)
    paper.mark(name, name, corners, text, group=group)
    strike_out(paper, corners)
    paper.struck_since(first, lines=1)


def arrow(paper: Paper, x: float, y: float, length: float) -> None:
    """Draw a long dash with a head, as between a drug and its time."""
    paper.stroke(np.array([[x, y], [x + length, y + 0.01]]))
    tip = x + length
    paper.stroke(np.array([[tip - 0.05, y - 0.035], [tip, y + 0.01], [tip - 0.05, y + 0.04]]))


def rubber_stamp(
    paper: Paper, x: float, y: float, lines: tuple[str, ...], *, round_rim: bool = False
) -> None:
    """Stamp some lines around (x, y): turned a little, unevenly inked, over whatever is there.

    Each of them is noted as a mark of the kind ``stamp``: print that belongs to no form.
    """
    dpi, rng = paper.dpi, paper.rng
    font = print_font("bold", max(7, round(8.5 / 72 * dpi)))
    boxes = [font.getbbox(line) for line in lines]
    width = round(max(box[2] for box in boxes)) + round(0.25 * dpi)
    pitch = round(0.16 * dpi)
    height = pitch * len(lines) + round(0.2 * dpi)
    side = round(1.25 * max(width, height))
    image = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(image)
    centre = side / 2
    places = []
    for number, line in enumerate(lines):
        level = centre + (number - (len(lines) - 1) / 2) * pitch
        draw.text((centre, level), line, fill=255, font=font, anchor="mm")
        places.append(draw.textbbox((centre, level), line, font=font, anchor="mm"))
    pen = max(2, round(0.02 * dpi))
    if round_rim:
        rim = (centre - width / 2, centre - width / 2, centre + width / 2, centre + width / 2)
        draw.ellipse(rim, outline=255, width=pen)
    else:
        rim = (centre - width / 2, centre - height / 2, centre + width / 2, centre + height / 2)
        draw.rectangle(rim, outline=255, width=pen)
    turn = cv2.getRotationMatrix2D((centre, centre), float(rng.normal(0.0, 6.0)), 1.0)
    ink = cv2.warpAffine(np.asarray(image), turn, (side, side)).astype(np.float32) / 255.0
    patches = cv2.resize(rng.random((9, 9)).astype(np.float32), (side, side),
                         interpolation=cv2.INTER_CUBIC)  # fmt: skip
    ink *= np.clip(0.35 + 0.9 * patches, 0.1, 1.0) * float(rng.uniform(0.5, 0.85))
    corner = np.array([paper.px(x) - side // 2, paper.px(y) - side // 2])
    paper.tint(ink, int(corner[0]), int(corner[1]), gray=int(rng.integers(60, 120)))
    for line, (left, top, right, bottom) in zip(lines, places, strict=True):
        flat = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        turned = flat @ turn[:, :2].T + turn[:, 2] + corner
        quad = tuple((float(px), float(py)) for px, py in turned)
        paper.marks.append(MarkTruth("stamp", line, False, quad))
