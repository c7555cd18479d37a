"""How pages are scored against the truth they were drawn with; see ``benchmarks.pages``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ.setdefault("OMP_THREAD_LIMIT", "1")


from clinic_hwr.pages import (
    FieldKind,
    FieldRegion,
    UprightPage,
)
from clinic_hwr.pages.types import StruckOut
from clinic_hwr.recognition.synthesis.pages import DrawnPage, FieldTruth
from clinic_hwr.recognition.synthesis.pages_truth import Quad

MIN_IOU = 0.5
Corners = tuple[float, float, float, float]
_NO_LINE = (FieldKind.SIGNATURE, FieldKind.CHECKBOX)


def wilson(good: int, n: int) -> str:
    """A share with its 95% interval (Wilson 1927)."""
    if n == 0:
        return "- (n = 0)"
    z, p = 1.96, good / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return f"{p:.3f} [{middle - half:.3f}, {middle + half:.3f}] (n = {n})"


def bootstrap(values: Sequence[float], what: Callable[[np.ndarray], float] = np.median) -> str:
    """A statistic with its 95% bootstrap interval over pages."""
    data = np.array(values)
    rng = np.random.default_rng(0)
    drawn = [what(data[rng.integers(0, len(data), len(data))]) for _ in range(2000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{what(data):.2f} [{low:.2f}, {high:.2f}] (n = {len(data)})"


def placed(quad: Quad, page: UprightPage) -> Corners:
    """x0, y0, x1, y1 of a truth on the upright page."""
    points = np.array(quad, np.float64)
    # Also the middles of the long sides: a line may sag between its corners.
    along = np.linspace(0, 1, 5)[:, None]
    edge = np.concatenate(
        [points[0] + along * (points[1] - points[0]), points[3] + along * (points[2] - points[3])]
    )
    moved = page.transform.from_original(edge)
    (x0, y0), (x1, y1) = moved.min(axis=0), moved.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def overlap(one: Corners, other: Corners) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


def inside(one: Corners, other: Corners) -> float:
    """Share of ``one`` that lies in ``other``."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    area = max(1.0, (one[2] - one[0]) * (one[3] - one[1]))
    return max(0.0, width) * max(0.0, height) / area


def corners(region: FieldRegion) -> Corners:
    """x0, y0, x1, y1 of a found region."""
    box = region.box_px
    return box.x, box.y, box.x + box.width, box.y + box.height


@dataclass
class Tally:
    """What was counted."""

    good: Counter[str] = field(default_factory=Counter)
    all: Counter[str] = field(default_factory=Counter)
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def count(self, name: str, good: bool) -> None:
        """One more trial of a measure."""
        self.good[name] += good
        self.all[name] += 1

    def row(self, label: str, name: str) -> str:
        """A line of a Markdown table."""
        return f"| {label} | {wilson(self.good[name], self.all[name])} |"


def lines_of(fields: Sequence[FieldRegion]) -> list[Corners]:
    """Lines of handwriting among the fields, named or not; marks on printed choices are none."""
    found: list[Corners] = []
    for one in fields:
        if one.kind in _NO_LINE or one.comb or one.printed_text is not None:
            continue
        if one.options or one.mark_doubt:
            continue
        if one.lines_px:
            found += [(b.x, b.y, b.x + b.width, b.y + b.height) for b in one.lines_px]
        else:
            found.append(corners(one))
    return found


def count_lines(
    drawn: DrawnPage, page: UprightPage, fields: Sequence[FieldRegion], tally: Tally
) -> None:
    """Recall and precision of lines of handwriting.

    Signatures, combs and marks are nobody's lines; a region on print that OCR left is a line of
    text all the same, on a form as on a stamp, and counts neither way (it has a row of its own).
    """
    truth = [placed(line.quad_px, page) for line in drawn.lines if not line.printed]
    left = lines_of(fields)
    spared = [placed(one.quad_px, page) for one in drawn.fields if one.kind == "signature"]
    spared += [placed(mark.quad_px, page) for mark in drawn.marks if mark.kind != "stamp"]
    for box in truth:
        best = max(left, key=lambda one: overlap(one, box), default=None)
        hit = best is not None and overlap(best, box) >= MIN_IOU
        tally.count("line recall", hit)
        tally.count(f"line recall, {drawn.degradation}", hit)
        if hit and best is not None:
            left.remove(best)
            tally.count("line precision", True)
    printed = [placed(line.quad_px, page) for line in drawn.lines if line.printed]
    printed += [placed(mark.quad_px, page) for mark in drawn.marks if mark.kind == "stamp"]
    for box in left:
        on_print = any(inside(box, one) > 0.5 for one in printed)
        tally.good["regions on print"] += on_print
        if on_print or any(inside(box, one) > 0.5 or overlap(box, one) > 0.2 for one in spared):
            continue
        tally.count("line precision", False)
    for box in lines_of(fields):
        holds = sum(inside(one, box) > 0.6 for one in truth)
        tally.good["merged lines"] += holds >= 2


def _chosen(found: FieldRegion, truth: FieldTruth, box: Corners) -> bool:
    """Whether a field says the choice that is marked, or that what is marked is not clear.

    Args:
        found: with the right name.
        truth: its text is the choice, "" where marks are not clear.
        box: of the printed choices that are marked, on the upright page.
    """
    near = 1.5 * (box[3] - box[1])
    x0, y0, x1, y1 = corners(found)
    beside = x0 < box[2] + near and x1 > box[0] - near
    if not (beside and y0 < box[3] + near and y1 > box[1] - near):
        return False
    if not truth.text:
        return bool(found.mark_doubt)
    said = found.options or ((found.printed_text,) if found.printed_text else ())
    right = len(said) == 1 and said[0].casefold() == truth.text.casefold()
    return right and not found.mark_doubt


def count_fields(
    expected: Sequence[FieldTruth],
    drawn: DrawnPage,
    page: UprightPage,
    fields: Sequence[FieldRegion],
    tally: Tally,
    measure: str,
) -> None:
    """Right name and medication, overlap of half; a struck-out value must not be ordered.

    A printed choice that a pen marks is found where the right one is said (``_chosen``): the field
    is the mark, a circle four times as large as the printed letter or a line under it.
    """
    marks = [placed(one.quad_px, page) for one in drawn.marks if one.marked]
    # Two signing lines say something of substitution; only a printed choice is a value of its own.
    asked = any(truth.name == "substitution" for truth in expected)
    left = [
        one for one in fields
        if (one.present is not False or one.options)  # "No" that is circled says something
        and (asked or one.name != "substitution")
    ]  # fmt: skip
    for truth in expected:
        box = placed(truth.quad_px, page)
        same = [one for one in left if (one.name, one.group) == (truth.name, truth.group)]
        best = max(same, key=lambda one: overlap(corners(one), box), default=None)
        # The truth of a circled refill is the number; the field found is the circle around it.
        enough = 0.1 if truth.name == "refills" else MIN_IOU
        hit = best is not None and overlap(corners(best), box) >= enough
        if not hit and any(inside(one, box) > 0.9 for one in marks):
            best = next((one for one in same if _chosen(one, truth, box)), None)
            hit = best is not None
        if hit and best is not None:
            left.remove(best)
        for name in (measure, f"{measure}, {drawn.degradation}", f"{measure}: {truth.name}"):
            tally.count(name, hit)
    for truth in drawn.fields:
        if truth.struck and truth.name == "drug":
            box = placed(truth.quad_px, page)
            here = [
                one for one in fields if one.name == "drug" and overlap(corners(one), box) > 0.3
            ]
            said = [StruckOut(one.struck_out) for one in here]
            tally.count(f"{measure}: struck drug kept out", StruckOut.NO not in said)
            tally.count(f"{measure}: struck drug only doubted", StruckOut.PERHAPS in said)


def count_strikes(
    drawn: DrawnPage, page: UprightPage, fields: Sequence[FieldRegion], tally: Tally
) -> None:
    """Found lines of writing said to be crossed out, of those that are not and of those that are.

    A line is one of the page's where it shares two fifths of its area with it; a row of a chart is
    crossed out as a whole, of which the truth names the fields of a medication.
    """
    struck = [placed(one.quad_px, page) for one in drawn.fields if one.struck]
    groups = {one.group for one in drawn.fields if one.struck and one.group}
    rows = [placed(one.quad_px, page) for one in drawn.fields if one.group in groups or one.struck]
    written = [placed(line.quad_px, page) for line in drawn.lines if not line.printed]
    for found in fields:
        if found.printed_text is not None or found.present is not None or found.comb:
            continue
        box = corners(found)
        said = StruckOut(found.struck_out).is_said
        doubted = StruckOut(found.struck_out) is StruckOut.PERHAPS
        if any(inside(one, box) > 0.3 or inside(box, one) > 0.3 for one in struck):
            tally.count("strikes: crossed out, and said so", said)
            tally.count("strikes: crossed out, only doubted", doubted)
        elif _beside(box, rows):
            continue
        elif any(overlap(one, box) > 0.4 for one in written):
            tally.count("strikes: not crossed out, but said to be", said)
            tally.count("strikes: not crossed out, but doubted", doubted)


def _beside(box: Corners, rows: Sequence[Corners]) -> bool:
    """Whether a region stands on the row of something crossed out: the stroke may go through it."""
    middle = (box[1] + box[3]) / 2
    return any(one[1] < middle < one[3] for one in rows)


def tesseract_seconds(gray: np.ndarray) -> float:
    """One plain Tesseract pass over the raster as it came."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.png"
        cv2.imwrite(str(path), gray)
        start = time.perf_counter()
        subprocess.run(
            ["tesseract", str(path), "stdout"],
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - start
