"""Our p_correct beside the confidence formulas of other engines, on the same readings.

    python -m benchmarks.confidence --data DIR [--weights FILE ...] --json OUT --plots DIR

Our reader reads held-out real handwriting (UNIPEN's strokes are rendered). Each formula then
turns the outputs of the same networks into one number for the reading: as it is (ECE, Brier) and
as a ranking (AURC, coverage). Right or wrong is that of our reading, case folded. Formulas on
CTC frames know the first network's best path only, also where a list of names chose the text;
their engines do the same. Formulas on decoder steps get the text that was read.

Measured on the half of writers and names that no calibrator was fitted on. "Certified" chooses a
threshold on the other half and applies it here. Only figures are written: no text, no image.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clinic_hwr.prescriptions.lexicon import lexicon_source, load_lexicon
from clinic_hwr.recognition import confidence_formulas as formulas
from clinic_hwr.recognition.charset import fold_text
from clinic_hwr.recognition.metrics import (
    area_under_risk_coverage,
    brier_score,
    certified_coverage,
    coverage_at_error,
    coverage_interval,
    excess_area_under_risk_coverage,
    expected_calibration_error,
)
from clinic_hwr.recognition.training.evaluation_sets import load_evaluation_set, writer_key
from clinic_hwr.recognition.training.fitting import for_fitting, is_correct
from clinic_hwr.recognition.training.reliability import draw_reliability, draw_risk_coverage
from clinic_hwr.recognition.training.sources import Sample
from clinic_hwr.recognition.types import Reading

BATCH = 64
ERRORS = (0.005, 0.01, 0.02)
OURS = "ours (p_correct)"
ON_FRAMES: dict[str, Callable[[NDArray[np.float64]], float]] = {
    "docTR": formulas.doctr,
    "EasyOCR": formulas.easyocr,
    "PaddleOCR": formulas.paddleocr,
    "Tesseract": formulas.tesseract,
    "kraken": formulas.kraken,
}
ON_STEPS: dict[str, Callable[[Sequence[float]], float]] = {
    "DTRB": formulas.deep_text_recognition_benchmark,
    "PARSeq": formulas.parseq,
}


class BenchReader(Protocol):
    """What the benchmark needs of a reader."""

    @property
    def model_version(self) -> str: ...

    def read(
        self,
        crops: Sequence[NDArray[np.uint8]],
        *,
        kinds: Sequence[str] | None = None,
        lexicon: Sequence[str] | None = None,
        nbest: int = 5,
    ) -> list[Reading]: ...

    def frame_log_probabilities(
        self, crops: Sequence[NDArray[np.uint8]]
    ) -> list[NDArray[np.float64]]: ...

    def attention_log_probabilities(
        self, crops: Sequence[NDArray[np.uint8]], texts: Sequence[str]
    ) -> list[tuple[float, ...]]: ...


@dataclass(frozen=True, slots=True)
class Setting:
    """One set, read freely or with a list of names."""

    name: str
    set: str
    lexicon: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share accepted at an error rate, threshold chosen with hindsight, 95% bootstrap."""

    error: float
    coverage: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Result:
    """One formula on the readings of one setting."""

    setting: str
    formula: str
    n: int
    right: float
    ece: float
    brier: float
    aurc: float
    e_aurc: float
    coverages: tuple[Coverage, ...]


@dataclass(frozen=True, slots=True)
class Certified:
    """A threshold on p_correct from the fitting half, applied to the other half.

    ``threshold`` None: none could be certified, nothing is accepted.
    """

    setting: str
    error: float
    n_fit: int
    n: int
    threshold: float | None
    coverage: float
    accepted: int
    observed_error: float


@dataclass(frozen=True, slots=True)
class Judged:
    """Readings of some samples: right or wrong, and p by formula."""

    right: list[bool]
    p: dict[str, list[float]]


def settings_with(names: Sequence[str]) -> tuple[Setting, ...]:
    """The five settings; ``names`` are those of the prescription words."""
    short = tuple(sorted(set(names)))
    known = {name.lower() for name in short}
    whole = short + tuple(n for n in load_lexicon().names if n.lower() not in known)
    return (
        Setting("copiste_words", "copiste_words"),
        Setting("unipen_words", "unipen_words"),
        Setting("rx_words", "rx_words"),
        Setting(f"rx_words, {len(short)} names", "rx_words", short),
        Setting(f"rx_words, {len(whole)} names", "rx_words", whole),
    )


def read_all(
    reader: BenchReader, samples: Sequence[Sample], lexicon: tuple[str, ...] | None
) -> list[Reading]:
    """Read every sample as a word."""
    readings: list[Reading] = []
    for start in range(0, len(samples), BATCH):
        crops = [s.image for s in samples[start : start + BATCH]]
        readings += reader.read(crops, kinds=["word"] * len(crops), lexicon=lexicon, nbest=1)
        progress(len(readings), len(samples))
    return readings


def frame_confidences(reader: BenchReader, samples: Sequence[Sample]) -> dict[str, list[float]]:
    """The formulas on CTC frames, by name."""
    found: dict[str, list[float]] = {name: [] for name in ON_FRAMES}
    for start in range(0, len(samples), BATCH):
        crops = [s.image for s in samples[start : start + BATCH]]
        for log_probs in reader.frame_log_probabilities(crops):
            for name, formula in ON_FRAMES.items():
                found[name].append(formula(log_probs))
    return found


def step_confidences(
    reader: BenchReader, samples: Sequence[Sample], texts: Sequence[str], any_case: bool
) -> dict[str, list[float]]:
    """The formulas on decoder steps, by name.

    Args:
        reader: its decoder scores the texts.
        samples, texts: a text for each sample.
        any_case: a name from a list stands for every way to write it in capitals and small
            letters; the most probable one counts, as it does in the reader.
    """
    found: dict[str, list[float]] = {name: [] for name in ON_STEPS}
    spell: list[Callable[[str], str]] = [fold_text]
    if any_case:
        spell += [lambda t: fold_text(t).lower(), lambda t: fold_text(t).upper()]
        spell += [lambda t: fold_text(t).capitalize()]
    for start in range(0, len(samples), BATCH):
        crops = [s.image for s in samples[start : start + BATCH]]
        part = texts[start : start + BATCH]
        by_spelling = [
            reader.attention_log_probabilities(crops, [form(t) for t in part]) for form in spell
        ]
        for steps in zip(*by_spelling, strict=True):
            best = max(steps, key=sum)
            for name, formula in ON_STEPS.items():
                found[name].append(formula(best))
    return found


def judge(
    reader: BenchReader,
    samples: Sequence[Sample],
    lexicon: tuple[str, ...] | None,
    on_frames: dict[str, list[float]],
) -> Judged:
    """Read samples and apply every formula; ``on_frames`` depends on the crops only."""
    readings = read_all(reader, samples, lexicon)
    texts = [r.text for r in readings]
    return Judged(
        is_correct(samples, readings),
        {OURS: [r.p_correct for r in readings]}
        | on_frames
        | step_confidences(reader, samples, texts, lexicon is not None),
    )


def measure(setting: Setting, judged: Judged, seed: int) -> list[Result]:
    """Compute the figures of every formula."""
    right = judged.right
    return [
        Result(
            setting=setting.name,
            formula=name,
            n=len(right),
            right=sum(right) / max(1, len(right)),
            ece=expected_calibration_error(p, right),
            brier=brier_score(p, right),
            aurc=area_under_risk_coverage(p, right),
            e_aurc=excess_area_under_risk_coverage(p, right),
            coverages=tuple(
                Coverage(e, coverage_at_error(p, right, e), *coverage_interval(p, right, e, seed))
                for e in ERRORS
            ),
        )
        for name, p in judged.p.items()
    ]


def certify(
    setting: Setting, p_fit: Sequence[float], right_fit: Sequence[bool], judged: Judged
) -> list[Certified]:
    """Choose thresholds for p_correct on the fitting half and apply them to the other."""
    rows = []
    for error in ERRORS:
        found = certified_coverage(p_fit, right_fit, judged.p[OURS], judged.right, error)
        rows.append(
            Certified(
                setting=setting.name,
                error=error,
                n_fit=len(right_fit),
                n=len(judged.right),
                threshold=found.threshold if found else None,
                coverage=found.coverage if found else 0.0,
                accepted=found.accepted if found else 0,
                observed_error=found.error if found else 0.0,
            )
        )
    return rows


def results_table(results: Sequence[Result]) -> str:
    """Return a markdown table."""
    errors = " | ".join(f"coverage at {e:.1%} error [95%]" for e in ERRORS)
    lines = [
        f"| set | n | right | formula | ECE | Brier | AURC | E-AURC | {errors} |",
        "| --- " * (8 + len(ERRORS)) + "|",
    ]
    for r in results:
        covered = " | ".join(f"{c.coverage:.1%} [{c.low:.1%}, {c.high:.1%}]" for c in r.coverages)
        lines.append(
            f"| {r.setting} | {r.n} | {r.right:.1%} | {r.formula} | {r.ece:.3f} | {r.brier:.3f} "
            f"| {r.aurc:.4f} | {r.e_aurc:.4f} | {covered} |"
        )
    return "\n".join(lines)


def certified_table(rows: Sequence[Certified]) -> str:
    """Return a markdown table."""
    lines = [
        "| set | n fitted on | n | error allowed | threshold | coverage | error observed |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for r in rows:
        found = (
            "none | 0% | - |"
            if r.threshold is None
            else f"{r.threshold:.4f} | {r.coverage:.1%} | {r.observed_error:.2%} of {r.accepted} |"
        )
        lines.append(f"| {r.setting} | {r.n_fit} | {r.n} | {r.error:.1%} | {found}")
    return "\n".join(lines)


def draw(setting: Setting, judged: Judged, folder: Path) -> None:
    """Write the reliability diagram of p_correct and all risk-coverage curves."""
    stem = setting.name.replace(", ", "_").replace(" ", "_")
    draw_reliability(judged.p[OURS], judged.right, folder / f"reliability_{stem}.png", setting.name)
    curves = {name: (p, judged.right) for name, p in judged.p.items()}
    draw_risk_coverage(curves, folder / f"risk_coverage_{stem}.png")


def progress(done: int, total: int) -> None:
    """Show progress to a person who watches."""
    if sys.stderr.isatty():
        print(f"\r{done}/{total}", end="" if done < total else "\n", file=sys.stderr)


def conditions(options: argparse.Namespace, model: str) -> dict[str, Any]:
    """Return what a reader of the numbers must know to repeat them."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "model": model,
        "seed": options.seed,
        "n": options.n or "all",
        "folding": "case folded on both sides; truths have no accents",
        "half": "writers and names that fitting.for_fitting leaves out",
        "drug names": lexicon_source(),
    }


def main() -> int:
    """Run the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--arch", help="architectures, joined by + (default: what ships)")
    parser.add_argument("--weights", type=Path, nargs="+", help="one file an architecture")
    parser.add_argument("--n", type=int, help="crops a set, before it is halved (default all)")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--json", type=Path, help="also write the results here")
    parser.add_argument("--plots", type=Path, help="also draw into this folder")
    options = parser.parse_args()
    if options.data is None:
        parser.error("Give --data DIR or set CLINIC_HWR_DATA.")
    from clinic_hwr.recognition.runtime import load_reader

    reader = load_reader(options.arch, tuple(options.weights) if options.weights else None)
    results, certified = run(reader, options)
    print(results_table(results), certified_table(certified), sep="\n\n")
    if options.json:
        body = {
            "conditions": conditions(options, reader.model_version),
            "results": [asdict(result) for result in results],
            "certified": [asdict(row) for row in certified],
        }
        options.json.write_text(json.dumps(body, indent=1) + "\n")
    return 0


def run(reader: BenchReader, options: argparse.Namespace) -> tuple[list[Result], list[Certified]]:
    """Measure every setting."""
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
    data = Path(options.data)
    names = [s.text for s in load_evaluation_set(data, "rx_words")]
    results: list[Result] = []
    certified: list[Certified] = []
    frames: dict[str, dict[str, list[float]]] = {}
    for setting in settings_with(names):
        samples = load_evaluation_set(data, setting.set, options.n, options.seed)
        fitting = [s for s in samples if for_fitting(writer_key(s, setting.set))]
        test = [s for s in samples if not for_fitting(writer_key(s, setting.set))]
        if setting.set not in frames:
            frames[setting.set] = frame_confidences(reader, test)
        judged = judge(reader, test, setting.lexicon, frames[setting.set])
        results += measure(setting, judged, options.seed)
        fitted = read_all(reader, fitting, setting.lexicon)
        p_fit = [r.p_correct for r in fitted]
        certified += certify(setting, p_fit, is_correct(fitting, fitted), judged)
        if options.plots:
            draw(setting, judged, options.plots)
        print(results_table(results[-len(judged.p) :]), file=sys.stderr)
    return results, certified


if __name__ == "__main__":
    sys.exit(main())
