"""Bounds of the HTTP transport."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ehr_adapters import Ambiguous, Retryable, Unsupported
from ehr_adapters.transport import Limits, Transport, check_base_url, retry_after_seconds

from .fake_fhir_server import FakeFhirServer, fake_fhir_server

NO_LIST: frozenset[str] = frozenset()


@pytest.fixture
def server() -> Iterator[FakeFhirServer]:
    """A fake FHIR server."""
    with fake_fhir_server() as running:
        yield running


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://ehr.example/fhir", "http"),
        ("https://user:pw@ehr.example/fhir", "no user name"),
        ("https://ehr.example/fhir?token=1", "query"),
        ("http://ehr.example/fhir", "use https"),
        ("/fhir", "http"),
    ],
)
def test_unsafe_addresses_are_refused(url: str, reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        check_base_url(url, allowed_hosts=NO_LIST, allow_http=False)


def test_the_operators_list_of_hosts_is_final() -> None:
    listed = frozenset({"ehr.example"})

    allowed = check_base_url("https://ehr.example/fhir/", allowed_hosts=listed, allow_http=False)

    assert allowed == "https://ehr.example/fhir"
    with pytest.raises(Unsupported, match=r"metadata\.internal is not in"):
        check_base_url("http://metadata.internal/", allowed_hosts=listed, allow_http=True)


def test_plain_http_is_for_loopback_or_on_request() -> None:
    for url, allow in [("http://127.0.0.1:8080/fhir", False), ("http://lab.example/fhir", True)]:
        assert check_base_url(url, allowed_hosts=NO_LIST, allow_http=allow) == url


def test_redirects_stay_on_the_host(server: FakeFhirServer) -> None:
    transport = Transport(server.url)
    server.read_faults = [f"redirect:{server.url}/metadata"]
    assert transport.request("GET", "old").status == 200

    server.read_faults = ["redirect:https://elsewhere.example/metadata"]
    assert transport.request("GET", "old").status == 302


def test_a_redirect_loop_ends(server: FakeFhirServer) -> None:
    server.read_faults = [f"redirect:{server.url}/old"] * 10

    assert Transport(server.url).request("GET", "old").status == 302
    assert len(server.requests) == 4


def test_answers_have_a_size_limit(server: FakeFhirServer) -> None:
    transport = Transport(server.url, max_answer_bytes=100)

    with pytest.raises(Retryable, match="over 100 bytes"):
        transport.request("GET", "metadata")
    server.faults = ["400"]  # its OperationOutcome is longer than the limit
    with pytest.raises(Ambiguous, match="over 100 bytes"):
        transport.request("POST", "DocumentReference", body=b"{}")


def test_a_dribbling_answer_is_cut_off(server: FakeFhirServer) -> None:
    ticks = iter([0.0, 1000.0, 2000.0, 3000.0])
    transport = Transport(
        server.url, limits=Limits(total=90.0), monotonic=lambda: next(ticks, 9000.0)
    )

    with pytest.raises(Retryable, match="took over 90 s"):
        transport.request("GET", "metadata")


def test_a_closed_port_was_never_sent_to() -> None:
    with fake_fhir_server() as gone:
        url = gone.url

    with pytest.raises(Retryable, match="cannot be reached"):
        Transport(url).request("POST", "DocumentReference", body=b"{}")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Fri, 20 Nov 2026 10:01:00 GMT", 60.0),
        ("Fri, 20 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_in_both_forms(value: str, seconds: float | None) -> None:
    now = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

    assert retry_after_seconds(value, now) == seconds
