"""The decoder process: untrusted bytes in on stdin, facts or gray pages out on stdout.

Run as a plain script under memory and time limits, so that a decompression bomb or a decoder
bug costs this process and nothing else. It imports neither Django nor torch: a page must be
review-ready within seconds and every scan pays for this start. Nothing here imports the rest
of the product; the parent (``intake.decoding``) passes the limits in.

Output: one JSON line ``{"pages": [[width_px, height_px], ...]}``; in mode ``pages`` then, for
every page, one JSON line and ``width * height`` bytes (uint8), at last ``{"end": true}``; in mode
``pdf`` one JSON line with the length and then the PDF. Any line may be
``{"error": [code, detail]}`` instead, and is then the last.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import resource
import sys
import warnings
from collections.abc import Iterator
from typing import Any

PIL_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/tiff": "TIFF"}
PDF_DPI = 200
POINTS_PER_INCH = 72


class Refused(Exception):
    """The file is over a limit, encrypted or broken; ``args`` are (code, detail)."""


def limit_resources(memory_bytes: int, cpu_s: int) -> None:
    """Bound what this process may use, for good: address space, CPU time, no files written."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Decode stdin as the arguments say; exit 0 also when the file is refused."""
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["inspect", "pages", "pdf"])
    parser.add_argument("--mime", required=True)
    parser.add_argument("--max-pages", type=int, required=True)
    parser.add_argument("--max-page-px", type=int, required=True)
    parser.add_argument("--working-px", type=int, required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--cpu-s", type=int, required=True)
    options = parser.parse_args()
    limit_resources(options.memory_bytes, options.cpu_s)

    data = sys.stdin.buffer.read()
    source = PdfSource if options.mime == "application/pdf" else ImageSource
    try:
        document: Any = source(data, options)
        write_line({"pages": document.sizes()})
        if options.mode == "pages":
            write_pages(document.pages())
        elif options.mode == "pdf":
            write_pdf(data, document)
    except Refused as refusal:
        write_line({"error": list(refusal.args)})
    return 0


def write_line(value: dict[str, Any]) -> None:
    """Write one JSON line."""
    sys.stdout.buffer.write(json.dumps(value).encode() + b"\n")
    sys.stdout.buffer.flush()


def write_pages(pages: Iterator[tuple[Any, int, float, float]]) -> None:
    """Write every page as it is decoded, so that no process ever holds two of them."""
    for gray, dpi, scale_x, scale_y in pages:
        height, width = gray.shape
        write_line({"width": width, "height": height, "dpi": dpi, "scale": [scale_x, scale_y]})
        sys.stdout.buffer.write(gray.tobytes())
    write_line({"end": True})


def write_pdf(data: bytes, document: ImageSource) -> None:
    """Write an image file as PDF: losslessly wrapped, or re-encoded where PDF cannot hold it."""
    import img2pdf

    # The other engine puts a random /ID into the file; the same scan must give the same PDF.
    options = {
        "rotation": img2pdf.Rotation.ifvalid,
        "nodate": True,
        "engine": img2pdf.Engine.internal,
    }
    try:
        pdf = img2pdf.convert(data, **options)
    except Exception:  # alpha, 16 bit, odd colour spaces: a long list, each with its own class
        pdf = img2pdf.convert(list(document.flat_pngs()), **options)
    write_line({"bytes": len(pdf)})
    sys.stdout.buffer.write(pdf)


class ImageSource:
    """A PNG, JPEG or (multi-page) TIFF."""

    def __init__(self, data: bytes, options: argparse.Namespace) -> None:
        from PIL import Image

        # The limit is checked below, per page and with our own words.
        Image.MAX_IMAGE_PIXELS = None
        self._options = options
        self._image = call_decoder(
            Image.open, io.BytesIO(data), formats=[PIL_FORMATS[options.mime]]
        )

    def sizes(self) -> list[list[int]]:
        """Return the size of every page in pixels, from the headers alone."""
        return [list(self._image.size) for _ in self._frames()]

    def _frames(self) -> Iterator[None]:
        """Step through the pages, each checked before anything of it is decoded."""
        paged = self._options.mime == "image/tiff"  # the second frame of a JPEG is a preview
        number = 0
        while number == 0 or (paged and self._seek(number)):
            if number == self._options.max_pages:
                raise Refused("too_many_pages", "")
            width, height = self._image.size
            if width * height > self._options.max_page_px:
                raise Refused("too_many_pixels", f"{width} x {height}")
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
        for _ in self._frames():
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

    def flat_pngs(self) -> Iterator[bytes]:
        """Yield every page at full size as an opaque 8-bit PNG."""
        for _ in self._frames():
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


class PdfSource:
    """A PDF, drawn by PDFium without scripts."""

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
        scale = self._scale(width, height)
        return [math.ceil(width * scale), math.ceil(height * scale)]

    def _scale(self, width_pt: float, height_pt: float) -> float:
        """Return pixels per point: 200 dpi, or less where that would be over the limit."""
        full = PDF_DPI / POINTS_PER_INCH
        return full * fit_scale(width_pt * height_pt * full * full, self._options.working_px)

    def pages(self) -> Iterator[tuple[Any, int, float, float]]:
        """Yield (gray raster, dpi, 1, 1): what is drawn is the original raster."""
        for number in range(len(self._pdf)):
            yield call_decoder(self._page, number)

    def _page(self, number: int) -> tuple[Any, int, float, float]:
        page = self._pdf[number]
        scale = self._scale(*page.get_size())
        bitmap = page.render(scale=scale, grayscale=True)
        gray = bitmap.to_numpy().reshape(bitmap.height, bitmap.width).copy()
        bitmap.close()
        page.close()
        return gray, round(scale * POINTS_PER_INCH), 1.0, 1.0


def call_decoder(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a decoder and turn whatever it raises into ``Refused``."""
    try:
        return function(*args, **kwargs)
    except Refused:
        raise
    except MemoryError as error:
        raise Refused("too_complex", "memory") from error
    except Exception as error:  # decoders raise nearly anything on damaged input
        raise Refused("broken", type(error).__name__) from error


def fit_scale(pixels: float, limit_px: int) -> float:
    """Return the factor 0..1 for both sides that brings ``pixels`` down to ``limit_px``."""
    return min(1.0, math.sqrt(limit_px / pixels)) if pixels > 0 else 1.0


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


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
