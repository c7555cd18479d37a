"""PDF files written by hand: loops, bombs, depth, dimensions, codecs, and active content."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

_CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
_PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


def _page(extra: bytes = b"", box: bytes = b"[0 0 240 320]") -> bytes:
    return b"<< /Type /Page /Parent 2 0 R /MediaBox " + box + b" " + extra + b" >>"


def _stream(body: bytes, extra: bytes = b"") -> bytes:
    head = b"<< /Length " + str(len(body)).encode() + b" " + extra + b" >>\nstream\n"
    return head + body + b"\nendstream"


def _pdf(objects: Mapping[int, bytes], *, trailer: bytes = b"", root: int = 1) -> bytes:
    """Write objects with a plain cross-reference table."""
    body = bytearray(b"%PDF-1.7\n")
    places = {}
    for number in sorted(objects):
        places[number] = len(body)
        body += str(number).encode() + b" 0 obj\n" + objects[number] + b"\nendobj\n"
    start = len(body)
    size = max(objects) + 1
    body += f"xref\n0 {size}\n0000000000 65535 f \n".encode()
    for number in range(1, size):
        place = places.get(number)
        body += f"{place or 0:010d} {'00000 n' if place else '65535 f'} \n".encode()
    body += f"trailer\n<< /Size {size} /Root {root} 0 R ".encode() + trailer + b" >>\n"
    return bytes(body) + f"startxref\n{start}\n%%EOF\n".encode()


def _simple(page: bytes = b"", extra: Mapping[int, bytes] | None = None, box: bytes = b"") -> bytes:
    objects = {1: _CATALOG, 2: _PAGES, 3: _page(page, box) if box else _page(page)}
    return _pdf({**objects, **(extra or {})})


def _content(body: bytes, extra: Mapping[int, bytes] | None = None, page: bytes = b"") -> bytes:
    return _simple(b"/Contents 4 0 R " + page, {4: _stream(body), **(extra or {})})


def _packed_content(body: bytes) -> bytes:
    return _simple(
        b"/Contents 4 0 R", {4: _stream(zlib.compress(body, 9), b"/Filter /FlateDecode")}
    )


def _layers(levels: int, megabytes: int) -> bytes:
    """Zeros, deflated again and again."""
    body = bytes(megabytes << 20)
    for _ in range(levels):
        body = zlib.compress(body, 9)
    filters = b"/Filter [" + b"/FlateDecode " * levels + b"]"
    return _simple(b"/Contents 4 0 R", {4: _stream(body, filters)})


def _image(width: int, height: int, body: bytes, extra: bytes) -> bytes:
    """A page that draws one picture."""
    head = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} ".encode()
    return _content(
        b"q 240 0 0 320 0 0 cm /I Do Q",
        {5: _stream(body, head + extra)},
        b"/Resources << /XObject << /I 5 0 R >> >>",
    )


def _flate_image(side: int) -> bytes:
    body = zlib.compress(bytes(side * side // 8), 9)
    return _image(
        side, side, body, b"/ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /FlateDecode"
    )


def _form_loop(between: int) -> bytes:
    """Forms that draw one another in a circle."""
    objects = {}
    for number in range(between):
        following = 5 + (number + 1) % between
        resources = f"/Resources << /XObject << /F {following} 0 R >> >>".encode()
        objects[5 + number] = _stream(
            b"/F Do /F Do", b"/Type /XObject /Subtype /Form /BBox [0 0 240 320] " + resources
        )
    return _content(b"/F Do", objects, b"/Resources << /XObject << /F 5 0 R >> >>")


def _form_tree(levels: int) -> bytes:
    """Each form draws the next ten times: 10 to the power of ``levels`` drawings."""
    objects = {}
    for number in range(levels):
        resources = f"/Resources << /XObject << /F {6 + number} 0 R >> >>".encode()
        objects[5 + number] = _stream(
            b"/F Do " * 10, b"/Type /XObject /Subtype /Form /BBox [0 0 240 320] " + resources
        )
    objects[5 + levels] = _stream(
        b"0 0 9 9 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 240 320]"
    )
    return _content(b"/F Do", objects, b"/Resources << /XObject << /F 5 0 R >> >>")


def _soft_mask_loop() -> bytes:
    state = b"<< /Type /ExtGState /SMask << /S /Luminosity /G 6 0 R >> >>"
    group = b"/Group << /S /Transparency >> /Resources << /ExtGState << /G 5 0 R >> >>"
    form = _stream(
        b"/G gs 0 0 99 99 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 240 320] " + group
    )
    return _content(
        b"/G gs 0 0 99 99 re f", {5: state, 6: form}, b"/Resources << /ExtGState << /G 5 0 R >> >>"
    )


def _pattern_loop() -> bytes:
    pattern = _stream(
        b"/Pattern cs /P scn 0 0 9 9 re f",
        b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 0.001 "
        b"/YStep 0.001 /Resources << /Pattern << /P 5 0 R >> >>",
    )
    return _content(
        b"/Pattern cs /P scn 0 0 240 320 re f",
        {5: pattern},
        b"/Resources << /Pattern << /P 5 0 R >> >>",
    )


def _type3_loop() -> bytes:
    font = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] "
        b"/FirstChar 65 /LastChar 65 /Widths [9] /Encoding << /Differences [65 /A] >> "
        b"/CharProcs << /A 6 0 R >> "
        b"/Resources << /Font << /F 5 0 R >> >> >>"
    )
    glyph = _stream(b"9 0 d0 BT /F 9 Tf (AAAA) Tj ET")
    return _content(
        b"BT /F 9 Tf (A) Tj ET", {5: font, 6: glyph}, b"/Resources << /Font << /F 5 0 R >> >>"
    )


def _page_tree_loop() -> bytes:
    return _pdf({1: _CATALOG, 2: b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>", 3: _page()})


def _parent_loop() -> bytes:
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Parent 2 0 R >>"
    page = b"<< /Type /Page /Parent 2 0 R >>"
    return _pdf({1: _CATALOG, 2: pages, 3: page})


def _many_pages(count: int) -> bytes:
    kids = b"3 0 R " * count
    pages = b"<< /Type /Pages /Kids [" + kids + b"] /Count " + str(count).encode() + b" >>"
    return _pdf({1: _CATALOG, 2: pages, 3: _page()})


def _claimed_pages(count: int) -> bytes:
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count " + str(count).encode() + b" >>"
    return _pdf({1: _CATALOG, 2: pages, 3: _page()})


def _xref_loop() -> bytes:
    data = _simple()
    start = data.rindex(b"startxref\n") + 10
    place = int(data[start:].split(b"\n")[0])
    return data.replace(b" >>\nstartxref", f" /Prev {place} >>\nstartxref".encode())


def _length_loop() -> bytes:
    """A stream whose length is the stream itself."""
    objects = {1: _CATALOG, 2: _PAGES, 3: _page(b"/Contents 4 0 R")}
    objects[4] = b"<< /Length 4 0 R >>\nstream\n0 0 9 9 re f\nendstream"
    return _pdf(objects)


def _reference_loop() -> bytes:
    return _simple(b"/Contents 4 0 R /Resources 5 0 R", {4: b"5 0 R", 5: b"4 0 R"})


def _object_stream(*, extends_itself: bool, first: int = 8) -> bytes:
    """A cross-reference stream and an object stream that is its own base, or lies about itself."""
    inner = b"<< /Type /Catalog /Pages 2 0 R >>"
    extra = f"/Type /ObjStm /N 1 /First {first} ".encode()
    if extends_itself:
        extra += b"/Extends 4 0 R"
    objects = {2: _PAGES, 3: _page(), 4: _stream(b"1 0     " + inner, extra)}
    body = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, value in objects.items():
        places[number] = len(body)
        body += str(number).encode() + b" 0 obj\n" + value + b"\nendobj\n"
    rows = [(0, 0, 255), (2, 4, 0), *((1, places[n], 0) for n in (2, 3, 4)), (1, len(body), 0)]
    table = b"".join(struct.pack(">BIB", *row) for row in rows)
    start = len(body)
    body += (
        b"5 0 obj\n" + _stream(table, b"/Type /XRef /Size 6 /W [1 4 1] /Root 1 0 R") + b"\nendobj\n"
    )
    return bytes(body) + f"startxref\n{start}\n%%EOF\n".encode()


def _jbig2(width: int, height: int) -> bytes:
    """A JBIG2 page information segment of a size, then a generic region without data."""
    info = struct.pack(">IIIIBH", width, height, 0, 0, 0, 0)
    page = struct.pack(">IBBBI", 0, 48, 0, 1, len(info)) + info
    region = struct.pack(">IIIIB", width, height, 0, 0, 0) + bytes(9)
    segment = struct.pack(">IBBBI", 1, 38, 0, 1, len(region)) + region
    extra = b"/ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /JBIG2Decode"
    return _image(min(width, 10**6), min(height, 10**6), page + segment, extra)


def _jbig2_symbols(count: int) -> bytes:
    """A symbol dictionary that claims ``count`` symbols."""
    body = struct.pack(">H", 0) + bytes(8) + struct.pack(">II", count, count) + bytes(40)
    segment = struct.pack(">IBBBI", 0, 0, 0, 1, len(body)) + body
    extra = b"/ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /JBIG2Decode"
    return _image(1000, 1000, segment, extra)


def _jpx(width: int, height: int, components: int, tile: int) -> bytes:
    """A JPEG 2000 codestream header of a size, with tiles and components of choice."""
    size = struct.pack(
        ">HIIIIIIIIH", 0, width, height, 0, 0, tile or width, tile or height, 0, 0, components
    )
    size += b"\x07\x01\x01" * components
    head = b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size
    cod = b"\xff\x52\x00\x0c\x00\x00\x00\x01\x00\x05\x04\x04\x00\x00"
    qcd = b"\xff\x5c\x00\x13\x40" + bytes(16)
    tail = b"\xff\x90\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x01\xff\x93" + bytes(64) + b"\xff\xd9"
    return _image(
        min(width, 10**6), min(height, 10**6), head + cod + qcd + tail, b"/Filter /JPXDecode"
    )


def _active(
    catalog: bytes = b"", page: bytes = b"", extra: Mapping[int, bytes] | None = None
) -> bytes:
    root = b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>"
    return _pdf({1: root, 2: _PAGES, 3: _page(page), **(extra or {})})


_SCRIPT = b"<< /S /JavaScript /JS (while(1){app.alert\\('x'\\)}) >>"
_LINK = b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 240 320] /A %s >>]"
_FIELD = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (Ann Lee) /Rect [10 10 90 40] %s >>"


def _active_files() -> dict[str, bytes]:
    submit = b"<< /S /SubmitForm /F (http://127.0.0.1:9/) >>"
    launch = b"<< /S /Launch /F (cmd.exe) >>"
    embedded = b"<< /Names << /EmbeddedFiles << /Names [(a) << /EF << /F 4 0 R >> >>] >> >> >>"
    return {
        "open-action.pdf": _active(b"/OpenAction " + _SCRIPT),
        "names.pdf": _active(b"/Names << /JavaScript << /Names [(a) " + _SCRIPT + b"] >> >>"),
        "page-action.pdf": _active(b"", b"/AA << /O " + _SCRIPT + b" >>"),
        "launch.pdf": _active(b"/OpenAction " + launch),
        "link-launch.pdf": _active(b"", _LINK % launch),
        "link-submit.pdf": _active(b"", _LINK % submit),
        "uri.pdf": _active(b"", _LINK % b"<< /S /URI /URI (file:///etc/passwd) >>"),
        "remote.pdf": _active(b"", _LINK % b"<< /S /GoToR /F (//host/share) /D [0 /Fit] >>"),
        "import.pdf": _active(b"/OpenAction << /S /ImportData /F (/etc/passwd) >>"),
        "embedded.pdf": _active(embedded[3:-3], b"", {4: _stream(b"MZ" * 100)}),
        "xfa.pdf": _active(b"/AcroForm << /Fields [] /XFA 4 0 R >>", b"", {4: _stream(b"<xdp/>")}),
        "form.pdf": _active(
            b"/AcroForm << /Fields [4 0 R] >>", b"/Annots [4 0 R]",
            {4: _FIELD % (b"/AA << /K " + _SCRIPT + b" >>")},
        ),
        "field-loop.pdf": _active(
            b"/AcroForm << /Fields [4 0 R] >>", b"/Annots [4 0 R]",
            {4: _FIELD % b"/Parent 4 0 R /Kids [4 0 R]"},
        ),
        "rich-media.pdf": _active(
            b"", b"/Annots [<< /Type /Annot /Subtype /RichMedia /Rect [0 0 9 9] >>]"
        ),
        "external-stream.pdf": _simple(
            b"/Contents 4 0 R", {4: b"<< /Length 0 /F (/etc/passwd) >>\nstream\n\nendstream"}
        ),
        "outline-loop.pdf": _active(
            b"/Outlines 4 0 R", b"",
            {4: b"<< /First 5 0 R /Last 5 0 R >>", 5: b"<< /Next 5 0 R /Title (a) >>"},
        ),
    }  # fmt: skip


def files() -> Iterator[tuple[Any, ...]]:
    """Yield (kind, name, maker[, heavy])."""
    loop = "pdf loop"
    makers = {
        "form": partial(_form_loop, 1), "forms": partial(_form_loop, 12),
        "soft-mask": _soft_mask_loop, "type3": _type3_loop, "page-tree": _page_tree_loop,
        "parent": _parent_loop, "xref": _xref_loop, "length": _length_loop,
        "reference": _reference_loop,
        "object-stream": partial(_object_stream, extends_itself=True),
        "object-stream-lies": partial(_object_stream, extends_itself=False, first=2**31 - 1),
    }  # fmt: skip
    for name, make in makers.items():
        yield loop, f"{name}.pdf", make
    yield loop, "pattern.pdf", _pattern_loop, "heavy"
    bomb = "pdf bomb"
    yield bomb, "forms-10e6.pdf", partial(_form_tree, 6), "heavy"
    yield bomb, "forms-10e9.pdf", partial(_form_tree, 9), "heavy"
    yield bomb, "flate-500mb.pdf", partial(_layers, 1, 500), "heavy"
    yield bomb, "flate-layers.pdf", partial(_layers, 6, 200), "heavy"
    yield bomb, "flate-40-layers.pdf", partial(_layers, 40, 1), "heavy"
    yield bomb, "image-20k.pdf", partial(_flate_image, 20_000), "heavy"
    yield bomb, "image-60k.pdf", partial(_flate_image, 60_000), "heavy"
    yield bomb, "paths.pdf", partial(_packed_content, b"0 0 m 240 320 l S " * 400_000), "heavy"
    yield (
        bomb,
        "curves.pdf",
        partial(_packed_content, b"0 0 m 1 9 240 7 240 320 c B* " * 300_000),
        "heavy",
    )
    yield (
        bomb,
        "text.pdf",
        partial(_packed_content, b"BT /F 9 Tf (AAAAAAAA) Tj ET " * 300_000),
        "heavy",
    )
    depth = "pdf depth"
    yield depth, "save.pdf", partial(_packed_content, b"q " * 2_000_000), "heavy"
    yield depth, "arrays.pdf", partial(_content, b"[" * 200_000)
    yield depth, "dictionaries.pdf", partial(_content, b"<<" * 200_000)
    yield depth, "object-arrays.pdf", partial(_simple, b"/X " + b"[" * 100_000 + b"]" * 100_000)
    yield (
        depth,
        "object-names.pdf",
        partial(_simple, b"/X " + b"<</A " * 50_000 + b"1" + b">>" * 50_000),
    )
    yield depth, "clips.pdf", partial(_packed_content, b"0 0 99 99 re W n " * 300_000), "heavy"
    count = "page count"
    yield count, "51.pdf", partial(_many_pages, 51)
    yield count, "300000.pdf", partial(_many_pages, 300_000), "heavy"
    yield count, "claimed.pdf", partial(_claimed_pages, 2**31 - 1)
    yield count, "negative.pdf", partial(_claimed_pages, -5)
    size = "pdf dimensions"
    for name, box in {
        "huge": b"[0 0 1000000000 1000000000]", "thin": b"[0 0 0.0001 100000]", "empty": b"[]",
        "zero": b"[0 0 0 0]", "negative": b"[0 0 -240 -320]", "infinite": b"[0 0 1e999 1e999]",
        "words": b"[/a /b /c /d]", "overflow": b"[-2147483648 -2147483648 2147483647 2147483647]",
        "loop": b"3 0 R", "user-unit": b"[0 0 240 320] /UserUnit 100000",
    }.items():  # fmt: skip
        yield size, f"{name}.pdf", partial(_simple, b"", None, box)
    yield size, "rotate.pdf", partial(_simple, b"/Rotate 2147483647")
    codec = "pdf codec"
    for width, height in ((2**32 - 1, 2**32 - 1), (60_000, 60_000), (1, 2**31 - 1)):
        yield codec, f"jbig2-{width}x{height}.pdf", partial(_jbig2, width, height), "heavy"
        yield codec, f"jpx-{width}x{height}.pdf", partial(_jpx, width, height, 3, 0), "heavy"
    yield codec, "jbig2-symbols.pdf", partial(_jbig2_symbols, 2**32 - 1)
    yield codec, "jpx-tiles.pdf", partial(_jpx, 60_000, 60_000, 1, 1), "heavy"
    yield codec, "jpx-components.pdf", partial(_jpx, 1000, 1000, 16_384, 0), "heavy"
    for name in (
        "CCITTFaxDecode",
        "DCTDecode",
        "LZWDecode",
        "RunLengthDecode",
        "ASCII85Decode",
        "Crypt",
    ):
        extra = f"/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /{name}".encode()
        yield codec, f"{name}.pdf", partial(_image, 30_000, 30_000, b"\x80" * 5000, extra)
    for name, body in _active_files().items():
        yield "pdf active", name, partial(bytes, body)
