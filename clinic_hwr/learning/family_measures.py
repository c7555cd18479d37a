"""Measuring families that do not read words or lines: characters, blocks of text, made words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.recognition.architectures.scrabblegan import ScrabbleGan
from clinic_hwr.recognition.calibration import fit_calibrator
from clinic_hwr.recognition.comb_reader import CombReader
from clinic_hwr.recognition.paragraphs import BLOCK_FEATURES, BlockReader
from clinic_hwr.recognition.runtime import save_calibrators, settings_path
from clinic_hwr.recognition.synthesis.strokes import load_strokes
from clinic_hwr.recognition.synthesis.text import TextSampler
from clinic_hwr.recognition.training.characters import held_out_characters, measure_characters
from clinic_hwr.recognition.training.evaluation import Report, evaluate
from clinic_hwr.recognition.training.fitting import for_fitting
from clinic_hwr.recognition.training.paragraphs import ParagraphSource, Stage, sources_by_writer
from clinic_hwr.recognition.training.sources import Sample, StrokeSource
from clinic_hwr.recognition.types import Reader

from .combs import comb_hands, drawn_combs, fit_comb_calibrator, read_drawn, report_combs

ORDINARY_WORDS = ("take", "with", "food", "after", "meals", "before", "night", "water", "morning")
COMBS_EACH = 150
BLOCKS = 200
WORDS = 300


def measure_character_reader(
    reader: CombReader, data_dir: Path, limit: int | None, seed: int, write: Callable[[str], object]
) -> None:
    """Write how held-out characters, and drawn combs of them, are read."""
    report = measure_characters(reader.model, held_out_characters(data_dir, reader.model.charset))
    write("Held-out characters of EMNIST (writers may span the split):")
    write(f"- all classes apart: {report.classes}")
    write(f"- look-alike cases folded: {report.folded}")
    write(f"- digits among digits: {report.digits}")
    for material, who in (("emnist", "held-out characters"), ("unipen", "held-out writers")):
        hands = comb_hands(data_dir, material, fitting=False)
        combs = drawn_combs(hands, limit or COMBS_EACH, seed + 1)
        write(f"\nDrawn combs (synthetic cells and scans) of {who} of {material.upper()}:\n")
        write("| field | n | exact [95%] | cells right | ECE |\n| --- | --- | --- | --- | --- |")
        for one in report_combs(combs, read_drawn(reader, combs)):
            write(
                f"| {one.name} | {one.n} | {one.exact:.1%} [{one.low:.1%}, {one.high:.1%}] | "
                f"{one.characters:.1%} | {one.ece:.3f} |"
            )


def calibrate_character_reader(reader: CombReader, data_dir: Path, weights: Path) -> None:
    """Fit and write the calibrator of combs, on the half of the characters that is for it."""
    combs = drawn_combs(comb_hands(data_dir, "emnist", fitting=True), 2 * COMBS_EACH, 0)
    reader.calibrator = fit_comb_calibrator(reader, combs)
    save_calibrators(
        settings_path((weights,)),
        {"comb": reader.calibrator},
        reader.model_version,
        f"{len(combs)} drawn combs of half of EMNIST's held-out characters: synthetic, provisional",
    )


def held_out_blocks(
    data_dir: Path, lines: int, count: int, seed: int, *, fitting: bool
) -> list[Sample]:
    """Blocks of so many lines in UNIPEN's held-out writers' hands, stacked as in training."""
    strokes = load_strokes(data_dir / "online" / "unipen_words_val.npz")
    words = StrokeSource(
        strokes, words=(1, 4), writers=lambda writer: for_fitting(writer) == fitting
    )
    source = ParagraphSource(sources_by_writer(words), Stage(lines, lines))
    return [source.draw(np.random.default_rng([seed, lines, i])) for i in range(count)]


def measure_block_reader(
    reader: Reader, data_dir: Path, limit: int | None, seed: int, most_lines: int
) -> list[Report]:
    """How blocks of one to ``most_lines`` lines are read, each as one string."""
    reports = []
    for lines in range(1, most_lines + 1):
        samples = held_out_blocks(data_dir, lines, limit or BLOCKS, seed, fitting=False)
        name = f"blocks of {lines}"
        readings = [reader.read([s.image])[0] for s in tqdm(samples, desc=name, unit="block")]
        reports.append(evaluate(name, samples, readings))
    return reports


def calibrate_block_reader(
    reader: BlockReader, data_dir: Path, weights: Path, limit: int | None
) -> None:
    """Fit and write the calibrator of blocks, on half of the held-out writers.

    Raises:
        ValueError: all blocks, or none, were read right: there is nothing to fit.
    """
    samples = [
        sample
        for lines in range(1, reader.most_lines + 1)
        for sample in held_out_blocks(data_dir, lines, limit or BLOCKS, 1, fitting=True)
    ]
    readings = [reader.read(s.image) for s in tqdm(samples, desc="fitting", unit="block")]
    pairs = [(s, r) for s, r in zip(samples, readings, strict=True) if "attention" in r.scores]
    reader.calibrator = fit_calibrator(
        [r.scores for _, r in pairs],
        [s.text.lower() == r.text.lower() for s, r in pairs],
        BLOCK_FEATURES,
        [s.writer for s, _ in pairs],
    )
    save_calibrators(
        settings_path((weights,)),
        {"paragraph": reader.calibrator},
        reader.model_version,
        f"{len(pairs)} stacked blocks of half of UNIPEN's held-out writers",
    )


def made_words(model: ScrabbleGan, count: int, seed: int) -> list[tuple[NDArray[np.uint8], str]]:
    """Words of the prescription texts as a generator writes them, dark ink on white.

    Raises:
        ValueError: it can write hardly any of them.
    """
    text, found = TextSampler(load_lexicon().names, ORDINARY_WORDS), []
    for number in range(50 * count):
        rng = np.random.default_rng([seed, number])
        words = [word for word in text.word(rng).split() if model.can_write(word)]
        if words:
            style = model.draw_styles(1, rng)
            found.append((255 - model.write(words[:1], style)[0], words[0]))
        if len(found) == count:
            return found
    raise ValueError("The generator lacks characters of almost every word; train it longer.")


def measure_made_words(words: Sequence[tuple[NDArray[np.uint8], str]], reader: Reader) -> Report:
    """How an independent reader reads made words."""
    samples = [Sample(ink, text, "scrabblegan") for ink, text in words]
    readings = reader.read([s.image for s in samples], kinds=["word"] * len(samples))
    report = evaluate("made words", samples, readings)
    return replace(report, name=f"made words, read by {reader.model_version}")
