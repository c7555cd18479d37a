"""How long the reader takes for a field on one core, against a plain TRBA and Tesseract.

    PYTHONPATH=. .venv/bin/python -m benchmarks.recognizer --data DIR [--n 208] [--json OUT]

Every system gets the same real words of held-out writers, in batches of 16 and one by one. The
systems take turns at each batch, so that a machine that is busy for a while is busy for all of
them; ratios are medians over these turns. The plain TRBA has the size of Baek et al. 2019 and
random weights (its speed does not depend on them): the whole crop at 32x100, no folding, and
greedy attention over 26 steps, as the authors run it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.peers import Tesseract
from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding import attention
from clinic_hwr.recognition.images import Ink, prepare
from clinic_hwr.recognition.inference import limit_threads, prepare_for_inference
from clinic_hwr.recognition.onnx_encoder import OnnxRecognizer
from clinic_hwr.recognition.runtime import SHIPPED, load_reader, weights_paths
from clinic_hwr.recognition.training.checkpoints import load_weights
from clinic_hwr.recognition.training.evaluation_sets import load_evaluation_set
from clinic_hwr.recognition.training.sources import read_labels

Gray = NDArray[np.uint8]
BATCH = 16
SINGLE = "one by one"
BATCHED = f"batches of {BATCH}"
# The slow ones get the first crops only; a ratio is taken over the batches that both have read.
PAPER_CROPS = 96
TESSERACT_CROPS = 32
LARGE_LIST = 10_000
PAPER_WIDTH_PX = 100  # Baek et al. 2019: 32x100, 25 characters and the end
PAPER_STEPS = 26
FREE = "reader, free"
PAPER = "plain TRBA, paper size"
TESSERACT = "Tesseract"


@dataclass(frozen=True, slots=True)
class System:
    """Something that reads crops, named by their numbers."""

    name: str
    read: Callable[[Sequence[int]], object]
    batched: bool = True
    most: int = sys.maxsize  # crops it is given


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds a field of one system; percentiles over calls, each divided by its crops."""

    system: str
    mode: str
    crops: int
    wall_p50: float
    wall_p95: float
    cpu_p50: float
    cpu_p95: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as long as the reader (free) a system takes; median over batches."""

    system: str
    mode: str
    batches: int
    wall: float
    cpu: float


# --- the systems --------------------------------------------------------------------------------


def reader_systems(reader: Any, crops: Sequence[Gray], short: tuple[str, ...]) -> list[System]:
    """The product's reader without a list, with the names of the set, and with a long list."""
    long = long_list(short)

    def reading(lexicon: tuple[str, ...] | None) -> Callable[[Sequence[int]], object]:
        return lambda part: reader.read(
            [crops[i] for i in part], kinds=["word"] * len(part), lexicon=lexicon
        )

    return [
        System(FREE, reading(None)),
        System(f"reader, {len(short)} names", reading(short)),
        System(f"reader, {len(long):,} names", reading(long)),
    ]


def long_list(short: Sequence[str]) -> tuple[str, ...]:
    """The given names and the packaged drug names, filled up with misspelt ones."""
    packaged = load_lexicon().names
    swapped = (name[:2] + name[3] + name[2] + name[4:] for name in packaged if len(name) > 4)
    return tuple(dict.fromkeys((*short, *packaged, *swapped)))[:LARGE_LIST]


def network_systems(path: Path, crops: Sequence[Gray]) -> list[System]:
    """The encoder of a weights file on prepared crops, as trained and made fast."""
    _, model = load_weights(path)
    config: Any = model.config
    inks = [prepare(crop, config.height_px, config.max_width_px) for crop in crops]

    def encoding(network: nn.Module) -> Callable[[Sequence[int]], object]:
        return lambda part: encode_by_width(network, [inks[i] for i in part])

    fast = OnnxRecognizer(model, prepare_for_inference(model), torch.get_num_threads())
    return [
        System(f"{path.stem} encoder, as trained", encoding(model)),
        System(f"{path.stem} encoder, as the reader runs it", encoding(fast)),
    ]


@torch.inference_mode()
def encode_by_width(network: Any, inks: Sequence[Ink]) -> None:
    """Encode ink maps, those of equal width together, as the reader does."""
    groups: dict[int, list[Ink]] = defaultdict(list)
    for ink in inks:
        groups[ink.shape[1]].append(ink)
    for width, group in groups.items():
        images = torch.from_numpy(np.stack(group)).unsqueeze(1)
        network.encode(images, torch.full((len(group),), width))


def paper_system(crops: Sequence[Gray]) -> tuple[System, int]:
    """The plain TRBA, and how many parameters it has."""
    config = preset("trba", "paper")
    charset = Charset()
    model: Any = architecture("trba").build(config, charset).eval()
    forbidden = torch.zeros(charset.size, dtype=torch.bool)
    forbidden[0] = True  # no early end: always all the steps

    @torch.inference_mode()
    def read(part: Sequence[int]) -> None:
        size = (PAPER_WIDTH_PX, config.height_px)
        small = [cv2.resize(crops[i], size, interpolation=cv2.INTER_CUBIC) for i in part]
        images = torch.from_numpy(1 - np.stack(small).astype(np.float32) / 255).unsqueeze(1)
        encoded = model.encode(images, torch.full((len(part),), PAPER_WIDTH_PX))
        attention.greedy(model.decoder, encoded.columns, encoded.mask, PAPER_STEPS, forbidden)

    return System(PAPER, read, most=PAPER_CROPS), sum(p.numel() for p in model.parameters())


def tesseract_systems(crops: Sequence[Gray], threads: int) -> list[System]:
    """Tesseract with its first variant of ``benchmarks.peers``; none where it is missing."""
    try:
        variants = list(Tesseract(threads).variants.values())
    except OSError:  # pytesseract's own error for a missing program is one
        return []
    if not variants:  # no language installed
        return []

    def read(part: Sequence[int]) -> list[str]:
        return [variants[0](crops[i]) for i in part]

    return [System(TESSERACT, read, batched=False, most=TESSERACT_CROPS)]


def real_words(data_dir: Path, count: int, seed: int) -> list[Gray]:
    """Words of held-out writers in a random order; raises ``ValueError`` if there are fewer."""
    samples = load_evaluation_set(data_dir, "copiste_words", limit=count, seed=seed)
    if len(samples) < count:
        raise ValueError(f"The set has only {len(samples)} crops.")
    return [samples[i].image for i in np.random.default_rng(seed).permutation(count)]


# --- measuring ----------------------------------------------------------------------------------


def clock() -> tuple[float, float]:
    """Return wall-clock and CPU seconds, those of finished child processes included."""
    times = os.times()
    cpu = time.process_time() + times.children_user + times.children_system
    return time.perf_counter(), cpu


def timed(read: Callable[[Sequence[int]], object], part: Sequence[int]) -> tuple[float, float]:
    """Return wall-clock and CPU milliseconds a crop of one call."""
    before = clock()
    read(part)
    after = clock()
    return tuple((b - a) * 1000 / len(part) for a, b in zip(before, after, strict=True))  # type: ignore[return-value]


def warm_up(system: System, count: int) -> None:
    """Let a system read all batches once: torch compiles a kernel for every shape it meets."""
    for start in range(0, count, BATCH):
        system.read(range(start, min(start + BATCH, count)))


Calls = dict[tuple[str, str], list[list[tuple[float, float]]]]


def measure(systems: Sequence[System], count: int) -> Calls:
    """Let the systems take turns; returns, by system and mode, the calls of each batch."""
    calls: Calls = defaultdict(list)
    for start in range(0, count, BATCH):
        part = range(start, min(start + BATCH, count))
        for system in systems:
            if start >= system.most:
                continue
            if system.batched:
                calls[system.name, BATCHED].append([timed(system.read, part)])
            calls[system.name, SINGLE].append([timed(system.read, [i]) for i in part])
        if sys.stderr.isatty():
            print(f"\r{part.stop}/{count} crops", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return calls


def timings(calls: Calls) -> list[Timing]:
    """Percentiles of each system and mode."""
    found = []
    for (system, mode), batches in calls.items():
        values = np.array([call for batch in batches for call in batch])
        wall, cpu = np.percentile(values, (50, 95), axis=0).T.round(1).tolist()
        crops = len(values) * (BATCH if mode == BATCHED else 1)
        found.append(Timing(system, mode, crops, *wall, *cpu))
    return sorted(found, key=lambda timing: timing.mode)


def ratios(calls: Calls) -> list[Ratio]:
    """Time of the other systems through that of the reader, batch by batch."""
    means = {key: np.array([np.mean(b, axis=0) for b in batches]) for key, batches in calls.items()}
    found = []
    for (system, mode), theirs in means.items():
        if system in (PAPER, TESSERACT):
            ours = means[FREE, mode][: len(theirs)]
            wall, cpu = np.median(theirs / ours, axis=0).round(2).tolist()
            found.append(Ratio(system, mode, len(theirs), wall, cpu))
    return found


def report(times: Sequence[Timing], compared: Sequence[Ratio]) -> str:
    """Return two markdown tables."""
    lines = [
        "| ms a field | how | n | wall p50 | wall p95 | CPU p50 | CPU p95 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {t.system} | {t.mode} | {t.crops} | {t.wall_p50} | {t.wall_p95} "
        f"| {t.cpu_p50} | {t.cpu_p95} |"
        for t in times
    ]
    lines += ["", f"| time / {FREE} | how | wall | CPU |", "| --- | --- | --- | --- |"]
    lines += [f"| {r.system} | {r.mode} | {r.wall} | {r.cpu} |" for r in compared]
    return "\n".join(lines)


def conditions(options: argparse.Namespace) -> dict[str, Any]:
    """Return what a reader of the numbers must know to repeat them."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "cpus": os.cpu_count(),
        "threads": options.threads,
        "versions": f"python {platform.python_version()}, torch {torch.__version__}, "
        f"opencv {cv2.__version__}",
        "n": options.n,
        "seed": options.seed,
        "load_average_before": [round(value, 2) for value in os.getloadavg()],
    }


def main() -> int:
    """Run the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--n", type=int, default=208, help="crops (default 208: 13 batches)")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write the results here")
    options = parser.parse_args()
    if options.data is None:
        parser.error("Give --data DIR or set CLINIC_HWR_DATA.")
    if options.n < BATCH or options.n % BATCH:
        parser.error(f"--n must be a multiple of {BATCH}.")
    limit_threads(options.threads)

    begun = time.perf_counter()
    reader = load_reader()
    load_s = time.perf_counter() - begun
    crops = real_words(Path(options.data), options.n, options.seed)
    names = tuple(sorted({x.text for x in read_labels(Path(options.data) / "rx_words_dev")}))
    systems = reader_systems(reader, crops, names)
    begun = time.perf_counter()
    for system in systems:
        system.read(range(BATCH))
    first_batches_s = time.perf_counter() - begun
    warm_up(systems[0], options.n)
    facts = {
        "reader": reader.model_version,
        "load_s_after_imports": round(load_s, 2),
        "first_batches_s": round(first_batches_s, 2),
        "peak_memory_mib_of_reader": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    for path in weights_paths(SHIPPED):
        for system in network_systems(path, crops):
            warm_up(system, options.n)
            systems.append(system)
    paper, facts["plain_trba_parameters"] = paper_system(crops)
    tesseract = tesseract_systems(crops, options.threads)
    facts["tesseract"] = "present" if tesseract else "missing"
    systems += [paper, *tesseract]
    for system in systems:
        system.read([0])
    facts |= conditions(options)
    calls = measure(systems, options.n)
    facts["load_average_after"] = [round(value, 2) for value in os.getloadavg()]
    times, compared = timings(calls), ratios(calls)
    print("\n".join(f"- {key}: {value}" for key, value in facts.items()), end="\n\n")
    print(report(times, compared))
    if options.json:
        body = {
            "conditions": facts,
            "timings": [asdict(t) for t in times],
            "ratios": [asdict(r) for r in compared],
        }
        options.json.write_text(json.dumps(body, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
