"""What is particular to FHIR servers: degrading, statuses, lost answers, read-back."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from ehr_adapters import (
    Ambiguous,
    AuthFailed,
    EhrAdapter,
    Outcome,
    Rejected,
    RemoteStatus,
    Retryable,
    Unsupported,
    create_adapter,
    exact_json,
)
from ehr_adapters.adapters import fhir_r4

from .fake_fhir_server import FakeFhirServer, fake_fhir_server
from .released import PDF, SIG_TEXT, submission


@pytest.fixture
def server() -> Iterator[FakeFhirServer]:
    """A fake FHIR server that can do everything."""
    with fake_fhir_server() as running:
        yield running


def adapter_of(server: FakeFhirServer, **config: Any) -> EhrAdapter:
    """Return a fresh adapter."""
    return create_adapter("fhir_r4", {"base_url": server.url, **config}, {"EHR_TOKEN": "s3cr3t"})


def test_a_transaction_writes_each_resource_once_with_real_references(
    server: FakeFhirServer,
) -> None:
    receipt = adapter_of(server).push(submission())

    assert {kind: len(rows) for kind, rows in server.store.items() if rows} == {
        "Composition": 1,
        "Patient": 1,
        "Practitioner": 1,
        "Device": 1,
        "MedicationRequest": 1,
        "DocumentReference": 1,
        "Provenance": 1,
    }
    order, patient = server.only("MedicationRequest"), server.only("Patient")
    assert order["subject"]["reference"] == f"Patient/{patient['id']}"
    assert receipt.remote_id == f"DocumentReference/{server.only('DocumentReference')['id']}"
    assert receipt.left_out == ()


def test_the_transaction_is_valid_fhir_and_keeps_every_digit(server: FakeFhirServer) -> None:
    adapter_of(server).push(submission())

    (_, _, headers, body) = server.writes()[0]
    assert headers["Content-Type"] == "application/fhir+json"
    assert Bundle.model_validate_json(body).type == "transaction"
    assert b'"value":1.50' in body


def test_a_known_patient_is_reused_not_copied(server: FakeFhirServer) -> None:
    mrn = {"system": "urn:oid:1.2.36.146.595.217.0.1", "value": "MRN 00417"}
    server.put("Patient", "the-ehrs-own", {"resourceType": "Patient", "identifier": [mrn]})

    adapter_of(server).push(submission())

    assert server.count("Patient") == 1
    assert server.only("MedicationRequest")["subject"]["reference"] == "Patient/the-ehrs-own"


def test_update_create_writes_our_resources_by_their_own_ids(server: FakeFhirServer) -> None:
    server.update_create = True

    adapter_of(server).push(submission())

    entries = exact_json.loads(server.writes()[0][3])["entry"]
    methods = {e["resource"]["resourceType"]: e["request"]["method"] for e in entries}
    assert methods["DocumentReference"] == methods["MedicationRequest"] == "PUT"
    assert methods["Provenance"] == "PUT"
    assert methods["Patient"] == methods["Practitioner"] == "POST"
    assert server.only("DocumentReference")["id"] == next(
        e["request"]["url"].split("/")[1]
        for e in entries
        if e["resource"]["resourceType"] == "DocumentReference"
    )


@pytest.mark.parametrize(
    ("types", "left_out"),
    [
        (
            ("Patient", "Practitioner", "Device", "MedicationRequest", "DocumentReference"),
            ("Composition", "Provenance"),
        ),
        # a Provenance whose Device the server does not take would dangle: both stay behind
        (
            ("Patient", "Practitioner", "MedicationRequest", "DocumentReference", "Provenance"),
            ("Composition", "Device", "Provenance"),
        ),
    ],
)
def test_what_the_server_does_not_take_stays_behind(
    server: FakeFhirServer, types: tuple[str, ...], left_out: tuple[str, ...]
) -> None:
    server.types = types

    receipt = adapter_of(server).push(submission())

    assert receipt.left_out == left_out
    assert server.count("MedicationRequest") == 1


@pytest.mark.parametrize("reason", ["no transaction", "no MedicationRequest", "no Patient"])
def test_degrades_to_the_document_alone(server: FakeFhirServer, reason: str) -> None:
    if reason == "no transaction":
        server.transaction = False
    else:
        server.types = tuple(t for t in server.types if t != reason.removeprefix("no "))

    receipt = adapter_of(server).push(submission())

    assert receipt.outcome is Outcome.CREATED
    assert server.count("MedicationRequest") == 0
    document = server.only("DocumentReference")
    assert base64.b64decode(document["content"][0]["attachment"]["data"]) == PDF
    contained = {resource["resourceType"] for resource in document["contained"]}
    assert contained == {"Patient", "Practitioner"}
    assert document["subject"]["reference"].startswith("#")
    assert "context" not in document  # it held nothing but a reference to an order not sent


def test_a_server_without_documents_gets_nothing(server: FakeFhirServer) -> None:
    server.types = ("Patient",)

    with pytest.raises(Unsupported, match="Fake EHR 3"):
        adapter_of(server).push(submission())
    assert server.writes() == []


def test_only_r4_servers_are_written_to(server: FakeFhirServer) -> None:
    server.fhir_version = "5.0.0"

    with pytest.raises(Unsupported, match=r"5\.0\.0"):
        adapter_of(server).push(submission())
    assert server.writes() == []


@pytest.mark.parametrize(
    "fault", ["500-after-commit", "drop-after-commit", "cut-after-commit", "hang-after-commit"]
)
@pytest.mark.parametrize("transaction", [True, False])
def test_a_lost_answer_is_ambiguous_and_reconciled_without_a_second_write(
    server: FakeFhirServer, fault: str, transaction: bool
) -> None:
    server.transaction = transaction
    server.faults = [fault]
    adapter = adapter_of(server, timeout_s=0.2)
    with pytest.raises(Ambiguous):
        adapter.push(submission())
    assert server.count("DocumentReference") == 1

    receipt = adapter.push(submission(maybe_sent=True))

    assert receipt.outcome is Outcome.ALREADY_THERE
    assert receipt.differences == ()
    assert server.count("DocumentReference") == 1
    assert len(server.writes()) == 1


def test_an_answer_lost_before_the_commit_is_sent_again(server: FakeFhirServer) -> None:
    server.faults = ["drop-before-commit"]
    adapter = adapter_of(server)
    with pytest.raises(Ambiguous):
        adapter.push(submission())
    assert server.count("DocumentReference") == 0

    assert adapter.push(submission(maybe_sent=True)).outcome is Outcome.CREATED
    assert server.count("DocumentReference") == 1


def test_the_address_of_a_look_up_names_no_patient(server: FakeFhirServer) -> None:
    adapter_of(server).push(submission())

    paths = [path for method, path, _, _ in server.requests if method == "GET"]
    assert paths[0] == "/fhir/metadata"
    assert paths[1].startswith("/fhir/DocumentReference?identifier=urn%3Aietf%3Arfc%3A3986%7Curn")
    assert not any("00417" in path or "Quill" in path for path in paths)


def test_without_look_up_or_conditions_a_possible_copy_needs_a_person(
    server: FakeFhirServer,
) -> None:
    server.search_identifier = server.conditional_create = False
    adapter = adapter_of(server)
    server.faults = ["500-after-commit"]
    with pytest.raises(Ambiguous):
        adapter.push(submission())

    with pytest.raises(Rejected, match="a person must check"):
        adapter.push(submission(maybe_sent=True))
    assert server.count("DocumentReference") == 1


def test_without_look_up_a_conditional_create_may_be_repeated(server: FakeFhirServer) -> None:
    server.search_identifier = False
    adapter = adapter_of(server)
    server.faults = ["500-after-commit"]
    with pytest.raises(Ambiguous):
        adapter.push(submission())

    adapter.push(submission(maybe_sent=True))

    assert server.count("DocumentReference") == server.count("MedicationRequest") == 1


@pytest.mark.parametrize("status", ["400", "404", "412", "422"])
def test_refusals_are_rejected_with_the_outcome_kept(server: FakeFhirServer, status: str) -> None:
    server.faults = [status]

    with pytest.raises(Rejected) as caught:
        adapter_of(server).push(submission())

    assert caught.value.status == int(status)
    assert "subject is missing" in caught.value.outcome
    assert server.count("DocumentReference") == 0


@pytest.mark.parametrize(("status", "retry_after"), [("429", 7.0), ("409", None)])
def test_busy_servers_are_tried_again_when_they_say(
    server: FakeFhirServer, status: str, retry_after: float | None
) -> None:
    server.faults = [status]

    with pytest.raises(Retryable) as caught:
        adapter_of(server).push(submission())

    assert caught.value.retry_after == retry_after


def test_a_503_on_a_write_is_ambiguous_and_carries_the_wait(server: FakeFhirServer) -> None:
    server.faults = ["503"]

    with pytest.raises(Ambiguous) as caught:
        adapter_of(server).push(submission())

    assert caught.value.retry_after == 7.0


def test_credentials_come_from_the_environment(server: FakeFhirServer) -> None:
    server.token = "s3cr3t"
    with pytest.raises(AuthFailed):
        adapter_of(server).push(submission())

    adapter = adapter_of(server, auth="bearer", token_env="EHR_TOKEN")

    assert adapter.push(submission()).outcome is Outcome.CREATED
    with pytest.raises(AuthFailed, match="OTHER_TOKEN is not set"):
        adapter_of(server, auth="bearer", token_env="OTHER_TOKEN")


def test_several_copies_at_the_peer_need_a_person(server: FakeFhirServer) -> None:
    adapter = adapter_of(server)
    adapter.push(submission())
    server.put("DocumentReference", "copy", dict(server.only("DocumentReference")))

    with pytest.raises(Rejected, match="2 copies"):
        adapter.push(submission(maybe_sent=True))


def test_a_server_that_ignores_the_search_is_not_believed(server: FakeFhirServer) -> None:
    server.put("DocumentReference", "other", {"resourceType": "DocumentReference"})
    server.ignores_search = True

    with pytest.raises(Rejected, match="nobody can tell"):
        adapter_of(server).push(submission())
    assert server.writes() == []


def test_what_the_ehr_dropped_is_noted_by_path_only(server: FakeFhirServer) -> None:
    server.faults = ["alter"]

    receipt = adapter_of(server).push(submission())

    assert receipt.differences == ("MedicationRequest.dosageInstruction",)
    assert SIG_TEXT not in str(receipt)


def test_a_mediated_review_is_accepted_not_created(server: FakeFhirServer) -> None:
    server.transaction = False
    server.faults = ["202"]

    receipt = adapter_of(server).push(submission())

    assert receipt.outcome is Outcome.ACCEPTED
    assert receipt.remote_id == ""


def test_a_write_that_cannot_be_read_back_is_ambiguous(
    server: FakeFhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = adapter_of(server)
    adapter.capabilities()
    original = server.create

    def create_then_fail_reads(*args: Any) -> tuple[int, str]:
        server.read_faults = ["503"]
        return original(*args)

    monkeypatch.setattr(server, "create", create_then_fail_reads)

    with pytest.raises(Ambiguous, match="reading it back failed"):
        adapter.push(submission())


def test_a_slow_peer_gets_no_late_write(
    server: FakeFhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fhir_r4, "PUSH_BUDGET_S", -1.0)

    with pytest.raises(Retryable, match="too slow"):
        adapter_of(server).push(submission())
    assert server.writes() == []


def test_a_document_marked_as_error_by_the_ehr_is_withdrawn(server: FakeFhirServer) -> None:
    adapter = adapter_of(server)
    adapter.push(submission())
    server.only("DocumentReference")["status"] = "entered-in-error"

    found = adapter.find(submission().key)

    assert found is not None
    assert adapter.status(found) is RemoteStatus.WITHDRAWN


def test_the_dose_stored_at_the_peer_has_its_digits(server: FakeFhirServer) -> None:
    adapter_of(server).push(submission())

    (dosage,) = server.only("MedicationRequest")["dosageInstruction"]
    value = dosage["doseAndRate"][0]["doseQuantity"]["value"]
    assert value.as_tuple() == Decimal("1.50").as_tuple()
