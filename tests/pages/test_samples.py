"""The shipped samples, written by real hands, go through the room."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import clinic_hwr
from clinic_hwr.pages import FieldRegion, find_fields, make_upright, read_print

from .conftest import needs_tesseract

SAMPLES = Path(clinic_hwr.__file__).parent / "demo" / "samples"


@pytest.fixture(scope="module")
def pad_fields() -> tuple[FieldRegion, ...]:
    data = np.frombuffer((SAMPLES / "us_pad.png").read_bytes(), np.uint8)
    upright = make_upright(np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8))
    return find_fields(upright, read_print(upright.gray))


@needs_tesseract
def test_sample_pad_has_its_fields_and_nothing_unnamed(
    pad_fields: tuple[FieldRegion, ...],
) -> None:
    assert sorted((f.name, f.group) for f in pad_fields) == [
        ("date_written", 0), ("drug", 1), ("patient_address", 0), ("patient_dob", 0),
        ("patient_name", 0), ("practice_name", 0), ("prescriber_dea", 0), ("prescriber_name", 0),
        ("prescriber_npi", 0), ("prescriber_phone", 0), ("quantity", 1), ("refills", 0),
        ("sig", 1), ("signature", 0), ("substitution", 0),
    ]  # fmt: skip


@needs_tesseract
def test_sample_pad_prints_are_read(pad_fields: tuple[FieldRegion, ...]) -> None:
    printed = {f.name: f.printed_text for f in pad_fields if f.printed_text is not None}
    assert printed["prescriber_npi"] == "1234567893"
    assert printed["prescriber_dea"] == "AB1234563"
    assert printed["refills"] == "0"
    assert "drug" not in printed
