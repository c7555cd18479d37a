"""Image files, decoded by Pillow: PNG, JPEG, TIFF, WebP, and HEIC with pillow-heif installed."""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Iterator
from typing import Any

from clinic_hwr.intake.decoder.limits import Refused, call_decoder
from clinic_hwr.intake.decoder.pdfs import fit_scale

PIL_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
    "image/heic": "HEIF",
}


class ImageSource:
    """A picture, or a TIFF of many pages; of an animation the first frame counts."""

    def __init__(self, data: bytes, options: argparse.Namespace) -> None:
        from PIL import Image

        # The limit is checked below, per page and with our own words.
        Image.MAX_IMAGE_PIXELS = None
        self._options = options
        if options.mime == "image/heic":
            _allow_heic()
        self._image = call_decoder(
            Image.open, io.BytesIO(data), formats=[PIL_FORMATS[options.mime]]
        )

    def sizes(self) -> list[list[int]]:
        """Return the size of every page in pixels, from the headers alone."""
        return [list(self._image.size) for _ in self._frames()]

    def _chosen(self) -> Iterator[None]:
        """Step through the pages that were asked for."""
        only = self._options.only
        for number, _ in enumerate(self._frames(), start=1):
            if not only or number in only:
                yield

    def _frames(self) -> Iterator[None]:
        """Step through the pages, each checked before anything of it is decoded."""
        paged = self._options.mime == "image/tiff"  # the second frame of a JPEG is a preview
        number = total = 0
        while number == 0 or (paged and self._seek(number)):
            if number == self._options.max_pages:
                raise Refused("too_many_pages", "")
            width, height = self._image.size
            total += width * height
            if width * height > self._options.max_page_px:
                raise Refused("too_many_pixels", f"A page of this file has {width} x {height}")
            if total > self._options.max_total_px:
                raise Refused("too_many_pixels", f"This file has {total // 1_000_000} million")
            yield
            number += 1
        if paged:
            call_decoder(self._image.seek, 0)

    def _seek(self, number: int) -> bool:
        try:
            self._image.seek(number)
        except EOFError:
            return False
        except Exception as error:  # a damaged directory raises nearly anything
            raise Refused("broken", type(error).__name__) from error
        return True

    def pages(self) -> Iterator[tuple[Any, int, float, float]]:
        """Yield (gray raster, dpi, scale x, scale y); scale is raster over displayed pixels."""
        for _ in self._chosen():
            yield call_decoder(self._page)

    def _page(self) -> tuple[Any, int, float, float]:
        from PIL import Image, ImageOps

        dpi_x, dpi_y = resolution(self._image)
        full_width, full_height = self._image.size
        if self._options.mime == "image/jpeg":
            shrink = fit_scale(full_width * full_height, self._options.working_px)
            # Lets libjpeg decode to gray, and to an eighth .. a half where that is enough.
            self._image.draft("L", (int(full_width * shrink), int(full_height * shrink)))
        orientation = self._image.getexif().get(0x0112, 1)
        gray = to_gray(self._image)
        if self._options.mime != "image/tiff":  # Pillow turns a TIFF itself while loading
            gray.getexif()[0x0112] = orientation
            gray = ImageOps.exif_transpose(gray)
            if orientation >= 5:
                full_width, full_height = full_height, full_width
        if orientation >= 5:
            dpi_x, dpi_y = dpi_y, dpi_x
        # Faxes have 204 x 98 dots an inch: make the dots square or every letter is squashed.
        stretch_x, stretch_y = square_dots(dpi_x, dpi_y)
        shrink = fit_scale(
            full_width * stretch_x * full_height * stretch_y, self._options.working_px
        )
        target = (
            max(1, round(full_width * stretch_x * shrink)),
            max(1, round(full_height * stretch_y * shrink)),
        )
        if gray.size != target:
            gray = gray.resize(target, Image.Resampling.LANCZOS, reducing_gap=2.0)
        dpi = round(max(dpi_x, dpi_y) * shrink)
        return as_array(gray), dpi, target[0] / full_width, target[1] / full_height

    def as_pdf(self, data: bytes) -> bytes:
        """Return the chosen pages as PDF: wrapped without loss, or encoded anew as PNG."""
        import img2pdf

        # The other engine puts a random /ID into the file; the same scan must give the same PDF.
        options = {
            "rotation": img2pdf.Rotation.ifvalid,
            "nodate": True,
            "engine": img2pdf.Engine.internal,
        }
        if not self._options.only:
            # Alpha, 16 bit, odd colour spaces: a long list, each with a class of its own.
            with contextlib.suppress(Exception):
                return bytes(img2pdf.convert(data, **options))
        return bytes(img2pdf.convert(list(self._flat_pngs()), **options))

    def _flat_pngs(self) -> Iterator[bytes]:
        """Yield the chosen pages at full size as opaque 8-bit PNG."""
        for _ in self._chosen():
            yield call_decoder(self._flat_png)

    def _flat_png(self) -> bytes:
        from PIL import ImageOps

        image = self._image
        if is_deep(image.mode):
            flat = to_gray(image)
        elif has_alpha(image):
            flat = on_white(image)
        else:
            flat = image.convert("RGB")
        buffer = io.BytesIO()
        dpi = resolution(image)
        extra = {"dpi": dpi} if all(dpi) else {}
        ImageOps.exif_transpose(flat).save(buffer, "PNG", compress_level=3, **extra)
        return buffer.getvalue()


def _allow_heic() -> None:
    import pillow_heif

    # One thread: the limits of the process are for one.
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener()


def resolution(image: Any) -> tuple[float, float]:
    """Return dots an inch across and down, (0, 0) where the file does not say."""
    dpi = image.info.get("dpi", (0, 0))
    across, down = float(dpi[0]), float(dpi[1])
    return (across, down) if 30 <= across <= 4800 and 30 <= down <= 4800 else (0.0, 0.0)


def square_dots(dpi_x: float, dpi_y: float) -> tuple[float, float]:
    """Return the factors across and down that make dots square; (1, 1) where they nearly are."""
    if not dpi_x or not dpi_y or 0.9 < dpi_x / dpi_y < 1.1:
        return 1.0, 1.0
    return max(dpi_y / dpi_x, 1.0), max(dpi_x / dpi_y, 1.0)


def is_deep(mode: str) -> bool:
    """Return whether a Pillow mode holds more than 8 bits a sample."""
    return mode.startswith("I") or mode == "F"


def has_alpha(image: Any) -> bool:
    """Return whether the image has transparent pixels or a transparent colour."""
    return image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info


def on_white(image: Any) -> Any:
    """Return the image as RGB over white paper; what is transparent would else turn black."""
    from PIL import Image

    rgba = image.convert("RGBA")
    paper = Image.new("RGB", rgba.size, "white")
    paper.paste(rgba, mask=rgba.getchannel("A"))
    return paper


def to_gray(image: Any) -> Any:
    """Return the image in Pillow mode L, whatever its depth and colour space."""
    if is_deep(image.mode):
        return deep_to_gray(image)
    if has_alpha(image):
        return on_white(image).convert("L")
    return image.convert("L")


def deep_to_gray(image: Any) -> Any:
    """Bring 16-bit, 32-bit and float samples down to 8 bits."""
    import numpy as np
    from PIL import Image

    samples = np.asarray(image)
    highest = float(samples.max(initial=0))
    if image.mode == "F":
        factor = 255.0 if highest <= 1.0 else 1.0 if highest <= 255.0 else 255.0 / highest
    else:  # integers use the range of their depth, whatever the brightest one happens to be
        factor = 1.0 / 257.0 if highest <= 65535 else 255.0 / highest
    return Image.fromarray(np.clip(samples * np.float32(factor), 0, 255).astype(np.uint8))


def as_array(gray: Any) -> Any:
    """Return a mode-L image as a uint8 array (height, width)."""
    import numpy as np

    return np.asarray(gray, dtype=np.uint8)
