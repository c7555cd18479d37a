"""Barcodes on a page: separator sheets, and the codes that forms carry."""

from __future__ import annotations

from typing import Any

_LOOK_PX = 2_500_000
"""A page is shrunk to this before looking; the modules of the sheet's QR code then have 20 px."""

_LONGEST = 200


def read_codes(gray: Any, *, every_kind: bool) -> list[str]:
    """Return the texts of the barcodes on a page, whichever way it lies.

    Args:
        gray: raster (height, width), uint8.
        every_kind: look for the kinds that forms carry as well; QR codes alone take a fifth of
            the time.
    """
    import zxingcpp

    kinds = zxingcpp.BarcodeFormat
    formats = [kinds.QRCode]
    if every_kind:
        formats += [kinds.Code128, kinds.Code39, kinds.DataMatrix, kinds.PDF417, kinds.ITF]
    found = zxingcpp.read_barcodes(
        _shrunk(gray), formats=formats, try_invert=False, try_downscale=True
    )
    return sorted({code.text[:_LONGEST] for code in found if code.valid})


def _shrunk(gray: Any) -> Any:
    import numpy as np
    from PIL import Image

    height, width = gray.shape
    if height * width <= _LOOK_PX:
        return np.ascontiguousarray(gray)
    factor = (_LOOK_PX / (height * width)) ** 0.5
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX))
