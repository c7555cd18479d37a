"""Later versions at FHIR servers: what was withdrawn ends not active, or a person is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from ehr_adapters import (
    Ambiguous,
    EhrAdapter,
    Outcome,
    Retryable,
    Unamendable,
    create_adapter,
    exact_json,
)

from .fake_fhir_server import FakeFhirServer, fake_fhir_server
from .released import AMENDED_SIG, DRUG_TEXT, SIG_TEXT, amendment, retraction, submission

ERROR = "entered-in-error"
WAYS: dict[str, dict[str, bool]] = {
    "own ids": {"update_create": True},
    "conditional update": {"conditional_update": True},
    "update by id": {"update": True},
    "both": {"update": True, "conditional_update": True},
    "both, the conditional one refused": {
        "update": True,
        "conditional_update": True,
        "refuses_conditional_update": True,
    },
    "own ids without search": {"update_create": True, "search_identifier": False},
    "conditional update without search": {"conditional_update": True, "search_identifier": False},
}


@pytest.fixture
def server() -> Iterator[FakeFhirServer]:
    """A fake FHIR server that creates and, until told, changes nothing."""
    with fake_fhir_server() as running:
        yield running


@pytest.fixture(params=WAYS)
def able(request: pytest.FixtureRequest, server: FakeFhirServer) -> FakeFhirServer:
    """A fake FHIR server that can change things in one way."""
    for name, value in WAYS[request.param].items():
        setattr(server, name, value)
    return server


def adapter_of(server: FakeFhirServer) -> EhrAdapter:
    """Return a fresh adapter, as a new process has it."""
    return create_adapter("fhir_r4", {"base_url": server.url, "timeout_s": 2}, {})


def statuses(server: FakeFhirServer) -> dict[str, list[str]]:
    """Return the status of everything that has one, by type."""
    found = {
        kind: [each["status"] for each in by_id.values() if "status" in each]
        for kind, by_id in server.store.items()
    }
    return {kind: each for kind, each in found.items() if each}


WITHDRAWN = {"Composition": [ERROR], "MedicationRequest": [ERROR], "DocumentReference": [ERROR]}


def test_a_retracted_order_ends_not_active_exactly_once(able: FakeFhirServer) -> None:
    first = adapter_of(able).push(submission())

    receipt = adapter_of(able).push(retraction())

    assert statuses(able) == WITHDRAWN
    assert (receipt.outcome, receipt.remote_id) == (Outcome.AMENDED, first.remote_id)
    assert (receipt.version, receipt.differences) == ("2", ())
    assert len(able.store["Patient"]) == 1
    assert Bundle.model_validate_json(able.writes()[-1][3]).type == "transaction"


def test_an_amended_order_says_what_the_new_version_says(able: FakeFhirServer) -> None:
    adapter_of(able).push(submission())

    adapter_of(able).push(amendment())

    order = able.only("MedicationRequest")
    assert order["dosageInstruction"] == [{"text": AMENDED_SIG}]
    assert order["subject"] == {"reference": f"Patient/{able.only('Patient')['id']}"}
    held = f"DocumentReference/{able.only('DocumentReference')['id']}"
    assert order["supportingInformation"] == [{"reference": held}]
    assert statuses(able)["Composition"] == ["amended"]


@pytest.mark.parametrize("fault", ["drop-before-commit", "drop-after-commit", "500-after-commit"])
def test_a_push_after_a_lost_answer_finishes_the_retraction(
    able: FakeFhirServer, fault: str
) -> None:
    adapter_of(able).push(submission())
    able.faults = [fault]
    with pytest.raises(Ambiguous):
        adapter_of(able).push(retraction())

    adapter_of(able).push(retraction(maybe_sent=True))

    assert statuses(able) == WITHDRAWN


def test_what_arrived_is_not_written_again(server: FakeFhirServer) -> None:
    server.update = True
    adapter_of(server).push(submission())
    adapter_of(server).push(retraction())
    written = len(server.writes())

    receipt = adapter_of(server).push(retraction(maybe_sent=True))

    assert receipt.outcome is Outcome.ALREADY_THERE
    assert len(server.writes()) == written


def test_an_earlier_version_sent_late_does_not_bring_the_order_back(server: FakeFhirServer) -> None:
    server.update = True
    adapter_of(server).push(retraction())

    receipt = adapter_of(server).push(submission())

    assert (receipt.outcome, receipt.differences) == (Outcome.ALREADY_THERE, ())
    assert statuses(server) == WITHDRAWN


def test_withdrawn_orders_go_first(server: FakeFhirServer) -> None:
    server.update = True
    adapter_of(server).push(submission())
    adapter_of(server).push(retraction())

    first = exact_json.loads(server.writes()[-1][3])["entry"][0]
    assert first["resource"]["resourceType"] == "MedicationRequest"
    assert (first["resource"]["status"], first["request"]["ifMatch"]) == (ERROR, 'W/"1"')


@pytest.mark.parametrize("search", [True, False])
def test_a_server_that_changes_nothing_is_reported_with_the_address(
    server: FakeFhirServer, search: bool
) -> None:
    adapter_of(server).push(submission())
    server.search_identifier = search
    order = server.only("MedicationRequest")

    with pytest.raises(Unamendable, match="STILL IN FORCE IN THE EHR") as caught:
        adapter_of(server).push(retraction())

    wanted = f"MedicationRequest/{order['id']}" if search else "MedicationRequest of the earlier"
    assert wanted in str(caught.value)
    assert DRUG_TEXT not in str(caught.value)
    assert statuses(server)["MedicationRequest"] == ["active"]


def test_what_a_person_withdrew_by_hand_closes_the_delivery(server: FakeFhirServer) -> None:
    adapter_of(server).push(submission())
    with pytest.raises(Unamendable):
        adapter_of(server).push(retraction())
    server.only("MedicationRequest")["status"] = "cancelled"
    for kind in ("DocumentReference", "Composition"):
        server.only(kind)["status"] = ERROR

    assert adapter_of(server).push(retraction()).outcome is Outcome.ALREADY_THERE


@pytest.mark.parametrize("later", [retraction, amendment])
@pytest.mark.parametrize("way", ["own ids", "conditional update without search", "update by id"])
def test_an_update_that_changes_nothing_is_not_believed(
    server: FakeFhirServer, later: Any, way: str
) -> None:
    for name, value in WAYS[way].items():
        setattr(server, name, value)
    adapter_of(server).push(submission())
    server.ignores_updates = True

    with pytest.raises(Unamendable):
        adapter_of(server).push(later())
    with pytest.raises(Unamendable):
        adapter_of(server).push(later())


def test_refusals_of_both_ways_keep_the_words_of_the_server(server: FakeFhirServer) -> None:
    server.update = server.conditional_update = True
    adapter_of(server).push(submission())
    server.faults = ["400", "422"]

    with pytest.raises(Unamendable) as caught:
        adapter_of(server).push(retraction())

    assert caught.value.status == 422
    assert "subject is missing" in caught.value.outcome
    assert f"DocumentReference/{server.only('DocumentReference')['id']}" in str(caught.value)


def test_an_order_does_not_stay_active_because_something_else_is_refused(
    server: FakeFhirServer,
) -> None:
    server.update = True
    adapter_of(server).push(submission())
    server.faults = ["422"]

    with pytest.raises(Unamendable) as caught:
        adapter_of(server).push(retraction())

    assert statuses(server)["MedicationRequest"] == [ERROR]
    assert statuses(server)["DocumentReference"] == ["current"]
    assert "MedicationRequest/" not in str(caught.value)
    assert "DocumentReference/" in str(caught.value)


def test_a_refused_change_without_another_way_keeps_the_words_of_the_server(
    server: FakeFhirServer,
) -> None:
    server.conditional_update = server.refuses_conditional_update = True
    adapter_of(server).push(submission())

    with pytest.raises(Unamendable, match="HTTP 400") as caught:
        adapter_of(server).push(retraction())

    assert f"MedicationRequest/{server.only('MedicationRequest')['id']}" in str(caught.value)
    assert "subject is missing" in caught.value.outcome


def test_a_change_in_the_ehr_meanwhile_is_looked_at_again(server: FakeFhirServer) -> None:
    server.update = True
    adapter_of(server).push(submission())
    server.faults = ["412"]

    with pytest.raises(Retryable, match="meanwhile"):
        adapter_of(server).push(retraction())
    adapter_of(server).push(retraction())

    assert statuses(server) == WITHDRAWN


def test_an_order_that_the_ehrs_people_stopped_is_not_made_active(server: FakeFhirServer) -> None:
    server.update = True
    adapter_of(server).push(submission())
    server.only("MedicationRequest")["status"] = "stopped"

    order = server.only("MedicationRequest")
    with pytest.raises(Unamendable) as caught:
        adapter_of(server).push(amendment())

    assert statuses(server)["MedicationRequest"] == ["stopped"]
    # nobody follows it any more: it must not be called in force
    assert f"ENDED BY THE EHR'S OWN STAFF: MedicationRequest/{order['id']} (stopped)" in str(
        caught.value
    )
    assert "STILL IN FORCE" not in str(caught.value)


def test_an_unchanged_order_that_was_dispensed_is_left_as_it_is(server: FakeFhirServer) -> None:
    server.update = True
    adapter_of(server).push(submission())
    server.only("MedicationRequest")["status"] = "completed"

    receipt = adapter_of(server).push(submission(version=2))

    assert receipt.outcome is Outcome.AMENDED
    assert statuses(server)["MedicationRequest"] == ["completed"]


def test_a_review_by_staff_is_not_yet_a_retraction(server: FakeFhirServer) -> None:
    server.update = True
    adapter_of(server).push(submission())
    server.faults = ["202"]

    with pytest.raises(Unamendable, match="review by its staff"):
        adapter_of(server).push(retraction())


class TestWithoutTransactions:
    """Documents only, one request each."""

    @pytest.fixture(autouse=True)
    def _documents_only(self, server: FakeFhirServer) -> None:
        server.transaction = False

    @pytest.mark.parametrize("way", [w for w in WAYS if w != "own ids without search"])
    def test_the_document_is_changed_in_place(self, server: FakeFhirServer, way: str) -> None:
        for name, value in WAYS[way].items():
            setattr(server, name, value)
        adapter_of(server).push(submission())

        adapter_of(server).push(retraction())

        assert statuses(server) == {"DocumentReference": [ERROR]}

    @pytest.mark.parametrize("fault", ["drop-before-commit", "drop-after-commit", "503"])
    def test_a_crash_between_two_requests_is_made_good(
        self, server: FakeFhirServer, fault: str
    ) -> None:
        server.transaction = True
        server.update = True
        adapter_of(server).push(submission())
        server.transaction = False  # the EHR was changed since
        server.faults = ["", fault]
        with pytest.raises(Ambiguous):
            adapter_of(server).push(retraction())
        assert statuses(server)["MedicationRequest"] == [ERROR]  # the order went first

        adapter_of(server).push(retraction(maybe_sent=True))

        assert statuses(server)["DocumentReference"] == [ERROR]
        order = server.only("MedicationRequest")
        assert (order["meta"]["versionId"], order["dosageInstruction"][0]["text"]) == (
            "2",
            SIG_TEXT,
        )
        assert order["subject"] == {"reference": f"Patient/{server.only('Patient')['id']}"}

    def test_where_documents_never_change_a_new_one_replaces_and_a_person_is_told(
        self, server: FakeFhirServer
    ) -> None:
        old = adapter_of(server).push(submission()).remote_id

        for maybe_sent in (False, True):
            with pytest.raises(Unamendable, match=old):
                adapter_of(server).push(amendment(maybe_sent=maybe_sent))

        first, second = server.store["DocumentReference"].values()
        assert first["status"] == "current"
        assert second["relatesTo"][0]["code"] == "replaces"
        assert second["relatesTo"][0]["target"]["reference"] == old
        first["status"] = "superseded"  # by hand
        receipt = adapter_of(server).push(amendment())
        assert receipt.remote_id == f"DocumentReference/{second['id']}"
        assert server.count("DocumentReference") == 2

    def test_where_documents_never_change_a_retraction_makes_no_new_one(
        self, server: FakeFhirServer
    ) -> None:
        adapter_of(server).push(submission())

        with pytest.raises(Unamendable):
            adapter_of(server).push(retraction())

        assert statuses(server) == {"DocumentReference": ["current"]}
