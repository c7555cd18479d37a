"""What stands on a page: print, form rules, and the handwriting that is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .areas import rx_area, word_slots
from .checkboxes import Checkbox, find_checkboxes
from .comb_fields import NamedComb, name_combs
from .combs import comb_print, holds, settled
from .crossed_rules import with_tails
from .faint_ink import with_faint_ink
from .label_vocabulary import LabelVocabulary, normalised
from .labels import Label, find_labels, split_glued
from .line_cores import LineCores, line_cores
from .pen_strokes import Stroke, pen_strokes
from .print_or_hand import map_log_odds, odds_beside, print_log_odds
from .printed_lines import printed_lines
from .rule_pieces import cell_sides, short_blanks, without_rule_pieces
from .rules import FormRules, lift_rules
from .types import Box, CombRun, Gray, LineMaps, PrintedWord
from .unread_print import read_rest

# A label of the vocabulary is print even where its letters look hand-drawn, within reason.
_LABEL_LOG_ODDS = -4.0
# What is so surely handwriting does not go on a sentence that a label would be a part of.
_PEN_LOG_ODDS = -1.0
# Handwriting taken for print would be released as OCR text, print taken for handwriting is only
# read by the other recognizer: the burden of proof is on print, most of all under an Rx.
_VALUE_LOG_ODDS, _RX_LOG_ODDS = 0.7, 2.5
_RX_LETTERS = 3
_LEGIBLE = 0.5  # confidence of OCR in the best word of a printed value
REFILL_CHOICES = (*"0123456789", "10", "11", "12", "nr", "prn", "o")
_PAGE_ROWS = 110.0  # stands in for the print height of a page without print: letter has ~110 lines


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
        maps: what a segmenter says of the page, None without one.
        doubtful: words that are surely print but not surely read: no labels by themselves.
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
    doubtful: tuple[PrintedWord, ...] = ()
    maps: LineMaps | None = None


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
    lines = printed_lines(gray)
    doubtful: tuple[PrintedWord, ...] = ()
    if maps is not None and words:
        words, doubtful = read_rest(lift_rules(gray, lines.rules), maps, words, vocabulary)
    words = split_glued(words, vocabulary)
    rules, dark = lines.rules, lines.parts.dark
    all_ink, ink = lines.parts.ink, lines.parts.ink.copy()
    labels = find_labels(words, vocabulary)
    unit = _unit(gray, words)
    combs = name_combs(lines.combs, words, labels, unit)
    blanks = short_blanks(lines.parts, [label.box_px for label in labels], unit)
    declared = tuple(settled(run, dark) for run in known_cells)
    cells = [one.comb.box_px for one in combs] + [run.box_px for run in declared]
    runs = [run for one in combs for run in one.comb.runs] + list(declared)
    rules = replace(rules, mask=rules.mask | comb_print(dark, runs) | blanks)
    # OCR reads cells and what stands in them as letters; the comb is read otherwise.
    words = [word for word in words if not any(holds(box, word.box_px) for box in cells)]
    cores = line_cores(maps) if maps is not None else None
    if maps is not None and cores is not None:
        ink = with_faint_ink(gray, ink, maps, cores.numbers).copy()
    # One pixel of rim: blur leaves a gray seam beside every rule.
    ink[cv2.dilate(rules.mask, np.ones((3, 3), np.uint8)) > 0] = 0
    ink = np.asarray(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.uint8)

    printed = _printed_words(gray, ink, rules, words, vocabulary, maps)
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
    ink, strokes = pen_strokes(ink, boxes, unit, circles, maps, cores)
    strokes = without_rule_pieces(strokes, rules.horizontal, unit)
    if cores is not None:
        sides = cell_sides(strokes, rules.horizontal, unit, cores, ink)
        strokes = tuple(one for one in strokes if one not in sides)
        rules, ink = _with_sides(rules, ink, [one.box_px for one in sides])
    strokes = with_tails(strokes, ink, rules.horizontal, unit)
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
        doubtful,
        maps,
    )


def _with_sides(
    rules: FormRules, ink: NDArray[np.uint8], sides: Sequence[Box]
) -> tuple[FormRules, NDArray[np.uint8]]:
    """The rules with some more upright ones, and the pen ink without them."""
    if not sides:
        return rules, ink
    mask, left = rules.mask.copy(), ink.copy()
    for box in sides:
        at = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
        mask[at] |= ink[at]
        left[at] = 0
    return FormRules(mask, rules.horizontal, (*rules.vertical, *sides)), left


def _printed_words(
    gray: Gray,
    ink: NDArray[np.uint8],
    rules: FormRules,
    words: Sequence[PrintedWord],
    vocabulary: LabelVocabulary | None,
    maps: LineMaps | None,
) -> tuple[PrintedWord, ...]:
    """Keep the words that are print: labels, and slots whose words look printed on the whole."""
    odds = print_log_odds(gray, ink, words)
    if maps is not None:
        odds = odds + map_log_odds(maps, words)
    by_pen = frozenset(np.flatnonzero(odds < _PEN_LOG_ODDS).tolist())
    candidates = find_labels(words, vocabulary, by_pen)
    labels = [
        label for label in candidates
        if odds[list(label.word_indexes)].mean() > _LABEL_LOG_ODDS
    ]  # fmt: skip
    area = rx_area(labels, words, gray.shape[1], gray.shape[0], _unit(gray, words))
    slots = word_slots(words, labels, area)
    votes: dict[str, list[tuple[float, float]]] = {}
    read: dict[str, float] = {}
    letters: Counter[str] = Counter()
    for slot, one, word in zip(slots, odds, words, strict=True):
        if slot.startswith("value of label"):
            one += _likeness(word, labels[int(slot.split()[-1])])
        votes.setdefault(slot, []).append((float(one), len(word.text)))
        read[slot] = max(word.confidence, read.get(slot, 0.0))
        letters[slot] += sum(char.isalnum() for char in word.text)
    if maps is not None:
        for slot in votes:
            if slot.startswith(("rx", "value")):
                own = [number for number, one in enumerate(slots) if one == slot]
                votes[slot] += odds_beside(ink, words, own, rules.vertical, maps)
    refill = {f"value of label {n}" for n, label in enumerate(labels) if label.field == "refills"}
    printed = []
    for slot, word in zip(slots, words, strict=True):
        if slot.startswith("label"):
            printed.append(word)
        elif slot in refill:
            # A circled choice is read as "@)" or the like: only plain choices count.
            if normalised(word.text) in REFILL_CHOICES:
                printed.append(word)
        elif slot.startswith("rx row") and letters[slot] < _RX_LETTERS:
            continue  # a letter or two between pen strokes is a piece of them
        elif slot.startswith("value") and read[slot] < _LEGIBLE:
            continue  # of print Tesseract reads a word at least
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


def _weighted_mean(votes: Sequence[tuple[float, float]]) -> float:
    """Mean by letters: long words know more of themselves than short ones."""
    return sum(said * length for said, length in votes) / sum(length for _, length in votes)


def _unit(gray: Gray, words: Sequence[PrintedWord]) -> float:
    # Short words among ruled cells have boxes as high as these: letters vote, not words.
    heights = [
        word.box_px.height
        for word in words
        if word.confidence > 0.8
        for _ in filter(str.isalnum, word.text)
    ]
    return float(np.median(heights)) if heights else max(gray.shape) / _PAGE_ROWS
