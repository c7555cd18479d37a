"""Count what the shipped reader mistakes for what, for the ink-aware distance of drug names.

    python scripts/build_confusions.py --data FOLDER

Reads words of UNIPEN writers that no training run has learnt from (they are kept out for early
stopping; the val files stay untouched for measuring), and drug names put together from single
characters of the same writers, degraded as a scan. Writes ``data/confusions.tsv``: how often a
letter, or two letters, were read as something else. The free reading is used, without a lexicon.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.recognition.charset import fold_text
from clinic_hwr.recognition.runtime import load_reader
from clinic_hwr.recognition.synthesis.degradation import degrade_ink
from clinic_hwr.recognition.synthesis.hands import CannotWrite, stroke_hands
from clinic_hwr.recognition.synthesis.strokes import draw_strokes, load_strokes, scale_strokes
from clinic_hwr.recognition.training.sources import Sample, held_out_stroke_writer

TARGET = (
    Path(__file__).resolve().parent.parent
    / "clinic_hwr" / "prescriptions" / "data" / "confusions.tsv"
)  # fmt: skip
LEAST = 2  # a confusion seen once may be a wrong label
BATCH = 32


def word_samples(data: Path, limit: int) -> list[Sample]:
    """Real words of writers who are kept out of training, drawn once each."""
    strokes = load_strokes(data / "online" / "unipen_words_train.npz")
    samples = []
    for i in range(len(strokes)):
        if not held_out_stroke_writer(strokes.writer[i]) or not strokes.label[i].isalpha():
            continue
        placed = scale_strokes(strokes.strokes(i), 56.0)
        alpha, _ = draw_strokes(placed, 2.5, np.random.default_rng(i), margin_px=8)
        samples.append(Sample(255 - alpha, fold_text(strokes.label[i]), strokes.writer[i]))
    return samples[:limit]


def name_samples(data: Path, count: int) -> list[Sample]:
    """Drug names written with single characters of the same writers: synthetic."""
    characters = load_strokes(data / "online" / "unipen_chars_train.npz")
    hands = [
        hand for hand in stroke_hands(characters, minimum=20) if held_out_stroke_writer(hand.name)
    ]
    names = [n for n in load_lexicon().names if n.isalpha() and n.isascii()]
    rng = np.random.default_rng(7)
    samples: list[Sample] = []
    for _ in range(count * 20):
        if len(samples) == count or not hands:
            break
        name = names[int(rng.integers(len(names)))].lower()
        name = name.capitalize() if rng.random() < 0.5 else name
        hand = hands[int(rng.integers(len(hands)))]
        try:
            tile = hand.write(name, rng, float(rng.uniform(14, 26)))
        except CannotWrite:
            continue
        samples.append(Sample(degrade_ink(tile.alpha, rng, 0.6), name, hand.name))
    return samples


def confusions(truth: str, reading: str) -> list[tuple[str, str]]:
    """(true letters, read letters) of the smallest edits; one side may be empty."""
    found = []
    for code in Levenshtein.opcodes(truth, reading):
        was = truth[code.src_start : code.src_end]
        read = reading[code.dest_start : code.dest_end]
        if code.tag == "equal":
            continue
        if len(was) == len(read) and len(was) > 2:
            found.extend(zip(was, read, strict=True))
        elif len(was) <= 2 and len(read) <= 2:
            found.append((was, read))
    return found


def main() -> None:
    """Read, count and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--words", type=int, default=3000)
    parser.add_argument("--names", type=int, default=2500)
    options = parser.parse_args()
    words = word_samples(options.data, options.words)
    names = name_samples(options.data, options.names)
    reader = load_reader(None)
    letters: Counter[str] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    wrong = 0
    samples = words + names
    for start in range(0, len(samples), BATCH):
        batch = samples[start : start + BATCH]
        readings = reader.read([s.image for s in batch], kinds=["word"] * len(batch))
        for sample, reading in zip(batch, readings, strict=True):
            truth, read = sample.text.lower(), reading.text.lower()
            # A reading of something else altogether says nothing of single letters.
            if Levenshtein.normalized_similarity(truth, read) < 0.5:
                continue
            letters.update(truth)
            wrong += truth != read
            errors.update(confusions(truth, read))
        print(f"{start + len(batch)} of {len(samples)}, {sum(errors.values())} errors", flush=True)
    writers = len({s.writer for s in samples})
    note = (
        f"# source: {reader.model_version} on {len(words)} UNIPEN words and {len(names)} drug "
        f"names composed of UNIPEN characters (synthetic) of {writers} writers kept out of "
        f"training, {wrong} read with an error; scripts/build_confusions.py\n"
    )
    rows = [f"{letter}\t{letter}\t{n}" for letter, n in sorted(letters.items()) if letter.isalpha()]
    rows += [
        f"{was}\t{read}\t{n}"
        for (was, read), n in sorted(errors.items(), key=lambda item: (-item[1], item[0]))
        if n >= LEAST and (was + read).isalpha()
    ]
    TARGET.write_text(note + "true\tread\tcount\n" + "\n".join(rows) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(rows)} rows")


if __name__ == "__main__":
    main()
