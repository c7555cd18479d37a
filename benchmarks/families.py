"""Every family trained from scratch on the same words for the same time, then compared.

    PYTHONPATH=. .venv/bin/python -m benchmarks.families --data DIR [--minutes 20] \
        [--only crnn_ctc,trba] [--json OUT]

Each family's small preset gets the same CPU time on one core (``time.process_time``, so that a
busy machine is fair to all); how many crops that is follows from its speed, measured first.
Words only, from the training writers: rendered pen strokes, scans, words found in lines, and text
composed of real letters. A run that is finished is not repeated; one that was interrupted goes on.

Measured on words of UNIPEN val and of held-out scanned writers, on the half that the
probabilities are not fitted on; case folded; beam search, no list, no language model.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clinic_hwr.recognition.architectures import architecture, architecture_names, preset
from clinic_hwr.recognition.calibration import fit_calibrator
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.metrics import (
    character_error_rate,
    expected_calibration_error,
    wilson_interval,
)
from clinic_hwr.recognition.reader import FusedReader
from clinic_hwr.recognition.runtime import load_reader, weights_paths
from clinic_hwr.recognition.training.alignment import prepare_parts
from clinic_hwr.recognition.training.checkpoints import load_weights
from clinic_hwr.recognition.training.datasets import (
    MixtureConfig,
    MixtureDataset,
    build_mixture,
    held_out_batches,
)
from clinic_hwr.recognition.training.evaluation import read_all
from clinic_hwr.recognition.training.evaluation_sets import load_evaluation_set, writer_key
from clinic_hwr.recognition.training.fitting import for_fitting, is_correct
from clinic_hwr.recognition.training.loop import Progress, TrainConfig, train
from clinic_hwr.recognition.training.sources import Sample
from clinic_hwr.recognition.training.store import SampleStore

WORDS = MixtureConfig(
    unipen_words=0.5, unipen_phrases=0.0, unipen_lines=0.0, scanned_words=0.15, scanned_lines=0.0,
    line_words=0.15, composed=0.2, written_strokes=0.0, written_fonts=0.0, characters=0.0,
    reject=0.0,
)  # fmt: skip
SETS = ("unipen_words", "copiste_words")
PROBE_SAMPLES = 1500
STORED_CHUNKS = 32
# What says how sure a single reader is; the same for every family.
FEATURES = ("joint", "joint_per_char", "margin", "length")


@dataclass(frozen=True)
class Row:
    """Figures of one family on one set."""

    family: str
    set: str
    parameters: int
    crops_seen: int
    n: int
    exact: float
    exact_low: float
    exact_high: float
    cer: float
    cer_low: float
    cer_high: float
    ece: float
    ms_per_word: float


def families() -> list[str]:
    """Registered families that read words or lines."""
    return [n for n in architecture_names() if architecture(n).reads in ("word", "line")]


def run(name: str, options: argparse.Namespace) -> Path:
    """Train one family for the budget; returns its weights."""
    out = options.out / name
    done = out / "weights.safetensors"
    if done.exists():
        return done
    config = preset(name, "small")
    charset = Charset()
    parts = prepare_parts(options.data, weights_paths("trba")[0], options.cache)
    sources = build_mixture(options.data, WORDS, parts)
    store = SampleStore(options.cache / "store-families", STORED_CHUNKS)

    def dataset(first_chunk: int) -> MixtureDataset:
        return MixtureDataset(
            sources, charset, config.height_px, config.max_width_px, 128 * config.height_px,
            options.seed, first_chunk, store=store,
        )  # fmt: skip

    plan = out / "samples.txt"
    if not plan.exists():
        out.mkdir(parents=True, exist_ok=True)
        speed = _crops_a_second(name, config, charset, dataset, out / "probe")
        plan.write_text(str(round(speed * 60 * options.minutes)))
    schedule = TrainConfig(
        samples=int(plan.read_text()), seed=options.seed, decay_share=0.5, warmup_samples=3000,
        pixels_per_batch=128 * config.height_px, check_samples=20_000,
    )  # fmt: skip
    held_out = held_out_batches(options.data, charset, config.height_px, config.max_width_px)
    return train(name, config, charset, dataset, schedule, out, held_out=held_out)


def _crops_a_second(
    name: str,
    config: Any,
    charset: Charset,
    dataset: Callable[[int], MixtureDataset],
    folder: Path,
) -> float:
    """Crops a second of CPU time of the training process, after its first batches."""
    marks: list[tuple[int, float]] = []

    def note(progress: Progress) -> None:
        marks.append((progress.samples, time.process_time()))

    schedule = TrainConfig(samples=PROBE_SAMPLES, pixels_per_batch=128 * config.height_px)
    train(name, config, charset, dataset, schedule, folder, note)
    (first, began), (last, ended) = marks[len(marks) // 3], marks[-1]
    return (last - first) / (ended - began)


def measure(name: str, weights: Path, data: Path, limit: int) -> list[Row]:
    """Read both sets, fit probabilities on one half of the writers, measure the other."""
    reader = load_reader(name, weights)
    seen = int((weights.parent / "samples.txt").read_text())
    _, model = load_weights(weights)
    parameters = sum(p.numel() for p in model.parameters())
    rows = []
    for kind in SETS:
        samples = load_evaluation_set(data, kind, limit)
        fitted = [s for s in samples if for_fitting(writer_key(s, kind))]
        rest = [s for s in samples if not for_fitting(writer_key(s, kind))]
        _calibrate(reader, fitted, kind)
        started = time.process_time()
        readings = read_all(reader, rest)
        spent = time.process_time() - started
        right = is_correct(rest, readings)
        low, high = wilson_interval(sum(right), len(right))
        truths = [s.text.lower() for s in rest]
        texts = [r.text.lower() for r in readings]
        cer_low, cer_high = _cer_interval(truths, texts)
        rows.append(
            Row(
                name, kind, parameters, seen, len(rest), sum(right) / len(right), low, high,
                character_error_rate(truths, texts), cer_low, cer_high,
                expected_calibration_error([r.p_correct for r in readings], right),
                1000 * spent / len(rest),
            )
        )  # fmt: skip
    return rows


def _calibrate(reader: FusedReader, samples: Sequence[Sample], kind: str) -> None:
    readings = read_all(reader, samples)
    whole = [(s, r) for s, r in zip(samples, readings, strict=True) if "joint" in r.scores]
    fitted = fit_calibrator(
        [r.scores for _, r in whole],
        is_correct([s for s, _ in whole], [r for _, r in whole]),
        FEATURES,
        [writer_key(s, kind) for s, _ in whole],
    )
    reader.settings = replace(reader.settings, calibrators={"word": fitted, "lexicon": fitted})


def _cer_interval(
    truths: Sequence[str], texts: Sequence[str], draws: int = 300
) -> tuple[float, float]:
    """95% bootstrap interval of the CER, over words."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        chosen = rng.integers(len(truths), size=len(truths))
        found.append(character_error_rate([truths[i] for i in chosen], [texts[i] for i in chosen]))
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    """Train what is missing, measure everything, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/families"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--minutes", type=float, default=20.0, help="CPU time of each run.")
    parser.add_argument("--limit", type=int, default=2000, help="Words of each set.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", help="Names of families, joined by commas.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = options.only.split(",") if options.only else families()
    rows: list[Row] = []
    print("| family | set | parameters | crops seen | n | exact [95%] | CER [95%] | ECE | ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        for row in measure(name, run(name, options), options.data, options.limit):
            rows.append(row)
            print(
                f"| {row.family} | {row.set} | {row.parameters:,} | {row.crops_seen:,} | {row.n} | "
                f"{row.exact:.1%} [{row.exact_low:.1%}, {row.exact_high:.1%}] | "
                f"{row.cer:.1%} [{row.cer_low:.1%}, {row.cer_high:.1%}] | {row.ece:.3f} | "
                f"{row.ms_per_word:.1f} |",
                flush=True,
            )
        if options.json:
            figures = {
                "date": datetime.now(UTC).date().isoformat(),
                "machine": platform.processor() or platform.machine(),
                "minutes": options.minutes,
                "rows": [asdict(r) for r in rows],
            }
            options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
