"""Two fields of one name and number: what is wrong with one of them is said of that one only."""

from __future__ import annotations

import pytest

from clinic_hwr.accounts.models import Site
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.services import blocker_key, prescription_refresh
from clinic_hwr.routing.models import Field, FieldBlocker

from .scripted import TWO_DRUGS, Line, ReadScan, read_scan

INK = (Line("unnamed", 0, "ask mother", 0.8), Line("unnamed", 0, "call back", 0.8))


@pytest.fixture
def inks(site: Site) -> tuple[ReadScan, Field, Field]:
    """A scan with two pieces of ink that nobody could name."""
    scan = read_scan(site, (*TWO_DRUGS[:9], TWO_DRUGS[-1], *INK))
    first, second = Field.objects.filter(page__scan=scan.scan, name="unnamed")
    return scan, first, second


def _said_of(field: Field) -> set[str]:
    return set(FieldBlocker.objects.filter(field=field).values_list("code", flat=True))


def _keys(scan: ReadScan) -> list[str]:
    record = prescription_refresh(scan=scan.scan)
    draft = from_json(record.content)
    return [blocker_key(each) for each in draft.blockers if each.code == "struck_out"]


def test_a_strike_stops_the_field_it_goes_through(
    inks: tuple[ReadScan, Field, Field],
) -> None:
    scan, first, second = inks
    Field.objects.filter(pk=second.pk).update(struck_out="wholly")
    prescription_refresh(scan=scan.scan)

    assert "struck_out" not in _said_of(first)
    assert "struck_out" in _said_of(second)


def test_two_strikes_are_two_warnings_to_acknowledge(
    inks: tuple[ReadScan, Field, Field],
) -> None:
    scan, first, second = inks
    Field.objects.filter(pk__in=[first.pk, second.pk]).update(struck_out="wholly")

    assert len(set(_keys(scan))) == 2
