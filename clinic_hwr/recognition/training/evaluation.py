"""Measuring a reader on held-out handwriting, and fitting its calibrators."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from clinic_hwr.recognition.calibration import Calibrator, fit_calibrator
from clinic_hwr.recognition.metrics import (
    brier_score,
    character_error_rate,
    coverage_at_error,
    expected_calibration_error,
    wilson_interval,
)
from clinic_hwr.recognition.types import Reader, Reading

from .evaluation_sets import load_evaluation_set
from .sources import Sample

BATCH = 64


@dataclass(frozen=True)
class Report:
    """Figures of one reader on one set; letters' case is folded.

    Attributes:
        name, n: the set and its size.
        exact, low, high: share read exactly, with its 95% Wilson interval.
        top5: share with the truth among the first five.
        cer: character error rate.
        ece, brier: of ``p_correct`` (15 equal-mass bins).
        coverage_1: share that can be accepted at 1% error, chosen with hindsight.
    """

    name: str
    n: int
    exact: float
    low: float
    high: float
    top5: float
    cer: float
    ece: float
    brier: float
    coverage_1: float


def read_all(
    reader: Reader,
    samples: Sequence[Sample],
    kind: str = "word",
    lexicon: Sequence[str] | None = None,
    report: Callable[[int], None] = lambda count: None,
) -> list[Reading]:
    """Read every sample, a batch at a time."""
    readings: list[Reading] = []
    for start in range(0, len(samples), BATCH):
        part = samples[start : start + BATCH]
        readings += reader.read([s.image for s in part], kinds=[kind] * len(part), lexicon=lexicon)
        report(len(part))
    return readings


def evaluate(name: str, samples: Sequence[Sample], readings: Sequence[Reading]) -> Report:
    """Compute the figures of a set that was read."""
    truths = [s.text.lower() for s in samples]
    texts = [r.text.lower() for r in readings]
    right = is_correct(samples, readings)
    low, high = wilson_interval(sum(right), len(right))
    top5 = sum(
        any(a.text.lower() == t for a in r.alternatives[:5])
        for t, r in zip(truths, readings, strict=True)
    )
    p = [r.p_correct for r in readings]
    n = max(1, len(right))
    return Report(
        name,
        len(right),
        sum(right) / n,
        low,
        high,
        top5 / n,
        character_error_rate(truths, texts),
        expected_calibration_error(p, right),
        brier_score(p, right),
        coverage_at_error(p, right, 0.01),
    )


def is_correct(samples: Sequence[Sample], readings: Sequence[Reading]) -> list[bool]:
    """Whether each reading equals its truth, case folded."""
    return [s.text.lower() == r.text.lower() for s, r in zip(samples, readings, strict=True)]


def for_fitting(key: str) -> bool:
    """The fixed rule that halves writers and names: fit on these, measure on the others."""
    return hashlib.sha256(f"calibration:{key.lower()}".encode()).digest()[0] < 128


def calibrate(
    reader: Reader, data_dir: Path, per_set: int = 1500, seed: int = 0
) -> dict[str, Calibrator]:
    """Fit the calibrators on half of the held-out writers and half of the names.

    Prescription words have no writers; they are halved by the drug's name. For readings with
    a lexicon, the lexicon is the list of all the names in the set.
    """
    words = load_evaluation_set(data_dir, "rx_words")
    names = tuple(sorted({s.text for s in words}))
    words = [s for s in words if for_fitting(s.text)]
    handwriting = [
        s
        for name in ("copiste_words", "copiste_lines", "unipen_words")
        for s in load_evaluation_set(data_dir, name, per_set, seed)
        if for_fitting(s.writer)
    ]
    free = words + handwriting
    calibrators = {}
    for name, samples, lexicon in (("free", free, None), ("lexicon", words, names)):
        readings = [
            (s, r)
            for s, r in zip(samples, read_all(reader, samples, "word", lexicon), strict=True)
            # Lines that were read in pieces multiply the probabilities of their pieces.
            if "ctc_per_char" in r.scores
        ]
        calibrators[name] = fit_calibrator(
            [r.scores for _, r in readings],
            is_correct([s for s, _ in readings], [r for _, r in readings]),
        )
    return calibrators
