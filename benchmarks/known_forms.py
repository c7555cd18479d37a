"""Measure known forms: fields found with the right name after fax and phone degradation.

    python benchmarks/known_forms.py --data FOLDER [--pages 8] [--seed 2026]

Forms are layouts of the page generator drawn without any writing; regions are what an admin would
draw: around the places of values over several fillings. Everything it prints is of synthetic pages.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.pages import make_upright, read_print
from clinic_hwr.pages.form_match import FormMatch, FormSheet, match_form
from clinic_hwr.pages.form_template import TemplateRegion, regions_from_json
from clinic_hwr.pages.registered_fields import registered_fields
from clinic_hwr.pages.registration import FormPrint, PagePrint
from clinic_hwr.recognition.segmentation.finder import load_line_marker
from clinic_hwr.recognition.synthesis.hands import Hand, InkTile, load_hands
from clinic_hwr.recognition.synthesis.pages import FieldTruth, PageContent, random_content
from clinic_hwr.recognition.synthesis.pages_layouts import layout_drawer

LAYOUTS = ("us_pad", "hospital_order_sheet")
HEAD = (
    "practice_name", "prescriber_name", "prescriber_npi", "prescriber_dea", "prescriber_phone",
    "practice_address", "specialty",
)  # fmt: skip
PREPRINTED = frozenset(HEAD[:5])
FILLINGS = 24  # over which regions are drawn around values
Move = Callable[[Any], Any]
"""Points (n, 2) of the drawing in pixels -> points of what came out of the fax or the phone."""
Degraded = tuple[Any, Move]
_GONE = 0.3  # of a value's ink that is left: less, and nobody could read it
Degrade = Callable[[Any, np.random.Generator], Degraded]


class NoHand:
    """Writes nothing: what is left of a layout is its print."""

    name = "none"

    def can_write(self, text: str) -> bool:
        """Anything."""
        return True

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """An empty tile."""
        return InkTile(np.zeros((1, 1), np.uint8), 0)


def fax(gray: Any, rng: np.random.Generator) -> Degraded:
    """Stretch, threshold, specks, drop-outs and a turn, half of them in coarse resolution."""
    height, width = gray.shape
    stretch, coarse = rng.uniform(0.985, 1.015), 0.5 if rng.random() < 0.5 else 1.0
    size = round(0.95 * width), round(0.95 * height * stretch)
    small = cv2.resize(gray, (size[0], round(size[1] * coarse)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 0.8)).astype(np.float32)
    small += rng.normal(0, 8, small.shape)
    page = np.where(small < rng.uniform(140, 215), 0, 255).astype(np.uint8)
    page[rng.random(page.shape) < rng.uniform(0, 0.002)] = 0
    page[rng.random(page.shape) < rng.uniform(0, 0.01)] = 255
    page = cv2.resize(page, size, interpolation=cv2.INTER_NEAREST)
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), rng.normal(0, 1.0), 1.0)
    page = cv2.warpAffine(page, turn, size, flags=cv2.INTER_NEAREST, borderValue=255)
    scale = np.diag([size[0] / width, size[1] / height, 1.0])
    return page, _by_matrix(np.vstack([turn, [0, 0, 1]]) @ scale)


def _by_matrix(matrix: Any) -> Move:
    return lambda points: cv2.perspectiveTransform(
        np.asarray(points, np.float64).reshape(1, -1, 2), matrix
    )[0]


def phone(gray: Any, rng: np.random.Generator) -> Degraded:
    """Perspective, curl, shadow, blur, noise and JPEG."""
    height, width = gray.shape
    rim = round(0.06 * max(height, width))
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    target = source + rng.uniform(-0.04, 0.04, (4, 2)) * [width, height] + rim
    matrix = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    size = (width + 2 * rim, height + 2 * rim)
    desk = int(rng.integers(60, 140))
    photo = cv2.warpPerspective(gray, matrix, size, flags=cv2.INTER_AREA, borderValue=desk)
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    sag, waves = rng.uniform(0, 0.004) * size[1], np.pi * rng.uniform(1, 2)
    bend = sag * np.sin(xs / size[0] * waves)
    photo = cv2.remap(
        photo, xs, ys + bend.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    shade = cv2.resize(rng.random((4, 4)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    dim = photo * (1 - rng.uniform(0.1, 0.5) * np.clip(shade, 0, 1)) * rng.uniform(0.75, 1)
    dim = cv2.GaussianBlur(dim.astype(np.float32), (0, 0), rng.uniform(0.5, 1.4))
    dim += rng.normal(0, rng.uniform(2, 9), dim.shape)
    noisy = np.clip(dim, 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 85))]
    straight = _by_matrix(matrix)

    def move(points: Any) -> Any:
        moved = straight(points)
        return moved - np.stack(
            [np.zeros(len(moved)), sag * np.sin(moved[:, 0] / size[0] * waves)], 1
        )

    return cv2.imdecode(cv2.imencode(".jpg", noisy, quality)[1], cv2.IMREAD_GRAYSCALE), move


DEGRADATIONS: dict[str, Degrade] = {"fax": fax, "phone": phone}


@dataclass
class FormTally:
    """What was counted."""

    pages: int = 0
    recognised: int = 0
    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    unnamed: int = 0
    gone: int = 0  # values of which the fax or the photo left next to nothing: not counted
    seconds: list[tuple[float, float, float]] = field(default_factory=list)  # print, match, fields

    @property
    def recall(self) -> float:
        """Share of written values found with the right name and number, and a box that overlaps."""
        found, missed = sum(self.found.values()), sum(self.missed.values())
        return found / max(1, found + missed)


def drawn(
    layout: str, seed: int, number: int, hands: Sequence[Hand]
) -> tuple[Any, list[FieldTruth]]:
    """Filling ``number`` of the form ``seed``: same print, other patient, drugs and hand."""
    rng = np.random.default_rng([seed, number])
    head = random_content(np.random.default_rng(seed))
    content = random_content(rng)
    content = replace(content, **{name: getattr(head, name) for name in HEAD})
    texts = content.written_texts()
    able = (hands[int(i)] for i in rng.permutation(len(hands)))
    hand = next(one for one in able if all(one.can_write(text) for text in texts))
    paper = layout_drawer(layout)(content, hand, np.random.default_rng(seed), 200)
    return paper.ink, paper.fields


def clean(layout: str, seed: int) -> Any:
    """The form without anything filled in."""
    head: PageContent = random_content(np.random.default_rng(seed))
    empty = replace(
        head, patient_name="", patient_mrn="", patient_dob="", patient_sex="", signed=False,
        refills="none",
    )  # fmt: skip
    return layout_drawer(layout)(empty, NoHand(), np.random.default_rng(seed), 200).ink


def drawn_regions(layout: str, seed: int, hands: Sequence[Hand]) -> tuple[TemplateRegion, ...]:
    """Regions around where values stand over many fillings, as an admin would draw them."""
    places: dict[tuple[str, Any], list[float]] = {}
    for number in range(1000, 1000 + FILLINGS):
        page, fields = drawn(layout, seed, number, hands)
        height, width = page.shape
        for one in fields:
            if one.printed and one.name in PREPRINTED:
                continue
            x, y, w, h = one.box_px
            key: tuple[str, Any] = (one.name, one.group)
            if layout == "us_pad" and one.group:
                key = ("medications", 0)
            elif one.name == "refills":
                key = ("refills", one.text)
            elif one.name == "signature":
                key = ("signature", x > width / 2)
            box = places.setdefault(key, [x, y, x + w, y + h])
            box[:] = [min(box[0], x), min(box[1], y), max(box[2], x + w), max(box[3], y + h)]
    regions = []
    for (name, which), (x0, y0, x1, y1) in places.items():
        rim = 6 if name == "refills" else 10
        x0, y0 = max(0, x0 - rim), max(0, y0 - rim)
        x1, y1 = min(width, x1 + rim), min(height, y1 + rim)
        region: dict[str, Any] = {
            "field": name, "kind": "text",
            "box": [x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height],
        }  # fmt: skip
        if name == "medications":
            region |= {"field": "drug", "kind": "medications"}
        elif name == "refills":
            region |= {"kind": "checkbox", "value": which}
        elif name == "signature":
            region |= {"kind": "signature"}
        elif which:
            region |= {"group": which}
        regions.append(region)
    return regions_from_json(regions)


def known_form_recall(
    hands: Sequence[Hand],
    *,
    pages: int,
    seed: int,
    degradations: dict[str, Degrade] | None = None,
    layouts: Sequence[str] = LAYOUTS,
) -> dict[str, FormTally]:
    """Count per degradation what is found on pages of known forms; other forms stand beside."""
    sheets = [
        FormSheet(
            layout, 1, FormPrint.of(make_upright(clean(layout, seed)).gray),
            drawn_regions(layout, seed, hands),
        )
        for layout in layouts
    ]  # fmt: skip
    tallies = {}
    for name, degrade in (degradations or DEGRADATIONS).items():
        tallies[name] = tally = FormTally()
        for layout in layouts:
            for number in range(pages):
                ink, truth = drawn(layout, seed, number, hands)
                rng = np.random.default_rng([seed, number, 7])
                gray, move = degrade(ink, rng)
                left = [one for one in truth if _is_left(ink, gray, move, one)]
                tally.gone += len(truth) - len(left)
                _score(gray, move, left, layout, sheets, tally)
    return tallies


def _score(
    gray: Any, move: Move, truth: Sequence[FieldTruth], layout: str,
    sheets: Sequence[FormSheet], tally: FormTally,
) -> None:  # fmt: skip
    wanted = [one for one in truth if not (one.printed and one.name in PREPRINTED)]
    upright = make_upright(gray)
    segmenter = load_line_marker()
    words = read_print(upright.gray, segmenter=segmenter)
    start = time.perf_counter()
    page = PagePrint.of(upright.gray)
    prepared = time.perf_counter()
    match = match_form(page, sheets)
    matched = time.perf_counter()
    tally.pages += 1
    if not isinstance(match, FormMatch) or match.sheet.key != layout:
        tally.missed.update(one.name for one in wanted)
        return
    filled = registered_fields(page, words, match, segmenter=segmenter)
    left = [one.field for one in filled.fields]
    tally.recognised += 1
    tally.seconds.append((prepared - start, matched - prepared, time.perf_counter() - matched))
    for one in wanted:
        quad = upright.transform.from_original(move(one.quad_px))
        box = (*quad.min(axis=0), *quad.max(axis=0))
        same = [f for f in left if (f.name, f.group) == (one.name, one.group)]
        best = max(same, key=lambda f: _overlap(f.box_px, box), default=None)
        enough = 0.1 if one.name == "refills" else 0.5
        right = best is not None and best.present is not False
        if right and one.name == "refills":
            right = best.printed_text == one.text
        if not right or _overlap(best.box_px, box) < enough:
            tally.missed[one.name] += 1
            continue
        tally.found[one.name] += 1
        left.remove(best)
    tally.unnamed += sum(one.name == "unnamed" for one in left)


def _is_left(ink: Any, gray: Any, move: Move, one: FieldTruth) -> bool:
    """Whether a fair part of a value's ink came through; a circle and a signature always do."""
    x, y, width, height = one.box_px
    ys, xs = np.nonzero(ink[y : y + height, x : x + width] < 160)
    if one.name in ("refills", "signature") or len(xs) == 0:
        return True
    at = np.round(move(np.stack([xs + x, ys + y], 1))).astype(int)
    at = np.clip(at, 1, [gray.shape[1] - 2, gray.shape[0] - 2])
    paper = float(np.median(gray[at[:, 1].min() : at[:, 1].max() + 1,
                                 at[:, 0].min() : at[:, 0].max() + 1]))  # fmt: skip
    dark = cv2.erode(gray, np.ones((3, 3), np.uint8))[at[:, 1], at[:, 0]] < 0.8 * paper
    return bool(dark.mean() >= _GONE)


def _overlap(box: Any, truth: Any) -> float:
    x0, y0, x1, y1 = truth
    width = min(x1, box.x + box.width) - max(x0, box.x)
    height = min(y1, box.y + box.height) - max(y0, box.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return float(shared / ((x1 - x0) * (y1 - y0) + box.width * box.height - shared))


def main() -> None:
    """Draw, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--pages", type=int, default=8, help="of each layout and degradation")
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data FOLDER or set CLINIC_HWR_DATA")
    hands = load_hands(Path(options.data))
    print(
        f"Synthetic pages, {date.today()}, seed {options.seed}, {os.cpu_count()} cores "
        f"({platform.machine()}), load {os.getloadavg()[0]:.1f}; forms: {', '.join(LAYOUTS)}.\n"
    )
    print(
        "| degradation | pages | recognised | fields | found | unnamed | gone | "
        "prepare, match, fields s |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, tally in known_form_recall(hands, pages=options.pages, seed=options.seed).items():
        total = sum(tally.found.values()) + sum(tally.missed.values())
        times = ", ".join(f"{one:.2f}" for one in np.median(tally.seconds, axis=0))
        print(
            f"| {name} | {tally.pages} | {tally.recognised} | {total} | {tally.recall:.3f} "
            f"| {tally.unnamed} | {tally.gone} | {times} |"
        )
        if tally.missed:
            print(f"<!-- missed: {dict(tally.missed)} -->")


if __name__ == "__main__":
    main()
