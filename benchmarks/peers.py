"""Our reader, Tesseract 5 and RapidOCR (PP-OCRv4) on the same held-out real handwritten words.

    .venv/bin/pip install -e .[bench]
    .venv/bin/python -m benchmarks.peers --data DIR [--n 300] [--readers ours,tesseract,rapidocr]

Every reader sees the same crops, one at a time, with the same number of threads. A peer may choose
how it wants the crops prepared (and Tesseract its language): all its variants are scored on
``--tune`` crops that are not in the test, and the best one is used; the table says which. Ours has
no variants. Texts are compared without case and without accents, as our reader writes none; the
folding is the same for all. Only counts are written: no text or image of the data.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.charset import fold_text
from clinic_hwr.recognition.metrics import character_error_rate, wilson_interval
from clinic_hwr.recognition.training.evaluation_sets import load_evaluation_set

Gray = NDArray[np.uint8]
SETS = ("copiste_words", "unipen_words", "rx_words")
WHITE = 255


# --- how a crop may be prepared -----------------------------------------------------------------


def as_is(crop: Gray) -> Gray:
    """The crop as it was cut."""
    return crop


def padded(crop: Gray) -> Gray:
    """A white border of a quarter of the height."""
    border = max(4, crop.shape[0] // 4)
    return cv2.copyMakeBorder(
        crop, border, border, border, border, cv2.BORDER_CONSTANT, value=WHITE
    )


def trimmed(crop: Gray) -> Gray:
    """Cut to the ink (Otsu) with a tenth of its height as margin, then a little white."""
    _, ink = cv2.threshold(crop, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    x, y, w, h = cv2.boundingRect(ink)
    if w == 0 or h == 0:
        return crop
    margin = max(2, h // 10)
    top, left = max(0, y - margin), max(0, x - margin)
    cut = crop[top : y + h + margin, left : x + w + margin]
    return cv2.copyMakeBorder(cut, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=WHITE)


def stretched(crop: Gray) -> Gray:
    """Trimmed, then contrast stretched so that paper is white and ink black."""
    cut = trimmed(crop)
    low, high = np.percentile(cut, (1, 75))
    scaled = (cut.astype(np.float32) - low) / max(1.0, high - low) * 255
    return np.clip(scaled, 0, 255).astype(np.uint8)


def binary(crop: Gray) -> Gray:
    """Padded and thresholded (Otsu)."""
    _, image = cv2.threshold(padded(crop), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return image.astype(np.uint8)


def to_height(prepare: Callable[[Gray], Gray], height_px: int) -> Callable[[Gray], Gray]:
    """Prepare, then scale to a height."""

    def scaled(crop: Gray) -> Gray:
        image = prepare(crop)
        width_px = max(8, round(image.shape[1] * height_px / image.shape[0]))
        method = cv2.INTER_AREA if height_px < image.shape[0] else cv2.INTER_CUBIC
        return cv2.resize(image, (width_px, height_px), interpolation=method)

    return scaled


# --- the readers --------------------------------------------------------------------------------


class BenchReader(Protocol):
    """One reader with the variants it may choose from."""

    name: str
    variants: dict[str, Callable[[Gray], str]]


class Ours:
    """The reader of this project, as the product loads it."""

    def __init__(self, threads: int) -> None:
        import torch

        from clinic_hwr.recognition.runtime import load_reader

        torch.set_num_threads(threads)
        self._reader = load_reader()
        self.name = f"clinic_hwr {self._reader.model_version}"
        self.variants = {"as is": self._read}

    def _read(self, crop: Gray) -> str:
        return self._reader.read([crop], kinds=["word"], nbest=1)[0].text


class Tesseract:
    """Tesseract 5 through pytesseract, one word a picture (--psm 8)."""

    def __init__(self, threads: int) -> None:
        import pytesseract

        os.environ["OMP_THREAD_LIMIT"] = str(threads)
        self._run = pytesseract.image_to_string
        self.name = f"Tesseract {pytesseract.get_tesseract_version()}"
        installed = set(pytesseract.get_languages())
        shapes = {
            "as is": as_is,
            "padded": padded,
            "padded, 64 px": to_height(padded, 64),
            "padded, 96 px": to_height(padded, 96),
            "trimmed, 64 px": to_height(trimmed, 64),
            "stretched, 64 px": to_height(stretched, 64),
            "binary": binary,
        }
        self.variants = {
            f"{language}, {label}": self._reading(language, prepare)
            for language in ("eng", "fra")
            if language in installed
            for label, prepare in shapes.items()
        }

    def _reading(self, language: str, prepare: Callable[[Gray], Gray]) -> Callable[[Gray], str]:
        return lambda crop: str(self._run(prepare(crop), lang=language, config="--psm 8"))


class RapidOcr:
    """The recogniser of RapidOCR with the model it ships; detection is not used."""

    def __init__(self, threads: int) -> None:
        from importlib.metadata import version

        import rapidocr_onnxruntime
        from rapidocr_onnxruntime.ch_ppocr_rec import TextRecognizer

        package = Path(rapidocr_onnxruntime.__file__).parent
        (model,) = (package / "models").glob("*_rec_*.onnx")
        self._recognizer = TextRecognizer(
            {
                "model_path": str(model),
                "rec_img_shape": [3, 48, 320],
                "rec_batch_num": 1,
                "use_cuda": False,
                "use_dml": False,
                "intra_op_num_threads": threads,
                "inter_op_num_threads": threads,
            }
        )
        self.name = f"RapidOCR {version('rapidocr-onnxruntime')} ({model.stem})"
        shapes = {
            "as is": as_is,
            "padded": padded,
            "trimmed": trimmed,
            "stretched": stretched,
            "binary": binary,
            "trimmed, 96 px": to_height(trimmed, 96),
        }
        self.variants = {label: self._reading(prepare) for label, prepare in shapes.items()}

    def _reading(self, prepare: Callable[[Gray], Gray]) -> Callable[[Gray], str]:
        def read(crop: Gray) -> str:
            colour = cv2.cvtColor(prepare(crop), cv2.COLOR_GRAY2BGR)
            results, _ = self._recognizer([colour])
            return str(results[0][0])

        return read


READERS: dict[str, Callable[[int], BenchReader]] = {
    "ours": Ours,
    "tesseract": Tesseract,
    "rapidocr": RapidOcr,
}


# --- measuring ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """One reader on one set. ``right`` has one character a crop, 1 or 0, in the drawn order."""

    set: str
    reader: str
    variant: str
    variants_tried: int
    n: int
    exact: int
    exact_share: float
    exact_low: float
    exact_high: float
    cer: float
    ms_per_crop_median: float
    right: str


def folded(text: str) -> str:
    """Fold case and accents, and collapse white space."""
    return fold_text(text).casefold()


def read_all(
    read: Callable[[Gray], str], crops: Sequence[Gray], label: str
) -> tuple[list[str], list[float]]:
    """Read crops one by one; returns folded texts and milliseconds each."""
    texts, times_ms = [], []
    for number, crop in enumerate(crops, start=1):
        begun = time.perf_counter()
        text = read(crop)
        times_ms.append((time.perf_counter() - begun) * 1000)
        texts.append(folded(text))
        if sys.stderr.isatty():
            print(f"\r{label}: {number}/{len(crops)}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return texts, times_ms


def measure(reader: BenchReader, name: str, tune: Sequence[Any], test: Sequence[Any]) -> Result:
    """Choose the reader's best variant on ``tune``, then score it on ``test``."""
    best, best_key = next(iter(reader.variants)), (-1, 0.0)
    if len(reader.variants) > 1:
        truths = [folded(sample.text) for sample in tune]
        for variant, read in reader.variants.items():
            texts, _ = read_all(read, [s.image for s in tune], f"{name} {variant}")
            exact = sum(t == r for t, r in zip(truths, texts, strict=True))
            key = (exact, -character_error_rate(truths, texts))
            if key > best_key:
                best, best_key = variant, key
    truths = [folded(sample.text) for sample in test]
    texts, times_ms = read_all(
        reader.variants[best], [s.image for s in test], f"{name} {reader.name}"
    )
    right = [t == r for t, r in zip(truths, texts, strict=True)]
    low, high = wilson_interval(sum(right), len(right))
    return Result(
        set=name,
        reader=reader.name,
        variant=best,
        variants_tried=len(reader.variants),
        n=len(right),
        exact=sum(right),
        exact_share=round(sum(right) / len(right), 4),
        exact_low=round(low, 4),
        exact_high=round(high, 4),
        cer=round(character_error_rate(truths, texts), 4),
        ms_per_crop_median=round(float(np.median(times_ms)), 1),
        right="".join("1" if ok else "0" for ok in right),
    )


def table(results: Sequence[Result]) -> str:
    """Return a markdown table."""
    lines = [
        "| set | reader | n | exact match (95% Wilson) | CER | ms a crop | crops prepared |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for r in results:
        chosen = r.variant if r.variants_tried == 1 else f"{r.variant} (best of {r.variants_tried})"
        lines.append(
            f"| {r.set} | {r.reader} | {r.n} | {r.exact_share:.1%} "
            f"({r.exact_low:.1%} - {r.exact_high:.1%}) | {r.cer:.1%} "
            f"| {r.ms_per_crop_median:.0f} | {chosen} |"
        )
    return "\n".join(lines)


def conditions(options: argparse.Namespace) -> dict[str, Any]:
    """Return what a reader of the numbers must know to repeat them."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "threads_per_reader": options.threads,
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "seed": options.seed,
        "n": options.n,
        "tune": options.tune,
        "folding": "case and accents folded on both sides",
    }


def main() -> int:
    """Run the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--n", type=int, default=300, help="test crops a set (default 300)")
    parser.add_argument("--tune", type=int, default=60, help="crops to choose variants on")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--readers", default=",".join(READERS))
    parser.add_argument("--json", type=Path, help="also write the results here")
    options = parser.parse_args()
    if options.data is None:
        parser.error("Give --data DIR or set CLINIC_HWR_DATA.")
    readers = []
    for name in options.readers.split(","):
        if name not in READERS:
            parser.error(f"No reader {name!r}; there are: {', '.join(READERS)}.")
        readers.append(READERS[name](options.threads))
    before = conditions(options)
    results = []
    for name in options.sets.split(","):
        samples = load_evaluation_set(
            Path(options.data), name, limit=options.n + options.tune, seed=options.seed
        )
        random.Random(options.seed).shuffle(samples)
        tune, test = samples[: options.tune], samples[options.tune :]
        for reader in readers:
            results.append(measure(reader, name, tune, test))
            print(table(results[-1:]).splitlines()[-1], file=sys.stderr)
    print(f"{before}\nload average at the end: {os.getloadavg()[0]:.2f}\n", file=sys.stderr)
    print(table(results))
    if options.json:
        body = {"conditions": before, "results": [asdict(result) for result in results]}
        options.json.write_text(json.dumps(body, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
