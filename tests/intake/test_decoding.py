"""Decoding in the child process: every flavour of an accepted format, and what attackers send."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pikepdf
import pytest
from PIL import Image

from clinic_hwr.intake import decoding
from clinic_hwr.intake.decoding import decode_pages, inspect_file, iterate_pages, pdf_of_scan
from clinic_hwr.intake.safety import FileRefused
from clinic_hwr.pages.types import Gray

from . import samples
from .samples import encoded, marked_page


def assert_marked(gray: Gray, level: int = 0, tolerance: int = 12) -> None:
    """The page of ``marked_page``: dark block top left, white elsewhere, right side up."""
    assert gray.shape == (320, 240)
    assert gray.dtype == np.uint8
    assert abs(int(gray[40, 60]) - level) <= tolerance
    assert gray[280, 60] >= 243
    assert gray[40, 180] >= 243


def deep_page() -> Image.Image:
    """16 bits a sample: black block on white paper."""
    return Image.fromarray(np.asarray(marked_page()).astype(np.uint16) * 257)


FLAVOURS = {
    "png gray": encoded(marked_page(), "PNG"),
    "png palette": encoded(marked_page().convert("P"), "PNG"),
    "png 1 bit": encoded(marked_page().convert("1"), "PNG"),
    "png 16 bit": encoded(deep_page(), "PNG"),
    "jpeg gray": samples.jpeg(),
    "jpeg colour": encoded(marked_page().convert("RGB"), "JPEG", quality=95),
    "jpeg cmyk": encoded(marked_page().convert("CMYK"), "JPEG", quality=95),
    "tiff g3": encoded(marked_page().convert("1"), "TIFF", compression="group3"),
    "tiff g4": encoded(marked_page().convert("1"), "TIFF", compression="group4"),
    "tiff lzw": encoded(marked_page(), "TIFF", compression="tiff_lzw"),
    "tiff jpeg": encoded(marked_page().convert("RGB"), "TIFF", compression="jpeg", quality=95),
    "tiff 16 bit": encoded(deep_page(), "TIFF"),
    "tiff cmyk": encoded(marked_page().convert("CMYK"), "TIFF"),
}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_flavour_decodes_to_the_same_page(flavour: str) -> None:
    pages = decode_pages(FLAVOURS[flavour])

    assert len(pages) == 1
    assert_marked(pages[0])


def test_transparent_paper_is_white() -> None:
    pixels = np.zeros((320, 240, 4), dtype=np.uint8)
    pixels[20:60, 20:100, 3] = 255

    (gray,) = decode_pages(encoded(Image.fromarray(pixels), "PNG"))

    assert_marked(gray)


def test_tiff_pages_come_in_order() -> None:
    pages = decode_pages(samples.tiff(pages=3))

    assert [int(page[40, 60]) for page in pages] == [100, 99, 98]


def test_pdf_is_drawn_at_200_dpi() -> None:
    (page,) = iterate_pages(samples.pdf())

    assert page.gray.shape == (889, 667)  # 320 x 240 pt
    assert (page.dpi, page.scale) == (200, (1.0, 1.0))
    assert page.gray[111, 167] < 12
    assert page.gray[778, 167] > 243


def turned(orientation: int) -> Image.Image:
    """The page stored so that EXIF ``orientation`` turns it upright again (EXIF 2.3, 4.6.4)."""
    operation = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    page = marked_page()
    return page.transpose(operation[orientation]) if orientation > 1 else page


@pytest.mark.parametrize(
    ("file_format", "orientation"),
    [("JPEG", 3), ("JPEG", 5), ("JPEG", 6), ("JPEG", 8), ("TIFF", 3), ("TIFF", 6)],
)
def test_orientation_tag_is_applied(file_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if file_format == "JPEG" else {}
    data = encoded(turned(orientation), file_format, exif=exif, **options)

    (page,) = iterate_pages(data)

    assert_marked(page.gray)
    assert page.scale == (1.0, 1.0)


def test_fax_dots_become_square() -> None:
    squashed = marked_page().resize((240, 160))

    (page,) = iterate_pages(encoded(squashed, "TIFF", dpi=(204, 102)))

    assert_marked(page.gray)
    assert page.scale == (1.0, 2.0)
    assert page.dpi == 204


def test_large_page_is_shrunk_and_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "WORKING_PX", 240 * 320 // 4)

    (page,) = iterate_pages(encoded(marked_page(), "PNG", dpi=(300, 300)))

    assert page.gray.shape == (160, 120)
    assert page.scale == (0.5, 0.5)
    assert page.dpi == 150
    assert page.gray[20, 30] < 12


def refused_code(data: bytes) -> str:
    with pytest.raises(FileRefused) as refusal:
        decode_pages(data)
    return str(refusal.value.code)


def raw_png(width: int, height: int, pixels: bytes, colour_type: int = 0) -> bytes:
    """A PNG of our own making: what it claims and what it holds need not agree."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels, 1))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def png_header(width: int, height: int) -> bytes:
    """A PNG with next to no pixels."""
    return raw_png(width, height, b"\0" * 1000)


def test_pixel_flood_is_refused_from_the_header() -> None:
    with pytest.raises(FileRefused) as refusal:
        inspect_file(png_header(50_001, 1000))

    assert refusal.value.code == "too_many_pixels"
    assert "50001 x 1000" in refusal.value.problem


def test_page_at_the_pixel_limit_passes() -> None:
    assert inspect_file(png_header(50_000, 1000)).sizes_px == ((50_000, 1000),)


def test_fifty_pages_pass() -> None:
    assert len(inspect_file(samples.tiff(pages=50)).sizes_px) == 50


@pytest.mark.parametrize(
    "data",
    [
        samples.png()[:-30],
        samples.jpeg()[:-400],
        encoded(marked_page(), "TIFF", compression="tiff_lzw")[:-300],
        samples.tiff(pages=3)[: len(samples.tiff(pages=3)) // 2],
        png_header(2000, 2000),
        samples.pdf()[:-200],
    ],
    ids=["png", "jpeg", "tiff", "tiff of three pages", "png without its pixels", "pdf"],
)
def test_file_cut_off_is_broken_not_half_read(data: bytes) -> None:
    assert refused_code(data) == "broken"


def test_decoder_out_of_memory_refuses_the_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    big = raw_png(7000, 7000, (b"\0" + b"\xff" * 28_000) * 7000, colour_type=6)
    monkeypatch.setattr(decoding, "_MEMORY_BYTES", 300 << 20)

    assert refused_code(big) == "too_complex"


def test_decoder_out_of_time_refuses_the_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_WALL_S", 0.0)

    assert refused_code(samples.tiff(pages=50)) == "too_complex"


def test_largest_allowed_page_with_alpha_fits_the_memory_limit() -> None:
    big = raw_png(7000, 7000, (b"\0" + b"\xff" * 28_000) * 7000, colour_type=6)

    (page,) = iterate_pages(big)

    assert page.gray.shape == (3000, 3000)
    assert int(page.gray.min()) == 255


def test_consumer_that_stops_early_leaves_no_decoder_behind() -> None:
    pages = iterate_pages(samples.tiff(pages=50))
    next(pages)
    pages.close()

    assert decode_pages(samples.png())[0].shape == (320, 240)


def pdf_page_sizes(data: bytes) -> list[tuple[int, int]]:
    with pikepdf.open(io.BytesIO(data)) as document:
        boxes = [page.mediabox for page in document.pages]
    return [(round(float(box[2])), round(float(box[3]))) for box in boxes]


def test_pdf_of_a_pdf_is_the_pdf() -> None:
    data = samples.pdf(pages=2)

    assert pdf_of_scan(data) == data


@pytest.mark.parametrize(
    "data",
    [
        samples.png(),
        samples.jpeg(),
        encoded(marked_page().convert("RGBA"), "PNG"),
        encoded(deep_page(), "TIFF"),
        encoded(marked_page().convert("CMYK"), "TIFF"),
        encoded(marked_page().convert("1"), "TIFF", compression="group4"),
    ],
    ids=["png", "jpeg", "alpha", "16 bit", "cmyk", "g4"],
)
def test_pdf_of_an_image_shows_the_image(data: bytes) -> None:
    pdf = pdf_of_scan(data)

    (gray,) = decode_pages(pdf)
    height, width = gray.shape
    assert gray[height * 40 // 320, width * 60 // 240] < 40  # pure K ink is not quite black
    assert gray[height * 280 // 320, width * 60 // 240] > 225


def test_pdf_of_a_tiff_has_all_its_pages_and_is_the_same_every_time() -> None:
    data = samples.tiff(pages=3, dpi=(72, 72))

    pdf = pdf_of_scan(data)

    assert pdf_page_sizes(pdf) == [(240, 320)] * 3
    assert pdf_of_scan(data) == pdf
