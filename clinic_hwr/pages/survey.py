"""What stands on a page: print, form rules, and the handwriting that is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .areas import rx_area, word_slots
from .background import ink_mask
from .checkboxes import Checkbox, find_checkboxes
from .comb_fields import NamedComb, name_combs
from .combs import comb_print, dark_mask, find_combs, holds, settled
from .ink_kinds import InkKinds, is_print, kinds_by_runs, kinds_of_ink, of_the_paper
from .joined_lines import split_joined
from .label_vocabulary import LabelVocabulary, normalised
from .labels import Label, find_labels, split_glued
from .line_cores import LineCores, line_cores
from .print_or_hand import map_log_odds, print_log_odds
from .rules import FormRules, find_rules
from .types import Box, CombRun, Gray, LineMaps, PrintedWord

# A label of the vocabulary is print even where its letters look hand-drawn, within reason.
_LABEL_LOG_ODDS = -4.0
# Handwriting taken for print would be released as OCR text, print taken for handwriting is only
# read by the other recognizer: the burden of proof is on print, most of all under an Rx.
_VALUE_LOG_ODDS, _RX_LOG_ODDS = 0.7, 2.5
REFILL_CHOICES = (*"0123456789", "10", "11", "12", "nr", "prn", "o")
_PAGE_ROWS = 110.0  # stands in for the print height of a page without print: letter has ~110 lines


@dataclass(frozen=True, slots=True)
class Stroke:
    """One connected piece of pen ink: its box and how many pixels it has.

    ``printed``: the segmenter takes it for print, which OCR has not read.
    """

    box_px: Box
    area_px: int
    printed: bool = False

    @property
    def middle(self) -> tuple[float, float]:
        """Centre of the box, x and y in pixels."""
        box = self.box_px
        return box.x + box.width / 2, box.y + box.height / 2


@dataclass(frozen=True, slots=True)
class PageSurvey:
    """Everything the field finders look at.

    Attributes:
        gray: the upright page.
        rules: its form rules.
        words: the words that are print, in OCR order.
        labels: the labels among them.
        ink: (height, width) uint8, 255 = pen ink only.
        strokes: the connected pieces of ``ink``, specks dropped.
        unit_px: height of a printed capital: the yardstick for every distance.
        combs: rows of printed cells; their lines are among the rules' pixels and their
            writing among the strokes.
        declared: the cells of a known form, moved onto the printed ones, in the order given.
        cores: the cores of the lines of writing, where a segmenter has marked them.
        all_ink: (height, width) uint8, 255 = any ink: pen, print and rules.
        checkboxes: small printed squares, ticked or not; their ink is none of the strokes.
    """

    gray: Gray
    rules: FormRules
    words: tuple[PrintedWord, ...]
    labels: tuple[Label, ...]
    ink: NDArray[np.uint8]
    strokes: tuple[Stroke, ...]
    unit_px: float
    combs: tuple[NamedComb, ...] = ()
    declared: tuple[CombRun, ...] = ()
    cores: LineCores | None = None
    all_ink: NDArray[np.uint8] | None = None
    checkboxes: tuple[Checkbox, ...] = ()


def survey_page(
    gray: Gray,
    words: Sequence[PrintedWord],
    known_print: Sequence[Box] = (),
    known_cells: Sequence[CombRun] = (),
    *,
    vocabulary: LabelVocabulary | None = None,
    maps: LineMaps | None = None,
) -> PageSurvey:
    """Tell print, rules and handwriting of an upright page apart.

    Args:
        gray: upright page.
        words: what OCR read.
        known_print: where a known form has print, whether OCR read it or not.
        known_cells: where it has cells, whether they can be seen or not.
        vocabulary: the label words of the languages enabled; None: of all that are known.
        maps: what a trained segmenter says of the page's lines, or None.
    """
    words = split_glued(words, vocabulary)
    rules = find_rules(gray)
    ink = ink_mask(gray)
    all_ink = ink.copy()
    dark = dark_mask(gray, ink)
    combs = name_combs(find_combs(dark), words, find_labels(words, vocabulary), _unit(gray, words))
    declared = tuple(settled(run, dark) for run in known_cells)
    cells = [one.comb.box_px for one in combs] + [run.box_px for run in declared]
    runs = [run for one in combs for run in one.comb.runs] + list(declared)
    rules = replace(rules, mask=rules.mask | comb_print(dark, runs))
    # OCR reads cells and what stands in them as letters; the comb is read otherwise.
    words = [word for word in words if not any(holds(box, word.box_px) for box in cells)]
    # One pixel of rim: blur leaves a gray seam beside every rule.
    ink[cv2.dilate(rules.mask, np.ones((3, 3), np.uint8)) > 0] = 0
    ink = np.asarray(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.uint8)

    printed = _printed_words(gray, ink, words, vocabulary, maps)
    labels = find_labels(printed, vocabulary)
    unit = _unit(gray, printed)
    circles = [label.box_px for label in labels if label.field == "refills"]
    boxes = [word.box_px for word in printed] + list(known_print)
    # The cells of a comb are squares too, and so is a last cell whose lines are hidden.
    rows = [Box(b.x - 2 * b.height, b.y, b.width + 4 * b.height, b.height) for b in cells]
    checkboxes = tuple(
        one
        for one in find_checkboxes(dark, unit)
        if not any(holds(box, one.box_px) for box in rows)
    )
    for one in checkboxes:
        ink[one.box_px.y - 1 : one.box_px.y + one.box_px.height + 1,
            one.box_px.x - 1 : one.box_px.x + one.box_px.width + 1] = 0  # fmt: skip
    cores = line_cores(maps) if maps is not None else None
    ink, strokes = _pen_strokes(ink, boxes, unit, circles, maps, cores)
    return PageSurvey(
        gray,
        rules,
        printed,
        labels,
        ink,
        strokes,
        unit,
        combs,
        declared,
        cores,
        all_ink,
        checkboxes,
    )


def _printed_words(
    gray: Gray,
    ink: NDArray[np.uint8],
    words: Sequence[PrintedWord],
    vocabulary: LabelVocabulary | None,
    maps: LineMaps | None,
) -> tuple[PrintedWord, ...]:
    """Keep the words that are print: labels, and slots whose words look printed on the whole."""
    odds = print_log_odds(gray, ink, words)
    if maps is not None:
        odds = odds + map_log_odds(maps, words)
    candidates = find_labels(words, vocabulary)
    labels = [
        label for label in candidates
        if odds[list(label.word_indexes)].mean() > _LABEL_LOG_ODDS
    ]  # fmt: skip
    area = rx_area(labels, words, gray.shape[1], gray.shape[0], _unit(gray, words))
    slots = word_slots(words, labels, area)
    votes: dict[str, list[tuple[float, int]]] = {}
    for slot, one, word in zip(slots, odds, words, strict=True):
        if slot.startswith("value of label"):
            one += _likeness(word, labels[int(slot.split()[-1])])
        votes.setdefault(slot, []).append((float(one), len(word.text)))
    refill = {f"value of label {n}" for n, label in enumerate(labels) if label.field == "refills"}
    printed = []
    for slot, word in zip(slots, words, strict=True):
        if slot.startswith("label"):
            printed.append(word)
        elif slot in refill:
            # A circled choice is read as "@)" or the like: only plain choices count.
            if normalised(word.text) in REFILL_CHOICES:
                printed.append(word)
        elif _weighted_mean(votes[slot]) > _proof(slot):
            printed.append(word)
    return tuple(printed)


def _proof(slot: str) -> float:
    if slot.startswith("rx"):
        return _RX_LOG_ODDS
    return _VALUE_LOG_ODDS if slot.startswith("value") else 0.0


def _likeness(word: PrintedWord, label: Label) -> float:
    """Log odds from comparing a value with its label: print has its size and its baseline."""
    height = label.box_px.height
    if set(word.text) & set("gjpqyQ,;()[]|/") or set(label.text) & set("gjpqy"):
        return 0.0  # descenders: boxes do not compare
    offset = abs(word.box_px.y + word.box_px.height - label.box_px.y - height) / height
    growth = float(np.log(word.box_px.height / height))
    return 1.0 - 8.0 * max(0.0, offset - 0.1) - 5.0 * max(0.0, growth - 0.15)


def _weighted_mean(votes: Sequence[tuple[float, int]]) -> float:
    """Mean of log odds; long words know more of themselves than short ones."""
    return sum(odds * length for odds, length in votes) / sum(length for _, length in votes)


def _unit(gray: Gray, words: Sequence[PrintedWord]) -> float:
    heights = [word.box_px.height for word in words if word.confidence > 0.8]
    return float(np.median(heights)) if heights else max(gray.shape) / _PAGE_ROWS


def _pen_strokes(
    ink: NDArray[np.uint8],
    printed: Sequence[Box],
    unit: float,
    choice_rows: Sequence[Box],
    maps: LineMaps | None = None,
    cores: LineCores | None = None,
) -> tuple[NDArray[np.uint8], tuple[Stroke, ...]]:
    """Drop what lies in printed boxes, specks, and frames; part what joins lines."""
    covered = np.zeros(ink.shape, np.uint8)
    for box in printed:
        grow = max(2, round(0.12 * box.height))
        covered[
            max(0, box.y - grow) : box.y + box.height + grow,
            max(0, box.x - grow) : box.x + box.width + grow,
        ] = 1
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    labels = np.asarray(numbers, np.int32)
    inside = np.bincount(labels[covered > 0], minlength=count)
    kinds = kinds_of_ink(labels, count, maps) if maps is not None else None
    speck = max(6.0, (0.15 * unit) ** 2)
    keep, frames = np.zeros(count, bool), np.zeros(count, bool)
    strokes = {}
    for index in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[index])
        # OCR stretches the box of a circled choice over its circle: the circle is pen all the same.
        circle = any(
            abs(y + h / 2 - row.y - row.height / 2) < unit and min(w, h) > 1.4 * unit
            for row in choice_rows
        )
        if area < speck or (inside[index] > 0.6 * area and not circle):
            continue
        keep[index] = True
        frames[index] = kinds is not None and kinds.is_frame(index, w, h, unit) and not circle
        strokes[index] = Stroke(Box(x, y, w, h), area)
    if kinds is None or cores is None:
        return np.where(keep[labels], 255, 0).astype(np.uint8), tuple(strokes.values())
    for index in _of_the_paper(strokes, kinds, ink.shape, unit):
        keep[index] = False
        del strokes[index]
    parted, parts = split_joined(labels, keep, cores, frames)
    for index, own in parts.items():
        whole = strokes.pop(index).box_px
        window = parted[whole.y : whole.y + whole.height, whole.x : whole.x + whole.width]
        for number in own:
            mask = (window == number).astype(np.uint8)
            x, y, w, h = cv2.boundingRect(mask)
            area = int(mask.sum())
            if area >= speck:
                strokes[number] = Stroke(Box(whole.x + x, whole.y + y, w, h), area)
    for framed in np.flatnonzero(frames):
        strokes.pop(int(framed), None)
    kept = np.isin(parted, list(strokes))
    means = kinds_of_ink(parted, int(parted.max()) + 1, maps) if parts and maps else kinds
    return np.where(kept, 255, 0).astype(np.uint8), _with_kinds(strokes, means, unit)


def _with_kinds(strokes: dict[int, Stroke], kinds: InkKinds, unit: float) -> tuple[Stroke, ...]:
    """Say of every stroke whether it is print, by the run of letters it stands in."""
    numbers = list(strokes)
    hand, printed = kinds_by_runs(
        [strokes[number].box_px for number in numbers],
        kinds.hand[numbers],
        kinds.print[numbers],
        np.array([strokes[number].area_px for number in numbers], float),
        unit,
    )
    return tuple(
        replace(strokes[number], printed=is_print(float(hand[place]), float(printed[place])))
        for place, number in enumerate(numbers)
    )


def _of_the_paper(
    strokes: dict[int, Stroke], kinds: InkKinds, shape: tuple[int, ...], unit: float
) -> list[int]:
    """Numbers of the strokes that are folds, specks and ends of rules."""
    boxes = [stroke.box_px for stroke in strokes.values()]
    said = of_the_paper(boxes, [kinds.is_unmarked(n) for n in strokes], shape, unit)
    return [number for number, paper in zip(strokes, said, strict=True) if paper]
