"""Every format and flavour that scanners, fax gateways and phones send, one test each."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import img2pdf
import numpy as np
import pikepdf
import pytest
from PIL import Image

from clinic_hwr.intake import safety
from clinic_hwr.intake.decoding import decode_pages, inspect_file, iterate_pages, pdf_of_scan
from clinic_hwr.intake.safety import FileRefused
from clinic_hwr.pages.types import Gray

from . import samples
from .samples import encoded, marked_page

pytestmark = pytest.mark.thorough

WIDTH, HEIGHT = 240, 320


def assert_marked(gray: Gray, *, paper: int = 235, ink: int = 45) -> None:
    """The page of ``marked_page`` at any scale: block top left, white elsewhere, upright."""
    height, width = gray.shape
    assert abs(width / height - WIDTH / HEIGHT) < 0.02
    at = [(40, 60), (280, 60), (40, 180)]
    block, below, beside = (int(gray[height * y // HEIGHT, width * x // WIDTH]) for y, x in at)
    assert block <= ink
    assert below >= paper
    assert beside >= paper


def bilevel() -> Image.Image:
    return marked_page().convert("1")


def deep(image: Image.Image) -> Image.Image:
    """16 bits a sample."""
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)


def big_endian_tiff() -> bytes:
    """A plain gray TIFF with its bytes the other way round, as some fax boards write them."""
    tags = [(256, WIDTH), (257, HEIGHT), (258, 8), (259, 1), (262, 1), (277, 1), (278, HEIGHT)]
    pixels = marked_page().tobytes()
    entries = [*((tag, 3, value << 16) for tag, value in tags), (279, 4, len(pixels))]
    start = 8 + 2 + 12 * (len(entries) + 1) + 4
    entries.append((273, 4, start))
    directory = b"".join(
        struct.pack(">HHII", tag, kind, 1, value) for tag, kind, value in sorted(entries)
    )
    count = struct.pack(">H", len(entries))
    return b"MM\x00\x2a\x00\x00\x00\x08" + count + directory + b"\0" * 4 + pixels


def rgb16_png() -> bytes:
    """16 bits in three channels; Pillow reads but cannot write it."""
    import cv2

    pixels = np.repeat(np.asarray(marked_page())[:, :, None], 3, axis=2).astype(np.uint16) * 257
    return bytes(cv2.imencode(".png", pixels)[1])


def rgb16_tiff() -> bytes:
    import cv2

    pixels = np.repeat(np.asarray(marked_page())[:, :, None], 3, axis=2).astype(np.uint16) * 257
    return bytes(cv2.imencode(".tiff", pixels)[1])


def transparent(mode: str) -> Image.Image:
    """Black ink on paper that is see-through and black below."""
    ink = np.asarray(marked_page()) == 0
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    pixels[ink, 3] = 255
    return Image.fromarray(pixels).convert(mode)


def palette() -> Image.Image:
    return marked_page().convert("RGB").quantize(8)


def webp(**options: Any) -> bytes:
    return encoded(marked_page().convert("RGB"), "WEBP", **options)


FLAVOURS: dict[str, Callable[[], bytes]] = {
    "tiff g3 1d": lambda: encoded(bilevel(), "TIFF", compression="group3"),
    "tiff g4": lambda: encoded(bilevel(), "TIFF", compression="group4"),
    "tiff ccitt rle": lambda: encoded(bilevel(), "TIFF", compression="tiff_ccitt"),
    "tiff 1 bit raw": lambda: encoded(bilevel(), "TIFF"),
    "tiff packbits": lambda: encoded(marked_page(), "TIFF", compression="packbits"),
    "tiff lzw": lambda: encoded(marked_page(), "TIFF", compression="tiff_lzw"),
    "tiff deflate": lambda: encoded(marked_page(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff zstd": lambda: encoded(marked_page(), "TIFF", compression="zstd"),
    "tiff jpeg": lambda: encoded(
        marked_page().convert("RGB"), "TIFF", compression="jpeg", quality=95
    ),
    "tiff 16 bit": lambda: encoded(deep(marked_page()), "TIFF"),
    "tiff 16 bit colour": rgb16_tiff,
    "tiff cmyk": lambda: encoded(marked_page().convert("CMYK"), "TIFF"),
    "tiff palette": lambda: encoded(palette(), "TIFF"),
    "tiff alpha": lambda: encoded(transparent("RGBA"), "TIFF"),
    "tiff gray alpha": lambda: encoded(transparent("LA"), "TIFF"),
    "tiff big-endian": big_endian_tiff,
    "jpeg": samples.jpeg,
    "jpeg progressive": lambda: samples.jpeg(progressive=True),
    "jpeg cmyk": lambda: encoded(marked_page().convert("CMYK"), "JPEG", quality=95),
    "png": samples.png,
    "png 1 bit": lambda: encoded(bilevel(), "PNG"),
    "png palette": lambda: encoded(palette(), "PNG"),
    "png 16 bit": lambda: encoded(deep(marked_page()), "PNG"),
    "png 16 bit colour": rgb16_png,
    "png alpha": lambda: encoded(transparent("RGBA"), "PNG"),
    "webp": lambda: webp(quality=95),
    "webp lossless alpha": lambda: encoded(transparent("RGBA"), "WEBP", lossless=True),
}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_flavour_decodes_to_the_page(flavour: str) -> None:
    (page,) = decode_pages(FLAVOURS[flavour]())

    assert page.shape == (HEIGHT, WIDTH)
    assert_marked(page)


def test_webp_animation_counts_as_its_first_frame() -> None:
    blank = Image.new("RGB", (WIDTH, HEIGHT), "white")
    data = encoded(
        marked_page().convert("RGB"), "WEBP", save_all=True, append_images=[blank], lossless=True
    )

    assert inspect_file(data).sizes_px == ((WIDTH, HEIGHT),)
    (page,) = decode_pages(data)
    assert_marked(page)


def test_heic_photo_is_read_where_pillow_heif_is_installed() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    image = marked_page().convert("RGB").resize((WIDTH * 2, HEIGHT * 2))
    pillow_heif.from_pillow(image).save(buffer, quality=95)

    (page,) = decode_pages(buffer.getvalue())

    assert page.shape == (HEIGHT * 2, WIDTH * 2)
    assert_marked(page)


HEIC_HEAD = b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00mif1heic" + b"\0" * 40


def test_heic_without_pillow_heif_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "heic_installed", lambda: False)

    with pytest.raises(FileRefused) as refusal:
        decode_pages(HEIC_HEAD)

    assert refusal.value.code == "not_installed"
    assert "clinic-hwr[heic]" in refusal.value.problem
    assert "JPEG" in refusal.value.problem


def test_fax_pages_of_unequal_dots_become_square_and_come_in_order() -> None:
    fine = encoded(bilevel(), "TIFF", compression="group4", dpi=(204, 196))
    coarse_page = bilevel().resize((WIDTH, HEIGHT * 98 // 204))
    coarse = encoded(coarse_page, "TIFF", compression="group3", dpi=(204, 98))

    (fine_page,), (coarse_read,) = iterate_pages(fine), iterate_pages(coarse)

    assert (fine_page.scale, fine_page.gray.shape) == ((1.0, 1.0), (HEIGHT, WIDTH))
    assert coarse_read.gray.shape[1] == WIDTH
    assert abs(coarse_read.gray.shape[0] - HEIGHT) <= 3
    assert coarse_read.scale[1] == pytest.approx(204 / 98, rel=0.02)
    assert_marked(fine_page.gray)
    assert_marked(coarse_read.gray)


def test_only_the_pages_asked_for_are_decoded_and_keep_their_numbers() -> None:
    for data in (samples.tiff(pages=4), samples.pdf(pages=4)):
        assert [page.number for page in iterate_pages(data, only={2, 4})] == [2, 4]


def with_rotation(degrees: int) -> bytes:
    """A PDF whose page is stored turned and shown upright."""
    buffer = io.BytesIO()
    turned = marked_page().rotate(degrees, expand=True)  # counter-clockwise
    data = encoded(turned.convert("RGB"), "PDF", resolution=72)
    with pikepdf.open(io.BytesIO(data)) as document:
        document.pages[0].Rotate = degrees  # clockwise
        document.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotated_pdf_page_is_drawn_upright(degrees: int) -> None:
    (page,) = decode_pages(with_rotation(degrees))

    assert_marked(page)


def born_digital_pdf() -> bytes:
    """A page of vector text and a filled block, no picture."""
    content = b"0 g 20 260 80 40 re f BT /F1 10 Tf 20 100 Td (Rx) Tj ET"
    document = pikepdf.new()
    document.add_blank_page(page_size=(WIDTH, HEIGHT))
    page = document.pages[0]
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    page.obj.Contents = document.make_stream(content)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_born_digital_scanned_and_mixed_pdf() -> None:
    scanned = img2pdf.convert(encoded(bilevel(), "TIFF", compression="group4", dpi=(72, 72)))
    mixed = io.BytesIO()
    with pikepdf.new() as document:
        for part in (scanned, born_digital_pdf(), with_rotation(90)):
            with pikepdf.open(io.BytesIO(part)) as source:
                document.pages.extend(source.pages)
        document.save(mixed, object_stream_mode=pikepdf.ObjectStreamMode.generate)

    pages = decode_pages(mixed.getvalue())

    assert len(pages) == 3
    for page in pages:
        assert_marked(page)


def test_locked_pdf_is_refused_and_one_that_only_forbids_printing_is_read() -> None:
    with pytest.raises(FileRefused) as refusal:
        decode_pages(samples.locked_pdf())
    assert refusal.value.code == "encrypted"
    assert "password" in refusal.value.problem

    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(samples.pdf())) as document:
        document.save(buffer, encryption=pikepdf.Encryption(user="", owner="o"))
    (page,) = decode_pages(buffer.getvalue())
    assert_marked(page)


def test_pages_of_a_file_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from clinic_hwr.intake import decoding

    monkeypatch.setattr(decoding, "MAX_TOTAL_PX", 3 * WIDTH * HEIGHT)

    assert len(inspect_file(samples.tiff(pages=3)).sizes_px) == 3
    with pytest.raises(FileRefused) as refusal:
        inspect_file(samples.tiff(pages=4))
    assert refusal.value.code == "too_many_pixels"


def active_pdf() -> bytes:
    """A PDF that runs a script when opened, has one on a page, a launch link and an attachment."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(samples.pdf(pages=2))) as document:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('x')")
        launch = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="calc.exe")
        document.Root.OpenAction = script
        document.pages[0].obj.AA = pikepdf.Dictionary(O=script)
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=launch
        )
        document.pages[1].obj.Annots = pikepdf.Array([document.make_indirect(note)])
        document.attachments["a.exe"] = b"MZ"
        document.save(buffer)
    return buffer.getvalue()


def test_pdf_that_leaves_the_house_holds_nothing_active() -> None:
    data = active_pdf()

    clean = pdf_of_scan(data)

    assert b"JavaScript" in data
    with pikepdf.open(io.BytesIO(clean)) as document:
        raw = b"".join(obj.unparse() for obj in document.objects)
        assert len(document.pages) == 2
        assert set(document.Root.keys()) == {"/Type", "/Pages"}
    for word in (b"JavaScript", b"Launch", b"EmbeddedFile", b"/AA", b"calc.exe"):
        assert word not in raw
    assert_marked(decode_pages(clean)[0])
    assert pdf_of_scan(data) == clean


@pytest.mark.parametrize("data", [samples.pdf(pages=3), samples.tiff(pages=3)], ids=["pdf", "tiff"])
def test_pdf_of_some_pages_holds_these_alone(data: bytes) -> None:
    part = pdf_of_scan(data, only={2, 3})

    assert len(decode_pages(part)) == 2
    assert pdf_of_scan(data, only={2, 3}) == part
