"""Finding the words in scanned lines with a trained reader: every line becomes many crops."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from clinic_hwr.recognition.architectures.trba import Trba
from clinic_hwr.recognition.charset import fold_text
from clinic_hwr.recognition.decoding.ctc import string_log_probabilities
from clinic_hwr.recognition.images import (
    Ink,
    blank_columns,
    fit_ink,
    ink_box,
    ink_map,
    pad_width,
)
from clinic_hwr.recognition.stages.features import PIXELS_PER_COLUMN
from clinic_hwr.recognition.synthesis.degradation import scan_real_crop

from .sources import Sample, ScannedLine, held_out_writer, read_gray, read_labels

WORD_SPACE = 1.0  # letters that the blank after a word is as wide as
# Natural log of a word's probability by letter: below it the word is not (only) there.
WORST_PER_CHAR = -0.9
WORDS_DRAWN = (1, 1, 1, 2, 2, 3, 4)


@dataclass(frozen=True)
class Word:
    """One word of a line.

    Attributes:
        text: the word; place: its number in the line.
        start_px, stop_px: its columns in the scan.
    """

    text: str
    place: int
    start_px: int
    stop_px: int


def split_line(ink: Ink, words: Sequence[str]) -> list[tuple[int, int]] | None:
    """Cut a line of known words in blanks, so that widths fit the words' lengths.

    Args:
        ink: ink map of the line, (height, width).
        words: its words from left to right.

    Returns:
        (start, stop) columns of each word, or None when there are too few blanks. The best
        split by dynamic programming; whether a word is really there is for a reader to say.
    """
    box = ink_box(ink)
    if box is None:
        return None
    left, right = box[0], box[0] + box[2]
    blank = blank_columns(ink, box[3])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], blank[left:right].astype(np.int8), [0]])))
    starts, stops = edges[::2] + left, edges[1::2] + left
    gaps = [(int(a), int(b)) for a, b in zip(starts, stops, strict=True) if b - a >= 2]
    places = [(left, left), *gaps, (right, right)]  # where a word may end and the next begin
    if len(places) < len(words) + 1:
        return None
    lengths = np.array([len(word) + WORD_SPACE for word in words])
    unit = (right - left) / lengths.sum()
    n = len(places)
    cost = np.full((len(words) + 1, n), np.inf)
    back = np.zeros((len(words) + 1, n), int)
    cost[0, 0] = 0.0
    begin, end = np.array([b for _, b in places]), np.array([a for a, _ in places])
    blank_bonus = np.minimum((begin - end) / unit, 2.0)
    for k, length in enumerate(lengths, start=1):
        for place in range(k, n):
            width = (end[place] - begin[:place]) / unit + WORD_SPACE
            misfit = (width - length) ** 2 / length + np.where(width <= WORD_SPACE, np.inf, 0.0)
            total = cost[k - 1, :place] + misfit
            back[k, place] = int(total.argmin())
            cost[k, place] = total.min() - blank_bonus[place]
    if not np.isfinite(cost[-1, -1]):
        return None
    cuts = [n - 1]
    for k in range(len(words), 0, -1):
        cuts.append(int(back[k, cuts[-1]]))
    cuts.reverse()
    return [(int(begin[a]), int(end[b])) for a, b in pairwise(cuts)]


@torch.inference_mode()
def verified_words(model: Trba, gray: NDArray[np.uint8], text: str) -> list[Word]:
    """The words of a line that a reader finds where the blanks say they are.

    Args:
        model: a trained reader.
        gray: scan of one line; text: what it says.
    """
    ink = ink_map(gray)
    words = text.split(" ")
    spans = split_line(ink, words)
    if spans is None or not model.charset.covers(text):
        return []
    inks = [
        fit_ink(ink[:, a:b], model.config.height_px, model.config.max_width_px) for a, b in spans
    ]
    widest = max(part.shape[1] for part in inks)
    images = torch.from_numpy(np.stack([pad_width(part, widest) for part in inks])).unsqueeze(1)
    encoded = model.encode(images, torch.tensor([part.shape[1] for part in inks]))
    log_probs = encoded.ctc_log_probs()
    found = []
    rows = zip(words, spans, log_probs, inks, strict=True)
    for place, (word, (a, b), frames, part) in enumerate(rows):
        seen = frames[: part.shape[1] // PIXELS_PER_COLUMN]
        [log_p] = string_log_probabilities(seen, [model.charset.encode(word)])
        if log_p / len(word) > WORST_PER_CHAR:
            found.append(Word(word, place, a, b))
    return found


Found = dict[str, list[list[str | int]]]


def find_words(model: Trba, data_dir: Path) -> Found:
    """Find the words of all training lines: path below the folder -> fields of ``Word``."""
    folder = data_dir / "handwriting"
    found: Found = {}
    for line in training_lines(data_dir):
        words = verified_words(model, read_gray(line.path), fold_text(line.text))
        if words:
            found[str(line.path.relative_to(folder))] = [list(astuple(word)) for word in words]
    return found


def save_words(path: Path, found: Found) -> None:
    """Write what ``find_words`` found."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(found), encoding="utf-8")
    part.replace(path)


def load_words(path: Path) -> Found:
    """Read what ``save_words`` wrote."""
    words: Found = json.loads(path.read_text(encoding="utf-8"))
    return words


def training_lines(data_dir: Path) -> list[ScannedLine]:
    """The scanned lines of writers who are not held out."""
    return [
        line
        for line in read_labels(data_dir / "handwriting")
        if line.level == "line" and not held_out_writer(line.writer)
    ]


class CutLineSource:
    """A few words side by side out of scanned lines, varied a little each time.

    Args:
        lines: scanned lines; those whose words were not found are left out.
        words: path below ``folder`` -> words, as ``find_words`` found them.
        folder: of the scans.
    """

    def __init__(self, lines: Sequence[ScannedLine], words: Found, folder: Path):
        self.lines = [
            (line, [Word(str(t), int(k), int(a), int(b)) for t, k, a, b in words[key]])
            for line in lines
            if (key := str(line.path.relative_to(folder))) in words
        ]
        if not self.lines:
            raise ValueError("No line of these was cut into words.")
        # A line is drawn as often as it has words: every word is about equally likely.
        counts = np.array([len(found) for _, found in self.lines], float)
        self.shares = counts / counts.sum()

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw one to four neighbouring words of one line."""
        line, words = self.lines[int(rng.choice(len(self.lines), p=self.shares))]
        first = int(rng.integers(len(words)))
        chosen = words[first : first + 1]
        for word in words[first + 1 : first + WORDS_DRAWN[int(rng.integers(len(WORDS_DRAWN)))]]:
            if word.place != chosen[-1].place + 1:
                break  # the word between was not found
            chosen.append(word)
        gray = read_gray(line.path)[:, chosen[0].start_px : chosen[-1].stop_px]
        text = " ".join(word.text for word in chosen)
        return Sample(scan_real_crop(gray, rng), text, line.writer)
