"""Files of other kinds under the name of a scan, and files that are two things at once."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Any

from PIL import Image

from .. import samples
from ..samples import encoded, marked_page

_SCRIPT = b"<script>alert(document.domain)</script>"
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
_XXE = (
    b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b"<svg><text>&x;</text></svg>"
)
_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(8))
    + b"]><l>&i;</l>"
)


def _zip(name: str, body: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), body)
    return buffer.getvalue()


def _nested_zip(depth: int) -> bytes:
    body = bytes(1 << 20)
    for level in range(depth):
        body = _zip(f"{level}.zip", body)
    return body


def _tar(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def _other(file_format: str) -> bytes:
    return encoded(marked_page().convert("RGB"), file_format)


def _contents() -> dict[str, bytes]:
    """Contents that are no scan."""
    return {
        "svg": _SVG,
        "svg-bom": b"\xef\xbb\xbf" + _SVG,
        "svgz": gzip.compress(_SVG, mtime=0),
        "xxe": _XXE,
        "laughs": _LAUGHS,
        "html": b"<!DOCTYPE html><html>" + _SCRIPT,
        "js": b"alert(1);//",
        "zip": _zip("../../etc/cron.d/x", b"* * * * * root x"),
        "zip-bomb": _nested_zip(4),
        "docm": _zip("word/vbaProject.bin", b"\xd0\xcf\x11\xe0"),
        "tar": _tar("../../x"),
        "gz": gzip.compress(bytes(1 << 20), mtime=0),
        "exe": b"MZ" + bytes(58) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0" + bytes(200),
        "elf": b"\x7fELF\x02\x01\x01" + bytes(200),
        "sh": b"#!/bin/sh\nrm -rf /\n",
        "ole": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "rtf": rb"{\rtf1{\object\objdata 0105}}",
        "ps": b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file\n",
        "eps": b"\xc5\xd0\xd3\xc6" + bytes(60),
        "gif": _other("GIF"),
        "bmp": _other("BMP"),
        "ico": _other("ICO"),
        "ppm": _other("PPM"),
        "tga": _other("TGA"),
        "jp2": _other("JPEG2000"),
        "avif": _other("AVIF"),
        "psd": b"8BPS\0\x01" + bytes(20) + struct.pack(">HIIHH", 3, 30_000, 30_000, 8, 3),
        "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100),
        "wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
        "text": b"take two daily",
        "nul": bytes(4096),
        "ff": b"\xff" * 4096,
        "one": b"x",
        "empty": b"",
        "pickle": b"cos\nsystem\n(S'x'\ntR.",
        "eml": b"From: a@b\r\nSubject: x\r\n\r\nbody\r\n",
    }


def _polyglots() -> dict[str, bytes]:
    """Files that one program takes for a scan and another for something else."""
    pdf, png, jpeg = samples.pdf(), samples.png(), samples.jpeg()
    html = b"<html>" + _SCRIPT
    comment = b"\xff\xfe" + struct.pack(">H", len(_SCRIPT) + 2) + _SCRIPT
    tiff = samples.tiff()
    return {
        "pdf+zip.pdf": pdf + _zip("a.exe", b"MZ"),
        "zip+pdf.pdf": _zip("a.exe", b"MZ") + pdf,
        "html+pdf.pdf": html + pdf,
        "pdf+html.pdf": pdf + html + b"\n%%EOF\n",
        "exe+pdf.pdf": b"MZ" + bytes(200) + pdf,
        "pdf-late.pdf": bytes(900) + pdf,
        "png+html.png": png + html,
        "png+zip.png": png + _zip("a.html", html),
        "png+pdf.png": png + pdf,
        "jpeg+html.jpg": jpeg[:2] + comment + jpeg[2:],
        "jpeg+zip.jpg": jpeg + _zip("a.js", b"x"),
        "jpeg+php.jpg": jpeg + b"<?php system($_GET[0]); ?>",
        "gif+js.gif": b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)",
        "tiff+html.tif": tiff + html,
        "webp+zip.webp": encoded(Image.new("RGB", (240, 320)), "WEBP") + _zip("x", b"y"),
        "two-pdfs.pdf": pdf + samples.pdf(pages=3),
        "png-in-jpeg.jpg": jpeg[:-2] + png,
    }


_NAMES = ("png", "pdf", "tif")
_ODD_NAMES = (
    "../../../etc/passwd.png",
    "..\\..\\windows\\system32\\x.png",
    "a\x00b.png",
    "<img src=x onerror=alert(1)>.png",
    "\u202egnp.exe",
    "con.png",
    "x" * 3000 + ".png",
    "'; DROP TABLE scan;--.png",
    "\n\r\nSet-Cookie: a=b.png",
    ".png",
    "rx.png.exe",
    "=cmd|' /C calc'!A0.png",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") + ".png",
)


def files() -> Iterator[tuple[Any, ...]]:
    """Yield (kind, name, maker)."""
    for number, (name, body) in enumerate(sorted(_contents().items())):
        # Under its own name, and under that of a scan.
        yield "wrong type", f"{name}.{name}", partial(bytes, body)
        yield "wrong type", f"{name}.{_NAMES[number % 3]}", partial(bytes, body)
    for name, body in sorted(_polyglots().items()):
        yield "polyglot", name, partial(bytes, body)
    for number, name in enumerate(_ODD_NAMES):
        yield "odd name", name, partial(samples.png, number + 1)
    yield "wrong name", "a.png", samples.pdf
    yield "wrong name", "a.pdf", samples.jpeg
    yield "wrong name", "a.html", samples.png
    yield "wrong name", "a.svg", samples.jpeg
