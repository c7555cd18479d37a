"""Good files, damaged: by chance with a seed, and cut off."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import pikepdf
from PIL import Image

from .. import samples
from ..samples import encoded, marked_page

SEEDS = range(8)
CUTS = (0.02, 0.1, 0.3, 0.5, 0.8, 0.97)


def _bilevel() -> Image.Image:
    return marked_page().convert("1")


def _pages(compression: str) -> bytes:
    pages = [_bilevel() for _ in range(3)]
    return encoded(
        pages[0], "TIFF", save_all=True, append_images=pages[1:], compression=compression
    )


def _heic() -> bytes:
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(marked_page().convert("RGB")).save(buffer, quality=60)
    return buffer.getvalue()


def _with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "x" * 500
    return samples.jpeg(exif=exif)


def _object_streams() -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(samples.pdf(pages=3))) as document:
        document.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return buffer.getvalue()


BASES: dict[str, Callable[[], bytes]] = {
    "page.png": samples.png,
    "palette.png": lambda: encoded(marked_page().quantize(8), "PNG"),
    "page.jpg": samples.jpeg,
    "progressive.jpg": lambda: samples.jpeg(progressive=True),
    "exif.jpg": _with_exif,
    "g4.tif": lambda: _pages("group4"),
    "g3.tif": lambda: _pages("group3"),
    "lzw.tif": lambda: encoded(marked_page(), "TIFF", compression="tiff_lzw"),
    "jpeg.tif": lambda: encoded(marked_page().convert("RGB"), "TIFF", compression="jpeg"),
    "page.webp": lambda: encoded(marked_page().convert("RGB"), "WEBP"),
    "lossless.webp": lambda: encoded(marked_page().convert("RGB"), "WEBP", lossless=True),
    "page.heic": _heic,
    "scan.pdf": lambda: samples.pdf(pages=2),
    "streams.pdf": _object_streams,
}


@cache
def _base(name: str) -> bytes:
    return BASES[name]()


def fuzz(data: bytes, seed: int) -> bytes:
    """Flip bits, write over, cut out, repeat and blow up numbers, at places chosen by the seed."""
    chance = random.Random(seed)
    body = bytearray(data)
    for _ in range(chance.choice((1, 3, 10, 40))):
        at = chance.randrange(min(8, len(body) - 1), len(body))
        match chance.randrange(6):
            case 0:
                body[at] ^= 1 << chance.randrange(8)
            case 1:
                body[at : at + 4] = bytes(chance.randrange(256) for _ in range(4))
            case 2:
                body[at : at + 4] = chance.choice(
                    (
                        b"\xff\xff\xff\xff",
                        b"\x7f\xff\xff\xff",
                        b"\x00\x00\x00\x00",
                        b"\x80\x00\x00\x00",
                    )
                )
            case 3:
                del body[at : at + chance.randrange(1, 64)]
            case 4:
                body[at:at] = body[at : at + chance.randrange(1, 64)]
            case 5:
                body[at:at] = bytes(chance.randrange(1, 200))
        if len(body) < 32:
            break
    return bytes(body)


def files() -> Iterator[tuple[Any, ...]]:
    """Yield (kind, name, maker)."""
    for name in BASES:
        for seed in SEEDS:
            yield "fuzzed", f"{seed}-{name}", partial(_fuzzed, name, seed)
        for cut in CUTS:
            yield "truncated", f"{round(100 * cut)}-{name}", partial(_cut, name, cut)


def _fuzzed(name: str, seed: int) -> bytes:
    return fuzz(_base(name), 1000 * sorted(BASES).index(name) + seed)


def _cut(name: str, cut: float) -> bytes:
    data = _base(name)
    return data[: max(1, int(len(data) * cut))]
