"""Files for the intake tests, built in memory: a page with known dots in every accepted format."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pikepdf
from PIL import Image


def marked_page(width: int = 240, height: int = 320, level: int = 0) -> Image.Image:
    """A white page with one dark block in its top left corner: shows turns and mirrorings."""
    pixels = np.full((height, width), 255, dtype=np.uint8)
    pixels[20:60, 20:100] = level
    return Image.fromarray(pixels)


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """The image as bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def png(level: int = 0) -> bytes:
    """A one-page PNG; another ``level`` gives other bytes."""
    return encoded(marked_page(level=level), "PNG")


def jpeg(**options: Any) -> bytes:
    """A one-page JPEG."""
    return encoded(marked_page(), "JPEG", quality=95, **options)


def tiff(pages: int = 1, **options: Any) -> bytes:
    """A TIFF; every page is a little darker in its block than the one before it."""
    images = [marked_page(level=100 - number) for number in range(pages)]
    return encoded(images[0], "TIFF", save_all=True, append_images=images[1:], **options)


_MADE = time.gmtime(0)  # pages of two seconds would be two files


def pdf(pages: int = 1) -> bytes:
    """A PDF of marked pages (page size 240 x 320 pixels at 72 dpi, so points), always the same."""
    images = [marked_page().convert("RGB") for _ in range(pages)]
    return encoded(
        images[0], "PDF", save_all=True, append_images=images[1:], resolution=72,
        creationDate=_MADE, modDate=_MADE,
    )  # fmt: skip


def locked_pdf() -> bytes:
    """A PDF that opens with a password only."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as document:
        document.save(buffer, encryption=pikepdf.Encryption(user="u", owner="o"))
    return buffer.getvalue()
