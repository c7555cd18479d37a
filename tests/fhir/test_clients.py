"""Client libraries that EHR developers use, against the server over real HTTP."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AbstractBaseUser
from rest_framework.authtoken.models import Token

from clinic_hwr.accounts.models import Site
from clinic_hwr.fhir.services import bundle_bytes, prescription_publish

from .judges import SCRIPT
from .publications import publication

fhirclient = pytest.importorskip("fhirclient.client")
fhirpy = pytest.importorskip("fhirpy")


class Server:
    """A running server with two papers of two orders each, and the token of its gateway."""

    def __init__(self, base_url: str, token: str, document: str) -> None:
        self.base_url = base_url
        self.token = token
        self.document = document


@pytest.fixture
def server(
    transactional_db: None, live_server: Any, site: Site, integration: AbstractBaseUser
) -> Server:
    """Serve over loopback."""
    document = prescription_publish(record=publication(site=site))
    prescription_publish(record=publication(site=site, prescription_id=UUID(int=8, version=4)))
    token = Token.objects.create(user=integration).key
    return Server(f"{live_server.url}/fhir", token, document)


def test_smart_fhirclient(server: Server) -> None:
    """The SMART Health IT client: strict R4 models for everything it reads."""
    from fhirclient.models.bundle import Bundle
    from fhirclient.models.composition import Composition
    from fhirclient.models.medicationrequest import MedicationRequest
    from fhirclient.models.patient import Patient

    smart = fhirclient.FHIRClient(settings={"app_id": "tests", "api_base": server.base_url})
    smart.server.session.headers["Authorization"] = f"Bearer {server.token}"
    smart.prepare()
    assert smart.server.capabilityStatement.fhirVersion == "4.0.1"

    search = MedicationRequest.where({"status": "active", "_count": "1"})
    orders = [
        entry.resource for bundle in search.perform_iter(smart.server) for entry in bundle.entry
    ]
    assert len({order.id for order in orders}) == 4

    order = MedicationRequest.read(orders[0].id, smart.server)
    assert order.as_json() == orders[0].as_json()
    patient = order.subject.resolved(Patient)
    assert patient.name[0].text == "Maria de la Cruz"
    version = smart.server.request_json(f"MedicationRequest/{order.id}/_history/1")
    assert MedicationRequest(version).id == order.id
    composition = Composition.where({"patient": patient.id}).perform_resources(smart.server)[0]
    document = Bundle(smart.server.request_json(f"Composition/{composition.id}/$document"))
    assert document.type == "document"
    assert len(document.entry) == len(json.loads(bundle_bytes(server.document))["entry"])

    from fhirclient.models.fhirabstractbase import FHIRValidationError

    with pytest.raises(FHIRValidationError):  # it judges what it is given
        MedicationRequest({"resourceType": "MedicationRequest", "status": 1})
    with pytest.raises(Exception, match="404"):
        MedicationRequest.read("nobody", smart.server)


def test_fhirpy(server: Server) -> None:
    """Beda's client: search with paging, references, create, update, conditional create."""
    client = fhirpy.SyncFHIRClient(server.base_url, authorization=f"Bearer {server.token}")
    assert client.execute("metadata", method="get")["fhirVersion"] == "4.0.1"

    orders = client.resources("MedicationRequest").search(status="active").limit(1).fetch_all()
    assert len({order["id"] for order in orders}) == 4
    order = client.reference("MedicationRequest", orders[0]["id"]).to_resource()
    assert order["subject"].to_resource()["name"][0]["text"] == "Maria de la Cruz"
    version = client.execute(f"MedicationRequest/{order['id']}/_history/1", method="get")
    assert version["meta"]["versionId"] == "1"
    bundle = client.resources("Composition").search(subject=order["subject"].reference).first()
    document = client.execute(f"Composition/{bundle['id']}/$document", method="get")
    assert document["entry"][0]["resource"]["resourceType"] == "Composition"
    with_provenance = (
        client.resources("MedicationRequest")
        .search(_id=order["id"])
        .revinclude("Provenance", "target")
        .fetch_raw()
    )
    assert [e["resource"]["resourceType"] for e in with_provenance["entry"]] == [
        "MedicationRequest",
        "Provenance",
    ]

    created = client.resource("Patient", active=True, identifier=[{"system": "s", "value": "1"}])
    created.save()
    created["active"] = False
    created.save()
    assert created["meta"]["versionId"] == "2"
    again, is_new = (
        client.resources("Patient")
        .search(identifier="s|1")
        .get_or_create(client.resource("Patient", active=True))
    )
    assert (again["id"], bool(is_new)) == (created["id"], False)

    with pytest.raises(fhirpy.base.exceptions.ResourceNotFound):
        client.reference("Patient", "nobody").to_resource()


def test_fhir_kit_client(server: Server) -> None:
    """Vermonster's JavaScript client."""
    if shutil.which("node") is None or not (SCRIPT.parent / "node_modules").is_dir():
        pytest.skip("npm packages are not installed (npm ci in tests/fhir/validators)")

    seen = json.loads(
        subprocess.run(
            ["node", str(SCRIPT.parent / "drive.mjs"), server.base_url, server.token],
            check=False,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
        ).stdout
    )

    assert len(set(seen.pop("found"))) == 4
    assert len(seen.pop("read")) == 36
    assert seen == {
        "fhirVersion": "4.0.1",
        "total": 4,
        "version": "1",
        "history": 1,
        "patient": "Maria de la Cruz",
        "posted": 2,
        "document": "Composition",
        "updated": "2",
        "batch": "200 OK",
        "refused": {"status": 404, "type": "OperationOutcome"},
    }
