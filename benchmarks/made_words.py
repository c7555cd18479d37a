"""Do words that ScrabbleGAN wrote help a recognizer? Two runs with and without them, in pairs.

    manage.py train --arch fcn_ctc --init SHIPPED --config plain.toml --data DIR --out runs/plain
    manage.py train --arch fcn_ctc --init SHIPPED --config made.toml --data DIR --out runs/made
    PYTHONPATH=. .venv/bin/python -m benchmarks.made_words --data DIR --before SHIPPED \
        --plain runs/plain/weights.safetensors --made runs/made/weights.safetensors [--json OUT]

Both recipes agree but for ``gan_words`` in ``[mixture]``. Measured on the half of the held-out
writers that nothing is fitted on: best path of the CTC layer, letters' case folded, no language
model. The interval of the difference is a bootstrap over writers, who are the independent ones.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from rapidfuzz.distance import Levenshtein

from clinic_hwr.recognition.decoding import ctc
from clinic_hwr.recognition.images import prepare
from clinic_hwr.recognition.network import Network
from clinic_hwr.recognition.training.checkpoints import load_weights
from clinic_hwr.recognition.training.evaluation_sets import load_evaluation_set, writer_key
from clinic_hwr.recognition.training.fitting import for_fitting
from clinic_hwr.recognition.training.sources import Sample

SETS = ("copiste_words", "unipen_words")
DRAWS = 2000


def errors(weights: Path, samples: Sequence[Sample]) -> np.ndarray:
    """Edits that each reading is away from its truth, (samples,)."""
    _, model = load_weights(weights)
    network = Network(model, weights.stem)
    inks = [prepare(s.image, network.height_px, network.max_width_px) for s in samples]
    nothing = torch.zeros(len(inks), network.charset.size, dtype=torch.bool)
    found = []
    for frames, sample in zip(network.frames(inks, nothing), samples, strict=True):
        if frames.log_probs is None:
            raise SystemExit(f"{weights} has no CTC layer.")
        text = network.charset.decode(ctc.best_path(frames.log_probs)).lower()
        found.append(Levenshtein.distance(text, sample.text.lower()))
    return np.array(found)


def difference(
    plain: np.ndarray, made: np.ndarray, samples: Sequence[Sample]
) -> tuple[float, float, float]:
    """CER with made words minus CER without, and its 95% interval."""
    by_writer: dict[str, list[int]] = defaultdict(list)
    for i, sample in enumerate(samples):
        by_writer[sample.writer].append(i)
    rows = [np.array(found) for found in by_writer.values()]
    length = np.array([len(s.text) for s in samples])
    moved = np.array([(made[r] - plain[r]).sum() for r in rows])
    size = np.array([length[r].sum() for r in rows])
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(rows), size=(DRAWS, len(rows)))
    low, high = np.quantile(moved[chosen].sum(1) / size[chosen].sum(1), (0.025, 0.975))
    return float(moved.sum() / size.sum()), float(low), float(high)


def main() -> None:
    """Read both sets with all weights; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    for name in ("before", "plain", "made"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=1500, help="Words of each set.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in SETS:
        samples = [
            s
            for s in load_evaluation_set(options.data, name, options.limit)
            if not for_fitting(writer_key(s, name))
        ]
        wrong = {k: errors(getattr(options, k), samples) for k in ("before", "plain", "made")}
        letters = sum(len(s.text) for s in samples)
        change, low, high = difference(wrong["plain"], wrong["made"], samples)
        row = {
            "set": name, "n": len(samples), "writers": len({s.writer for s in samples}),
            **{f"cer_{k}": float(v.sum() / letters) for k, v in wrong.items()},
            "difference": change, "low": low, "high": high,
        }  # fmt: skip
        rows.append(row)
        print(
            f"{name} (n = {row['n']}, {row['writers']} writers): CER before "
            f"{row['cer_before']:.2%}, without {row['cer_plain']:.2%}, with made words "
            f"{row['cer_made']:.2%}; difference {change:+.2%} [{low:+.2%}, {high:+.2%}]",
            flush=True,
        )
    if options.json:
        body = {"date": datetime.now(UTC).date().isoformat(), "rows": rows}
        options.json.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
