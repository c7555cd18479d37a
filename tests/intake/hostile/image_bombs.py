"""Pictures that claim, or unpack to, far more than they hold."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any

from PIL import Image

from ..samples import encoded, jpeg, marked_page


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png(width: int, height: int, *extra: bytes, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG that claims a size and holds a few rows; ``extra`` chunks come before the pixels."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    pixels = _chunk(b"IDAT", zlib.compress(b"\0" * 4000, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + pixels + _chunk(b"IEND", b"")


def _full_png(width: int, height: int, colour: int = 0) -> bytes:
    """A PNG that really unpacks to its size; a thousandth of it on disk."""
    samples = {0: 1, 2: 3, 6: 4}[colour]
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + width * samples)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _zeros(megabytes: int) -> bytes:
    return zlib.compress(bytes(megabytes << 20), 9)


def _text_bomb(kind: bytes, megabytes: int, times: int = 1) -> bytes:
    packed = _zeros(megabytes)
    bodies = {
        b"zTXt": b"Comment\0\0" + packed,
        b"iTXt": b"Comment\0\1\0\0\0" + packed,
        b"iCCP": b"profile\0\0" + packed,
    }
    return _png(240, 320, *([_chunk(kind, bodies[kind])] * times))


def _jpeg_size(width: int, height: int, *, progressive: bool = False) -> bytes:
    """A good JPEG whose frame header says another size."""
    data = bytearray(jpeg(progressive=progressive))
    at = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _many_scans(count: int) -> bytes:
    """A progressive JPEG that repeats its last scan over and over."""
    data = jpeg(progressive=True)
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * count + b"\xff\xd9"


def _exif_jpeg(exif: bytes) -> bytes:
    data = jpeg()
    segment = b"Exif\0\0" + exif
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def _exif_loop() -> bytes:
    """EXIF directories that point at one another."""
    entries = struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x0112, 3, 1, 6)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + struct.pack("<I", 8)


def _exif_count(count: int) -> bytes:
    entry = struct.pack("<HHII", 0x927C, 7, count, 26)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4)


def _tiff(entries: list[tuple[int, int, int, int]], tail: bytes = b"", following: int = 0) -> bytes:
    """One directory at offset 8: (tag, type, count, value) rows, then ``tail``."""
    rows = b"".join(struct.pack("<HHII", *row) for row in sorted(entries))
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries))
    return head + rows + struct.pack("<I", following) + tail


def _plain(width: int, height: int, *, compression: int = 1, bits: int = 8, strip: int = 0) -> Any:
    return [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, compression),
        (262, 3, 1, 1), (273, 4, 1, strip), (277, 3, 1, 1), (278, 4, 1, height),
        (279, 4, 1, 1000),
    ]  # fmt: skip


def _tiff_loop() -> bytes:
    return _tiff(_plain(240, 320, strip=8), bytes(80_000), following=8)


def _tiff_chain(count: int) -> bytes:
    """``count`` directories, each of a page of one pixel."""
    size = 2 + 12 * 9 + 4
    body = bytearray(b"II*\0\x08\0\0\0")
    for number in range(count):
        rows = b"".join(struct.pack("<HHII", *row) for row in sorted(_plain(1, 1, strip=8)))
        following = 8 + size * (number + 1) if number + 1 < count else 0
        body += struct.pack("<H", 9) + rows + struct.pack("<I", following)
    return bytes(body)


def _tiff_deflate(width: int, height: int) -> bytes:
    """Deflated zeros that unpack to the whole page."""
    packed = zlib.compress(bytes(width * height), 9)
    rows = _plain(width, height, compression=8, strip=8 + 2 + 12 * 9 + 4)
    rows[-1] = (279, 4, 1, len(packed))
    return _tiff(rows, packed)


def _webp_size(width: int, height: int) -> bytes:
    """A lossless WebP header of a size with no pixels behind it."""
    bits = (width - 1) | (height - 1) << 14
    body = b"\x2f" + struct.pack("<I", bits) + bytes(30)
    chunk = b"VP8L" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def _webp_full(side: int) -> bytes:
    return encoded(Image.new("RGB", (side, side), "white"), "WEBP", lossless=True, method=0)


def _webp_frames(count: int) -> bytes:
    frames = [Image.new("RGB", (600, 800), (n % 256, 0, 0)) for n in range(count)]
    return encoded(
        frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, method=0
    )


def _apng(frames: int) -> bytes:
    pictures = [marked_page(level=n % 200) for n in range(frames)]
    return encoded(pictures[0], "PNG", save_all=True, append_images=pictures[1:])


def _heic_size(width: int, height: int) -> bytes:
    """A good HEIC whose size property says another size."""
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(marked_page().convert("RGB")).save(buffer, quality=60)
    data = bytearray(buffer.getvalue())
    at = -1
    while (at := data.find(b"ispe", at + 1)) >= 0:
        data[at + 8 : at + 16] = struct.pack(">II", width, height)
    return bytes(data)


def files() -> Iterator[tuple[Any, ...]]:
    """Yield (kind, name, maker[, heavy])."""
    flood = "pixel flood"
    for width, height in (
        (50_001, 1000),
        (65_535, 65_535),
        (2**31 - 1, 1),
        (2**31 - 1, 2**31 - 1),
        (0, 0),
        (1, 2**31 - 1),
    ):
        yield flood, f"{width}x{height}.png", partial(_png, width, height)
    yield flood, "16bit.png", partial(_png, 40_000, 40_000, depth=16, colour=6)
    for width, height in ((65_535, 65_535), (65_500, 763), (1, 65_535), (0, 0)):
        yield flood, f"{width}x{height}.jpg", partial(_jpeg_size, width, height)
    yield flood, "progressive.jpg", partial(_jpeg_size, 30_000, 1600, progressive=True), "heavy"
    for width, height in ((2**32 - 1, 2**32 - 1), (70_000, 70_000), (49_000, 1000), (0, 5)):
        yield flood, f"{width}x{height}.tif", partial(_tiff_of, width, height)
    for width, height in ((16_384, 16_384), (16_384, 3_000)):
        yield flood, f"{width}x{height}.webp", partial(_webp_size, width, height)
    for width, height in ((60_000, 60_000), (2**32 - 1, 2**32 - 1), (7000, 7000), (0, 0)):
        yield flood, f"{width}x{height}.heic", partial(_heic_size, width, height)
    bomb = "decompression bomb"
    yield bomb, "49mpx.png", partial(_full_png, 7000, 7000), "heavy"
    yield bomb, "49mpx-rgba.png", partial(_full_png, 7000, 7000, 6), "heavy"
    yield bomb, "100mpx.png", partial(_full_png, 10_000, 10_000), "heavy"
    for kind in (b"zTXt", b"iTXt", b"iCCP"):
        yield bomb, f"{kind.decode()}.png", partial(_text_bomb, kind, 300), "heavy"
        yield bomb, f"{kind.decode()}-many.png", partial(_text_bomb, kind, 20, 60), "heavy"
    yield bomb, "deflate-49mpx.tif", partial(_tiff_deflate, 7000, 7000), "heavy"
    yield bomb, "deflate-400mpx.tif", partial(_tiff_deflate, 20_000, 20_000), "heavy"
    yield bomb, "49mpx.webp", partial(_webp_full, 7000), "heavy"
    yield bomb, "200mpx.webp", partial(_webp_full, 14_000), "heavy"
    yield bomb, "scans.jpg", partial(_many_scans, 2000), "heavy"
    count = "page count"
    yield count, "loop.tif", _tiff_loop
    yield count, "51.tif", partial(_tiff_chain, 51)
    yield count, "20000.tif", partial(_tiff_chain, 20_000)
    yield count, "frames.webp", partial(_webp_frames, 60)
    yield count, "frames.png", partial(_apng, 60)
    exif = "exif"
    yield exif, "loop.jpg", partial(_exif_jpeg, _exif_loop())
    for number in (2**32 - 1, 2**31 - 1, 65_000):
        yield exif, f"count-{number}.jpg", partial(_exif_jpeg, _exif_count(number))
    yield exif, "garbage.jpg", partial(_exif_jpeg, b"\xff" * 60_000)
    yield exif, "wrong-order.jpg", partial(_exif_jpeg, b"XX*\0\x08\0\0\0" + bytes(64))
    yield exif, "negative.jpg", partial(_exif_jpeg, b"II*\0\xff\xff\xff\xff" + bytes(64))
    directory = "tiff directory"
    for tag, kind, number, value in (
        (273, 4, 1, 2**32 - 1), (273, 4, 2**30, 8), (279, 4, 1, 2**32 - 1), (258, 3, 2**20, 8),
        (259, 3, 1, 65_000), (259, 3, 1, 34_712), (277, 3, 1, 65_535), (278, 4, 1, 0),
        (284, 3, 1, 2), (320, 3, 2**20, 8), (322, 4, 1, 2**31), (338, 3, 60_000, 8),
        (262, 3, 1, 9999), (339, 3, 1, 77), (330, 4, 1, 8), (34_675, 7, 2**31, 8),
    ):  # fmt: skip
        yield (
            directory,
            f"{tag}-{number}-{value}.tif",
            partial(_tiff_with, tag, kind, number, value),
        )


def _tiff_of(width: int, height: int) -> bytes:
    return _tiff(_plain(width, height, strip=8), bytes(2000))


def _tiff_with(tag: int, kind: int, number: int, value: int) -> bytes:
    rows = [row for row in _plain(240, 320, strip=122) if row[0] != tag]
    return _tiff([*rows, (tag, kind, number, value)], b"\xff" * 76_800)
