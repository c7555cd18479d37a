"""An audit event that was changed behind our back is found."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent, AuditEventIsImmutable
from clinic_hwr.audit.services import audit_record
from clinic_hwr.audit.verification import event_is_intact, events_verify


@pytest.fixture
def events(site: Site) -> list[AuditEvent]:
    """Three events as the product writes them."""
    return [
        audit_record(
            action="field.corrected",
            site=site,
            object_type="field",
            object_id=number,
            data={"old": "5 mg", "new": "50 mg", "p_correct": 0.1 + number, "seconds": 2.5},
        )
        for number in range(3)
    ]


# One change for every stored column that the hash covers.
TAMPERINGS = [
    ("action", "field.accepted"),
    ("actor_name", "somebody"),
    ("object_type", "scan"),
    ("object_id", "9"),
    ("reason", "none"),
    ("at", "2020-01-01 00:00:00"),
    ("data", json.dumps({"old": "5 mg", "new": "500 mg"})),
    ("scan_id", "0" * 32),
    ("uuid", "f" * 32),
    ("content_hash", "0" * 64),
]


def tamper(event: AuditEvent, column: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE clinic_audit_auditevent SET {column} = %s WHERE id = %s",  # noqa: S608
            [value, event.pk],
        )


def test_an_untouched_trail_verifies(events: list[AuditEvent]) -> None:
    result = events_verify()

    assert (result.checked, result.altered, result.ok) == (3, (), True)


@pytest.mark.parametrize(("column", "value"), TAMPERINGS)
def test_every_covered_column_betrays_a_change(
    events: list[AuditEvent], column: str, value: str
) -> None:
    tamper(events[1], column, value)

    result = events_verify()

    assert (result.checked, result.altered, result.ok) == (3, (events[1].pk,), False)


def test_an_event_reads_back_as_it_was_hashed(events: list[AuditEvent]) -> None:
    assert all(event_is_intact(event) for event in AuditEvent.objects.all())


def test_events_are_neither_changed_nor_deleted(events: list[AuditEvent]) -> None:
    event = events[0]
    event.reason = "later"

    with pytest.raises(AuditEventIsImmutable):
        event.save()
    with pytest.raises(AuditEventIsImmutable):
        event.delete()
    with pytest.raises(AuditEventIsImmutable):
        AuditEvent.objects.update(reason="later")
    with pytest.raises(AuditEventIsImmutable):
        AuditEvent.objects.all().delete()

    assert AuditEvent.objects.filter(reason="").count() == 3


def test_the_command_says_ok(events: list[AuditEvent]) -> None:
    out = StringIO()

    call_command("audit_verify", "--json", stdout=out)

    assert json.loads(out.getvalue()) == {"checked": 3, "altered": [], "ok": True}


def test_the_command_fails_and_names_the_altered_event(events: list[AuditEvent]) -> None:
    tamper(events[2], "action", "field.accepted")
    out = StringIO()

    with pytest.raises(CommandError, match=f"Altered events: {events[2].pk}\\."):
        call_command("audit_verify", stdout=out)

    assert out.getvalue() == "3 events checked, 1 altered.\n"
