"""Measure the pages room on generated pages of held-out layouts: every bar of the pages issue.

    python benchmarks/pages.py --data FOLDER [--cuts FOLDER] [--cutter WEIGHTS] [--pages 2]
        [--seed 2026] [--read] [--only unknown|known|orientation|steps|real] [--composed]
        [--ink drawn|scanned]

FOLDER holds fonts and pen strokes; ``--cuts`` what ``training.alignment`` found in them, for
joined writing: where it lacks the file, it is made with ``--cutter`` or the shipped ``trba``.
Other cuts are other pages, so that the first line says which they were. ``--pages`` counts pages
for every layout and degradation. All pages are synthetic: layouts and hands that nothing was
fitted on, under every degradation of the generator.
``--ink scanned`` writes them in pieces of lines that held-out writers wrote on paper: where lines
are is true then, what they say is not.
``--composed`` draws unknown pages put together at random instead (English twice as often); rules
were written on such pages, so that only a seed that nobody looked at says something.
The time is that of one page in one process with one thread, against ``tesseract page.png stdout``
on the raster as it came, one after the other in the same run.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from unittest import mock

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ.setdefault("OMP_THREAD_LIMIT", "1")

from page_scores import (
    Tally,
    bootstrap,
    count_fields,
    count_lines,
    count_strikes,
    tesseract_seconds,
    wilson,
)
from pages_material import (
    ROUGH,
    drawn_form,
    form_layouts,
    form_pages,
    hands_of,
    held_out_layouts,
    known_form_fields,
    scanned_hands,
    segmenter_argument,
    taken_for_another,
)
from real_sheets import real_writing

from clinic_hwr.pages import (
    FieldRegion,
    UprightPage,
    find_fields,
    make_upright,
    read_print,
    upright,
)
from clinic_hwr.pages.sheet import Sheet
from clinic_hwr.pages.types import NO_BEND
from clinic_hwr.recognition.synthesis.hands import Hand
from clinic_hwr.recognition.synthesis.pages import DEGRADATIONS, DrawnPage, draw_pages

NamesByReading = Callable[[np.ndarray, Sequence[FieldRegion]], tuple[FieldRegion, ...]]


COMPOSED = ("composed_en", "composed_de", "composed_en", "composed_es", "composed_fr")


def held_out_pages(
    hands: Sequence[Hand], per_cell: int, seed: int, layouts: Sequence[str] = ()
) -> Iterator[DrawnPage]:
    """Every held-out layout, or of ``layouts``, under every degradation, ``per_cell`` times."""
    layouts, ways = layouts or held_out_layouts(), sorted(DEGRADATIONS)
    yield from draw_pages(
        hands, count=len(layouts) * len(ways) * per_cell, seed=seed, layouts=layouts,
        degradations=ways,
    )  # fmt: skip


def unknown_pages(
    hands: Sequence[Hand], per_cell: int, seed: int, reads: NamesByReading | None = None,
    layouts: Sequence[str] = (),
) -> list[str]:  # fmt: skip
    """Lines, named fields and time on pages of unknown layout; with ``reads`` also names then."""
    tally, after, extra = Tally(), Tally(), segmenter_argument()
    for drawn in held_out_pages(hands, per_cell, seed, layouts):
        plain = tesseract_seconds(drawn.gray)
        start = time.perf_counter()
        page = make_upright(drawn.gray)
        turned = time.perf_counter()
        words = read_print(page.gray, **extra)
        read = time.perf_counter()
        fields = find_fields(page, words, forms=[], **extra)
        end = time.perf_counter()
        parts = (turned - start, read - turned, end - read, end - start)
        for name, seconds in zip(("upright", "print", "fields", "all"), parts, strict=True):
            tally.values[name].append(seconds / plain)
        tally.values["plain"].append(plain)
        tally.count("turn", page.rotation_deg == 90 * drawn.settings.quarter_turns)
        count_lines(drawn, page, fields, tally)
        count_strikes(drawn, page, fields, tally)
        expected = [one for one in drawn.fields if not one.struck and one.name != "unnamed"]
        count_fields(expected, drawn, page, fields, tally, "named")
        if reads:
            named = reads(page.gray, fields)
            count_fields(expected, drawn, page, named, tally, "read")
            count_lines(drawn, page, named, after)
    lines = [
        f"| unknown pages of {'composed' if layouts else 'held-out'} layouts | |", "| --- | --- |",
        tally.row("text-line recall at IoU 0.5", "line recall"),
        tally.row("text-line precision at IoU 0.5", "line precision"),
        f"| found lines that hold two or more true ones | {tally.good['merged lines']} |",
        *(_after_reading(after) if reads else []),
        f"| regions on print that OCR left | {tally.good['regions on print']} |",
        tally.row("named field found, before anything is read", "named"),
        *([tally.row("named field found, after reading", "read")] if reads else []),
        *_strike_rows(tally, "named"),
    ]  # fmt: skip
    names = {"all": "page time / one Tesseract pass, median", "upright": "of it make_upright",
             "print": "of it read_print", "fields": "of it find_fields"}  # fmt: skip
    lines += [f"| {text} | {bootstrap(tally.values[name])} |" for name, text in names.items()]
    total = sum(np.array(tally.values["all"]) * np.array(tally.values["plain"]))
    lines += [
        f"| all pages' time / all Tesseract passes' | {total / sum(tally.values['plain']):.2f} |",
        "", "| by degradation | lines recalled | named fields |", "| --- | --- | --- |",
    ]  # fmt: skip
    for way in sorted(DEGRADATIONS):
        cells = [f"{name}, {way}" for name in ("line recall", "read" if reads else "named")]
        shares = " | ".join(wilson(tally.good[cell], tally.all[cell]) for cell in cells)
        lines.append(f"| {way} | {shares} |")
    lines += ["", "| by field | found |", "| --- | --- |"]
    prefix = "read: " if reads else "named: "
    for name in sorted(name for name in tally.all if name.startswith(prefix)):
        lines.append(tally.row(name.removeprefix(prefix), name))
    return lines


def _after_reading(tally: Tally) -> list[str]:
    """Lines once more: reading cuts quantities off the drugs they are written behind."""
    return [
        tally.row("text-line recall, after reading", "line recall"),
        tally.row("text-line precision, after reading", "line precision"),
        f"| found lines that hold two or more, after reading | {tally.good['merged lines']} |",
    ]


def _strike_rows(tally: Tally, measure: str) -> list[str]:
    """What is said of crossed-out drugs and lines, and of those that are not."""
    return [
        tally.row("struck-out drug not ordered", f"{measure}: struck drug kept out"),
        tally.row("struck-out drug only doubted", f"{measure}: struck drug only doubted"),
        *(
            tally.row(f"found line {what}", f"strikes: {what}")
            for what in (
                "crossed out, and said so",
                "crossed out, only doubted",
                "not crossed out, but said to be",
                "not crossed out, but doubted",
            )
        ),
    ]


def known_pages(
    hands: Sequence[Hand], per_cell: int, seed: int, reads: NamesByReading | None = None
) -> list[str]:
    """Named fields on known forms after fax and phone; with ``reads`` also after reading.

    What an area of free writing holds is only known once it is read: its lines are named by their
    order before, and by what they say afterwards.
    """
    tally = Tally()
    forms = [drawn_form(layout, hands) for layout in form_layouts()]
    for form in forms:
        others = [one for one in forms if one is not form]
        for drawn in form_pages(form, hands, ROUGH, per_cell, seed):
            page = make_upright(drawn.gray)
            words = read_print(page.gray, **segmenter_argument())
            fields, ink = known_form_fields(page, words, form)
            expected = [
                one for one in drawn.fields
                if not (one.printed or one.struck or one.name == "unnamed")
            ]  # fmt: skip
            count_fields(expected, drawn, page, fields, tally, "known")
            count_strikes(drawn, page, fields, tally)
            if reads:
                count_fields(expected, drawn, page, reads(ink, fields), tally, "read")
            tally.count("kept apart", not taken_for_another(page, others))
    lines = ["| known form after fax and phone | |", "| --- | --- |",
             tally.row("named field found, before anything is read", "known"),
             *([tally.row("named field found, after reading", "read")] if reads else []),
             *_strike_rows(tally, "known"),
             tally.row(f"refused by all {len(forms) - 1} other forms", "kept apart")]  # fmt: skip
    measure = "read" if reads else "known"
    lines += [tally.row(way, f"{measure}, {way}") for way in ROUGH]
    lines += ["", "| by field | found |", "| --- | --- |"]
    for name in sorted(name for name in tally.all if name.startswith(f"{measure}: ")):
        lines.append(tally.row(name.removeprefix(f"{measure}: "), name))
    return lines


def orientation(hands: Sequence[Hand], per_cell: int, seed: int) -> list[str]:
    """Quarter turns: every page in all four ways."""
    tally = Tally()
    for drawn in held_out_pages(hands, per_cell, seed + 1):
        right = []
        for extra in range(4):
            page = make_upright(np.ascontiguousarray(np.rot90(drawn.gray, -extra)))
            turns = (drawn.settings.quarter_turns + extra) % 4
            right.append(page.rotation_deg == 90 * turns)
            tally.count("views", right[-1])
            tally.count(f"views, {drawn.degradation}", right[-1])
            tally.count("said to be sure", "orientation_unsure" not in page.problems)
            if "orientation_unsure" not in page.problems:
                tally.count("right of the sure", right[-1])
        tally.count("pages", all(right))
    lines = ["| orientation, four ways | right |", "| --- | --- |",
             tally.row("all views", "views"), tally.row("pages right all four ways", "pages"),
             tally.row("views said to be sure", "said to be sure"),
             tally.row("right of those", "right of the sure")]  # fmt: skip
    lines += [tally.row(way, f"views, {way}") for way in sorted(DEGRADATIONS)]
    return lines


def _no_turn(_page: object, _ink: object, _needed: float) -> tuple[int, bool]:
    return 0, True


STEPS: dict[str, tuple[tuple[str, ...], dict[str, object]]] = {
    "orientation": (("office", "phone", "fax_fine"), {"_quarter_turns": _no_turn}),
    "deskew": (("office", "phone"), {"skew_degrees": lambda ink: 0.0}),
    "perspective and table": (
        ("phone_on_table", "phone_curled"), {"find_sheet": lambda gray: Sheet(None)}
    ),
    "curl": (("phone_curled", "phone"), {"row_bend": lambda ink: (NO_BEND, False)}),
    "shadows": (
        ("phone", "photocopy"), {"flatten_background": lambda gray: gray}
    ),
    "fax resolution": (("fax_standard",), {"fax_stretch": lambda gray: (1.0, 1.0)}),
    "fax specks and rows": (("fax_fine", "fax_standard"), {"clean_fax": lambda gray: gray}),
    "working resolution": (("office", "fax_fine"), {"_LONG_SIDE_PX": (1, 10_000)}),
}  # fmt: skip
"""Step -> degradations it is for, and what stands in for it when it is left out."""


@contextmanager
def without(step: str) -> Iterator[None]:
    """Leave one step of ``make_upright`` out."""
    with ExitStack() as stack:
        for name, other in STEPS[step][1].items():
            stack.enter_context(mock.patch.object(upright, name, other))
        yield


def steps(hands: Sequence[Hand], per_cell: int, seed: int) -> list[str]:
    """Each step's effect: with it and without it, on the same pages, those that it is for."""
    ways = sorted({way for for_ways, _ in STEPS.values() for way in for_ways})
    layouts = held_out_layouts()
    pairs: dict[str, list[tuple[Tally, Tally]]] = defaultdict(list)
    for way in ways:
        count = len(layouts) * per_cell
        for drawn in draw_pages(hands, count=count, seed=seed + 2, layouts=layouts,
                                degradations=(way,)):  # fmt: skip
            whole = _found_on(drawn)
            for step in (name for name, (for_ways, _) in STEPS.items() if way in for_ways):
                with without(step):
                    page = make_upright(drawn.gray)
                pairs[step].append((whole, _found_on(drawn, page)))
    lines = [
        "| step left out | pages | printed words read: with, without, difference "
        "| lines recalled: with, without, difference |",
        "| --- | --- | --- | --- |",
    ]
    for step, (for_ways, _) in STEPS.items():
        cells = [_difference(pairs[step], name) for name in ("words", "line recall")]
        lines.append(f"| {step} ({', '.join(for_ways)}) | {len(pairs[step])} | "
                     + " | ".join(cells) + " |")  # fmt: skip
    return lines


def _found_on(drawn: DrawnPage, page: UprightPage | None = None) -> Tally:
    """Printed words that OCR reads and lines of writing that are found on one page."""
    tally, extra = Tally(), segmenter_argument()
    page = page or make_upright(drawn.gray)
    words = read_print(page.gray, **extra)
    printed = [line for line in drawn.lines if line.printed]
    wanted = Counter(w.lower() for line in printed for w in line.text.split() if len(w) > 2)
    got = Counter(word.text.lower() for word in words)
    tally.good["words"] += sum((wanted & got).values())
    tally.all["words"] += sum(wanted.values())
    count_lines(drawn, page, find_fields(page, words, forms=[], **extra), tally)
    return tally


def _difference(pairs: Sequence[tuple[Tally, Tally]], name: str) -> str:
    """Shares with and without, and what they differ by; 95% by drawing pages anew."""
    counts = np.array([[(one.good[name], one.all[name]) for one in pair] for pair in pairs])
    good, total = counts[:, :, 0], np.maximum(counts[:, :, 1], 0)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(pairs), (2000, len(pairs)))
    shares = good[drawn].sum(axis=1) / np.maximum(1, total[drawn].sum(axis=1))
    low, high = np.quantile(shares[:, 0] - shares[:, 1], (0.025, 0.975))
    kept, left_out = good.sum(axis=0) / np.maximum(1, total.sum(axis=0))
    return f"{kept:.3f}, {left_out:.3f}, {kept - left_out:+.3f} [{low:+.3f}, {high:+.3f}]"


PARTS: dict[str, Callable[[Sequence[Hand], int, int], list[str]]] = {
    "unknown": unknown_pages, "known": known_pages, "orientation": orientation, "steps": steps,
}  # fmt: skip


READ = {"unknown": unknown_pages, "known": known_pages}


def main() -> None:
    """Draw, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--cuts", type=Path, default=Path("runs/cache"))
    parser.add_argument("--cutter", type=Path, help="weights of a trba that cuts letters")
    parser.add_argument("--pages", type=int, default=2)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--read", action="store_true", help="name lines by what is read, too")
    parser.add_argument("--only", action="append", choices=[*sorted(PARTS), "real"])
    parser.add_argument("--composed", action="store_true", help="unknown pages put together anew")
    parser.add_argument("--ink", choices=("drawn", "scanned"), default="drawn",
                        help="unknown pages in lines that writers wrote on paper: no --read, what "
                        "they say is not true")  # fmt: skip
    options = parser.parse_args()
    data = Path(options.data) if options.data else None
    hands: Sequence[Hand]
    if options.ink == "scanned":
        if data is None or options.read or options.only != ["unknown"]:
            parser.error("--ink scanned goes with --data and --only unknown, and without --read")
        hands, cuts = scanned_hands(data), "scanned lines"
    else:
        hands, cuts = hands_of(data, "held_out", options.cuts, options.cutter)
    cv2.setNumThreads(1)
    made = "Half-synthetic" if options.ink == "scanned" else "Synthetic"
    print(
        f"{made} pages of {'composed' if options.composed else 'held-out'} layouts and "
        f"held-out hands ({len(hands)}, {cuts}), {date.today()}, seed "
        f"{options.seed}, {options.pages} pages a layout and degradation, {os.cpu_count()} cores "
        f"({platform.machine()}), one thread, load {os.getloadavg()[0]:.1f}."
    )
    for name in options.only or [*PARTS, "real"]:
        if name == "real":
            print("", *real_writing(data, options.seed), sep="\n", flush=True)
            continue
        part = PARTS[name]
        if name in READ and options.read:
            from page_reading import named_after_reading

            part = partial(READ[name], reads=named_after_reading)
        if name == "unknown" and options.composed:
            part = partial(part, layouts=COMPOSED)
        print("", *part(hands, options.pages, options.seed), sep="\n", flush=True)


if __name__ == "__main__":
    main()
