"""Finding the letters in pen-stroke words with a trained reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from clinic_hwr.recognition.architectures.trba import Trba
from clinic_hwr.recognition.decoding.ctc import forced_alignment
from clinic_hwr.recognition.images import fit_box, fit_ink, fitted_width
from clinic_hwr.recognition.stages.features import PIXELS_PER_COLUMN
from clinic_hwr.recognition.synthesis.letters import Align, cut_words, save_cuts
from clinic_hwr.recognition.synthesis.pages_hands import CUTS_FILE
from clinic_hwr.recognition.synthesis.strokes import (
    Points,
    bounds,
    draw_strokes,
    load_strokes,
    scale_strokes,
)

from .checkpoints import load_weights
from .datasets import LETTERS_FILE, WORDS_FILE
from .line_cutting import find_words, save_words

DRAWN_PX = 48.0
# Natural log of the probability of a character, on average: below it the label and the ink
# do not belong together, or the reader cannot read this hand.
WORST_PER_CHAR = -1.6


def aligner(model: Trba) -> Align:
    """Return a function that finds the centre x of each letter; see ``letters.cut_words``."""
    model.eval()
    config = model.config

    @torch.inference_mode()
    def align(
        words: Sequence[list[Points]], texts: Sequence[str]
    ) -> list[NDArray[np.float32] | None]:
        rng = np.random.default_rng(0)
        inks, maps = [], []
        for strokes in words:
            x0, y0, x1, y1 = bounds(strokes)
            scale = DRAWN_PX / max(y1 - y0, (x1 - x0) * 0.12, 1.0)
            alpha, corner = draw_strokes(scale_strokes(strokes, DRAWN_PX), 2.5, rng)
            full = alpha.astype(np.float32) / 255.0
            box = fit_box(full) or (0, 0, full.shape[1], full.shape[0])
            # column of the input -> pixel of the drawing -> coordinate of the word
            pixels = box[2] / fitted_width(box, config.height_px, config.max_width_px)
            maps.append((x0, scale, corner[0] + box[0], pixels))
            inks.append(fit_ink(full, config.height_px, config.max_width_px))
        groups: dict[int, list[int]] = defaultdict(list)
        for i, ink in enumerate(inks):
            groups[ink.shape[1]].append(i)
        centres: list[NDArray[np.float32] | None] = [None] * len(words)
        for width_px, members in groups.items():
            images = torch.from_numpy(np.stack([inks[i] for i in members])).unsqueeze(1)
            encoded = model.encode(images, torch.full((len(members),), width_px))
            log_probs = encoded.ctc_log_probs()
            for row, i in enumerate(members):
                if not model.charset.covers(texts[i]):
                    continue
                found = forced_alignment(log_probs[row], model.charset.encode(texts[i]))
                if found is None or found[1] / len(texts[i]) < WORST_PER_CHAR:
                    continue
                x0, scale, left, pixels = maps[i]
                columns = np.array(found[0], np.float32) * PIXELS_PER_COLUMN
                drawn = (columns + PIXELS_PER_COLUMN / 2) * pixels + left
                centres[i] = (drawn / scale + x0).astype(np.float32)
        return centres

    return align


def prepare_parts(data_dir: Path, weights: Path, folder: Path) -> Path:
    """Find the letters of all training words and the words of all training lines.

    Takes about ten minutes on one core; what ``folder`` holds already is kept.

    Args:
        data_dir: the data folder.
        weights: of a ``trba`` reader, which does the finding.
        folder: receives ``LETTERS_FILE`` and ``WORDS_FILE``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    letters, words = folder / LETTERS_FILE, folder / WORDS_FILE
    if letters.exists() and words.exists():
        return folder
    _, model = load_weights(weights)
    if not isinstance(model, Trba):
        raise ValueError("Letters and words are found with a trba reader.")
    if not letters.exists():
        _cut_file(model, data_dir / "online" / "unipen_words_train.npz", letters)
    if not words.exists():
        save_words(words, find_words(model, data_dir))
    return folder


def prepare_held_out_letters(data_dir: Path, weights: Path, folder: Path) -> Path:
    """Find the letters of the words of the ``val`` writers: they write held-out pages.

    Takes about a minute on one core; what ``folder`` holds already is kept.

    Args:
        data_dir: the data folder.
        weights: of a ``trba`` reader, which does the finding.
        folder: receives the file that ``synthesis.pages_hands`` looks for.

    Returns:
        ``folder``; nothing is written to it when the data has no ``val`` words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    letters, words = folder / CUTS_FILE["val"], data_dir / "online" / "unipen_words_val.npz"
    if letters.exists() or not words.exists():
        return folder
    _, model = load_weights(weights)
    if not isinstance(model, Trba):
        raise ValueError("Letters are found with a trba reader.")
    _cut_file(model, words, letters)
    return folder


def _cut_file(model: Trba, words: Path, target: Path) -> None:
    """Cut all words of a file; the target appears only when it is whole."""
    part = target.with_name("part.npz")
    save_cuts(part, cut_words(load_strokes(words), aligner(model)))
    part.replace(target)
