"""manage.py recognize: read image files, one JSON line each."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from clinic_hwr.learning.decoder_arguments import add_decoder_arguments, decoding_of
from clinic_hwr.recognition.decoding.choice import BadDecoding
from clinic_hwr.recognition.files import Crop, batches, image_paths
from clinic_hwr.recognition.reader import FusedReader
from clinic_hwr.recognition.runtime import LOADING_ERRORS, load_family_reader
from clinic_hwr.recognition.types import Reader, Reading

KINDS = ("word", "line", "drug", "strength", "sig", "date", "digits", "name")
BATCH = 32


class Command(BaseCommand):
    """Read image files: each holds what the family reads, mostly a word or a short line."""

    help = "Read images of handwriting: one JSON line for each image on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH_OR_DIR")
        parser.add_argument("--jsonl", action="store_true", help="The default, and the only form.")
        parser.add_argument("--kind", choices=KINDS, default="line")
        parser.add_argument("--lexicon", type=Path, help="One name a line; ranked, best first.")
        parser.add_argument("--arch", default=None, help='One, or several joined by "+".')
        parser.add_argument(
            "--weights", type=Path, action="append", help="Instead of the shipped; one each."
        )
        parser.add_argument("--nbest", type=int, default=5)
        parser.add_argument(
            "--cells", type=int, help="Boxed characters in each image (a family such as capsnet)."
        )
        add_decoder_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Read everything; exit status 1 when an image could not be read."""
        if options["nbest"] < 1:
            raise CommandError("--nbest must be at least 1.")
        if options["cells"] is not None and options["cells"] < 1:
            raise CommandError("--cells must be at least 1.")
        weights = tuple(options["weights"]) if options["weights"] else None
        try:
            reader = load_family_reader(
                options["arch"] or settings.CLINIC_HWR_ARCH,
                weights,
                decoding_of(options),
                options["cells"],
            )
        except (*LOADING_ERRORS, BadDecoding) as error:
            raise CommandError(str(error.args[0])) from error
        lexicon = _read_lexicon(options["lexicon"])
        if lexicon and not isinstance(reader, FusedReader):
            raise CommandError("--lexicon ranks words: choose a family that reads words or lines.")
        failed = 0
        with tqdm(unit="image", desc="recognize") as bar:
            for batch in batches(image_paths(options["paths"]), BATCH):
                for line in _read(reader, batch, options["kind"], lexicon, options["nbest"]):
                    failed += "error" in line
                    self.stdout.write(json.dumps(line, ensure_ascii=False))
                bar.update(len(batch))
        if failed:
            raise CommandError(f"{failed} of the images could not be read.", returncode=1)


def _read_lexicon(path: Path | None) -> tuple[str, ...] | None:
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The lexicon {path} cannot be read: {error}") from error
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise CommandError(f"The lexicon {path} holds no names.")
    return names


def _read(
    reader: Reader, crops: list[Crop], kind: str, lexicon: tuple[str, ...] | None, nbest: int
) -> list[dict[str, Any]]:
    images = [crop.image for crop in crops if crop.image is not None]
    started = time.perf_counter()
    readings = iter(reader.read(images, kinds=[kind] * len(images), lexicon=lexicon, nbest=nbest))
    each_ms = (time.perf_counter() - started) * 1000 / max(1, len(images))
    return [
        {"path": str(crop.path), "error": crop.error}
        if crop.image is None
        else _line(crop.path, next(readings), each_ms)
        for crop in crops
    ]


def _line(path: Path, reading: Reading, milliseconds: float) -> dict[str, Any]:
    return {
        "path": str(path),
        "text": reading.text,
        "confidence": round(reading.p_correct, 4),
        "chars": [{"char": c.char, "confidence": round(c.confidence, 4)} for c in reading.chars],
        "alternatives": [
            {"text": a.text, "confidence": round(a.confidence, 4)} for a in reading.alternatives
        ],
        "model": reading.model,
        "ms": round(milliseconds, 2),
    }
