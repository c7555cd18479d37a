"""Measure how well the lines of handwriting on a page are found, with and without the segmenter.

    python benchmarks/page_lines.py --data FOLDER [--pages 60] [--split held_out] [--seed 2026]

Pages are generated: layouts that the segmenter never saw, hands of their split. A true line is
found when a line of the finder covers it with an intersection over union of 0.5.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from pages_material import hands_of

from clinic_hwr.pages import Box, PrintedWord, UprightPage, find_fields, make_upright, read_print
from clinic_hwr.pages.survey import PageSurvey, survey_page
from clinic_hwr.pages.text_lines import text_lines
from clinic_hwr.pages.values import is_writing
from clinic_hwr.recognition.segmentation.finder import LineMarker, load_line_marker
from clinic_hwr.recognition.segmentation.weights import SHIPPED
from clinic_hwr.recognition.synthesis.pages import DrawnPage, draw_pages, layouts_with

MIN_IOU = 0.5
# Others bend the page as a camera does, and are measured by benchmarks/pages.py.
DEGRADATIONS = ("clean", "photocopy", "fax_fine")


@dataclass(frozen=True)
class Prepared:
    """A page up to the search for lines."""

    drawn: DrawnPage
    upright: UprightPage
    words: tuple[PrintedWord, ...]


def wilson(good: int, n: int) -> str:
    """A share with its 95% interval (Wilson 1927)."""
    if not n:
        return "none"
    z, p = 1.96, good / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return f"{p:.3f} [{max(0.0, middle - half):.3f}, {min(1.0, middle + half):.3f}] of {n}"


def on_upright(quad: Sequence[Sequence[float]], page: UprightPage) -> Box:
    """The box of a quad of the scan on the upright page."""
    corners = np.c_[np.array(quad), np.ones(len(quad))] @ np.linalg.inv(page.to_original).T
    points = corners[:, :2] / corners[:, 2:]
    low, high = points.min(axis=0), points.max(axis=0)
    return Box(round(low[0]), round(low[1]), round(high[0] - low[0]), round(high[1] - low[1]))


def overlap(one: Box, two: Box) -> float:
    """Intersection over union."""
    width = min(one.x + one.width, two.x + two.width) - max(one.x, two.x)
    height = min(one.y + one.height, two.y + two.height) - max(one.y, two.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + two.width * two.height - shared)


def matched(found: Sequence[Box], true: Sequence[Box]) -> int:
    """How many true boxes have a found box of their own."""
    pairs = sorted(
        ((overlap(a, b), i, j) for i, a in enumerate(found) for j, b in enumerate(true)),
        reverse=True,
    )
    used_found: set[int] = set()
    used_true: set[int] = set()
    for share, i, j in pairs:
        if share < MIN_IOU:
            break
        if i not in used_found and j not in used_true:
            used_found.add(i)
            used_true.add(j)
    return len(used_true)


def lines_of(survey: PageSurvey) -> list[Box]:
    """The lines of handwriting of a whole page."""
    lines = text_lines(survey, survey.strokes)
    return [line.box_px for line in lines if is_writing(survey, line.box_px)]


def prepare(options: argparse.Namespace, marker: LineMarker) -> list[Prepared]:
    """Draw pages, turn them upright, read their print as the product does."""
    hands, _ = hands_of(Path(options.data), options.split, options.cuts)
    pages = []
    drawn = draw_pages(hands, count=options.pages, seed=options.seed,
                       layouts=layouts_with(options.split), degradations=DEGRADATIONS)  # fmt: skip
    for page in drawn:
        upright = make_upright(page.gray)
        words = read_print(upright.gray, segmenter=marker)
        pages.append(Prepared(page, upright, words))
    return pages


def measure_lines(pages: Sequence[Prepared], marker: LineMarker | None) -> str:
    """Recall, precision, seconds of one way."""
    found = true = right = 0
    spent = 0.0
    for page in pages:
        start = time.perf_counter()
        maps = marker(page.upright.gray) if marker else None
        spent += time.perf_counter() - start
        survey = survey_page(page.upright.gray, page.words, maps=maps)
        start = time.perf_counter()
        boxes = lines_of(survey)
        spent += time.perf_counter() - start
        wanted = [
            on_upright(one.quad_px, page.upright) for one in page.drawn.lines if not one.printed
        ]
        # A signature is no text, a line of print that OCR left is a line all the same: neither
        # counts for or against.
        other = [one.quad_px for one in page.drawn.lines if one.printed]
        other += [one.quad_px for one in page.drawn.fields if one.name == "signature"]
        aside = [on_upright(quad, page.upright) for quad in other]
        boxes = [box for box in boxes
                 if any(overlap(box, one) >= MIN_IOU for one in wanted)
                 or not any(overlap(box, one) >= 0.3 for one in aside)]  # fmt: skip
        found, true, right = found + len(boxes), true + len(wanted), right + matched(boxes, wanted)
    return f"{wilson(right, true)} | {wilson(right, found)} | {spent / len(pages):.2f} s"


def measure_fields(pages: Sequence[Prepared], marker: LineMarker | None, show: bool) -> str:
    """Named fields found on paper that is no known form."""
    found: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    spurious: Counter[str] = Counter()
    for page in pages:
        fields = [
            field
            for field in find_fields(page.upright, page.words, forms=(), segmenter=marker)
            if field.present is not False and field.name != "substitution"
        ]
        for truth in page.drawn.fields:
            box = on_upright(truth.quad_px, page.upright)
            same = [f for f in fields if (f.name, f.group) == (truth.name, truth.group)]
            best = max(same, key=lambda f: overlap(f.box_px, box), default=None)
            enough = 0.1 if truth.name == "refills" else MIN_IOU
            if best is None or overlap(best.box_px, box) < enough:
                missed[truth.name] += 1
                if show:
                    near = [(f.name, f.group, f.label, round(overlap(f.box_px, box), 2))
                            for f in fields if overlap(f.box_px, box) > 0.05]  # fmt: skip
                    print(f"  {page.drawn.layout}: {truth.name}/{truth.group} "
                          f"{truth.text!r} missed; there: {near}")  # fmt: skip
            else:
                fields.remove(best)
                found[truth.name] += 1
        for field in fields:
            spurious[field.name] += 1
    good, all_of = sum(found.values()), sum(found.values()) + sum(missed.values())
    extra = sum(spurious.values()) - spurious["unnamed"]
    rows = [f"| named fields found | {wilson(good, all_of)} |",
            f"| of the fields named, right | {wilson(good, good + extra)} |",
            f"| regions without a name | {spurious['unnamed']} |", "",
            "| field | found | missed | spurious |", "| --- | --- | --- | --- |"]  # fmt: skip
    rows += [f"| {name} | {found[name]} | {missed[name]} | {spurious[name]} |"
             for name in sorted({*found, *missed, *spurious} - {"unnamed"})]  # fmt: skip
    return "\n".join(rows)


def main() -> None:
    """Draw, search, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--cuts", type=Path, default=Path("runs/cache"))
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--split", default="held_out")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--show", action="store_true", help="name what was missed")
    options = parser.parse_args()
    if not options.data:
        parser.error("give --data FOLDER or set CLINIC_HWR_DATA")
    marker = load_line_marker(options.weights)
    pages = prepare(options, marker)
    layouts = sorted({page.drawn.layout for page in pages})
    print(f"Synthetic pages, {date.today()}, n = {len(pages)}, seed {options.seed}, layouts "
          f"{', '.join(layouts)}; {', '.join(DEGRADATIONS)}.\n")  # fmt: skip
    print("| way | recall | precision | time a page |\n| --- | --- | --- | --- |")
    print(f"| segmenter | {measure_lines(pages, marker)} |")
    print(f"| classical | {measure_lines(pages, None)} |\n")
    print("| measure, with the segmenter | value |\n| --- | --- |")
    print(measure_fields(pages, marker, options.show))


if __name__ == "__main__":
    main()
