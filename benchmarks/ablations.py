"""What each stage, head and source of data is worth: short runs that differ in one thing.

    PYTHONPATH=. .venv/bin/python -m benchmarks.ablations --data DIR [--samples 250000] \
        [--draw-workers 2] [--only base,no_tps] [--json OUT]

Every run starts from random weights and sees the same number of crops out of the same drawn
store; a run that is finished is not repeated, one that was interrupted goes on. Far fewer crops
than a shipped reader sees: the table says what helps early, not where each variant would end.
Measured on writers that no run saw: words of ``copiste_words`` (the half that nothing is fitted
on) and words of held-out UNIPEN train writers; best path of the CTC layer and greedy decoder,
letters' case folded.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clinic_hwr.recognition.architectures import preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding import ctc
from clinic_hwr.recognition.images import prepare
from clinic_hwr.recognition.metrics import character_error_rate, wilson_interval
from clinic_hwr.recognition.network import Network
from clinic_hwr.recognition.runtime import weights_paths
from clinic_hwr.recognition.training.alignment import prepare_parts
from clinic_hwr.recognition.training.checkpoints import load_weights
from clinic_hwr.recognition.training.datasets import (
    CHUNK_SAMPLES,
    MixtureConfig,
    MixtureDataset,
    build_mixture,
    held_out_batches,
    mixture_places,
)
from clinic_hwr.recognition.training.device_batches import DeviceMixture
from clinic_hwr.recognition.training.evaluation_sets import load_evaluation_set
from clinic_hwr.recognition.training.fitting import for_fitting
from clinic_hwr.recognition.training.loop import TrainConfig, train, training_device
from clinic_hwr.recognition.training.material import open_store


@dataclass(frozen=True)
class Variant:
    """One run: what it changes in model and schedule, and which shares of data it drops."""

    name: str
    arch: str = "trba"
    model: dict[str, object] = field(default_factory=dict)
    train: dict[str, object] = field(default_factory=dict)
    without: tuple[str, ...] = ()


SCANS = ("scanned_words", "scanned_lines", "line_words")
STROKES = ("unipen_words", "unipen_phrases", "unipen_lines")
NARROW = {
    "feature_channels": (24, 48, 96, 160), "feature_layers": (1, 1, 2, 1), "lstm_hidden": 128,
}  # fmt: skip
TINY = {
    "feature_channels": (16, 32, 48, 80), "feature_layers": (1, 1, 1, 1), "lstm_hidden": 64,
    "decoder_hidden": 64,
}  # fmt: skip
# What all variants start from: the preset that ships, or one that a processor can train.
BASES: dict[str, dict[str, object]] = {
    "small": {},
    "narrow": NARROW | {"height_px": 32, "max_width_px": 640},
}
VARIANTS = (
    Variant("base"),
    Variant("no_tps", model={"transformation": "none"}),
    Variant("no_bilstm", model={"sequence": "none"}),
    Variant("ctc_only", model={"ctc_weight": 1.0}),
    Variant("attention_only", model={"ctc_weight": 0.0}),
    Variant("height_32", model={"height_px": 32, "max_width_px": 640}),
    Variant("height_48", model={"height_px": 48, "max_width_px": 960}),
    Variant("narrow", model=NARROW),
    Variant("tiny", model=TINY),
    Variant("fcn_ctc", arch="fcn_ctc"),
    Variant("adamw", train={"optimiser": "adamw", "learning_rate": 1.6e-3}),
    Variant("without_strokes", without=STROKES),
    Variant("without_scans", without=SCANS),
    Variant("without_composed", without=("composed",)),
    Variant("without_characters", without=("written_strokes", "characters")),
    Variant("without_fonts", without=("written_fonts",)),
    Variant(
        "real_ink_only",
        without=("composed", "written_strokes", "characters", "written_fonts"),
    ),
)


@dataclass(frozen=True)
class Row:
    """Figures of one run on one set."""

    variant: str
    set: str
    n: int
    parameters: int
    crops_a_second: float
    ctc_exact: float
    ctc_low: float
    ctc_high: float
    ctc_cer: float
    attention_exact: float | None


def run(variant: Variant, options: argparse.Namespace) -> Path:
    """Train one variant; returns its weights."""
    config = replace(preset(variant.arch, "small"), **(BASES[options.base] | variant.model))
    schedule = replace(
        TrainConfig(
            samples=options.samples, warmup_samples=options.samples // 25, seed=options.seed,
            pixels_per_batch=options.pixels, check_samples=10**9, decay_share=0.5, on_device=True,
        ),
        **variant.train,
    )  # fmt: skip
    store = open_store(MixtureConfig(), options.seed, options.chunks, options.cache)
    used = {k for name, k in mixture_places(MixtureConfig()).items() if name not in variant.without}
    charset = Charset()

    def dataset(first_chunk: int) -> DeviceMixture:
        return DeviceMixture(
            store, charset, config.height_px, config.max_width_px, training_device(),
            schedule.pixels_per_batch, options.seed, first_chunk, reuse=2, places=frozenset(used),
        )  # fmt: skip

    out = options.out / variant.name
    started = time.perf_counter()
    weights = train(variant.arch, config, charset, dataset, schedule, out)
    (out / "seconds.txt").write_text(f"{time.perf_counter() - started:.0f}")
    return weights


def draw(options: argparse.Namespace) -> None:
    """Begin to draw the samples that all runs share."""
    parts = prepare_parts(options.data, weights_paths("trba")[0], options.cache)
    sources = build_mixture(options.data, MixtureConfig(), parts)
    drawer = MixtureDataset(sources, Charset(), 1, 1, seed=options.seed)
    store = open_store(MixtureConfig(), options.seed, options.chunks, options.cache)
    store.start(drawer.sample, CHUNK_SAMPLES, options.draw_workers)


def sets(data: Path) -> dict[str, list[tuple[np.ndarray, str]]]:
    """Crops of writers that no run saw, with their truths."""
    words = load_evaluation_set(data, "copiste_words")
    copiste = [(s.image, s.text) for s in words if not for_fitting(s.writer)]
    held_out = [
        ((255 - 255 * image[0].numpy()).astype(np.uint8), text)
        for batch in held_out_batches(data, Charset(), 64, 1280)
        for image, text in zip(batch.images, batch.texts, strict=True)
    ]
    return {"copiste_words": copiste, "unipen held out": held_out}


def measure(
    variant: Variant, weights: Path, crops: Sequence[tuple[np.ndarray, str]]
) -> dict[str, Any]:
    """Read with both heads, greedily."""
    _, model = load_weights(weights)
    network = Network(model, variant.name)
    inks = [prepare(image, network.height_px, network.max_width_px) for image, _ in crops]
    nothing = torch.zeros(len(inks), network.charset.size, dtype=torch.bool)
    frames = network.frames(inks, nothing)
    truths = [text.lower() for _, text in crops]
    paths = [
        network.charset.decode(ctc.best_path(f.log_probs)).lower()
        for f in frames
        if f.log_probs is not None
    ]
    right = sum(a == b for a, b in zip(truths, paths, strict=True))
    low, high = wilson_interval(right, len(truths))
    drafts = [network.charset.decode(f.drafts[0]).lower() for f in frames if f.drafts]
    return {
        "n": len(truths),
        "parameters": sum(p.numel() for p in model.parameters()),
        "ctc_exact": right / len(truths),
        "ctc_low": low,
        "ctc_high": high,
        "ctc_cer": character_error_rate(truths, paths),
        "attention_exact": (
            sum(a == b for a, b in zip(truths, drafts, strict=True)) / len(truths)
            if drafts
            else None
        ),
    }


def main() -> None:
    """Train what is missing, measure everything, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/ablations"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--samples", type=int, default=250_000)
    parser.add_argument("--base", choices=BASES, default="small")
    parser.add_argument("--pixels", type=int, default=8192, help="Width times crops of a batch.")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--chunks", type=int, default=64, help="Drawn chunks, shared by all runs.")
    parser.add_argument("--draw-workers", type=int, default=0, help="0 = another run draws.")
    parser.add_argument("--train-only", action="store_true", help="Measure later, elsewhere.")
    parser.add_argument("--only", help="Names of variants, joined by commas.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.draw_workers:
        draw(options)
    chosen = options.only.split(",") if options.only else [v.name for v in VARIANTS]
    unknown = set(chosen) - {v.name for v in VARIANTS}
    if unknown:
        parser.error(f"Unknown variants: {', '.join(sorted(unknown))}.")
    crops = {} if options.train_only else sets(options.data)
    rows: list[Row] = []
    print("| variant | set | n | CTC exact [95%] | CTC CER | attention exact | crops a second |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for variant in VARIANTS:
        if variant.name not in chosen:
            continue
        out = options.out / variant.name
        done = out / "seconds.txt"
        weights = out / "weights.safetensors" if done.exists() else run(variant, options)
        speed = options.samples / max(1.0, float(done.read_text()))
        for name, some in crops.items():
            row = Row(variant.name, name, crops_a_second=speed, **measure(variant, weights, some))
            rows.append(row)
            decoder = "" if row.attention_exact is None else f"{row.attention_exact:.1%}"
            print(
                f"| {row.variant} | {row.set} | {row.n} | {row.ctc_exact:.1%} "
                f"[{row.ctc_low:.1%}, {row.ctc_high:.1%}] | {row.ctc_cer:.1%} | {decoder} | "
                f"{row.crops_a_second:.0f} |",
                flush=True,
            )
        if options.json:
            figures = {
                "base": options.base,
                "samples": options.samples,
                "rows": [asdict(r) for r in rows],
            }
            options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
