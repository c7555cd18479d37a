"""Trains the segmenter of text lines on pages of no layout; one CPU core is enough.

python -m clinic_hwr.recognition.segmentation.training --data FOLDER --out FILE [--minutes 18]
    [--cuts FOLDER ...] [--init FILE] [--rate 4e-3] [--fonts FOLDER] [--faces FOLDER]

``--fonts`` holds more handwriting fonts, ``--faces`` more faces of print, as
``scripts/fetch_fonts.py`` brings them.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from clinic_hwr.pages.background import flatten_background
from clinic_hwr.pages.fax import clean_fax, is_one_bit
from clinic_hwr.recognition.images import ink_box, ink_map
from clinic_hwr.recognition.synthesis.hands import CannotWrite, FontHand, Hand
from clinic_hwr.recognition.synthesis.pages import draw_pages, layouts_with, settings_for
from clinic_hwr.recognition.synthesis.pages_hands import HelpedHand, page_hands
from clinic_hwr.recognition.synthesis.pages_ink import FACES, other_faces
from clinic_hwr.recognition.synthesis.scattered_pages import (
    ScatteredPage,
    bands_by_kind,
    draw_scattered,
)
from clinic_hwr.recognition.synthesis.varied_hands import (
    UnsteadyHand,
    fonts_in,
    kept_to_develop,
    scrap_hands,
)
from clinic_hwr.recognition.training.sources import held_out_writer, read_gray, read_labels

from .network import INPUT_LONG_SIDE, STRIDE, STRUCK_WIDTH, LineSegmenter, parameters_of
from .weights import load_segmenter, save_segmenter

CROP_PX = 448
_KEEP_MINUTES = 5.0
RATE = 4e-3
_MEASURED_BATCHES = 100  # for the statistics of the normalisations
# Share of the pages that have a layout; the others have none, so that none is learnt by heart.
_OF_LAYOUTS = 0.6
# Of those, the share of forms put together at random (``pages_composed``), half of them of wards.
_COMPOSED = 0.7
# Share of the pages with more lines crossed out than by their layout, and how many of the lines.
_MORE_STRUCK, _STRUCK_LINES = 0.6, (0.05, 0.35)
_USUAL_FACES = 0.4  # share of the pages that are printed in the generator's own faces
_HANDS_A_PAGE = 24  # of whom one that can write the page does
_GRAIN = 0.15  # of a scan's darkest ink: paler is paper
_WAYS = ("clean", "office", "photocopy", "fax_fine", "fax_standard", "phone", "phone_curled")
_MIXED = tuple(name for name in layouts_with("train") if name.startswith(("composed_", "ward_")))
_FIXED = tuple(name for name in layouts_with("train") if name not in _MIXED)


@dataclass(frozen=True, slots=True)
class Example:
    """A page as the network sees it and what it is to answer.

    Attributes:
        ink: (height, width) uint8, 255 = ink.
        cores: (3, height / 2, width / 2) uint8, 1 in the core of a line: of handwriting, of
            print, and of either where it is crossed out.
    """

    ink: NDArray[np.uint8]
    cores: NDArray[np.uint8]


def example_of(page: ScatteredPage) -> Example:
    """Turn a drawn page into what is learnt from it."""
    height, width = page.gray.shape
    cores = np.zeros((3, -(-height // STRIDE), -(-width // STRIDE)), np.uint8)
    for channel, bands in enumerate((page.written, page.printed, page.struck)):
        plane = np.zeros(cores.shape[1:], np.uint8)
        for band in bands:
            # Pixels of the map have their middles at half its steps.
            points = np.round((band / STRIDE - 0.5) * 16).astype(np.int32).reshape(-1, 1, 2)
            cv2.fillPoly(plane, [points], 1, shift=4)
        cores[channel] = plane
    return Example(255 - flatten_background(page.gray), cores)


@dataclass(frozen=True, slots=True)
class Writers:
    """Who writes, and what is printed.

    Attributes:
        kinds: kinds of hands, each drawn as often as the others.
        faces: font files of print besides those of the generator.
    """

    kinds: Sequence[Sequence[Hand]]
    faces: Sequence[Path] = ()

    def drawn(self, rng: np.random.Generator) -> list[Hand]:
        """Some hands of one kind, in random order."""
        hands = self.kinds[int(rng.integers(len(self.kinds)))]
        return [hands[int(n)] for n in rng.permutation(len(hands))[:_HANDS_A_PAGE]]

    def printed(self, rng: np.random.Generator) -> dict[str, str]:
        """Files for the faces of a page; none where it is printed as usual."""
        if not self.faces or rng.random() < _USUAL_FACES:
            return {}
        return {face: str(self.faces[int(rng.integers(len(self.faces)))]) for face in FACES}


def examples(writers: Writers, seed: int) -> Iterator[Example]:
    """Draw examples without end; the same writers and seed give the same ones."""
    for number in range(2**31):
        rng = np.random.default_rng([seed, number])
        long_side = int(INPUT_LONG_SIDE * rng.uniform(0.85, 1.1))
        of_layout = rng.random() < _OF_LAYOUTS
        hands = writers.drawn(rng)
        struck = float(rng.uniform(*_STRUCK_LINES)) if rng.random() < _MORE_STRUCK else 0.0
        with other_faces(writers.printed(rng)):
            page = _of_a_layout(hands, rng, long_side, struck) if of_layout else None
            # What a layout says may be more than any of these hands can write.
            page = page or draw_scattered(hands, rng, long_side_px=long_side, crossed_out=struck)
        yield example_of(page)


def _of_a_layout(
    hands: Sequence[Hand], rng: np.random.Generator, long_side_px: int, crossed_out: float
) -> ScatteredPage | None:
    """A page of a training layout, nearly upright, seen at the size the network sees.

    None where no hand can write what it says.
    """
    way = _WAYS[int(rng.integers(len(_WAYS)))]
    seen = settings_for(way, rng)
    settings = replace(
        seen,
        quarter_turns=0,
        skew_deg=float(rng.normal(0.0, 0.3)),
        tilt_deg=(0.2 * seen.tilt_deg[0], 0.2 * seen.tilt_deg[1]),
    )
    names = _MIXED if rng.random() < _COMPOSED else _FIXED
    name = names[int(rng.integers(len(names)))]
    seed = int(rng.integers(2**31))
    try:
        (drawn,) = draw_pages(
            hands, count=1, seed=seed, layouts=(name,), settings=settings, crossed_out=crossed_out
        )
    except CannotWrite:
        return None
    gray = clean_fax(drawn.gray) if is_one_bit(drawn.gray) else drawn.gray
    # Rows of a fax may be half as dense as its columns.
    across, down = settings.fax_dpi or (1, 1)
    tall = gray.shape[0] * across / down
    scale = long_side_px / max(tall, gray.shape[1])
    size = round(gray.shape[1] * scale), round(tall * scale)
    way_of = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    gray = np.asarray(cv2.resize(gray, size, interpolation=way_of), np.uint8)
    written, printed, struck = bands_by_kind(drawn.lines)
    written += tuple(_middle(one.quad_px) for one in drawn.fields if one.kind == "signature")
    both = np.array([scale, scale * across / down], np.float32)
    bands = (tuple(band * both for band in some) for some in (written, printed, struck))
    return ScatteredPage(gray, *bands)


def _middle(quad: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    """The middle half of a quad's height: it stands for a signature's band."""
    top_left, top_right, bottom_right, bottom_left = np.asarray(quad, np.float32)
    left, right = (bottom_left - top_left) / 4, (bottom_right - top_right) / 4
    corners = [top_left + left, top_right + right, bottom_right - right, bottom_left - left]
    return np.asarray(corners, np.float32)


def crop(example: Example, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Cut a square out of a page: ink (1, CROP_PX, CROP_PX) 0..1 and cores at half the size."""
    height, width = example.ink.shape
    half = CROP_PX // STRIDE
    top = int(rng.integers(0, max(1, height // STRIDE - half)))
    left = int(rng.integers(0, max(1, width // STRIDE - half)))
    ink = np.zeros((CROP_PX, CROP_PX), np.float32)
    part = example.ink[top * STRIDE :, left * STRIDE :][:CROP_PX, :CROP_PX]
    ink[: part.shape[0], : part.shape[1]] = part / 255.0
    ink *= float(rng.uniform(0.7, 1.15))
    cores = np.zeros((3, half, half), np.float32)
    wanted = example.cores[:, top : top + half, left : left + half]
    cores[:, : wanted.shape[1], : wanted.shape[2]] = wanted
    return torch.from_numpy(np.clip(ink, 0, 1))[None], torch.from_numpy(cores)


def loss_of(logits: Tensor, cores: Tensor) -> Tensor:
    """Binary cross-entropy plus the Dice loss (Milletari et al. 2016) of each channel."""
    entropy = functional.binary_cross_entropy_with_logits(logits, cores)
    share = logits.sigmoid()
    both = (share * cores).sum(dim=(0, 2, 3))
    dice = (2 * both + 1) / (share.sum(dim=(0, 2, 3)) + cores.sum(dim=(0, 2, 3)) + 1)
    return entropy + (1 - dice).mean()


def train(
    writers: Writers,
    *,
    minutes: float,
    seed: int = 1,
    batch: int = 6,
    pool: int = 240,
    begin_with: LineSegmenter | None = None,
    rate: float = RATE,
    keep: Callable[[LineSegmenter], None] = lambda model: None,
) -> LineSegmenter:
    """Train for so many minutes on one thread; returns the averaged weights.

    Pages are drawn as it goes: one every second step, the newest ``pool`` are cut up. In the end
    the statistics of the normalisations are measured anew, as averaged weights want it (Izmailov
    et al. 2018).

    Args:
        writers: who writes the pages.
        minutes: of wall time; 0 measures the statistics and learns nothing.
        seed: of pages, crops and first weights.
        batch: crops a step.
        pool: pages that crops are cut from.
        begin_with: weights to go on with; None begins with random ones.
        rate: of learning, at its highest.
        keep: is given the averaged weights every few minutes.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = begin_with or LineSegmenter()
    for parameter in model.train().parameters():
        parameter.requires_grad_(True)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99), use_buffers=True
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-3)
    source = examples(writers, seed)
    shelf = [next(source) for _ in range(12)]
    start, step, kept = time.monotonic(), 0, 0.0
    share = 0.0 if minutes > 0 else 1.0
    while share < 1.0:
        share = (time.monotonic() - start) / (60 * minutes)
        for group in optimiser.param_groups:
            warm = min(1.0, (step + 1) / 50)
            group["lr"] = rate * warm * (0.02 + 0.49 * (1 + math.cos(math.pi * min(share, 1.0))))
        if step % 2 == 0:
            shelf = [*shelf[-pool + 1 :], next(source)]
        ink, cores = _batch(shelf, batch, rng)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(ink)
        loss = loss_of(logits.float(), cores)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        averaged.update_parameters(model)
        step += 1
        if (share - kept) * minutes > _KEEP_MINUTES:
            kept = share
            keep(cast(LineSegmenter, averaged.module))
        if step % 25 == 0:
            print(f"step {step} share {share:.2f} loss {loss.item():.3f}", flush=True)
    shelf = [*shelf, *itertools.islice(source, max(0, pool // 2 - len(shelf)))]
    seen = (_batch(shelf, batch, rng)[0] for _ in range(_MEASURED_BATCHES))
    learnt = cast(LineSegmenter, averaged.module)
    torch.optim.swa_utils.update_bn(seen, learnt)
    return learnt.eval()


def _batch(shelf: Sequence[Example], count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Crops of some pages: ink (count, 1, CROP_PX, CROP_PX) and cores at half the size."""
    cut = [crop(shelf[int(rng.integers(len(shelf)))], rng) for _ in range(count)]
    ink = torch.stack([one for one, _ in cut]).contiguous(memory_format=torch.channels_last)
    return ink, torch.stack([one for _, one in cut])


def gather_writers(options: argparse.Namespace) -> Writers:
    """Writers of the data, fonts written unsteadily, and scraps of real scans."""
    data = Path(options.data)
    hands: list[Hand] = []
    for folder in options.cuts or [None]:  # who wrote joined letters writes with each reader's cuts
        some = page_hands(data, "train", cuts_dir=folder)
        hands += [one for one in some if not hands or isinstance(one, HelpedHand)]
    fonts = [one for one in hands if isinstance(one, FontHand)]
    if options.fonts:
        fonts += [one for one in fonts_in(options.fonts) if not kept_to_develop(one.name)]
    faces: list[Path] = []
    if options.faces:
        faces = [one.path for one in fonts_in(options.faces) if not kept_to_develop(one.name)]
    scans = [
        (one.writer, one.path)
        for one in read_labels(data / "handwriting")
        if one.level == "line" and not held_out_writer(one.writer)
    ]
    kinds: list[list[Hand]] = [
        hands, [*fonts], [UnsteadyHand(one) for one in fonts], scrap_hands(scans, ink_of_scan),
    ]  # fmt: skip
    return Writers([kind for kind in kinds if kind], faces)


def ink_of_scan(path: Path) -> NDArray[np.uint8]:
    """Read a scanned line: 255 = ink, cut to it, grain of the paper taken off."""
    ink = ink_map(read_gray(path))
    box = ink_box(ink)
    if box is None:
        return np.zeros((0, 0), np.uint8)
    x, y, width, height = box
    part = ink[y : y + height, x : x + width]
    return np.asarray(255 * np.clip((part - _GRAIN) / (1 - 2 * _GRAIN), 0, 1), np.uint8)


def looking_for_struck(model: LineSegmenter) -> LineSegmenter:
    """The same network with a branch for crossed-out lines, which knows nothing yet."""
    if model.struck is not None:
        return model
    new = LineSegmenter(**(model.config | {"struck_width": STRUCK_WIDTH}))
    new.load_state_dict(model.state_dict(), strict=False)
    return new


def main() -> None:
    """Train, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument(
        "--cuts", type=Path, nargs="*", help="folders with cuts of joined handwriting"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=18.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=RATE, help="of learning, at its highest")
    parser.add_argument("--fonts", type=Path, help="folder with more handwriting fonts")
    parser.add_argument("--faces", type=Path, help="folder with more faces of print")
    parser.add_argument("--init", type=Path, help="weights to go on with")
    options = parser.parse_args()
    if not options.data:
        parser.error("give --data FOLDER or set CLINIC_HWR_DATA")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model = train(
        gather_writers(options),
        minutes=options.minutes,
        seed=options.seed,
        rate=options.rate,
        begin_with=looking_for_struck(load_segmenter(options.init)[0]) if options.init else None,
        keep=lambda averaged: save_segmenter(averaged, options.out),
    )
    save_segmenter(model, options.out)
    print(f"{options.out}: {parameters_of(model)} parameters")


if __name__ == "__main__":
    main()
