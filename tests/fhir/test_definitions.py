"""The table of R4's elements: made by its script, and right by HL7's own examples."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from clinic_hwr.accounts.models import Site
from clinic_hwr.fhir.definitions import elements_of
from clinic_hwr.fhir.encoding import from_bytes
from clinic_hwr.fhir.models import (
    Resource,
    SearchDate,
    SearchReference,
    SearchString,
    SearchToken,
)
from clinic_hwr.fhir.services import prescription_publish
from clinic_hwr.fhir.structure import structure_issues

from .judges import definitions
from .publications import publication

ROOT = Path(__file__).resolve().parent.parent.parent
# Faults in HL7's examples that are faults by R4 itself: units that are no UCUM ("tablet", "tab"),
# and a dispenser that is a Practitioner where only an Organization may stand.
KNOWN_FAULTS = {"code-invalid": ".code", "value": "dispenseRequest.performer.reference"}


@pytest.fixture
def folder() -> Path:
    """The definitions of R4."""
    found = definitions()
    if found is None:
        pytest.skip("CLINIC_HWR_DATA names no folder with fhir_defs/r4")
    return found / "r4"


def test_the_table_is_what_its_script_makes(folder: Path, tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "build_fhir_tables.py"))

    script["main"](folder, tmp_path / "r4.json")

    committed = ROOT / "clinic_hwr" / "fhir" / "data" / "r4.json"
    assert (tmp_path / "r4.json").read_bytes() == committed.read_bytes()


def _examples(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((folder / "examples").glob("*.json")):
        resource = from_bytes(path.read_bytes())
        if elements_of(resource["resourceType"]):
            yield path.name, resource


def test_hl7s_examples_have_the_shape_of_r4(folder: Path) -> None:
    count = 0
    for name, resource in _examples(folder):
        count += 1
        for issue in structure_issues(resource, resource["resourceType"]):
            known = KNOWN_FAULTS.get(issue.code)
            assert known and issue.expression.endswith(known), (name, issue)
    assert count > 100


@pytest.mark.django_db
def test_what_was_stored_before_there_was_an_index_is_found_as_well(site: Site) -> None:
    prescription_publish(record=publication(site=site))
    models = (SearchToken, SearchReference, SearchDate, SearchString)
    before = [_values(model) for model in models]
    Resource.objects.all().delete()
    path = ROOT / "clinic_hwr" / "fhir" / "migrations" / "0004_index_what_is_stored.py"

    runpy.run_path(str(path))["index_stored"](apps, None)

    assert [_values(model) for model in models] == before
    assert all(before)


def _values(model: Any) -> list[tuple[Any, ...]]:
    """Return the rows of an index without their own numbers."""
    names = [f.name for f in model._meta.fields if f.name not in ("id", "resource")]
    return sorted(model.objects.values_list("resource__fhir_id", *names))
