"""What people, scan, document and provenance say of a released prescription."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from uuid import UUID

import pytest

from clinic_hwr.fhir.document import build
from clinic_hwr.fhir.ids import bundle_id
from clinic_hwr.fhir.invariants import is_npi
from clinic_hwr.fhir.primitives import fhir_string, is_ucum
from clinic_hwr.fhir.resources.names import human_name
from clinic_hwr.prescriptions.types import (
    PatientInfo,
    PrescriberInfo,
    Prescription,
    Sig,
)

from .publications import (
    AMOXICILLIN,
    PDF,
    PRESCRIPTION,
    SIG_TEXT,
    publication,
    resources_of,
)

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def test_a_patient_has_a_record_number_and_an_identifier_of_the_paper() -> None:
    (patient,) = resources_of(build(publication()).bundle, "Patient")

    assert [each["value"] for each in patient["identifier"]] == [
        "MRN 0042",
        f"urn:uuid:{patient['id']}",
    ]
    assert (patient["gender"], patient["birthDate"]) == ("female", "1980-01-02")


def test_record_numbers_have_the_system_that_the_site_named() -> None:
    bundle = build(publication(mrn_system="urn:oid:1.2.3")).bundle

    assert resources_of(bundle, "Patient")[0]["identifier"][0]["system"] == "urn:oid:1.2.3"


def test_an_unknown_patient_says_that_it_is_unknown() -> None:
    paper = replace(PRESCRIPTION, patient=PatientInfo())

    (patient,) = resources_of(build(publication(paper)).bundle, "Patient")

    absent = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
    assert patient["name"] == [absent]
    assert patient["_birthDate"] == absent
    assert patient["gender"] == "unknown"
    assert [each["system"] for each in patient["identifier"]] == ["urn:ietf:rfc:3986"]


def test_the_prescriber_and_the_verifier_are_two_people() -> None:
    prescriber, verifier = resources_of(build(publication()).bundle, "Practitioner")

    assert prescriber["identifier"][0]["system"] == "http://hl7.org/fhir/sid/us-npi"
    assert prescriber["identifier"][0]["value"] == "1234567893"
    assert prescriber["telecom"] == [{"system": "phone", "value": "555-0100", "use": "work"}]
    assert verifier["name"][0]["text"] == "Piet Osei"
    assert prescriber["id"] != verifier["id"]


@pytest.mark.parametrize(
    "written",
    [
        PrescriberInfo(name="A B", npi="1234567893", npi_valid=False),
        PrescriberInfo(name="A B", npi="1234567890", npi_valid=True),  # wrong check digit
        PrescriberInfo(name="A B", dea="AB1234563", dea_valid=None),
    ],
)
def test_a_number_that_does_not_check_is_no_identifier(written: PrescriberInfo) -> None:
    paper = replace(PRESCRIPTION, prescriber=written)

    prescriber, _ = resources_of(build(publication(paper)).bundle, "Practitioner")

    assert [each["system"] for each in prescriber["identifier"]] == ["urn:ietf:rfc:3986"]


@pytest.mark.parametrize(
    ("number", "valid"),
    [("1234567893", True), ("1234567890", False), ("123456789", False), ("١٢٣٤٥٦٧٨٩٣", False)],
)
def test_npi_check_digit(number: str, valid: bool) -> None:
    assert is_npi(number) is valid


@pytest.mark.parametrize(
    ("written", "family", "given", "prefix", "suffix"),
    [
        ("John Smith", "Smith", ["John"], None, None),
        ("Smith, John Q", "Smith", ["John", "Q"], None, None),
        ("Dr. John Smith, M.D.", "Smith", ["John"], ["Dr."], ["M.D."]),
        ("Jan van der Berg", "van der Berg", ["Jan"], None, None),
        ("de la Cruz, Maria", "de la Cruz", ["Maria"], None, None),
        ("Cher", "Cher", None, None, None),
        ("Dr", "Dr", None, None, None),
        (", MD", "MD", None, None, None),
    ],
)
def test_a_name_is_parted_by_the_conventions_of_forms(
    written: str,
    family: str,
    given: list[str] | None,
    prefix: list[str] | None,
    suffix: list[str] | None,
) -> None:
    name = human_name(written)

    assert name is not None
    assert name["text"] == written
    assert (name.get("family"), name.get("given")) == (family, given)
    assert (name.get("prefix"), name.get("suffix")) == (prefix, suffix)


def test_the_scan_travels_inside_the_document_and_is_served_by_address() -> None:
    document = build(publication())
    (inside,) = resources_of(document.bundle, "DocumentReference")
    served = next(r for r in document.resources if r["resourceType"] == "DocumentReference")
    binary = next(r for r in document.resources if r["resourceType"] == "Binary")

    attachment = inside["content"][0]["attachment"]
    assert base64.b64decode(attachment["data"]) == PDF
    assert attachment["size"] == len(PDF)
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(PDF, usedforsecurity=False).digest()
    assert "url" not in attachment
    assert served["content"][0]["attachment"]["url"] == f"Binary/{binary['id']}"
    assert base64.b64decode(binary["data"]) == PDF
    assert resources_of(document.bundle, "Binary") == []
    assert inside["type"]["coding"][0]["code"] == "57833-6"
    assert inside["category"][0]["coding"][0]["code"] == "clinical-note"


def test_the_composition_is_attested_by_the_person_and_readable_without_structure() -> None:
    bundle = build(publication()).bundle
    composition = bundle["entry"][0]["resource"]
    _, verifier = resources_of(bundle, "Practitioner")

    assert composition["resourceType"] == "Composition"
    (attester,) = composition["attester"]
    assert attester["mode"] == "professional"
    assert attester["party"] == {"reference": f"urn:uuid:{verifier['id']}"}
    medications, source = composition["section"]
    assert len(medications["entry"]) == 2
    assert SIG_TEXT in medications["text"]["div"]
    assert len(source["entry"]) == 1


def test_what_is_written_cannot_break_out_of_the_narrative() -> None:
    order = replace(AMOXICILLIN, sig=Sig(text='</td><script>alert("x")</script>'))
    bundle = build(publication(replace(PRESCRIPTION, medications=(order,)))).bundle

    division = bundle["entry"][0]["resource"]["section"][0]["text"]["div"]

    assert "<script" not in division
    assert "&lt;script&gt;" in division


def test_a_paper_without_orders_says_so() -> None:
    paper = Prescription(patient=PatientInfo(), prescriber=PrescriberInfo(), medications=())

    section = build(publication(paper)).bundle["entry"][0]["resource"]["section"][0]

    assert "entry" not in section
    assert section["emptyReason"]["coding"][0]["code"] == "unavailable"


def test_an_amended_document_replaces_the_one_before() -> None:
    record = publication(version=2)

    composition = build(record).bundle["entry"][0]["resource"]

    assert composition["status"] == "amended"
    assert composition["meta"]["versionId"] == "2"
    previous = bundle_id(record.prescription_id, 1)
    assert composition["relatesTo"] == [
        {
            "code": "replaces",
            "targetIdentifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{previous}"},
        }
    ]


def test_the_scan_has_minimal_metadata_of_mhd() -> None:
    served = build(publication()).resources
    scan = next(each for each in served if each["resourceType"] == "DocumentReference")
    (content,) = scan["content"]

    assert scan["masterIdentifier"]["value"] == f"urn:uuid:{publication().scan_id}"
    assert scan["identifier"]
    assert len(scan["category"]) == 1
    assert scan["subject"]["reference"].startswith("Patient/")
    forbidden = {"docStatus", "custodian", "modifierExtension"}
    assert not forbidden & scan.keys()
    assert "encounter" not in scan["context"]
    assert {"contentType", "url"} <= content["attachment"].keys()
    assert "data" not in content["attachment"]


def test_provenance_names_the_model_the_person_and_the_paper() -> None:
    bundle = build(publication()).bundle
    (provenance,) = resources_of(bundle, "Provenance")
    (device,) = resources_of(bundle, "Device")
    (scan,) = resources_of(bundle, "DocumentReference")
    _, verifier = resources_of(bundle, "Practitioner")

    assert [
        (agent["type"]["coding"][0]["code"], agent["who"]["reference"])
        for agent in provenance["agent"]
    ] == [("assembler", f"urn:uuid:{device['id']}"), ("verifier", f"urn:uuid:{verifier['id']}")]
    assert provenance["entity"][0]["what"] == {"reference": f"urn:uuid:{scan['id']}"}
    orders = resources_of(bundle, "MedicationRequest")
    targets = {target["reference"] for target in provenance["target"]}
    assert {f"urn:uuid:{order['id']}" for order in orders} < targets
    assert [version["value"] for version in device["version"]] == ["trba-2026.11", "0.1.0"]


def test_the_same_release_gives_the_same_document() -> None:
    assert build(publication()) == build(publication())


def test_another_paper_shares_no_id_but_the_same_person_and_site() -> None:
    here = build(publication()).bundle
    there = build(publication(prescription_id=UUID(int=4))).bundle

    ids = [{entry["resource"]["id"] for entry in bundle["entry"]} for bundle in (here, there)]
    assert ids[0] & ids[1] == set()
    for resource_type, position in (("Practitioner", 1), ("Organization", 0), ("Device", 0)):
        first = resources_of(here, resource_type)[position]
        second = resources_of(there, resource_type)[position]
        assert first["identifier"] == second["identifier"]


@pytest.mark.parametrize(
    ("unit", "allowed"),
    [
        ("{tablet}", True), ("mg", True), ("[drp]", True), ("10*3.[iU]", True), ("mg/mL", True),
        ("tablet", False), ("mcg", False), ("µg", False), ("a b", False), ("{", False), ("", False),
    ],
)  # fmt: skip
def test_ucum_units(unit: str, allowed: bool) -> None:
    assert is_ucum(unit) is allowed


@pytest.mark.parametrize(
    ("written", "legal"),
    [
        ("  1 tab  po\n", "  1 tab  po\n"),
        ("1\u00a0tab", "1 tab"),
        ("a\x00b\x1bc", "abc"),
        (" \u00a0\t", None),
        ("", None),
    ],
)
def test_a_string_loses_only_what_fhir_cannot_carry(written: str, legal: str | None) -> None:
    assert fhir_string(written) == legal
