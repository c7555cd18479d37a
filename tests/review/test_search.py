"""Search finds what was read and decided, at the person's own sites, whatever is typed."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.review.models import SearchDocument
from clinic_hwr.review.search.words import query_words, words_of
from clinic_hwr.review.services import field_decide, scan_claim, scans_search

from .scripted import TWO_DRUGS, Line, ReadScan, read_scan


@pytest.fixture(autouse=True)
def nothing_is_blind(settings: Any) -> None:
    """Metformin and lisinopril have look-alike names; what is entered blind has a test below."""
    settings.CLINIC_HWR_LOOKALIKES = "off"


def found(user: Any, text: str, part: str = "") -> list[Any]:
    return [hit.scan.pk for hit in scans_search(user=user, text=text, part=part).hits]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Lindqvist", ""),
        ("lindqvist maria", "patient"),
        ("LINDQ", "patient"),
        ("metformin", "drug"),
        ("metformin 500", "drug"),
        ("500mg", ""),
        ("amara obi", "prescriber"),
        ("riverside", "prescriber"),
        ("BID", "page"),
        ("850", "page"),  # only in another reading
        ("04/17/1968", "patient"),
        ("1968-04-17", "patient"),
        ("fax-0412", ""),
    ],
)
def test_what_was_read_is_found(read: ReadScan, clinician: Any, text: str, part: str) -> None:
    assert found(clinician, text, part) == [read.scan.pk]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("metformin", "patient"),
        ("lindqvist", "drug"),
        ("lindqvist warfarin", ""),
        ("qvist", ""),
        ("m", ""),
        ("", ""),
        ("   ", ""),
        ("***", ""),
    ],
)
def test_what_is_not_there_is_not_found(
    read: ReadScan, clinician: Any, text: str, part: str
) -> None:
    assert found(clinician, text, part) == []


def test_accents_and_case_do_not_matter(site: Site, clinician: Any) -> None:
    scan = read_scan(site, (Line("patient_name", 0, "José MÜLLER-Çelik"), *TWO_DRUGS[5:7])).scan

    for text in ("jose muller", "JOSÉ", "celik", "Müller-Celik"):
        assert found(clinician, text, "patient") == [scan.pk]


def test_a_decision_is_found_at_once_and_the_machines_word_still_is(
    read: ReadScan, clinician: Any, decide: Callable[..., Any]
) -> None:
    decide(read["patient_name"], "corrected", "Maria Sandoval")

    assert found(clinician, "sandoval", "patient") == [read.scan.pk]
    assert found(clinician, "lindqvist", "patient") == []
    assert found(clinician, "lindqvist") == [read.scan.pk]


def test_an_accepted_value_writes_nothing_into_the_index(
    read: ReadScan, decide: Callable[..., Any]
) -> None:
    with CaptureQueriesContext(connection) as seen:
        decide(read["quantity"], "accepted")

    assert not [each["sql"] for each in seen if "search_fts" in each["sql"]]


def test_nothing_of_other_sites_is_found(
    read: ReadScan, other_site: Site, clinician: Any, outsider: Any, integration: Any
) -> None:
    theirs = read_scan(other_site, name="theirs.png").scan

    assert found(clinician, "lindqvist") == [read.scan.pk]
    assert found(outsider, "lindqvist") == [theirs.pk]
    assert found(outsider, str(read.scan.pk)) == []
    assert found(integration, "lindqvist") == []
    Membership.objects.create(user=clinician, site=other_site, role=Role.CLINICIAN)
    assert found(clinician, "lindqvist") == [theirs.pk, read.scan.pk]


def test_a_number_finds_its_scan_and_prescription(read: ReadScan, clinician: Any) -> None:
    assert found(clinician, str(read.scan.pk)) == [read.scan.pk]
    assert found(clinician, str(read.scan.prescription.pk)) == [read.scan.pk]


def test_results_say_where_and_quote_the_page(read: ReadScan, clinician: Any) -> None:
    (hit,) = scans_search(user=clinician, text="metf").hits

    assert hit.parts == ("drug", "page")
    assert hit.lines == ("Metformin 500 mg",)


def test_pages_are_stable_and_complete(site: Site, clinician: Any) -> None:
    scans = [read_scan(site, TWO_DRUGS[2:6], name=f"{n}.png").scan.pk for n in range(5)]

    seen: list[Any] = []
    before = None
    for _ in range(3):
        page = scans_search(user=clinician, text="maria", before=before, page_size=2)
        seen += [hit.scan.pk for hit in page.hits]
        before = page.before

    assert seen == scans[::-1]
    assert before is None


def test_a_search_is_audited_with_its_text(read: ReadScan, clinician: Any) -> None:
    scans_search(user=clinician, text="lindqvist", part="patient")
    scans_search(user=clinician, text="nobody")

    events = AuditEvent.objects.filter(action="search.made").order_by("id")
    assert [event.data for event in events] == [
        {"text": "lindqvist", "part": "patient", "shown": 1},
        {"text": "nobody", "part": "", "shown": 0},
    ]
    assert {event.actor for event in events} == {clinician}


HOSTILE = [
    '"',
    "'",
    "a' OR 1=1 --",
    "NEAR(a b, 2)",
    "patient : x",
    "{patient drug} : x",
    "a AND",
    "OR",
    "NOT a",
    "a* b* *",
    "^a",
    "a & | ! b",
    "(((",
    "\\",
    "a:*A",
    "%_%",
    "\x00",
    "a\x00b",
    "🙂",
    "ﬁ",
    "a" * 5000,
    "<script>alert(1)</script>",
    "٣",
    "Ⅷ½",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_error(read: ReadScan, clinician: Any, text: str) -> None:
    for part in ("", "patient", "page", "nonsense"):
        scans_search(user=clinician, text=text, part=part)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(max_size=60), part=st.sampled_from(["", "patient", "drug", "page"]))
def test_no_text_is_an_error(read: ReadScan, clinician: Any, text: str, part: str) -> None:
    for hit in scans_search(user=clinician, text=text, part=part).hits:
        assert hit.scan.pk == read.scan.pk


@given(st.text(max_size=80))
def test_words_are_letters_and_digits(text: str) -> None:
    for word in (*words_of(text), *query_words(text)):
        assert word.isalnum()
        assert len(word) <= 64


def test_everything_that_is_asked_for_was_indexed() -> None:
    for text in ("500mg", "B12", "0.5 mL/kg", "O'Brien", "2x10"):
        assert set(query_words(text)) <= set(words_of(text))


def test_reindexing_brings_back_what_was_lost(read: ReadScan, clinician: Any) -> None:
    SearchDocument.objects.all().delete()
    assert found(clinician, "lindqvist") == []

    out = StringIO()
    call_command("search_reindex", "--missing", stdout=out)

    assert out.getvalue() == "1 scans indexed.\n"
    assert found(clinician, "lindqvist") == [read.scan.pk]
    out = StringIO()
    call_command("search_reindex", "--missing", stdout=out)
    assert out.getvalue() == "0 scans indexed.\n"
    call_command("search_reindex", "--site", "riverside", stdout=StringIO())
    assert found(clinician, "lindqvist") == [read.scan.pk]
    with pytest.raises(CommandError, match="riverside"):
        call_command("search_reindex", "--site", "nowhere")


def test_what_is_entered_blind_is_found_once_it_is_settled(
    site: Any, clinician: Any, settings: Any
) -> None:
    settings.CLINIC_HWR_LOOKALIKES = "listed"
    read = read_scan(site)

    assert found(clinician, "lindqvist") == [read.scan.pk]
    assert found(clinician, "metformin") == []
    assert found(clinician, "850") == []

    token = scan_claim(user=clinician, scan_id=read.scan.pk).token
    field_decide(
        user=clinician,
        field_id=read["drug"].pk,
        kind="corrected",
        value="Metformin 500 mg",
        expected_number=0,
        lease_token=token,
    )

    assert found(clinician, "metformin") == [read.scan.pk]
