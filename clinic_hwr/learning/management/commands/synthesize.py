"""manage.py synthesize: draw handwriting, or whole prescriptions, to look at or to train on."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from clinic_hwr.learning.data_folder import data_folder
from clinic_hwr.learning.family_measures import made_words
from clinic_hwr.recognition.architectures import UnknownArchitecture
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.runtime import family_of, weights_paths
from clinic_hwr.recognition.synthesis.contact_sheet import contact_sheet
from clinic_hwr.recognition.synthesis.gan import load_generator
from clinic_hwr.recognition.synthesis.pages import (
    DEGRADATIONS,
    LAYOUT_ROLES,
    LayoutRole,
    draw_pages,
    layouts_with,
)
from clinic_hwr.recognition.synthesis.pages_hands import page_hands
from clinic_hwr.recognition.training.checkpoints import WeightsRefused
from clinic_hwr.recognition.training.datasets import (
    LETTERS_FILE,
    WORDS_FILE,
    MixtureConfig,
    MixtureDataset,
    build_mixture,
)


class Command(BaseCommand):
    """Write crops with their truth and a contact sheet; or sample pages."""

    help = "Draw training crops (PNG, labels.tsv, contact_sheet.png), or pages with --pages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("out", type=Path)
        parser.add_argument("--data", type=Path, help="Data folder (default: CLINIC_HWR_DATA).")
        parser.add_argument("-n", "--count", type=int, default=100)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--cache",
            type=Path,
            default=Path("runs/cache"),
            help="Letters and words that train found; without them none are put together.",
        )
        parser.add_argument("--pages", action="store_true", help="Draw whole prescriptions.")
        parser.add_argument(
            "--split",
            choices=[*LayoutRole, "all"],
            default=LayoutRole.TRAIN,
            help="Which layouts (and hands) the pages are of; default: those to train on.",
        )
        parser.add_argument("--layout", action="append", choices=sorted(LAYOUT_ROLES))
        parser.add_argument(
            "--degradation", action="append", choices=sorted(DEGRADATIONS), help="Default: all."
        )
        parser.add_argument("--arch", help="A family that makes words, such as scrabblegan.")
        parser.add_argument("--weights", type=Path, help="Its weights; default: the shipped ones.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Draw; the same seed draws the same images."""
        if options["weights"] and not options["arch"]:
            raise CommandError("--weights belongs to --arch.")
        if options["arch"]:
            self._made_words(options)
            return
        if options["pages"]:
            self._pages(options)
            return
        data = data_folder(options["data"])
        out: Path = options["out"]
        out.mkdir(parents=True, exist_ok=True)
        parts: Path = options["cache"]
        known = (parts / LETTERS_FILE).exists() and (parts / WORDS_FILE).exists()
        sources = build_mixture(data, MixtureConfig(), parts if known else None)
        dataset = MixtureDataset(sources, Charset(), 32, 640, seed=options["seed"])
        shown: list[tuple[np.ndarray, str]] = []
        lines = ["path\ttext\tlevel\twriter"]
        for index in tqdm(range(options["count"]), unit="crop"):
            sample = dataset.sample(index)
            name = f"{index:06d}.png"
            cv2.imwrite(str(out / name), sample.image)
            level = "line" if " " in sample.text else "word"
            lines.append(f"{name}\t{sample.text}\t{level}\t{sample.writer}")
            if len(shown) < 80:
                shown.append((sample.image, sample.text))
        (out / "labels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        cv2.imwrite(str(out / "contact_sheet.png"), contact_sheet(shown))
        self.stdout.write(str(out / "contact_sheet.png"))

    def _pages(self, options: dict[str, Any]) -> None:
        """Whole prescriptions, each with its truth as JSON; without data, in OpenCV's own face."""
        named = options["data"] or settings.CLINIC_HWR_DATA
        data = data_folder(options["data"]) if named else None
        split, out = str(options["split"]), options["out"]
        layouts = options["layout"] or layouts_with(*(LayoutRole if split == "all" else [split]))
        hands = page_hands(
            data, LayoutRole.TRAIN if split == "all" else split, cuts_dir=options["cache"]
        )
        drawn = draw_pages(
            hands, count=options["count"], seed=options["seed"], layouts=layouts,
            degradations=options["degradation"] or sorted(DEGRADATIONS),
        )  # fmt: skip
        out.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(tqdm(drawn, total=options["count"], unit="page")):
            cv2.imwrite(str(out / f"page_{number:05d}.png"), page.gray)
            truth = json.dumps(page.to_json(), indent=1, ensure_ascii=False)
            (out / f"page_{number:05d}.json").write_text(truth + "\n", encoding="utf-8")
        self.stdout.write(str(out))

    def _made_words(self, options: dict[str, Any]) -> None:
        """Words that a generator wrote, with labels and a contact sheet; needs no data."""
        arch, out = options["arch"], options["out"]
        try:
            if (reads := family_of(arch)) != "nothing":
                raise CommandError(f"{arch} makes no words: it reads {reads}s.")
            path = options["weights"] or weights_paths(arch)[0]
            if not path.exists():
                raise CommandError(
                    f"No weights for {arch} at {path.name}: train them with "
                    f"`manage.py train --arch {arch}` and pass the file."
                )
            words = made_words(load_generator(path), options["count"], options["seed"])
        except (UnknownArchitecture, WeightsRefused, ValueError) as error:
            raise CommandError(str(error.args[0])) from error
        out.mkdir(parents=True, exist_ok=True)
        lines = ["path\ttext\tlevel\twriter"]
        for number, (ink, text) in enumerate(words):
            cv2.imwrite(str(out / f"{number:06d}.png"), ink)
            lines.append(f"{number:06d}.png\t{text}\tword\t{arch}")
        (out / "labels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        cv2.imwrite(str(out / "contact_sheet.png"), contact_sheet(words[:80]))
        self.stdout.write(str(out / "contact_sheet.png"))
