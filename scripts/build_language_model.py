"""Build the packaged character language model: prescription text and ordinary words.

    python scripts/build_language_model.py --data DIR

Counts the character n-grams of

- 200,000 texts of ``synthesis.text.TextSampler``, words and lines in turn, with the same drug names
  and ordinary words as the training data;
- twice each, what training writers wrote: the words of UNIPEN (English) and the words and lines
  of ``handwriting/`` (mostly French). UNIPEN's lines are left out: most sentences of its val
  file are in its train file too, and knowing them by heart would help nowhere else.

The output is byte-identical for the same input.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from clinic_hwr.recognition.charset import Charset, fold_text
from clinic_hwr.recognition.decoding.language_model import PACKAGED, CharLanguageModel
from clinic_hwr.recognition.synthesis.strokes import load_strokes
from clinic_hwr.recognition.synthesis.text import TextSampler, load_drug_names, load_lookalikes
from clinic_hwr.recognition.training.sources import held_out_writer, read_labels

# On the fitting halves (n-best lists of the readers of 2026-11-22, weights fitted anew each time),
# exact match of prescription words / UNIPEN words / Copiste words: order 5 without the written
# texts 34.6 / 66.4 / 51.2, order 6 with them 35.6 / 73.4 / 63.0.
ORDER = 6
TEXTS = 200_000
WRITTEN_COUNTS = 2
SEED = 20250


def sampler(data_dir: Path) -> TextSampler:
    """The sampler that the training data uses."""
    words = load_strokes(data_dir / "online" / "unipen_words_train.npz")
    vocabulary = sorted({w.lower() for w in words.label if w.isalpha()})
    return TextSampler(load_drug_names(data_dir), vocabulary, load_lookalikes(data_dir))


def written(data_dir: Path) -> list[str]:
    """What training writers wrote, as often as they wrote it."""
    words = load_strokes(data_dir / "online" / "unipen_words_train.npz").label
    scanned = [x for x in read_labels(data_dir / "handwriting") if not held_out_writer(x.writer)]
    folded = [fold_text(text) for text in (*words, *(x.text for x in scanned))]
    return [text for text in folded if text and Charset().covers(text)]


def texts(source: TextSampler, seed: int, count: int) -> Iterator[str]:
    """Draw words and lines in turn; what folds to nothing is left out."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        text = fold_text(source.word(rng) if i % 2 else source.line(rng))
        if text:
            yield text


def main() -> None:
    """Write the packaged model and print its size and its cross entropy on new texts."""
    parser = argparse.ArgumentParser(description="Build the packaged character language model.")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    data_dir = parser.parse_args().data
    source = sampler(data_dir)
    counted = [*texts(source, SEED, TEXTS), *(written(data_dir) * WRITTEN_COUNTS)]
    CharLanguageModel.train(counted, Charset(), ORDER).save(PACKAGED)
    model = CharLanguageModel.load(PACKAGED)
    fresh = [model.charset.encode(text) for text in texts(source, SEED + 1, 2000)]
    bits = -sum(model.log_p(text) for text in fresh) / np.log(2)
    characters = sum(len(text) + 1 for text in fresh)
    print(
        f"{PACKAGED.name}: {PACKAGED.stat().st_size} bytes; "
        f"{bits / characters:.3f} bits a character on {len(fresh)} new texts of the same sampler"
    )


if __name__ == "__main__":
    main()
