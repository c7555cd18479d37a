"""The decoder of scans, run as a script.

Output: one JSON line ``{"pages": [[width_px, height_px], ...]}``; in mode ``pages`` then, for
every page, one JSON line and ``width * height`` bytes (uint8), at last ``{"end": true}``; in mode
``pdf`` one JSON line with the length and then the PDF. Any line may be
``{"error": [code, detail]}`` instead, and is then the last.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SPARE_PAGES = 4
"""A single heavy page may take as long as five."""


def main() -> int:
    """Decode stdin as the arguments say; exit 0 also when the file is refused."""
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["inspect", "pages", "pdf"])
    parser.add_argument("--mime", required=True)
    parser.add_argument("--max-pages", type=int, required=True)
    parser.add_argument("--max-page-px", type=int, required=True)
    parser.add_argument("--max-total-px", type=int, required=True)
    parser.add_argument("--working-px", type=int, required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--cpu-s", type=int, required=True)
    parser.add_argument("--page-cpu-s", type=int, required=True)
    parser.add_argument("--only", default="", help="page numbers from 1, joined by commas")
    parser.add_argument("--codes", choices=["", "separators", "all"], default="")
    options = parser.parse_args()
    # What a later import needs is read before the limits close in; nothing is written.
    from clinic_hwr.intake.decoder.limits import (
        Refused,
        limit_remaining_cpu,
        limit_resources,
        write_line,
    )

    limit_resources(options.memory_bytes, options.cpu_s)
    options.only = frozenset(int(number) for number in options.only.split(",") if number)

    data = sys.stdin.buffer.read()
    try:
        document = _document(data, options)
        sizes = document.sizes()
        write_line({"pages": sizes})
        limit_remaining_cpu(options.page_cpu_s * (len(sizes) + _SPARE_PAGES))
        if options.mode == "pages":
            _write_pages(document.pages(), options.codes)
        elif options.mode == "pdf":
            _write_pdf(data, document)
    except Refused as refusal:
        write_line({"error": list(refusal.args)})
    except (MemoryError, RecursionError):
        write_line({"error": ["too_complex", "memory"]})
    return 0


def _document(data: bytes, options: argparse.Namespace) -> Any:
    # Imported on use: a PNG does not pay for PDFium, nor a PDF for Pillow.
    if options.mime == "application/pdf":
        from clinic_hwr.intake.decoder.pdfs import PdfSource

        return PdfSource(data, options)
    from clinic_hwr.intake.decoder.images import ImageSource

    return ImageSource(data, options)


def _write_pages(pages: Iterator[tuple[Any, int, float, float]], codes: str) -> None:
    """Write every page as it is decoded, so that no process ever holds two of them."""
    from clinic_hwr.intake.decoder.limits import write_line

    for gray, dpi, scale_x, scale_y in pages:
        height, width = gray.shape
        facts = {"width": width, "height": height, "dpi": dpi, "scale": [scale_x, scale_y]}
        if codes:
            from clinic_hwr.intake.decoder.codes import read_codes

            facts["codes"] = read_codes(gray, every_kind=codes == "all")
        write_line(facts)
        sys.stdout.buffer.write(gray.tobytes())
    write_line({"end": True})


def _write_pdf(data: bytes, document: Any) -> None:
    from clinic_hwr.intake.decoder.limits import call_decoder, write_blob

    write_blob(call_decoder(document.as_pdf, data))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    # Isolated mode leaves the checkout out of the path; an installed wheel is found there as well.
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    sys.exit(main())
