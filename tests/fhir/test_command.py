"""``manage.py fhir_document``: the released bytes, or one clear sentence."""

from __future__ import annotations

from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.fhir.services import bundle_bytes, prescription_publish
from clinic_hwr.intake.models import Scan
from clinic_hwr.review.models import PrescriptionRecord

from .publications import publication

pytestmark = pytest.mark.django_db


def _printed(*arguments: str) -> str:
    out = StringIO()
    call_command("fhir_document", *arguments, stdout=out)
    return out.getvalue()


def test_the_document_is_printed_byte_by_byte(site: Site) -> None:
    record = publication(site=site)
    bundle_id = prescription_publish(record=record)

    assert _printed(str(record.prescription_id)).encode("ascii") == bundle_bytes(bundle_id)
    event = AuditEvent.objects.get(action="fhir.read")
    assert (event.object_id, event.actor_name) == (bundle_id, "fhir_document")


def test_the_list_has_one_released_prescription_a_line(site: Site) -> None:
    ids = [UUID(int=n, version=4) for n in (5, 3)]
    for prescription_id in ids:
        prescription_publish(record=publication(site=site, prescription_id=prescription_id))

    assert _printed("--list").split() == [str(each) for each in ids]


def test_a_draft_is_not_printed(site: Site) -> None:
    scan = Scan.objects.create(site=site, sha256="0" * 64, original_name="a.pdf", size_bytes=1)
    draft = PrescriptionRecord.objects.create(scan=scan)

    with pytest.raises(CommandError, match="not released"):
        _printed(str(draft.pk))


@pytest.mark.parametrize(
    ("argument", "message"),
    [("5d0c7d0e-0000-4000-8000-000000000000", "no such prescription"), ("12", "is a UUID")],
)
def test_an_unknown_id_is_named_as_such(argument: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        _printed(argument)


def test_no_id_at_all_says_what_to_give() -> None:
    with pytest.raises(CommandError, match="Give the id"):
        _printed()
