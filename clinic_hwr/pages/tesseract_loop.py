"""The child of ``warm_tesseract``: keeps Tesseract's language files loaded and reads rasters.

Run as a file, with nothing but the standard library:
``python -I -S tesseract_loop.py LIBRARY PIXELS``. It says the library's version on a line, then
answers requests until its input ends. A request is a line ``width height page_mode inverted
languages``; the pixels lie in the open file PIXELS (its number), row by row, one byte each. Where
``inverted`` is 1, lines it is not sure of are read in negative as well. An answer is a line with
the number of bytes that follow, and those: Tesseract's table as UTF-8. -1 stands for a language
file that cannot be loaded.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from ctypes import c_char_p, c_int, c_void_p


class Reader:
    """Tesseract's C interface with the handles it has made, one for each choice of languages."""

    def __init__(self, path: str) -> None:
        self._library = library = ctypes.CDLL(path)
        library.TessVersion.restype = c_char_p
        library.TessBaseAPICreate.restype = c_void_p
        library.TessBaseAPIInit3.argtypes = [c_void_p, c_char_p, c_char_p]
        library.TessBaseAPISetPageSegMode.argtypes = [c_void_p, c_int]
        library.TessBaseAPISetVariable.argtypes = [c_void_p, c_char_p, c_char_p]
        library.TessBaseAPISetImage.argtypes = [c_void_p, c_void_p, c_int, c_int, c_int, c_int]
        library.TessBaseAPIGetTsvText.argtypes = [c_void_p, c_int]
        library.TessBaseAPIGetTsvText.restype = c_void_p
        library.TessDeleteText.argtypes = [c_void_p]
        library.TessBaseAPIClear.argtypes = [c_void_p]
        library.TessBaseAPIClearAdaptiveClassifier.argtypes = [c_void_p]
        library.TessBaseAPIDelete.argtypes = [c_void_p]
        self._handles: dict[bytes, int] = {}

    @property
    def version(self) -> bytes:
        """As ``5.3.0``."""
        return bytes(self._library.TessVersion())

    def table(
        self,
        pixels: mmap.mmap,
        width: int,
        height: int,
        page_mode: int,
        inverted: bytes,
        languages: bytes,
    ) -> bytes | None:
        """Tesseract's table of a raster; None when a language file cannot be loaded."""
        handle = self._handle(languages)
        if handle is None:
            return None
        self._library.TessBaseAPISetPageSegMode(handle, page_mode)
        self._library.TessBaseAPISetVariable(handle, b"tessedit_do_invert", inverted)
        first = ctypes.c_ubyte.from_buffer(pixels)  # copied by Tesseract
        self._library.TessBaseAPISetImage(handle, ctypes.byref(first), width, height, 1, width)
        text = self._library.TessBaseAPIGetTsvText(handle, 0)
        answer = ctypes.string_at(text) if text else b""
        if text:
            self._library.TessDeleteText(text)
        # One page must not know of another: what it learnt goes with its pixels.
        self._library.TessBaseAPIClear(handle)
        self._library.TessBaseAPIClearAdaptiveClassifier(handle)
        return answer

    def _handle(self, languages: bytes) -> int | None:
        if languages not in self._handles:
            handle = self._library.TessBaseAPICreate()
            if self._library.TessBaseAPIInit3(handle, None, languages) != 0:
                self._library.TessBaseAPIDelete(handle)
                return None
            self._handles[languages] = handle
        return self._handles[languages]


def main() -> None:
    """Answer requests until the input ends."""
    reader, shared = Reader(sys.argv[1]), int(sys.argv[2])
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sink.write(reader.version + b"\n")
    sink.flush()
    while head := source.readline():
        width, height, page_mode, inverted, languages = head.split()
        pixels = mmap.mmap(shared, int(width) * int(height))
        answer = reader.table(pixels, int(width), int(height), int(page_mode), inverted, languages)
        sink.write(b"-1\n" if answer is None else b"%d\n" % len(answer) + answer)
        sink.flush()


if __name__ == "__main__":
    main()
