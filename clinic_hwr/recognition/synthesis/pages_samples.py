"""Draws the three sample prescriptions of the demonstration, with their ground truth."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import img2pdf
import pikepdf
from PIL import Image

from .hands import Hand
from .pages import DrawnPage, draw_page
from .pages_content import MEDICATIONS, PageContent
from .pages_scan import ScanSettings

_PEOPLE = {
    "prescriber_name": "Robin Sample, M.D.",
    "prescriber_npi": "1234567893",
    "prescriber_dea": "AB1234563",
    "prescriber_phone": "(555) 010-0199",
    "practice_name": "Riverside Family Clinic",
    "practice_address": "12 River Rd, Springfield",
    "specialty": "Family Medicine",
}


def _content(**changes: object) -> PageContent:
    """Return the content of a sample; nobody in it exists."""
    base: dict[str, object] = {
        "patient_name": "Jane Example",
        "patient_dob": "4/12/1988",
        "patient_age": "38",
        "patient_sex": "F",
        "patient_weight": "64 kg",
        "patient_address": "7 Oak Ave, Riverton",
        "patient_mrn": "0042137",
        "allergies": "NKDA",
        "date_written": "11/20/2026",
        "medications": MEDICATIONS[:1],
        "refills": "0",
        **_PEOPLE,
        **changes,
    }
    return PageContent(**base)  # type: ignore[arg-type]


US_PAD = _content()
HOSPITAL = _content(
    patient_name="John Specimen",
    patient_dob="9/30/1951",
    patient_sex="M",
    patient_mrn="0077510",
    patient_weight="81 kg",
    practice_name="Lakeside General Hospital",
    medications=(MEDICATIONS[10], MEDICATIONS[8]),
)
LETTERHEAD = _content(
    patient_name="Maria Placeholder",
    patient_age="45",
    medications=(MEDICATIONS[1], MEDICATIONS[6]),
)


def draw_samples(folder: Path, hands: Sequence[Hand], seed: int) -> list[Path]:
    """Write the three samples and their ground truth.

    ``us_pad.png`` is a clean scan, ``hospital_order_sheet.pdf`` a slightly skewed one, and
    ``letterhead_note.pdf`` is locked with a password nobody knows, to show the quarantine.

    Args:
        folder: where to write; made when absent.
        hands: who writes; one for each sample in turn, each able to write its content.
        seed: the same seed and hands give the same pixels.

    Returns:
        The scans written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = (
        ("us_pad", US_PAD, ScanSettings(skew_deg=0.8, noise=2.0, blur_px=0.4), 220),
        ("hospital_order_sheet", HOSPITAL, ScanSettings(skew_deg=-1.3, paper_gray=244), 170),
        ("letterhead_note", LETTERHEAD, ScanSettings(skew_deg=0.4), 150),
    )
    written = []
    for number, (layout, content, settings, dpi) in enumerate(plan):
        hand = hands[number % len(hands)]
        page = draw_page(layout, content, hand, seed=seed + number, dpi=dpi, settings=settings)
        path = folder / (layout + (".png" if layout == "us_pad" else ".pdf"))
        if layout == "us_pad":
            path.write_bytes(_png(page))
        elif layout == "hospital_order_sheet":
            path.write_bytes(_pdf(page))
        else:
            path.write_bytes(_locked(_pdf(page)))
        truth = page.to_json() | {"file": path.name}
        (folder / f"{layout}.json").write_text(json.dumps(truth, indent=1) + "\n", "utf-8")
        written.append(path)
    return written


def _png(page: DrawnPage) -> bytes:
    buffer = BytesIO()
    # 32 gray levels are what such a scan holds; the file is a third of the size.
    Image.fromarray(page.gray // 8 * 8 + 7).save(
        buffer, "PNG", optimize=True, dpi=(page.dpi, page.dpi)
    )
    return buffer.getvalue()


def _pdf(page: DrawnPage) -> bytes:
    """One page as PDF with a JPEG inside, as office scanners make them."""
    buffer = BytesIO()
    Image.fromarray(page.gray).save(buffer, "JPEG", quality=72, dpi=(page.dpi, page.dpi))
    data = img2pdf.convert(buffer.getvalue(), nodate=True)
    assert data is not None  # noqa: S101 - img2pdf returns None only with an output stream
    return bytes(data)


def _locked(pdf: bytes) -> bytes:
    """Encrypt a PDF with a password that is derived from it and kept nowhere."""
    password = hashlib.sha256(pdf).hexdigest()[:24]
    buffer = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        document.save(buffer, encryption=pikepdf.Encryption(owner=password, user=password))
    return buffer.getvalue()
