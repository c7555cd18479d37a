"""Measuring a reader on held-out handwriting, and fitting its settings on half of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clinic_hwr.recognition.calibration import Calibrator, fit_calibrator
from clinic_hwr.recognition.metrics import (
    area_under_risk_coverage,
    brier_score,
    character_error_rate,
    coverage_at_error,
    expected_calibration_error,
    wilson_interval,
)
from clinic_hwr.recognition.pieces import PIECES_FEATURES
from clinic_hwr.recognition.reader import FusedReader, ReaderSettings
from clinic_hwr.recognition.types import Reader, Reading

from .evaluation_sets import EVALUATION_SETS, kind_of, load_evaluation_set, writer_key
from .fitting import Ranked, fit_fusion, fit_reading_calibrator, for_fitting, is_correct
from .sources import Sample

BATCH = 64
PIECED_SETS = ("copiste_lines", "unipen_lines", "composed_sig")  # read in pieces, most of them


@dataclass(frozen=True)
class Report:
    """Figures of one reader on one set; letters' case is folded.

    Attributes:
        name, n: the set and its size.
        exact, low, high: share read exactly, with its 95% Wilson interval.
        top5: share with the truth among the first five.
        cer: character error rate.
        ece, brier: of ``p_correct`` (15 equal-mass bins).
        aurc: area under its risk-coverage curve.
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
    aurc: float
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
        area_under_risk_coverage(p, right),
        coverage_at_error(p, right, 0.01),
    )


def fit_settings(
    reader: FusedReader,
    data_dir: Path,
    lexicons: Sequence[tuple[str, ...]],
    per_set: int = 1500,
    seed: int = 0,
) -> ReaderSettings:
    """Fit weights of opinions, then calibrators, on half of the held-out writers and names.

    Prescription words have no writers; they are halved by the drug's name.

    Args:
        reader: with the language model loaded, so that its weight can be found.
        data_dir: the data folder.
        lexicons: lists to rank the prescription words with; each holds all their names.
        per_set: most samples taken of a set.
        seed: of that choice.
    """
    halves = {
        name: [
            s
            for s in load_evaluation_set(data_dir, name, per_set, seed)
            if for_fitting(writer_key(s, name))
        ]
        for name in EVALUATION_SETS
    }
    free = fit_fusion(_ranked(reader, halves["rx_words"] + halves["unipen_words"]), language=True)
    names = [_ranked(reader, halves["rx_words"], lexicon) for lexicon in lexicons]
    lexicon_fusion = fit_fusion([r for some in names for r in some], language=False)
    reader.settings = replace(reader.settings, free=free, lexicon=lexicon_fusion)
    by_kind: dict[str, list[tuple[Sample, Reading, str]]] = defaultdict(list)
    runs: list[tuple[str, str, tuple[str, ...] | None]] = [(n, kind_of(n), None) for n in halves]
    runs += [("rx_words", "lexicon", lexicon) for lexicon in lexicons]
    for name, kind, names_of_run in runs:
        readings = read_all(reader, halves[name], kind_of(name), names_of_run)
        groups = [writer_key(sample, name) for sample in halves[name]]
        by_kind[kind] += zip(halves[name], readings, groups, strict=True)
    calibrators: dict[str, Calibrator] = {}
    for kind, rows in by_kind.items():
        whole = [row for row in rows if "joint" in row[1].scores]
        readings = [reading for _, reading, _ in whole]
        right = is_correct([sample for sample, _, _ in whole], readings)
        calibrators[kind] = fit_reading_calibrator(
            readings, right, kind == "lexicon", [group for _, _, group in whole]
        )
    reader.settings = replace(reader.settings, calibrators=calibrators)
    return replace(reader.settings, calibrators=calibrators | _joined_lines(reader, halves))


def _joined_lines(
    reader: FusedReader, halves: Mapping[str, Sequence[Sample]]
) -> dict[str, Calibrator]:
    """The calibrator of lines that are read in pieces, once that of the pieces is fitted."""
    scores, right, groups = [], [], []
    for name in PIECED_SETS:
        samples = halves[name]
        readings = read_all(reader, samples, kind_of(name))
        for sample, reading, correct in zip(
            samples, readings, is_correct(samples, readings), strict=True
        ):
            if "pieces" in reading.scores and reading.p_correct > 0:
                scores.append(reading.scores)
                right.append(correct)
                groups.append(writer_key(sample, name))
    if len(set(right)) < 2:
        return {}
    return {"pieces": fit_calibrator(scores, right, PIECES_FEATURES, groups)}


def _ranked(
    reader: FusedReader, samples: Sequence[Sample], lexicon: tuple[str, ...] | None = None
) -> list[Ranked]:
    found = []
    for start in range(0, len(samples), BATCH):
        part = samples[start : start + BATCH]
        for sample, opinions in zip(
            part, reader.opinions([s.image for s in part], lexicon), strict=True
        ):
            truth = sample.text.lower()
            found.append(Ranked(opinions, [o.text.lower() == truth for o in opinions]))
    return found
