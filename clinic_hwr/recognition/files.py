"""Image files as crops, a few at a time, however many there are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm"})
MAX_PIXELS = 50_000_000


@dataclass(frozen=True)
class Crop:
    """One file: its pixels, or one sentence that says why it cannot be read."""

    path: Path
    image: NDArray[np.uint8] | None
    error: str = ""


def image_paths(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield files as given, and the image files of folders in name order, recursively."""
    for path in paths:
        if path.is_dir():
            for child in sorted(path.iterdir()):
                if child.is_dir():
                    yield from image_paths([child])
                elif child.suffix.lower() in SUFFIXES:
                    yield child
        else:
            yield path


def load_crop(path: Path) -> Crop:
    """Read one image file as grayscale, upright by its EXIF mark; never raises."""
    if not path.is_file():
        return Crop(path, None, "There is no such file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if image.width * image.height > MAX_PIXELS:
                    return Crop(path, None, "The image is larger than 50 megapixels.")
                upright = ImageOps.exif_transpose(image)
                if upright.mode in ("I", "I;16", "I;16B", "F"):  # 16 bit and more: to 8
                    wide = np.asarray(upright, np.float64)
                    scale = 255.0 / max(wide.max(), 1.0)
                    return Crop(path, (wide * scale).astype(np.uint8))
                if "A" in upright.getbands() or "transparency" in upright.info:
                    paper = Image.new("RGBA", upright.size, "white")
                    upright = Image.alpha_composite(paper, upright.convert("RGBA"))
                return Crop(path, np.asarray(upright.convert("L"), np.uint8).copy())
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        # SyntaxError: what Pillow raises on broken PNG chunks.
        return Crop(path, None, f"The image cannot be read ({type(error).__name__}).")
    except Image.DecompressionBombError:
        return Crop(path, None, "The image is larger than 50 megapixels.")


def batches(paths: Iterator[Path], size: int) -> Iterator[list[Crop]]:
    """Yield crops ``size`` at a time: memory does not grow with the number of files."""
    batch: list[Crop] = []
    for path in paths:
        batch.append(load_crop(path))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
