"""Documents face validators that we did not write; so do broken ones, to see that they bite."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from clinic_hwr.fhir.capability import capability_statement
from clinic_hwr.fhir.document import build
from clinic_hwr.fhir.encoding import to_bytes
from clinic_hwr.fhir.outcome import Issue, operation_outcome

from .judges import Judges, definitions
from .publications import publication, publications

Resource = dict[str, Any]
_odd = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def _published(record: Any) -> list[Resource]:
    """Return bundle and resources as a receiver parses them."""
    document = build(record)
    return [json.loads(to_bytes(each)) for each in (document.bundle, *document.resources)]


def test_a_document_passes_base_r4(base_judges: Judges) -> None:
    assert base_judges.errors(_published(publication())) == []


def test_a_document_passes_us_core(us_core_judges: Judges) -> None:
    assert us_core_judges.errors(_published(publication())) == []


@_odd
@given(record=publications)
def test_odd_documents_pass_base_r4(base_judges: Judges, record: Any) -> None:
    assert base_judges.errors(_published(record)) == []


@_odd
@given(record=publications)
def test_odd_documents_pass_us_core(us_core_judges: Judges, record: Any) -> None:
    assert us_core_judges.errors(_published(record)) == []


def test_what_the_server_says_of_itself_is_valid(base_judges: Judges) -> None:
    statement = capability_statement("http://127.0.0.1:8000/fhir")
    outcome = operation_outcome([Issue("not-found", "Nothing is here.", "Bundle.entry[0]")])

    assert base_judges.errors([json.loads(to_bytes(each)) for each in (statement, outcome)]) == []


def _order(bundle: Resource) -> Resource:
    return next(
        entry["resource"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "MedicationRequest"
    )


BROKEN: dict[str, Callable[[Resource], Any]] = {
    "an order without a patient": lambda b: _order(b).pop("subject"),
    "an order without an intent": lambda b: _order(b).pop("intent"),
    "an element R4 does not have": lambda b: _order(b).update(medication={"concept": {}}),
    "a composition without a title": lambda b: b["entry"][0]["resource"].pop("title"),
    "text where a number belongs": lambda b: _order(b)["dosageInstruction"][0].update(sequence="x"),
    "a patient whose name is text": lambda b: b["entry"][1]["resource"].update(name="Maria"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_judges_refuse_a_broken_document(base_judges: Judges, fault: str) -> None:
    bundle = copy.deepcopy(_published(publication())[0])
    BROKEN[fault](bundle)

    assert base_judges.errors([bundle]) != []


def test_the_us_core_judge_refuses_what_only_us_core_forbids(us_core_judges: Judges) -> None:
    bundle = copy.deepcopy(_published(publication())[0])
    bundle["entry"][1]["resource"].pop("identifier")  # base R4 does not ask for one

    assert us_core_judges.errors([bundle], profiles=False) == []
    found = us_core_judges.errors([bundle])
    assert [issue["profile"].rpartition("/")[2] for issue in found] == ["us-core-patient"]


@pytest.fixture(scope="module")
def json_schema() -> Any:
    """Return a function that lists the errors HL7's own JSON schema finds in a resource."""
    jsonschema = pytest.importorskip("jsonschema")
    folder = definitions()
    if folder is None:
        pytest.skip("CLINIC_HWR_DATA names no folder with fhir_defs/r4")
    with gzip.open(folder / "r4" / "fhir.schema.json.gz") as file:
        schema = json.load(file)

    def errors(resource: Resource) -> list[str]:
        part = {"$ref": f"#/definitions/{resource['resourceType']}", **schema}
        part = {key: value for key, value in part.items() if key not in ("oneOf", "discriminator")}
        validator = jsonschema.Draft6Validator(part)
        return [error.json_path for error in validator.iter_errors(resource)]

    return errors


def test_every_resource_follows_hl7s_json_schema(json_schema: Any) -> None:
    for resource in _published(publication())[1:]:
        assert json_schema(resource) == [], resource["resourceType"]


def test_hl7s_json_schema_refuses_a_broken_resource(json_schema: Any) -> None:
    order = next(
        each for each in _published(publication()) if each["resourceType"] == "MedicationRequest"
    )
    order["status"] = 3

    assert json_schema(order) == ["$.status"]
