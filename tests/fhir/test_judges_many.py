"""Five hundred prescriptions as people write them, and what the validators say of all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from clinic_hwr.fhir.capability import capability_statement
from clinic_hwr.fhir.document import build
from clinic_hwr.fhir.encoding import to_bytes
from clinic_hwr.fhir.validation import check_document

from .broken_resources import BROKEN
from .judges import Judges, StrictParser
from .publications import publications
from .written_papers import written_paper

HUNDREDS = 500
QUICK = 12


def _releasable(numbers: range) -> Iterator[tuple[int, list[bytes]]]:
    """Yield (number, bytes of Bundle and resources) of the papers that may be released.

    A medication without a name is refused at the border; the workstation asks for it first.
    """
    for number in numbers:
        record = written_paper(number)
        if all(each.drug_text.strip() for each in record.prescription.medications):
            document = build(record)
            check_document(document)
            yield number, [to_bytes(each) for each in (document.bundle, *document.resources)]


def _judged(judges: Judges, papers: range) -> int:
    count = 0
    for number, bodies in _releasable(papers):
        found = judges.errors([json.loads(body) for body in bodies])
        assert found == [], f"paper {number}: {found[:3]}"
        count += 1
    return count


def test_some_papers_pass_us_core(us_core_judges: Judges) -> None:
    assert _judged(us_core_judges, range(QUICK)) >= QUICK // 2


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_five_hundred_papers_pass_us_core(us_core_judges: Judges) -> None:
    assert _judged(us_core_judges, range(HUNDREDS * 2)) >= HUNDREDS


def test_hapi_takes_some_papers_and_what_the_server_says_of_itself(hapi: StrictParser) -> None:
    for number, bodies in _releasable(range(QUICK)):
        for body in bodies:
            assert hapi.complaint(body) == "", f"paper {number}"
    assert hapi.complaint(to_bytes(capability_statement("http://127.0.0.1/fhir"))) == ""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_hapi_takes_five_hundred_papers(hapi: StrictParser) -> None:
    count = 0
    for number, bodies in _releasable(range(HUNDREDS * 2)):
        for body in bodies:
            assert hapi.complaint(body) == "", f"paper {number}"
        count += 1
    assert count >= HUNDREDS


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(record=publications)
def test_hapi_takes_odd_papers(hapi: StrictParser, record: Any) -> None:
    document = build(record)
    for each in (document.bundle, *document.resources):
        assert hapi.complaint(to_bytes(each)) == ""


def test_hapi_refuses_broken_resources(hapi: StrictParser) -> None:
    """It parses and knows no profiles, so only faults a parser can see count."""
    for fault in ("unknown status", "unknown gender", "unknown element", "element of R5",
                  "one instead of many", "text instead of an object"):  # fmt: skip
        assert hapi.complaint(json.dumps(BROKEN[fault][0]).encode()) != "", fault
