"""Pictures of what the families of recognizers do, drawn from weights; not a measurement.

    python -m benchmarks.family_pictures attention --weights W --crops DIR --out attention.png
    python -m benchmarks.family_pictures tps --weights W --crops DIR --out tps.png
    python -m benchmarks.family_pictures capsules --weights W --data DIR --out capsules.png
    python -m benchmarks.family_pictures words --weights W --out words.png
    python -m benchmarks.family_pictures curves RUN_DIR... --out curves.png

Crops are image files; instead of ``--crops`` also ``--data DIR --set unipen_words`` (held-out
writers, see ``training.evaluation_sets``). Every picture is a PNG of at most 150 KiB.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from benchmarks.attention_maps import Maps, NoPicture, attention_maps
from clinic_hwr.learning.family_measures import held_out_blocks, made_words
from clinic_hwr.recognition.architectures.capsnet import CapsNet
from clinic_hwr.recognition.architectures.contract import Recognizer
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.files import image_paths, load_crop
from clinic_hwr.recognition.images import prepare
from clinic_hwr.recognition.stages.transformation import TpsRectifier
from clinic_hwr.recognition.synthesis.gan import load_generator
from clinic_hwr.recognition.training.characters import load_characters
from clinic_hwr.recognition.training.checkpoints import load_weights
from clinic_hwr.recognition.training.evaluation_sets import load_evaluation_set

mpl.use("Agg")
from matplotlib import pyplot as plt

Gray = NDArray[np.uint8]
MOST_BYTES = 150 * 1024
PAPER, POINTS = "gray_r", "#d62728"


# --- attention ------------------------------------------------------------------------------


def draw_attention(model: Recognizer, crops: Sequence[Gray], out: Path, most: int = 14) -> None:
    """Draw crops, and for each character that is written where the decoder looks."""
    found = [attention_maps(model, crop) for crop in crops]
    if any(maps.shape[1] > 1 for _, _, maps in found):
        _draw_map_attention(found, out, most)
        return
    steps = min(most, max(len(maps) for _, _, maps in found))
    figure, axes = plt.subplots(
        1 + steps, len(found), figsize=(2.9 * len(found), 0.56 * (1 + steps)), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for column, (ink, text, maps) in zip(axes.T, found, strict=True):
        column[0].imshow(ink, cmap=PAPER, vmin=0, vmax=1)
        column[0].set_title(f'read as "{text}"', fontsize=9, loc="left", pad=2)
        for number, (axis, one) in enumerate(zip(column[1:], maps, strict=False)):
            _overlay(axis, ink, one, _label(text, number))
    figure.tight_layout(pad=0.3, h_pad=0.1, w_pad=1.2)
    save_png(figure, out)


def _draw_map_attention(
    found: Sequence[tuple[NDArray[np.float32], str, Maps]], out: Path, most: int
) -> None:
    """Blocks of text one below the other, their characters four in a row."""
    across = 4
    rows = sum(1 + -(-min(most, len(maps)) // across) for _, _, maps in found)
    figure, axes = plt.subplots(rows, across, figsize=(9, 0.85 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    line = 0
    for ink, text, maps in found:
        axes[line, 0].imshow(ink, cmap=PAPER, vmin=0, vmax=1)
        axes[line, 0].set_title(f'read as "{text[:90]}"', fontsize=9, loc="left", pad=2)
        shown = maps[:most]
        for number, one in enumerate(shown):
            axis = axes[line + 1 + number // across, number % across]
            _overlay(axis, ink, one, _label(text, number))
        line += 1 + -(-len(shown) // across)
    figure.tight_layout(pad=0.3, h_pad=0.2, w_pad=1.0, rect=(0.05, 0, 1, 1))
    save_png(figure, out)


def _label(text: str, number: int) -> str:
    char = text[number] if number < len(text) else "end"
    return "blank" if char == " " else char


def _overlay(axis: Any, ink: NDArray[np.float32], one: Maps, label: str) -> None:
    height, width = ink.shape
    heat = torch.from_numpy(one)[None, None]
    heat = F.interpolate(heat, size=(height, width), mode="nearest")[0, 0].numpy()
    axis.imshow(1 - ink, cmap="gray", vmin=0, vmax=1, aspect="equal")
    axis.imshow(heat, cmap="Reds", alpha=0.55, aspect="equal")
    axis.text(
        -0.02, 0.5, label, transform=axis.transAxes, fontsize=10, ha="right", va="center",
        family="monospace",
    )  # fmt: skip


# --- TPS ------------------------------------------------------------------------------------


@torch.inference_mode()
def rectified(
    model: Recognizer, gray: Gray
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float32]]:
    """What the rectifier does to a crop.

    Returns:
        the crop (height, width), its fiducial points (F, 2) as x, y in its pixels, and the
        rectified crop, of the same shape.

    Raises:
        NoPicture: the model has no thin-plate-spline rectifier.
    """
    rectifier = next((m for m in model.modules() if isinstance(m, TpsRectifier)), None)
    if rectifier is None:
        raise NoPicture("This model has no thin-plate-spline rectifier.")
    ink = prepare(gray, model.config.height_px, model.config.max_width_px)
    images = torch.from_numpy(ink)[None, None]
    points = rectifier.predict_points(images)[0].double().numpy()
    size = np.array([ink.shape[1] - 1, ink.shape[0] - 1])
    return ink, (points + 1) / 2 * size, rectifier(images)[0, 0].numpy()


def draw_tps(model: Recognizer, crops: Sequence[Gray], out: Path) -> None:
    """Draw crops with their fiducial points, and rectified beside them."""
    figure, axes = plt.subplots(len(crops), 2, figsize=(8, 1.25 * len(crops)), squeeze=False)
    for row, crop in zip(axes, crops, strict=True):
        ink, points, after = rectified(model, crop)
        for axis, image in zip(row, (ink, after), strict=True):
            axis.imshow(image, cmap=PAPER, vmin=0, vmax=1)
            axis.set_xticks([])
            axis.set_yticks([])
        half = len(points) // 2
        for edge in (points[:half], points[half:]):
            row[0].plot(edge[:, 0], edge[:, 1], "o-", color=POINTS, ms=3, lw=0.8, clip_on=False)
    axes[0, 0].set_title("crop with fiducial points", fontsize=10)
    axes[0, 1].set_title("rectified", fontsize=10)
    figure.tight_layout(pad=0.4)
    save_png(figure, out)


# --- capsules -------------------------------------------------------------------------------


@torch.inference_mode()
def draw_capsules(
    model: CapsNet, images: NDArray[np.float32], texts: Sequence[str], out: Path
) -> None:
    """Draw characters, and below each what the longest capsule draws of it.

    Args:
        model: in evaluation mode.
        images: (n, side, side) ink maps 0..1; texts: what they show.
    """
    batch = torch.from_numpy(images).unsqueeze(1)
    drawn = model.reconstruct(batch)[:, 0].numpy()
    read = model.greedy(batch, torch.full((len(images),), images.shape[2]))
    across = min(13, len(images))
    rows = -(-len(images) // across)
    figure, axes = plt.subplots(
        2 * rows, across, figsize=(0.72 * across, 1.6 * rows), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for i, text in enumerate(texts):
        above, below = axes[2 * (i // across), i % across], axes[2 * (i // across) + 1, i % across]
        above.imshow(images[i], cmap=PAPER, vmin=0, vmax=1)
        below.imshow(drawn[i], cmap=PAPER, vmin=0, vmax=1)
        wrong = read[i] != text
        title = f"{text} read {read[i]}" if wrong else text
        above.set_title(title, fontsize=8, pad=1, color=POINTS if wrong else "black")
    figure.suptitle("above: the character; below: drawn by its longest capsule", fontsize=9)
    figure.tight_layout(pad=0.2, h_pad=0.3, rect=(0, 0, 1, 0.99 - 0.15 / rows**1.5))
    save_png(figure, out)


def held_out_pairs(data: Path, charset: Charset) -> tuple[NDArray[np.float32], list[str]]:
    """One held-out character of each class, in the order of the classes."""
    _, characters = load_characters(data, charset)
    first: dict[str, int] = {}
    for i, text in enumerate(characters.texts):
        first.setdefault(text, i)
    rows = [first[text] for text in sorted(first)]
    return (characters.images[rows] / 255).astype(np.float32), sorted(first)


# --- words and curves -----------------------------------------------------------------------


def draw_words(words: Sequence[tuple[Gray, str]], out: Path) -> None:
    """Draw made words with their texts, four in a row."""
    across = 4
    rows = -(-len(words) // across)
    figure, axes = plt.subplots(rows, across, figsize=(8, 0.78 * rows), squeeze=False)
    widest = max(ink.shape[1] / ink.shape[0] for ink, _ in words)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (ink, text) in zip(axes.flat, words, strict=False):
        height, width = ink.shape
        room = max(0, round(widest * height) - width)
        padded = np.pad(ink, ((0, 0), (0, room)), constant_values=255)
        axis.imshow(padded, cmap="gray", vmin=0, vmax=255)
        axis.set_title(text, fontsize=8, pad=1, loc="left")
    figure.tight_layout(pad=0.3, h_pad=0.4)
    save_png(figure, out, "L")


def read_curve(table: Path) -> tuple[Maps, str]:
    """Crops seen and held-out CER of a run's ``curve.csv``; training CER where none was held out.

    Returns:
        (n, 2), and which CER it is.

    Raises:
        NoPicture: the table has no such columns, as that of a generator.
    """
    rows: list[list[float]] = []
    with table.open(newline="", encoding="utf-8") as handle:
        for row in csv.reader(handle):
            try:
                rows.append([float(cell or "nan") for cell in row])
            except ValueError as error:
                raise NoPicture(f"{table} is no curve of a reader.") from error
    if not rows or len(rows[0]) < 4:
        raise NoPicture(f"{table} holds no curve.")
    values = np.array([row[:4] for row in rows])
    held_out = values[~np.isnan(values[:, 3])][:, [0, 3]]
    if len(held_out):
        return held_out, "held out"
    return values[:, [0, 2]], "training"


def draw_curves(runs: Sequence[Path], out: Path) -> None:
    """Draw the CER of several runs over the crops they have seen, logarithmic in CER."""
    figure, axis = plt.subplots(figsize=(7.5, 4.4))
    lowest = 1.0
    for number, run in enumerate(runs):
        table = run / "curve.csv" if run.is_dir() else run
        values, which = read_curve(table)
        name = run.name if run.is_dir() else run.parent.name
        cer = values[:, 1]
        if which == "training":  # one batch each: a running mean shows the course
            width = min(len(cer), 15)
            cer = np.convolve(np.pad(cer, (width - 1, 0), "edge"), np.ones(width) / width, "valid")
        style = "-" if which == "held out" else ":"
        label = name if which == "held out" else f"{name} (training)"
        axis.plot(values[:, 0] / 1000, cer, style, color=f"C{number % 10}", label=label, lw=1.6)
        lowest = min(lowest, float(np.nanmin(cer[cer > 0], initial=1.0)))
    axis.set_yscale("log")
    ticks = [t for t in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0) if t >= 0.7 * lowest]
    axis.set_yticks(ticks, [f"{t:.0%}" for t in ticks])
    axis.minorticks_off()
    axis.set_ylim(max(0.005, 0.8 * lowest), 1.1)
    axis.set_xlabel("thousand crops seen")
    axis.set_ylabel("character error rate, best path or greedy")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
    figure.tight_layout()
    save_png(figure, out)


def save_png(figure: Any, out: Path, mode: str = "RGB") -> None:
    """Write a figure as PNG of at most 150 KiB, with as many pixels as that allows.

    Args:
        mode: ``RGB``, or ``L`` for pictures without colour, which then keep every gray.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    for dpi in (130, 110, 95, 80, 65):
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=dpi, format="png")
        # An octree keeps the few red points that a median cut would turn gray.
        image = Image.open(buffer).convert(mode)
        if mode == "RGB":
            image = image.quantize(128, Image.Quantize.FASTOCTREE)
        small = io.BytesIO()
        image.save(small, "PNG", optimize=True)
        if small.tell() <= MOST_BYTES:
            break
    plt.close(figure)
    if small.tell() > MOST_BYTES:
        raise NoPicture("The picture is too large: show fewer crops.")
    out.write_bytes(small.getvalue())


# --- command line ---------------------------------------------------------------------------


def _crops(options: argparse.Namespace) -> list[Gray]:
    if options.crops:
        loaded = [load_crop(path) for path in image_paths([options.crops])]
        found = [crop.image for crop in loaded if crop.image is not None]
    elif options.data:
        chosen = load_evaluation_set(options.data, options.set, options.count, options.seed)
        found = [sample.image for sample in chosen]
    else:
        raise NoPicture("Name crops with --crops, or the data folder with --data.")
    if not found:
        raise NoPicture("There are no crops to show.")
    return found[: options.count]


def _recognizer(path: Path) -> Recognizer:
    name, model = load_weights(path)
    if not isinstance(model, Recognizer):
        raise NoPicture(f"{name} reads nothing.")
    return model


def _attention(options: argparse.Namespace) -> None:
    model = _recognizer(options.weights)
    if hasattr(model.config, "line_px") and options.data and not options.crops:
        lines = min(2, max(1, model.config.height_px // model.config.line_px))
        blocks = held_out_blocks(options.data, lines, options.count, options.seed, fitting=False)
        draw_attention(model, [block.image for block in blocks], options.out)
    else:
        draw_attention(model, _crops(options), options.out)


def _tps(options: argparse.Namespace) -> None:
    draw_tps(_recognizer(options.weights), _crops(options), options.out)


def _capsules(options: argparse.Namespace) -> None:
    model = _recognizer(options.weights)
    if not isinstance(model, CapsNet):
        raise NoPicture("Only capsnet reconstructs.")
    if not options.data:
        raise NoPicture("Name the data folder with --data: it holds the characters.")
    draw_capsules(model, *held_out_pairs(options.data, model.charset), options.out)


def _words(options: argparse.Namespace) -> None:
    model = load_generator(options.weights)
    draw_words(made_words(model, options.count, options.seed), options.out)


def _curves(options: argparse.Namespace) -> None:
    draw_curves(options.runs, options.out)


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], None], int]] = {
    "attention": (_attention, 2),
    "tps": (_tps, 5),
    "capsules": (_capsules, 62),
    "words": (_words, 32),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw one picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, count) in COMMANDS.items():
        one = commands.add_parser(name)
        one.add_argument("--weights", type=Path, required=True)
        one.add_argument("--out", type=Path, required=True)
        one.add_argument("--crops", type=Path, help="Image file or folder.")
        one.add_argument("--data", type=Path, help="Data folder.")
        one.add_argument("--set", default="unipen_words", help="Evaluation set of --data.")
        one.add_argument("--count", type=int, default=count)
        one.add_argument("--seed", type=int, default=0)
    curves = commands.add_parser("curves")
    curves.add_argument("runs", nargs="+", type=Path)
    curves.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    draw = _curves if options.command == "curves" else COMMANDS[options.command][0]
    try:
        draw(options)
    except NoPicture as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
