"""From decisions of people to thresholds in force, and what the command says on the way."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.formatting import event_sentence
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.review.models import Decision, DecisionKind
from clinic_hwr.review.services import prescription_refresh
from clinic_hwr.review.services.outcomes import labelled_outcomes
from clinic_hwr.routing.models import Field, FieldReading, Threshold
from clinic_hwr.routing.policy import is_sampled
from clinic_hwr.routing.thresholds import SitePolicy
from tests.review.scripted import ReadScan, read_scan


@pytest.fixture
def read(site: Site) -> ReadScan:
    return read_scan(site)


def decide(
    read: ReadScan, person: Any, count: int, *, kind: str = "date", wrong: int = 0, p: float = 0.99
) -> list[Field]:
    """Fields of one kind, decided by a person; the first ``wrong`` of them are corrected."""
    page = read["drug"].page
    start = page.fields.count() + 100
    fields = Field.objects.bulk_create(
        Field(
            page=page, position=start + i, name="date_written", kind=kind, x_px=0, y_px=0,
            width_px=9, height_px=9, crop_sha256="0" * 64,
        )
        for i in range(count)
    )  # fmt: skip
    readings = FieldReading.objects.bulk_create(
        FieldReading(field=field, text="11/20/2026", p_correct=p, model="m1") for field in fields
    )
    Decision.objects.bulk_create(
        Decision(
            field=field,
            number=1,
            kind=DecisionKind.CORRECTED if i < wrong else DecisionKind.ACCEPTED,
            value="11/26/2026" if i < wrong else "11/20/2026",
            reading=reading,
            reviewer=person,
        )
        for i, (field, reading) in enumerate(zip(fields, readings, strict=True))
    )
    return fields


def certify(*options: str) -> str:
    out = io.StringIO()
    call_command("certify", *options, stdout=out)
    return out.getvalue()


def test_without_decisions_nothing_is_proved(site: Site) -> None:
    said = certify()

    assert "needs 299 accepted fields without an error, 473 with one" in said
    assert "nothing is proved, and everything goes to a person" in said


def test_too_few_outcomes_are_said_and_accept_nothing(
    site: Site, read: ReadScan, clinician: Any
) -> None:
    decide(read, clinician, 298)

    said = certify("--apply")

    assert "everything to a person: 298 of at least 299 outcomes" in said
    assert Threshold.objects.get(kind="date").value is None
    assert SitePolicy(site).of("date", "m1")["date"].threshold is None


def test_enough_outcomes_give_a_threshold_that_is_put_into_force(
    site: Site, read: ReadScan, clinician: Any
) -> None:
    decide(read, clinician, 473, wrong=1)

    only_printed = certify()
    assert Threshold.objects.count() == 0
    said = certify("--apply", "--alpha", "0.01")

    row = Threshold.objects.get()
    assert (row.kind, row.model, row.value, row.outcomes, row.errors) == ("date", "m1", 0.5, 473, 1)
    assert row.bound <= 0.01
    assert "accepted from 0.5" in only_printed
    assert "In force from now on." in said
    assert SitePolicy(site).of("date", "m1")["date"].certified
    assert SitePolicy(site).of("date", "m2")["date"].threshold is None
    event = AuditEvent.objects.get(action="routing.certified")
    assert event_sentence(event) == "error at most 1.00%: date from 0.5"


def test_too_many_errors_accept_nothing(site: Site, read: ReadScan, clinician: Any) -> None:
    decide(read, clinician, 400, wrong=20)

    assert "everything to a person: no threshold keeps the error rate" in certify()


def test_a_drug_is_never_accepted_whatever_is_proved(
    site: Site, read: ReadScan, clinician: Any
) -> None:
    decide(read, clinician, 400, kind="drug")

    assert "always a person, whatever is proved" in certify()


def test_another_site_proves_nothing_here(
    site: Site, other_site: Site, read: ReadScan, clinician: Any
) -> None:
    decide(read, clinician, 300)

    assert labelled_outcomes(other_site) == {}
    with pytest.raises(CommandError, match="several sites"):
        certify()
    assert "nothing is proved" in certify("--site", other_site.slug)


def test_a_field_that_was_not_there_counts_as_an_error(
    site: Site, read: ReadScan, clinician: Any
) -> None:
    fields = decide(read, clinician, 3)
    Decision.objects.filter(field=fields[0]).update(kind=DecisionKind.NOT_PRESENT, value="")
    Decision.objects.filter(field=fields[1]).update(
        kind=DecisionKind.CORRECTED, value=" 11/20/2026 "
    )

    assert sorted(labelled_outcomes(site)["date", "m1"]) == [
        (0.99, False), (0.99, True), (0.99, True),
    ]  # fmt: skip


def test_under_a_threshold_in_force_only_the_sample_counts(
    site: Site, read: ReadScan, clinician: Any
) -> None:
    decide(read, clinician, 299)
    certify("--apply")

    later = decide(read, clinician, 200)

    sampled = [field for field in later if is_sampled(str(field.pk))]
    assert len(labelled_outcomes(site)["date", "m1"]) == 299 + len(sampled)
    assert len(sampled) < 40


def test_a_threshold_in_force_routes_fields_without_blockers(
    site: Site, read: ReadScan, clinician: Any
) -> None:
    date = read["date_written"]
    reading = date.readings.get()
    assert Field.objects.get(pk=date.pk).route == "human"
    Threshold.objects.create(
        site=site, kind="date", model=reading.model, value=0.0, alpha=0.01, confidence=0.95,
        outcomes=299, accepted=299, errors=0, bound=0.01,
    )  # fmt: skip

    prescription_refresh(scan=read.scan)

    routes = dict(Field.objects.filter(page__scan=read.scan).values_list("name", "route"))
    expected = "human" if is_sampled(str(date.pk)) else "accept"
    assert routes["date_written"] == expected
    assert routes["drug"] == routes["sig"] == "human"


def test_json_and_impossible_shares(site: Site, read: ReadScan, clinician: Any) -> None:
    decide(read, clinician, 10, wrong=1)

    found = json.loads(certify("--json"))

    assert found["needed_without_error"] == 299
    (kind,) = found["kinds"]
    assert (kind["outcomes"], kind["errors"], kind["threshold"]) == (10, 1, None)
    with pytest.raises(CommandError, match="between 0 and 1"):
        certify("--alpha", "1")
