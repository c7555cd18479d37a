"""Real handwriting kept out of training, by name.

``copiste_words`` and ``copiste_lines``: scans of held-out writers. ``unipen_words`` and
``unipen_lines``: pen strokes of writers of the val files, rendered once each with a fixed
seed. ``rx_words``: real prescription words. None of these writers is in any training source.

``composed_*``: text of one field kind put together from real characters of writers of the val
file, degraded as a scan: synthetic, for kinds that no real set here shows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clinic_hwr.recognition.charset import fold_text
from clinic_hwr.recognition.synthesis.degradation import degrade_ink
from clinic_hwr.recognition.synthesis.hands import stroke_hands
from clinic_hwr.recognition.synthesis.strokes import draw_strokes, load_strokes, scale_strokes
from clinic_hwr.recognition.synthesis.text import TextSampler

from .sources import Sample, held_out_writer, read_gray, read_labels

REAL_SETS = ("copiste_words", "copiste_lines", "unipen_words", "unipen_lines", "rx_words")
COMPOSED_KINDS = ("strength", "date", "digits", "sig", "name")
EVALUATION_SETS = (*REAL_SETS, *(f"composed_{kind}" for kind in COMPOSED_KINDS))
COMPOSED_SIZE = 1000


def kind_of(name: str) -> str:
    """The field kind that a set is read as."""
    kind = name.removeprefix("composed_")
    return kind if kind in COMPOSED_KINDS else "line" if name.endswith("lines") else "word"


def writer_key(sample: Sample, name: str) -> str:
    """What halves a set for fitting: the writer, or the drug's name where nobody is known."""
    return sample.text if name == "rx_words" else sample.writer


def load_evaluation_set(
    data_dir: Path, name: str, limit: int | None = None, seed: int = 0
) -> list[Sample]:
    """Load held-out samples.

    Args:
        data_dir: the data folder.
        name: one of ``EVALUATION_SETS``.
        limit: at most this many, drawn without replacement; None = all.
        seed: of the draw.

    Raises:
        ValueError: the name is unknown.
    """
    if name not in EVALUATION_SETS:
        raise ValueError(f"There is no set {name!r}. Choose from: {', '.join(EVALUATION_SETS)}.")
    rng = np.random.default_rng(seed)
    if name.startswith("unipen"):
        return _unipen(data_dir / "online" / f"{name}_val.npz", limit, rng)
    if name.startswith("composed"):
        return _composed(data_dir, kind_of(name), limit or COMPOSED_SIZE, seed)
    folder = data_dir / ("rx_words_dev" if name == "rx_words" else "handwriting")
    lines = read_labels(folder)
    if name != "rx_words":
        level = "word" if name == "copiste_words" else "line"
        lines = [x for x in lines if x.level == level and held_out_writer(x.writer)]
    chosen = _draw(len(lines), limit, rng)
    return [
        Sample(read_gray(lines[i].path), fold_text(lines[i].text), lines[i].writer) for i in chosen
    ]


def _unipen(path: Path, limit: int | None, rng: np.random.Generator) -> list[Sample]:
    strokes = load_strokes(path)
    samples = []
    for i in _draw(len(strokes), limit, rng):
        placed = scale_strokes(strokes.strokes(i), 56.0)
        alpha, _ = draw_strokes(placed, 2.5, np.random.default_rng(i), margin_px=8)
        samples.append(Sample(255 - alpha, fold_text(strokes.label[i]), strokes.writer[i]))
    return samples


def _composed(data_dir: Path, kind: str, count: int, seed: int) -> list[Sample]:
    hands = stroke_hands(load_strokes(data_dir / "online" / "unipen_chars_val.npz"), minimum=20)
    text = TextSampler((), ())
    draw = {
        "strength": text.strength,
        "date": text.date,
        "digits": text.number,
        "sig": text.sig,
        "name": text.person,
    }[kind]
    rng = np.random.default_rng([seed, COMPOSED_KINDS.index(kind)])
    samples: list[Sample] = []
    while len(samples) < count:
        wanted = fold_text(draw(rng))
        able = [hand for hand in hands if hand.can_write(wanted)]
        if able:
            hand = able[int(rng.integers(len(able)))]
            tile = hand.write(wanted, rng, float(rng.uniform(14, 26)))
            samples.append(Sample(degrade_ink(tile.alpha, rng, 0.6), wanted, hand.name))
    return samples


def _draw(n: int, limit: int | None, rng: np.random.Generator) -> list[int]:
    if limit is None or limit >= n:
        return list(range(n))
    return sorted(int(i) for i in rng.choice(n, limit, replace=False))
