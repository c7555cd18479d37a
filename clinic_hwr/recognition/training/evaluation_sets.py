"""Real handwriting kept out of training, by name.

``copiste_words`` and ``copiste_lines``: scans of held-out writers. ``unipen_words``: pen
strokes of writers of the val file, rendered once each with a fixed seed. ``rx_words``: real
prescription words. None of these writers is in any training source.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clinic_hwr.recognition.charset import fold_text
from clinic_hwr.recognition.synthesis.strokes import draw_strokes, load_strokes, scale_strokes

from .sources import Sample, held_out_writer, read_gray, read_labels

EVALUATION_SETS = ("copiste_words", "copiste_lines", "unipen_words", "rx_words")


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
    if name == "unipen_words":
        return _unipen_words(data_dir, limit, rng)
    folder = data_dir / ("rx_words_dev" if name == "rx_words" else "handwriting")
    lines = read_labels(folder)
    if name != "rx_words":
        level = "word" if name == "copiste_words" else "line"
        lines = [x for x in lines if x.level == level and held_out_writer(x.writer)]
    chosen = _draw(len(lines), limit, rng)
    return [
        Sample(read_gray(lines[i].path), fold_text(lines[i].text), lines[i].writer) for i in chosen
    ]


def _unipen_words(data_dir: Path, limit: int | None, rng: np.random.Generator) -> list[Sample]:
    strokes = load_strokes(data_dir / "online" / "unipen_words_val.npz")
    samples = []
    for i in _draw(len(strokes), limit, rng):
        placed = scale_strokes(strokes.strokes(i), 56.0)
        alpha, _ = draw_strokes(placed, 2.5, np.random.default_rng(i), margin_px=8)
        samples.append(Sample(255 - alpha, fold_text(strokes.label[i]), strokes.writer[i]))
    return samples


def _draw(n: int, limit: int | None, rng: np.random.Generator) -> list[int]:
    if limit is None or limit >= n:
        return list(range(n))
    return sorted(int(i) for i in rng.choice(n, limit, replace=False))
