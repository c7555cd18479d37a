"""Measure the pages room on generated pages: turn, skew, print, fields and time.

    python benchmarks/pages.py --data FOLDER [--pages 60] [--seed 2026] [--layout us_pad]

FOLDER holds handwriting fonts and pen strokes (see ``recognition/synthesis/hands.py``). Every
number it prints is of synthetic pages written by those hands.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.pages import FieldRegion, UprightPage, find_fields, make_upright, read_print
from clinic_hwr.recognition.synthesis.hands import Hand, load_hands
from clinic_hwr.recognition.synthesis.pages import LAYOUTS, DrawnPage, FieldTruth, draw_pages

MIN_IOU = 0.5
# Cells of the combs on the drawn ``boxed_form``.
CELLS = {
    "prescriber_npi": 10, "prescriber_dea": 9, "patient_dob": 8, "date_written": 8, "quantity": 3,
}  # fmt: skip


@dataclass
class Tally:
    """What was counted over all pages."""

    pages: int = 0
    turned_right: int = 0
    skew_errors: list[float] = field(default_factory=list)
    seconds: list[tuple[float, float, float]] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    spurious: Counter[str] = field(default_factory=Counter)
    print_right: int = 0
    print_all: int = 0
    hand_as_print: int = 0
    hand_all: int = 0
    combs_whole: int = 0
    combs_all: int = 0


def truth_box(truth: FieldTruth, page: UprightPage) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of a field's ink on the upright page."""
    corners = np.c_[np.array(truth.quad_px), np.ones(4)]
    moved = (corners @ np.linalg.inv(page.to_original).T)[:, :2]
    (x0, y0), (x1, y1) = moved.min(axis=0), moved.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def overlap(region: FieldRegion, truth: tuple[float, float, float, float]) -> float:
    """Intersection over union of a found and a true box."""
    box, (x0, y0, x1, y1) = region.box_px, truth
    width = min(x1, box.x + box.width) - max(x0, box.x)
    height = min(y1, box.y + box.height) - max(y0, box.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((x1 - x0) * (y1 - y0) + box.width * box.height - shared)


def score(drawn: DrawnPage, tally: Tally) -> None:
    """Run one page through the room and count."""
    start = time.perf_counter()
    page = make_upright(drawn.gray)
    turned = time.perf_counter()
    words = read_print(page.gray)
    read = time.perf_counter()
    fields = [f for f in find_fields(page, words) if f.name != "substitution"]
    tally.seconds.append((turned - start, read - turned, time.perf_counter() - read))
    tally.pages += 1
    tally.turned_right += page.rotation_deg == 90 * drawn.settings.quarter_turns
    tally.skew_errors.append(abs(page.skew_deg - drawn.settings.skew_deg))
    # A field that says "no signature here" claims no ink.
    left = [f for f in fields if f.present is not False]
    for truth in drawn.fields:
        box = truth_box(truth, page)
        same = [f for f in left if (f.name, f.group) == (truth.name, truth.group)]
        best = max(same, key=lambda f: overlap(f, box), default=None)
        # The truth of a circled refill is the number; the field found is the circle around it.
        enough = 0.1 if truth.name == "refills" else MIN_IOU
        if best is None or overlap(best, box) < enough:
            tally.missed[truth.name] += 1
            continue
        left.remove(best)
        if drawn.layout == "boxed_form" and truth.name in CELLS:
            tally.combs_all += 1
            cells = sum(run.cells for run in best.comb)
            tally.combs_whole += cells == CELLS[truth.name]
        tally.found[truth.name] += 1
        if truth.printed or truth.name == "refills":
            tally.print_all += 1
            tally.print_right += best.printed_text == truth.text
        else:
            tally.hand_all += 1
            tally.hand_as_print += best.printed_text is not None
    for region in left:
        tally.spurious[region.name] += 1


def report(tally: Tally, seed: int) -> str:
    """The tables as Markdown."""
    times = np.array(tally.seconds)
    skew = np.array(tally.skew_errors)
    total = times.sum(axis=1)
    lines = [
        f"Synthetic pages, {date.today()}, n = {tally.pages}, seed {seed}, "
        f"{os.cpu_count()} cores ({platform.machine()}), one thread.",
        "",
        "| measure | value |",
        "| --- | --- |",
        f"| quarter turn right | {tally.turned_right} of {tally.pages} |",
        f"| skew error, median / worst | {np.median(skew):.2f} / {skew.max():.2f} degrees |",
        f"| printed values read exactly | {tally.print_right} of {tally.print_all} |",
        f"| handwriting taken for print | {tally.hand_as_print} of {tally.hand_all} |",
    ]
    if tally.combs_all:
        lines.append(f"| combs with all their cells | {tally.combs_whole} of {tally.combs_all} |")
    for place, name in enumerate(("make_upright", "read_print", "find_fields")):
        part = times[:, place]
        lines.append(f"| {name}, median / worst | {np.median(part):.2f} / {part.max():.2f} s |")
    lines.append(f"| all three, median / worst | {np.median(total):.2f} / {total.max():.2f} s |")
    lines += ["", "| field | found | missed | spurious |", "| --- | --- | --- | --- |"]
    names = sorted({*tally.found, *tally.missed, *tally.spurious} - {"unnamed"})
    for name in names:
        lines.append(
            f"| {name} | {tally.found[name]} | {tally.missed[name]} | {tally.spurious[name]} |"
        )
    found, missed = sum(tally.found.values()), sum(tally.missed.values())
    spurious = sum(tally.spurious[name] for name in names)
    precision, recall = found / (found + spurious), found / (found + missed)
    lines.append(f"| **all named fields** | {found} | {missed} | {spurious} |")
    lines += [
        "",
        f"Precision {precision:.3f}, recall {recall:.3f} (right name and group, box overlap "
        f">= {MIN_IOU}); besides, {tally.spurious['unnamed']} regions came out unnamed.",
    ]
    return "\n".join(lines)


def halves(hands: list[Hand], count: int, seed: int, layouts: list[str] | None) -> list[DrawnPage]:
    """Draw half of the pages with real pen strokes and half with fonts."""
    strokes = [hand for hand in hands if ":" in hand.name]
    fonts = [hand for hand in hands if ":" not in hand.name]
    pages: list[DrawnPage] = []
    for number, group in enumerate((fonts, strokes)):
        if group:
            pages += draw_pages(group, count=count // 2, seed=seed + number, layouts=layouts)
    return pages


def main() -> None:
    """Draw, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--layout", action="append", choices=sorted(LAYOUTS), help="Default: all.")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data FOLDER or set CLINIC_HWR_DATA")
    hands = load_hands(Path(options.data))
    if not hands:
        parser.error(f"no hands in {options.data}")
    tally = Tally()
    for page in halves(hands, options.pages, options.seed, options.layout):
        score(page, tally)
    print(report(tally, options.seed))


if __name__ == "__main__":
    main()
