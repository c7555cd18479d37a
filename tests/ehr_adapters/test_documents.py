"""Taking documents apart and comparing what came back."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ehr_adapters import Capabilities, Rejected, ResourceSupport, exact_json
from ehr_adapters.documents import parse_document
from ehr_adapters.payloads import Route, choose_route, document_alone, transaction_bundle
from ehr_adapters.readback import differences

from .fake_fhir_server import ALL_TYPES
from .released import PDF, PRESCRIPTION_ID, document_bytes, submission


def all_can(**support: bool) -> Capabilities:
    """Return a server that creates every type."""
    kinds = {kind: ResourceSupport(create=True, **support) for kind in ALL_TYPES}
    return Capabilities(peer="test", transaction=True, looks_up=True, resources=kinds)


def test_the_scan_is_found_inline_and_in_a_binary() -> None:
    assert parse_document(document_bytes()).attachment_bytes() == PDF
    assert parse_document(document_bytes(scan_in_binary=True)).attachment_bytes() == PDF


def test_a_binary_never_travels_its_data_goes_inline() -> None:
    document = parse_document(document_bytes(scan_in_binary=True))
    route, entries = choose_route(document, all_can()) or pytest.fail("no route")

    sent = transaction_bundle(document, entries, all_can(), submission().key)

    assert route is Route.TRANSACTION
    kinds = [entry["resource"]["resourceType"] for entry in sent["entry"]]
    assert "Binary" not in kinds
    (scan,) = [e["resource"] for e in sent["entry"] if e["request"]["url"] == "DocumentReference"]
    assert "url" not in scan["content"][0]["attachment"]
    assert scan["content"][0]["attachment"]["data"]


def test_every_try_builds_the_same_bytes() -> None:
    document = parse_document(document_bytes())
    _, entries = choose_route(document, all_can()) or pytest.fail("no route")

    first, second = (
        exact_json.dumps(transaction_bundle(document, entries, all_can(), submission().key))
        for _ in range(2)
    )

    assert first == second


def test_our_identifier_comes_first_and_once() -> None:
    document = parse_document(document_bytes())
    wanted = submission().key.identifier

    alone = document_alone(document, submission().key)

    assert alone["identifier"] == [{"system": wanted.system, "value": wanted.value}]
    assert str(PRESCRIPTION_ID) not in wanted.value  # a version has its own


@pytest.mark.parametrize(
    "damage",
    [
        b"not json",
        b"[]",
        b'{"resourceType":"Bundle","type":"document","entry":[]}',
        document_bytes().replace(b'"type": "document"', b'"type": "collection"'),
        document_bytes().replace(b'"attachment"', b'"attached"'),
    ],
)
def test_what_is_no_released_document_is_refused(damage: bytes) -> None:
    with pytest.raises(Rejected):
        parse_document(damage)


def test_exact_json_keeps_digits_and_text() -> None:
    data = '{"a":1.50,"b":[1,-0.10,1E+2],"c":"é\\n\\"","d":null,"e":true}'.encode()

    assert exact_json.dumps(exact_json.loads(data)) == data
    assert exact_json.loads(data)["a"].as_tuple() == Decimal("1.50").as_tuple()


@pytest.mark.parametrize(
    ("sent", "kept", "paths"),
    [
        ({"status": "active"}, {"status": "active", "meta": {}, "added": 1}, ()),
        ({"status": "active"}, {"status": "draft"}, ("X.status",)),
        ({"dose": Decimal("1.50")}, {"dose": Decimal("1.5")}, ()),
        ({"dose": Decimal("1.50")}, {"dose": Decimal("15.0")}, ("X.dose",)),
        ({"flag": True}, {"flag": 1}, ("X.flag",)),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}]}, ("X.a",)),
        ({"a": [{"b": 1}]}, {"a": [{"b": 3}]}, ("X.a[0].b",)),
        ({"a": {"b": 1}}, {"a": "text"}, ("X.a",)),
        ({"at": {"data": "AA==", "size": 1}}, {"at": {"url": "Binary/1", "size": 1}}, ()),
        ({"subject": {"reference": "urn:uuid:1"}}, {"subject": {"reference": "Patient/1"}}, ()),
    ],
)
def test_differences_are_named_by_path(sent: dict, kept: dict, paths: tuple[str, ...]) -> None:
    assert differences({"resourceType": "X", **sent}, kept | {"resourceType": "X"}) == paths


def test_a_document_without_ids_is_refused_before_anything_is_sent() -> None:
    body = json.loads(document_bytes())
    for entry in body["entry"]:
        del entry["fullUrl"], entry["resource"]["id"]
    document = parse_document(json.dumps(body).encode())

    with pytest.raises(Rejected, match="has no id"):
        transaction_bundle(document, document.entries, all_can(), submission().key)
