"""``manage.py demo`` end to end: real scans, real pages, and a reader that knows its lines."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command

from clinic_hwr import stage_read
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.demo.samples import SAMPLES
from clinic_hwr.intake.models import Scan
from clinic_hwr.pages.types import Gray
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.recognition.types import Alternative, CharConfidence, Reading
from clinic_hwr.review.models import Decision, PrescriptionRecord

pytestmark = pytest.mark.thorough


class UnsureReader:
    """Reads every crop as the same doubtful word."""

    name = "unsure"

    def read(self, crops: list[Gray], *, kinds: list[str]) -> list[Reading]:
        return [
            Reading(
                text="?",
                p_correct=0.1,
                chars=(CharConfidence("?", 0.1),),
                alternatives=(Alternative("?", 0.1),),
                model="unsure",
            )
            for _ in crops
        ]


@pytest.mark.django_db(transaction=True)
def test_samples_end_released_in_review_and_quarantined_and_stay_so(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(stage_read, "reader_load", UnsureReader)
    first, second = io.StringIO(), io.StringIO()

    call_command("demo", stdout=first)

    ends = {scan.original_name: scan.state for scan in Scan.objects.all()}
    assert ends == {sample.file_name: sample.ends for sample in SAMPLES}
    assert "This PDF is locked with a password" in first.getvalue()
    # what was signed is what is written on the paper, and the audit trail says why
    released = PrescriptionRecord.objects.get(status="released")
    prescription = from_json(released.content)
    truths = {truth.name: truth.text for truth in SAMPLES[0].truths()}
    assert prescription.patient.name == truths["patient_name"]
    assert [medication.drug_text for medication in prescription.medications] == [truths["drug"]]
    assert prescription.medications[0].sig.text == truths["sig"]
    assert released.released_by.get_username() == "pharmacist"
    assert set(Decision.objects.values_list("reviewer__username", flat=True)) == {
        "clinician",
        "pharmacist",  # the second entry: the drug has a look-alike, and was misread
    }
    assert AuditEvent.objects.filter(action="demo.decided").count() == 2

    # doing it again changes nothing
    before = (AuditEvent.objects.count(), Decision.objects.count(), Scan.objects.count())
    call_command("demo", stdout=second)
    assert second.getvalue() == ""
    assert (AuditEvent.objects.count(), Decision.objects.count(), Scan.objects.count()) == before
