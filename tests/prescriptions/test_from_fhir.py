"""A FHIR Dosage in words, and refusal of what cannot be said without guessing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clinic_hwr.fhir.encoding import to_bytes
from clinic_hwr.fhir.resources.dosage import dosage_instructions
from clinic_hwr.prescriptions.sig import parse_sig
from clinic_hwr.prescriptions.sig.from_fhir import DosageRefused, dosage_words
from tests.prescriptions.sig_notation import WRITTEN_SIGS, written_sigs

DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
TABLET = {"value": 1, "unit": "tablet", "system": "http://unitsofmeasure.org", "code": "{tablet}"}


def test_what_is_written_to_fhir_is_said_in_the_same_words() -> None:
    compared = 0
    for row in written_sigs(WRITTEN_SIGS):
        sig = parse_sig(row.text, **row.context)
        if sig.leftover or sig.warnings or any(d.when and d.times_of_day for d in sig.dosages):
            continue
        elements = json.loads(to_bytes(dosage_instructions(sig)))
        said = [d for d in sig.dosages if not d.additional and (d.dose is None or d.dose_unit)]
        if not said or len(said) < len(sig.dosages):
            continue
        compared += 1
        assert dosage_words(elements) == sig.plain_language, row.text
    assert compared > 250


def test_sequences_are_said_in_their_order() -> None:
    later = {"sequence": 2, "doseAndRate": [{"doseQuantity": TABLET}], "timing": DAILY}
    first = {
        "sequence": 1,
        "doseAndRate": [{"doseQuantity": TABLET | {"value": 2}}],
        "timing": DAILY,
    }

    assert dosage_words([later, first]) == (
        "Take 2 tablets once daily, then take 1 tablet once daily"
    )


@pytest.mark.parametrize(
    ("element", "why"),
    [
        ({"doseAndRate": [{"doseQuantity": {"value": 10}}]}, "doseQuantity has no unit"),
        ({"doseAndRate": [{"doseQuantity": {"unit": "mg"}}]}, "doseQuantity has no value"),
        ({"doseAndRate": [{"doseRange": {"low": TABLET}}]}, "doseRange.high has no value"),
        ({"timing": {"repeat": {"period": 1}}}, "periodUnit None is not known"),
        ({"timing": {"repeat": {"period": 1, "periodUnit": "ms"}}}, "periodUnit .ms. is not known"),
        ({"timing": {"repeat": {"frequency": 1, "periodMax": 2}}}, "periodMax stands without"),
        ({"timing": {"repeat": {"when": ["bob"]}}}, "when .bob. is not known"),
        ({"timing": {"repeat": {"dayOfWeek": ["bob"]}}}, "dayOfWeek .bob. is not known"),
        ({"timing": {"repeat": {"countMax": 5}}}, "countMax stands without count"),
        ({"timing": {"repeat": {"boundsRange": {}}}}, "no upper end"),
        ({"timing": {"event": ["2021-06-35"]}}, "is no date"),
        ({"asNeededCodeableConcept": {"coding": []}}, "has no words"),
        ({"maxDosePerPeriod": {"numerator": TABLET}}, "denominator has no value"),
        ({"maxDosePerLifetime": {"unit": "mg"}}, "maxDosePerLifetime has no value"),
    ],
)
def test_what_is_half_said_is_refused(element: dict[str, Any], why: str) -> None:
    with pytest.raises(DosageRefused, match=why):
        dosage_words([element])
