"""The samples that ship with the product are complete and say what they are."""

from __future__ import annotations

import io

import pikepdf
import pytest

from clinic_hwr.demo.samples import FOLDER, SAMPLES
from clinic_hwr.pages.types import FIELD_NAMES


def test_three_samples_end_in_three_ways() -> None:
    assert [(sample.file_name, sample.ends) for sample in SAMPLES] == [
        ("us_pad.png", "released"),
        ("hospital_order_sheet.pdf", "in_review"),
        ("letterhead_note.pdf", "quarantined"),
    ]
    files = {path.stem for path in FOLDER.iterdir() if path.suffix != ".md"}
    assert files == {"us_pad", "hospital_order_sheet", "letterhead_note"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file_name)
def test_truth_names_fields_the_product_knows(sample: object) -> None:
    truths = sample.truths()

    assert {truth.name for truth in truths} <= set(FIELD_NAMES)
    assert {"patient_name", "drug", "sig", "signature"} <= {truth.name for truth in truths}
    assert all(truth.text for truth in truths if truth.kind not in ("signature", "checkbox"))


def test_the_quarantined_sample_is_really_locked() -> None:
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(SAMPLES[2].data()))
