"""Whatever comes in, the FHIR routes answer with an OperationOutcome and never with a 500.

Hypothesis makes requests from the server's own CapabilityStatement (as schemathesis does from an
OpenAPI description): every route, every parameter, sensible and odd values, whole and mutated
resources.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.fhir.capability import capability_statement
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.fhir.served import SERVED
from clinic_hwr.fhir.services import prescription_publish

from .broken_resources import BROKEN, DOCUMENT, ORDER, PATIENT
from .publications import publication
from .serving import FHIR_JSON

pytestmark = pytest.mark.django_db

_many = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def client(site: Site, integration: AbstractBaseUser, monkeypatch: pytest.MonkeyPatch) -> APIClient:
    """The gateway of a site with one paper; unlimited, and failing loudly on faults of ours."""
    prescription_publish(record=publication(site=site))
    monkeypatch.setattr("rest_framework.throttling.UserRateThrottle.THROTTLE_RATES", {"user": None})
    cache.clear()
    client = APIClient()
    client.force_authenticate(integration)
    return client


def _checked(response: Any) -> Any:
    """Return the answer after checking that it is one a FHIR client can read."""
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        body = json.loads(response.content)
        assert body["resourceType"] == "OperationOutcome"
        assert body["issue"][0]["severity"] in ("error", "fatal")
        assert body["issue"][0]["code"]
    return response


(_rest,) = capability_statement("http://testserver/fhir")["rest"]
_types = st.sampled_from(list(SERVED))
_odd_texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from([
        "", " ", "*", "%", "\x00", "\u0000x", "'", '"', "\\", "a,b", "a|b|c", "|", "||", ",,", "$",
        "é\u0301", "\ud7ff", "9" * 400, "-1", "1e9", "NaN", "ge", "eq2026", "gt9999-12-31",
        "lt0001-01-01T00:00:00+14:00", "2026-02-30", "2026-11-20T25:00:00Z", "ap9999",
        "ap0001-01-01", "Patient/", "/", "Patient/a/b", "http://", "urn:uuid:", "_id", "true",
        "../../etc/passwd", "' OR 1=1 --", "MedicationRequest:patient:Patient", "-_lastUpdated",
        "W1t7fV0", "null", "[]",
    ]),
)  # fmt: skip
_names = st.one_of(
    st.sampled_from(sorted({
        each["name"] for resource in _rest["resource"] for each in resource.get("searchParam", [])
    })),
    st.sampled_from([
        "_count", "_sort", "_include", "_revinclude", "_include:iterate", "_summary", "_elements",
        "_total", "_cursor", "_search", "_format", "_pretty", "_since", "_type", "start", "end",
        "patient.identifier", "subject:Patient.name", "author.given", "status:not", "name:exact",
        "identifier:missing", "date:missing", "_has:Provenance:target:agent", "nothing",
    ]),
    st.text(max_size=12),
)  # fmt: skip
_queries = st.lists(st.tuples(_names, _odd_texts), max_size=4)
_ids = st.one_of(st.sampled_from(["known", "1", "_history", "$x", "a" * 65]), st.text(max_size=8))
_headers = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_ACCEPT": st.sampled_from(["*/*", FHIR_JSON, "application/pdf", "", ";", "a/b;q=x"]),
        "HTTP_PREFER": st.sampled_from(["handling=strict", "return=minimal", "return=", ";;,="]),
        "HTTP_IF_NONE_MATCH": st.sampled_from(['W/"1"', "*", "", '"', "x"]),
        "HTTP_IF_MODIFIED_SINCE": st.sampled_from(["yesterday", "Sun, 06 Nov 1994 08:49:37 GMT"]),
        "HTTP_IF_MATCH": st.sampled_from(['W/"1"', "*", "x", ""]),
        "HTTP_IF_NONE_EXIST": st.sampled_from(["", "identifier=A-1", "?", "a", "Patient?_id=1"]),
        "HTTP_ACCEPT_ENCODING": st.sampled_from(["gzip", "gzip;q=0", "*", ";"]),
    },
)
_routes = st.sampled_from([
    "{type}", "{type}/{id}", "{type}/{id}/_history", "{type}/{id}/_history/{id}", "{type}/_history",
    "{type}/_search", "{type}/$validate", "{type}/{id}/$validate", "Patient/{id}/$everything",
    "Patient/{id}/{type}", "DocumentReference/$docref", "Composition/{id}/$document", "_history",
    "metadata", "", "{type}/{id}/{id}",
])  # fmt: skip


def _address(route: str, kind: str, fhir_id: str) -> str:
    if fhir_id == "known":
        row = ResourceVersion.objects.filter(resource_type=kind).first()
        fhir_id = row.fhir_id if row else "1"
    return "/fhir/" + route.format(type=kind, id=quote(fhir_id, safe="$_"))


@_many
@given(
    method=st.sampled_from(["get", "head"]),
    route=_routes, kind=_types, fhir_id=_ids, query=_queries, headers=_headers,
)  # fmt: skip
@example(
    method="get", route="{type}", kind="Patient", fhir_id="", query=[("_cursor", "W10")], headers={}
)
def test_reads_and_searches(
    client: APIClient, method: str, route: str, kind: str, fhir_id: str,
    query: list[tuple[str, str]], headers: dict[str, str],
) -> None:  # fmt: skip
    response = getattr(client, method)(_address(route, kind, fhir_id), query, **headers)

    if method == "get":
        _checked(response)
    assert response.status_code < 500


@_many
@given(kind=_types, query=_queries)
def test_searches_by_post(client: APIClient, kind: str, query: list[tuple[str, str]]) -> None:
    _checked(client.post(f"/fhir/{kind}/_search", dict(query)))


# ---- bodies -----------------------------------------------------------------------------------

_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["resourceType", "id", "meta", "text", "div", "contained", "extension",
                         "url", "reference", "coding", "value", "_status", "entry", "request"])
        | st.text(max_size=6), inner, max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip
_WHOLE = [PATIENT, ORDER, DOCUMENT, *(resource for resource, _, _ in BROKEN.values())]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _paths(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _paths(member, (*path, index))


@st.composite
def _mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Return a resource in which something was replaced, taken away or added."""
    resource = copy.deepcopy(draw(st.sampled_from(_WHOLE)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(_paths(resource))))
        holder = resource
        for step in path[:-1]:
            holder = holder[step]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                holder[path[-1]] = draw(_json_values)
            case "remove" if path != ("resourceType",):
                del holder[path[-1]]
            case _ if isinstance(holder, dict):
                holder[draw(st.text(max_size=6))] = draw(_json_values)
    return resource if list(_paths(resource)) else dict(PATIENT)


@_many
@given(
    method=st.sampled_from(["post", "put"]),
    route=_routes, kind=_types, fhir_id=_ids, resource=_mutated(), query=_queries, headers=_headers,
)  # fmt: skip
def test_writes(
    client: APIClient, method: str, route: str, kind: str, fhir_id: str, resource: dict[str, Any],
    query: list[tuple[str, str]], headers: dict[str, str],
) -> None:  # fmt: skip
    named = resource.get("resourceType")
    kind = named if isinstance(named, str) and named in SERVED else kind
    try:
        address = f"{_address(route, kind, fhir_id)}?{urlencode(query)}"
        body = json.dumps(resource)
    except (UnicodeEncodeError, ValueError):
        return  # no HTTP client can send that
    _checked(getattr(client, method)(address, body, content_type=FHIR_JSON, **headers))


@_many
@given(resource=_mutated(), kind=st.sampled_from(["Patient", "DocumentReference"]))
def test_what_is_taken_can_be_read_and_found_again(
    client: APIClient, resource: dict[str, Any], kind: str
) -> None:
    body = {**resource, "resourceType": kind}

    response = _checked(client.post(f"/fhir/{kind}", json.dumps(body), content_type=FHIR_JSON))

    if response.status_code == 201:
        fhir_id = response.json()["id"]
        assert client.get(f"/fhir/{kind}/{fhir_id}").content == response.content
        found = client.get(f"/fhir/{kind}?_id={fhir_id}&_summary=true&_include=*")
        assert found.json()["total"] == 1


@_many
@given(
    kind=st.sampled_from(["batch", "transaction"]),
    entries=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "fullUrl": _odd_texts,
                "resource": _mutated() | _json_values,
                "request": st.fixed_dictionaries(
                    {},
                    optional={
                        "method": st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "x"]),
                        "url": st.sampled_from([
                            "Patient", "Patient/1", "Patient?name=x", "metadata", "", "/", "?",
                            "Patient/_search", "MedicationRequest?_include=*", "_history",
                            "Patient/$validate", "AuditEvent", "Binary",
                        ]) | _odd_texts,
                        "ifNoneExist": _odd_texts,
                        "ifMatch": _odd_texts,
                    },
                ) | _json_values,
            },
        ) | _json_values,
        max_size=3,
    ) | _json_values,
)  # fmt: skip
def test_bundles(client: APIClient, kind: str, entries: Any) -> None:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}

    _checked(client.post("/fhir", json.dumps(bundle), content_type=FHIR_JSON))


@_many
@given(
    body=st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode("utf-8", "replace")),
    content_type=st.sampled_from([FHIR_JSON, "application/json", "text/plain", "x"]),
)
def test_bodies_that_are_nothing(client: APIClient, body: bytes, content_type: str) -> None:
    for address in ("/fhir", "/fhir/Patient", "/fhir/Patient/_search", "/fhir/Patient/$validate"):
        _checked(client.post(address, body, content_type=content_type))
