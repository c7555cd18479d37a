"""Every family trained from scratch on the same words for the same time, then compared.

    PYTHONPATH=. .venv/bin/python -m benchmarks.families --data DIR [--minutes 20] \
        [--draw-workers 2] [--only crnn_ctc,trba] [--json OUT]

Each family's small preset gets the same time: of the clock on a GPU, of the processor on one core
(``time.process_time``, so that a busy machine is fair to all). How many crops that is follows from
its speed, measured first. Words only, from the training writers: rendered pen strokes, scans, words
found in lines, and text composed of real letters. A run that is finished is not repeated; one that
was interrupted goes on. ``--train-only`` leaves the measuring to another machine.

Measured on words of UNIPEN val and of held-out scanned writers, on the half that the
probabilities are not fitted on; case folded; beam search, no list, no language model.
"""

from __future__ import annotations

import argparse
import contextlib
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
from clinic_hwr.recognition.runtime import load_reader
from clinic_hwr.recognition.training.checkpoints import load_weights
from clinic_hwr.recognition.training.datasets import (
    MixtureConfig,
    held_out_batches,
    mixture_places,
)
from clinic_hwr.recognition.training.device_batches import DeviceMixture
from clinic_hwr.recognition.training.evaluation import read_all
from clinic_hwr.recognition.training.evaluation_sets import load_evaluation_set, writer_key
from clinic_hwr.recognition.training.fitting import for_fitting, is_correct
from clinic_hwr.recognition.training.loop import (
    Progress,
    TrainConfig,
    train,
    training_device,
)
from clinic_hwr.recognition.training.material import open_store
from clinic_hwr.recognition.training.sources import Sample

from .ablations import draw as draw_stored

# Sources of the default mixture that write words; the same stored samples for every family.
WORDS = ("unipen_words", "scanned_words", "line_words", "composed")
SETS = ("unipen_words", "copiste_words")
PROBE_SHARE = 0.03  # of the budget
WARM_UP_BATCHES = 20
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
    store = open_store(MixtureConfig(), options.seed, options.chunks, options.cache)
    places = mixture_places(MixtureConfig())
    pixels = options.pixels * config.height_px // 32

    def dataset(first_chunk: int) -> DeviceMixture:
        return DeviceMixture(
            store, charset, config.height_px, config.max_width_px, training_device(), pixels,
            options.seed, first_chunk, reuse=2, places=frozenset(places[k] for k in WORDS),
        )  # fmt: skip

    plan = out / "samples.txt"
    if not plan.exists():
        out.mkdir(parents=True, exist_ok=True)
        speed = _crops_a_second(name, config, charset, dataset, out / "probe", options)
        plan.write_text(str(round(speed * 60 * options.minutes)))
    samples = int(plan.read_text())
    schedule = TrainConfig(
        samples=samples, seed=options.seed, decay_share=0.5, warmup_samples=samples // 25,
        pixels_per_batch=pixels, check_samples=samples // 10, on_device=True,
    )  # fmt: skip
    held_out = held_out_batches(options.data, charset, config.height_px, config.max_width_px)
    return train(name, config, charset, dataset, schedule, out, held_out=held_out)


class _Enough(Exception):
    """The speed is known."""


def _clock() -> float:
    return time.perf_counter() if training_device().type == "cuda" else time.process_time()


def _crops_a_second(
    name: str,
    config: Any,
    charset: Charset,
    dataset: Callable[[int], DeviceMixture],
    folder: Path,
    options: argparse.Namespace,
) -> float:
    """Crops a second of the training process, after its first batches."""
    marks: list[tuple[int, float]] = []
    limit = PROBE_SHARE * 60 * options.minutes

    def note(progress: Progress) -> None:
        marks.append((progress.samples, _clock()))
        # The first batches load libraries and try kernels: they do not count.
        if len(marks) > WARM_UP_BATCHES and _clock() - marks[WARM_UP_BATCHES][1] > limit:
            raise _Enough

    schedule = TrainConfig(samples=10**9, on_device=True)
    with contextlib.suppress(_Enough):
        train(name, config, charset, dataset, schedule, folder, note)
    (first, began), (last, ended) = marks[WARM_UP_BATCHES], marks[-1]
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
    right = is_correct([s for s, _ in whole], [r for _, r in whole])
    if len(set(right)) < 2:
        return  # a family that reads nothing yet keeps ``p_correct`` 0
    fitted = fit_calibrator(
        [r.scores for _, r in whole],
        right,
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
    parser.add_argument("--minutes", type=float, default=20.0, help="Time of each run.")
    parser.add_argument("--pixels", type=int, default=4096, help="Width times crops of a batch.")
    parser.add_argument("--chunks", type=int, default=64, help="Drawn chunks, shared by all runs.")
    parser.add_argument("--draw-workers", type=int, default=0, help="0 = another run draws.")
    parser.add_argument("--train-only", action="store_true", help="Measure later, elsewhere.")
    parser.add_argument("--limit", type=int, default=2000, help="Words of each set.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", help="Names of families, joined by commas.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = options.only.split(",") if options.only else families()
    if options.draw_workers:
        draw_stored(options)
    if options.train_only:
        for name in names:
            print(run(name, options), flush=True)
        return
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
