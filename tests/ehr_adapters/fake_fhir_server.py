"""A small FHIR R4 server on loopback whose faults are scripted, one fault for each write."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ehr_adapters import exact_json

ALL_TYPES = (
    "Patient",
    "Practitioner",
    "Device",
    "MedicationRequest",
    "DocumentReference",
    "Provenance",
    "Composition",
)
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "invalid", "diagnostics": "subject is missing"}],
}


class FakeFhirServer:
    """State and script of the peer.

    ``faults`` are taken one a write, first in first out: ``500-after-commit``,
    ``drop-after-commit``, ``hang-after-commit``, ``cut-after-commit``, ``drop-before-commit``,
    ``alter``, ``202``, or an HTTP status ("400", "429", ...), which refuses without storing.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.store: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self.faults: list[str] = []
        self.read_faults: list[str] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.types: tuple[str, ...] = ALL_TYPES
        self.transaction = True
        self.conditional_create = True
        self.update_create = False
        self.update = False
        self.conditional_update = False
        self.refuses_conditional_update = False  # although it says that it has it
        self.ignores_updates = False  # answers 200 and changes nothing, as openemr #2618
        self.search_identifier = True
        self.fhir_version = "4.0.1"
        self.ignores_search = False
        self.token: str | None = None
        self.committed = threading.Event()
        self.release_hung = threading.Event()
        self.url = ""

    def count(self, kind: str) -> int:
        """Return how many resources of a type are stored."""
        return len(self.store[kind])

    def only(self, kind: str) -> dict[str, Any]:
        """Return the one stored resource of a type."""
        (resource,) = self.store[kind].values()
        return resource

    def writes(self) -> list[tuple[str, str, dict[str, str], bytes]]:
        """Return the requests that were no reads."""
        return [request for request in self.requests if request[0] != "GET"]

    def capability_statement(self) -> dict[str, Any]:
        """Return /metadata."""
        codes = ["read", "create", "search-type"] + (
            ["update"] if self.update or self.update_create else []
        )
        resources = [
            {
                "type": kind,
                "interaction": [{"code": code} for code in codes],
                "conditionalCreate": self.conditional_create,
                "updateCreate": self.update_create,
                "conditionalUpdate": self.conditional_update,
                "searchParam": [{"name": "identifier", "type": "token"}]
                if self.search_identifier
                else [],
            }
            for kind in self.types
        ]
        rest = {"mode": "server", "resource": resources}
        if self.transaction:
            rest["interaction"] = [{"code": "transaction"}]
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": self.fhir_version,
            "software": {"name": "Fake EHR", "version": "3"},
            "rest": [rest],
        }

    def find(self, kind: str, token: str) -> list[dict[str, Any]]:
        """Search one type by an identifier token."""
        if self.ignores_search:
            return list(self.store[kind].values())
        found = []
        for resource in self.store[kind].values():
            identifiers = resource.get("identifier", [])
            identifiers = identifiers if isinstance(identifiers, list) else [identifiers]
            if token in {f"{i.get('system')}|{i.get('value')}" for i in identifiers}:
                found.append(resource)
        return found

    def create(self, kind: str, body: dict[str, Any], condition: str) -> tuple[int, str]:
        """Create (conditionally); return status and location."""
        if condition:
            token = unquote(condition.removeprefix("identifier="))
            found = self.find(kind, token)
            if len(found) > 1:
                return 412, ""
            if found:
                return 200, f"{kind}/{found[0]['id']}/_history/1"
        return self.put(kind, str(uuid.uuid4()), body)

    def put(self, kind: str, fhir_id: str, body: dict[str, Any]) -> tuple[int, str]:
        """Store under an id; return status and location."""
        version = int(
            self.store[kind].get(fhir_id, {"meta": {"versionId": "0"}})["meta"]["versionId"]
        )
        if version and self.ignores_updates:
            return 200, f"{kind}/{fhir_id}/_history/{version}"
        self.store[kind][fhir_id] = {**body, "id": fhir_id, "meta": {"versionId": str(version + 1)}}
        return (201 if version == 0 else 200), f"{kind}/{fhir_id}/_history/{version + 1}"

    def update_at(self, url: str, body: dict[str, Any], if_match: str) -> tuple[int, str]:
        """Update by id or by search, if this server does that; return status and location."""
        if "?" in url:
            kind, _, condition = url.partition("?")
            if not self.conditional_update or self.refuses_conditional_update:
                return 400, ""
            found = self.find(kind, unquote(condition.removeprefix("identifier=")))
            if len(found) > 1:
                return 412, ""
            return self.put(kind, found[0]["id"] if found else str(uuid.uuid4()), body)
        kind, fhir_id = url.split("/")
        stored = self.store[kind].get(fhir_id)
        if not (self.update_create or (self.update and stored)) or body.get("id") != fhir_id:
            return 405, ""
        if if_match and stored and if_match != f'W/"{stored["meta"]["versionId"]}"':
            return 412, ""
        return self.put(kind, fhir_id, body)

    def run_transaction(self, bundle: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Run all entries, then put real references in place of the urn:uuid ones.

        One refused entry refuses and undoes everything.
        """
        rows, places = [], {}
        before = {kind: dict(by_id) for kind, by_id in self.store.items()}
        for entry in bundle["entry"]:
            request, kind = entry["request"], entry["resource"]["resourceType"]
            if request["method"] == "PUT":
                status, location = self.update_at(
                    request["url"], entry["resource"], request.get("ifMatch", "")
                )
            else:
                status, location = self.create(
                    kind, entry["resource"], request.get("ifNoneExist", "")
                )
            if status >= 400:
                self.store = defaultdict(dict, before)
                return status, OUTCOME
            places[entry["fullUrl"]] = location.split("/_history")[0]
            rows.append({"response": {"status": str(status), "location": location}})
        for by_id in self.store.values():
            for fhir_id, resource in by_id.items():
                text = exact_json.dumps(resource).decode()
                for placeholder, place in places.items():
                    text = text.replace(f'"reference":"{placeholder}"', f'"reference":"{place}"')
                by_id[fhir_id] = exact_json.loads(text.encode())
        return 200, {"resourceType": "Bundle", "type": "transaction-response", "entry": rows}

    def alter(self) -> None:
        """Do what some EHRs do: keep the order, drop the directions."""
        for request in self.store["MedicationRequest"].values():
            request.pop("dosageInstruction", None)


@contextmanager
def fake_fhir_server() -> Iterator[FakeFhirServer]:
    """Run a fresh server on a free port of 127.0.0.1."""
    state = FakeFhirServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}/fhir"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        state.release_hung.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(state: FakeFhirServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # header and body are two writes

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test output clean."""

        def _answer(self, status: int, body: Any = None, **headers: str) -> None:
            data = b"" if body is None else exact_json.dumps(body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _begin(self) -> tuple[str, dict[str, list[str]], bytes] | None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.requests.append((self.command, self.path, dict(self.headers.items()), body))
            if state.token and self.headers.get("Authorization") != f"Bearer {state.token}":
                self._answer(401, OUTCOME)
                return None
            parts = urlsplit(self.path)
            return parts.path.removeprefix("/fhir").strip("/"), parse_qs(parts.query), body

        def do_GET(self) -> None:
            begun = self._begin()
            if begun is None:
                return
            path, query, _ = begun
            if state.read_faults:
                fault = state.read_faults.pop(0)
                if fault == "drop":
                    self.close_connection = True
                elif fault.startswith("redirect:"):
                    self._answer(302, None, Location=fault.removeprefix("redirect:"))
                else:
                    self._answer(int(fault), OUTCOME)
                return
            if path == "metadata":
                self._answer(200, state.capability_statement())
                return
            kind, _, fhir_id = path.partition("/")
            if fhir_id:
                resource = state.store[kind].get(fhir_id)
                self._answer(200 if resource else 404, resource or OUTCOME)
                return
            found = state.find(kind, query["identifier"][0])
            entries = [{"resource": resource} for resource in found]
            self._answer(200, {"resourceType": "Bundle", "type": "searchset", "entry": entries})

        def do_PUT(self) -> None:
            self._write()

        def do_POST(self) -> None:
            self._write()

        def _write(self) -> None:
            begun = self._begin()
            if begun is None:
                return
            path, _, body = begun
            fault = state.faults.pop(0) if state.faults else ""
            if fault == "drop-before-commit":
                self.close_connection = True
                return
            if fault.isdigit() and fault != "202":
                headers = {"Retry_After": "7"} if fault in {"429", "503"} else {}
                self._answer(int(fault), OUTCOME, **headers)
                return
            with state.lock:
                resource = exact_json.loads(body)
                if self.command == "PUT":
                    query = urlsplit(self.path).query
                    url = f"{path}?{query}" if query else path
                    status, location = state.update_at(
                        url, resource, self.headers.get("If-Match", "")
                    )
                    answer = OUTCOME if status >= 400 else None
                elif path == "":
                    location = ""
                    status, answer = state.run_transaction(resource)
                else:
                    condition = self.headers.get("If-None-Exist", "")
                    status, location = state.create(path, resource, condition)
                    answer = None
                if fault == "alter":
                    state.alter()
            state.committed.set()
            self._finish(fault, status, location, answer)

        def _finish(self, fault: str, status: int, location: str, answer: Any) -> None:
            if fault == "500-after-commit":
                self._answer(500, OUTCOME)
            elif fault == "drop-after-commit":
                self.close_connection = True
            elif fault == "cut-after-commit":
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(b'{"resourceType"')
                self.close_connection = True
            elif fault == "hang-after-commit":
                state.release_hung.wait(30)
                self.close_connection = True
            elif fault == "202":
                self._answer(202)
            else:
                self._answer(status, answer, Location=f"{state.url}/{location}")

    return Handler
