"""PDF files, drawn by PDFium without scripts."""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Iterator
from typing import Any

from clinic_hwr.intake.decoder.limits import Refused, call_decoder

PDF_DPI = 200
POINTS_PER_INCH = 72


class PdfSource:
    """A PDF, drawn page by page."""

    def __init__(self, data: bytes, options: argparse.Namespace) -> None:
        import pypdfium2

        self._options = options
        # PDFium repairs a file that was cut off by leaving out what is missing: a page of
        # orders could vanish in silence. The standard wants the marker in the last 1024 bytes.
        if b"%%EOF" not in data[-2048:]:
            raise Refused("broken", "no end marker")
        try:
            self._pdf = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            encrypted = error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD
            raise Refused("encrypted" if encrypted else "broken", "") from error
        if len(self._pdf) == 0:
            raise Refused("broken", "no pages")
        if len(self._pdf) > options.max_pages:
            raise Refused("too_many_pages", str(len(self._pdf)))
        self._pdf.init_forms()  # values typed into form fields belong to the page

    def sizes(self) -> list[list[int]]:
        """Return the size of every page in pixels as it will be drawn."""
        return [self._size(number) for number in range(len(self._pdf))]

    def _size(self, number: int) -> list[int]:
        width, height = call_decoder(self._pdf.get_page_size, number)
        if not (0 < width < math.inf and 0 < height < math.inf):
            raise Refused("broken", "page size")
        scale = self._scale(width, height)
        return [math.ceil(width * scale), math.ceil(height * scale)]

    def _scale(self, width_pt: float, height_pt: float) -> float:
        """Return pixels per point: 200 dpi, or less where that would be over the limit."""
        full = PDF_DPI / POINTS_PER_INCH
        return full * fit_scale(width_pt * height_pt * full * full, self._options.working_px)

    def pages(self) -> Iterator[tuple[Any, int, float, float]]:
        """Yield (gray raster, dpi, 1, 1): what is drawn is the original raster."""
        for number in self._chosen():
            yield call_decoder(self._page, number)

    def _chosen(self) -> list[int]:
        only = self._options.only
        return [n for n in range(len(self._pdf)) if not only or n + 1 in only]

    def _page(self, number: int) -> tuple[Any, int, float, float]:
        page = self._pdf[number]
        scale = self._scale(*page.get_size())
        bitmap = page.render(scale=scale, grayscale=True)
        gray = bitmap.to_numpy().reshape(bitmap.height, bitmap.width).copy()
        bitmap.close()
        page.close()
        return gray, round(scale * POINTS_PER_INCH), 1.0, 1.0

    def as_pdf(self, data: bytes) -> bytes:
        """Return the file as it may leave the house: the chosen pages, without anything active.

        A file that is wanted whole and holds nothing active comes back byte for byte.
        """
        import pikepdf

        try:
            return self._without_active_parts(data)
        except pikepdf.PdfError:  # repaired by PDFium and not by qpdf: hand on what was drawn
            return self._drawn_pdf()

    def _drawn_pdf(self) -> bytes:
        import img2pdf
        from PIL import Image

        pictures = []
        for gray, dpi, _, _ in self.pages():
            buffer = io.BytesIO()
            Image.fromarray(gray).save(buffer, "PNG", compress_level=3, dpi=(dpi, dpi))
            pictures.append(buffer.getvalue())
        return bytes(img2pdf.convert(pictures, nodate=True, engine=img2pdf.Engine.internal))

    def _without_active_parts(self, data: bytes) -> bytes:
        import pikepdf

        with pikepdf.open(io.BytesIO(data)) as document:
            wanted = self._chosen()
            whole = len(wanted) == len(document.pages)
            if whole and not is_active(document):
                return data
            document.flatten_annotations("screen")
            with pikepdf.new() as clean:
                for number in wanted:
                    clean.pages.append(document.pages[number])
                for page in clean.pages:
                    for key in ("/Annots", "/AA", "/PieceInfo", "/Metadata", "/B"):
                        if key in page.obj:
                            del page.obj[key]
                buffer = io.BytesIO()
                # The same scan must give the same PDF.
                clean.save(buffer, deterministic_id=True)
        return buffer.getvalue()


_ACTIVE_KEYS = ("/OpenAction", "/AA", "/AcroForm", "/Collection")
_ACTIVE_NAMES = ("/JavaScript", "/EmbeddedFiles")
_HARMLESS_ACTIONS = ("/GoTo", "/Named")


def is_active(document: Any) -> bool:
    """Return whether a PDF runs, submits, opens or carries anything (pikepdf document)."""
    root = document.Root
    names = root.get("/Names")
    if any(key in root for key in _ACTIVE_KEYS):
        return True
    if names is not None and any(key in names for key in _ACTIVE_NAMES):
        return True
    return any(_page_is_active(page.obj) for page in document.pages)


def _page_is_active(page: Any) -> bool:
    if "/AA" in page:
        return True
    for note in page.get("/Annots", []):
        action = note.get("/A")
        if "/AA" in note or note.get("/Subtype") in ("/FileAttachment", "/RichMedia", "/Movie"):
            return True
        if action is not None and (action.get("/S") not in _HARMLESS_ACTIONS or "/Next" in action):
            return True
    return False


def fit_scale(pixels: float, limit_px: int) -> float:
    """Return the factor 0..1 for both sides that brings ``pixels`` down to ``limit_px``."""
    return min(1.0, math.sqrt(limit_px / pixels)) if pixels > 0 else 1.0
