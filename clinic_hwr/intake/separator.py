"""The separator sheet: a page to print, with the code that parts prescriptions in a batch."""

from __future__ import annotations

import io

import img2pdf
import numpy as np
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from .batches import SEPARATOR_CODE

PAPERS = {"letter": (8.5, 11.0), "a4": (8.27, 11.69)}
"""Width and height in inches."""

_DPI = 150
_CODE_INCHES = 3.0
"""So large that a fax at 98 dots an inch has ten dots a module."""


def separator_pdf(paper: str = "letter") -> bytes:
    """Return the sheet as a PDF of one page; the same bytes every time.

    Raises:
        KeyError: ``paper`` is not one of ``PAPERS``.
    """
    width, height = (round(side * _DPI) for side in PAPERS[paper])
    page = Image.new("L", (width, height), 255)
    code = _code()
    # Twice, at both ends: a sheet torn, folded or fed askew keeps one of them.
    for top in (_DPI, height - _DPI - code.height):
        page.paste(code, ((width - code.width) // 2, top))
    draw = ImageDraw.Draw(page)
    middle = height // 2
    _centred(draw, "SEPARATOR SHEET", width, middle - 60, 44)
    _centred(draw, "Put one between prescriptions before scanning or faxing.", width, middle, 24)
    _centred(draw, "It is not part of any prescription.", width, middle + 40, 24)
    buffer = io.BytesIO()
    page.convert("1", dither=Image.Dither.NONE).save(buffer, "PNG", dpi=(_DPI, _DPI))
    pdf = img2pdf.convert(buffer.getvalue(), nodate=True, engine=img2pdf.Engine.internal)
    return bytes(pdf)


def _code() -> Image.Image:
    code = zxingcpp.create_barcode(SEPARATOR_CODE, zxingcpp.BarcodeFormat.QRCode, ec_level="H")
    modules = np.asarray(zxingcpp.write_barcode_to_image(code, scale=1))
    side = round(_CODE_INCHES * _DPI) // modules.shape[0] * modules.shape[0]
    return Image.fromarray(modules).resize((side, side), Image.Resampling.NEAREST)


def _centred(draw: ImageDraw.ImageDraw, text: str, width: int, top: int, size: int) -> None:
    font = ImageFont.load_default(size)
    left = (width - draw.textlength(text, font=font)) / 2
    draw.text((left, top), text, fill=0, font=font)
