"""The FHIR server over HTTP: reads, conditions and formats."""

from __future__ import annotations

import gzip

import pytest
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.fhir.services import bundle_bytes, prescription_publish

from .publications import PDF, publication
from .serving import FHIR_JSON, RELEASED_TYPES, assert_outcome, row_of, url_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("resource_type", sorted(set(RELEASED_TYPES) - {"Binary"}))
def test_a_read_answers_the_stored_bytes(
    released: str, as_integration: APIClient, resource_type: str
) -> None:
    row = row_of(resource_type)

    response = as_integration.get(url_of(resource_type))

    assert response.status_code == 200
    assert response["Content-Type"] == FHIR_JSON
    assert response.content == bytes(row.body)
    assert response["ETag"] == 'W/"1"'
    assert response["Last-Modified"] == "Sun, 22 Nov 2026 09:30:15 GMT"
    assert response["Cache-Control"] == "no-store"


def test_a_version_stays_readable_after_an_amendment(
    site: Site, released: str, as_integration: APIClient
) -> None:
    prescription_publish(record=publication(site=site, version=2, verifier_name="Ann Other"))
    url = url_of("Composition")

    old, new = as_integration.get(f"{url}/_history/1"), as_integration.get(f"{url}/_history/2")

    assert (old["ETag"], new["ETag"]) == ('W/"1"', 'W/"2"')
    assert as_integration.get(url).content == new.content != old.content
    assert_outcome(as_integration.get(f"{url}/_history/3"), 404, "not-found")
    assert_outcome(as_integration.get(f"{url}/_history/first"), 404, "not-found")
    assert_outcome(as_integration.get(f"{url}/_history/{'9' * 40}"), 404, "not-found")


def test_a_composition_leads_to_its_document(
    site: Site, released: str, as_integration: APIClient
) -> None:
    url = f"{url_of('Composition')}/$document"
    assert as_integration.get(url).content == bundle_bytes(released)

    amended = prescription_publish(record=publication(site=site, version=2))

    assert as_integration.get(url).content == bundle_bytes(amended)


def test_every_reference_of_a_read_can_be_followed(
    released: str, as_integration: APIClient
) -> None:
    order = as_integration.get(url_of("MedicationRequest")).json()
    scan = as_integration.get(f"/fhir/{order['supportingInformation'][0]['reference']}").json()
    attachment = scan["content"][0]["attachment"]

    pdf = as_integration.get(f"/fhir/{attachment['url']}", HTTP_ACCEPT=attachment["contentType"])

    assert pdf.content == PDF
    for element in ("subject", "requester", "recorder"):
        url = f"/fhir/{order[element]['reference']}"
        assert as_integration.get(url).status_code == 200


def test_an_unchanged_resource_is_not_sent_again(released: str, as_integration: APIClient) -> None:
    url = url_of("Patient")

    for condition in (
        {"HTTP_IF_NONE_MATCH": 'W/"1"'},
        {"HTTP_IF_NONE_MATCH": '"9", "1"'},
        {"HTTP_IF_MODIFIED_SINCE": "Sun, 22 Nov 2026 09:30:15 GMT"},
    ):
        response = as_integration.get(url, **condition)
        assert (response.status_code, response.content) == (304, b"")
        assert response["ETag"] == 'W/"1"'
    for condition in (
        {"HTTP_IF_NONE_MATCH": 'W/"2"'},
        {"HTTP_IF_MODIFIED_SINCE": "Sun, 22 Nov 2026 09:30:14 GMT"},
        {"HTTP_IF_MODIFIED_SINCE": "yesterday"},
    ):
        assert as_integration.get(url, **condition).status_code == 200


def test_head_has_the_headers_and_no_body(released: str, as_integration: APIClient) -> None:
    response = as_integration.head(url_of("Patient"))

    assert (response.status_code, response.content) == (200, b"")
    assert response["ETag"] == 'W/"1"'


@pytest.mark.parametrize(
    "accept",
    [
        FHIR_JSON,
        "application/json",
        "*/*",
        "application/*",
        "text/html, application/xhtml+xml, */*;q=0.8",
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+xml;q=0.9, application/fhir+json;q=0.1",
    ],
)
def test_fhir_json_is_served_to_who_takes_it(
    released: str, as_integration: APIClient, accept: str
) -> None:
    response = as_integration.get(url_of("Patient"), HTTP_ACCEPT=accept)

    assert (response.status_code, response["Content-Type"]) == (200, FHIR_JSON)


@pytest.mark.parametrize(
    "accept",
    ["application/fhir+xml", "text/html", "application/fhir+json;q=0", "", ";;=,q",
     "application/fhir+json; fhirVersion=5.0", "application/fhir+json;q=much"],
)  # fmt: skip
def test_other_formats_are_not_acceptable(
    released: str, as_integration: APIClient, accept: str
) -> None:
    response = as_integration.get(url_of("Patient"), HTTP_ACCEPT=accept)

    assert_outcome(response, 406, "not-supported")


def test_format_overrides_accept(released: str, as_integration: APIClient) -> None:
    url = url_of("Patient")

    for wanted in ("json", "application/json", "application/fhir%2Bjson", "application/fhir+json"):
        response = as_integration.get(f"{url}?_format={wanted}", HTTP_ACCEPT="text/html")
        assert response.status_code == 200, wanted
    assert_outcome(as_integration.get(f"{url}?_format=xml"), 406, "not-supported")


def test_a_binary_is_the_pdf_unless_fhir_is_asked_for(
    released: str, as_integration: APIClient
) -> None:
    url = url_of("Binary")

    for accept in ("*/*", "application/pdf", "application/pdf, application/fhir+json"):
        response = as_integration.get(url, HTTP_ACCEPT=accept)
        assert (response["Content-Type"], response.content) == ("application/pdf", PDF), accept
    for accept in (FHIR_JSON, "application/json", "application/fhir+json, */*;q=0.1"):
        response = as_integration.get(url, HTTP_ACCEPT=accept)
        assert response["Content-Type"] == FHIR_JSON, accept
        assert response.json()["contentType"] == "application/pdf"
    assert as_integration.get(f"{url}?_format=json")["Content-Type"] == FHIR_JSON
    assert as_integration.get(f"{url}/_history/1").content == PDF
    assert_outcome(as_integration.get(url, HTTP_ACCEPT="image/png"), 406, "not-supported")


def test_a_long_answer_is_packed_for_who_takes_gzip(
    released: str, as_integration: APIClient
) -> None:
    url = url_of("Bundle")
    plain = as_integration.get(url)

    packed = as_integration.get(url, HTTP_ACCEPT_ENCODING="br, gzip;q=0.5")

    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 2
    for refused in ("", "identity", "gzip;q=0"):
        response = as_integration.get(url, HTTP_ACCEPT_ENCODING=refused)
        assert "Content-Encoding" not in response, refused


def test_a_binary_never_runs_as_a_page(released: str, as_integration: APIClient) -> None:
    response = as_integration.get(url_of("Binary"))

    assert response["Content-Disposition"] == "attachment"
    assert response["X-Content-Type-Options"] == "nosniff"
