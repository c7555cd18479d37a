"""Conditional writes at the same moment, on a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import servers

pytestmark = pytest.mark.services

# Eight threads ask for the same patient to be created, and then update it, all at once.
RACE = """
import json, threading
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from rest_framework.test import APIClient
from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.fhir.models import Resource

call_command("migrate", verbosity=0)
site = Site.objects.create(name="Here", slug="here")
user = get_user_model().objects.create_user("gateway")
Membership.objects.create(user=user, site=site, role=Role.INTEGRATION)
patient = {
    "resourceType": "Patient", "active": True,
    "identifier": [{"system": "urn:oid:1.2.3", "value": "A-1"}],
}
start = threading.Barrier(8)

def send(method, url, body, **headers):
    client = APIClient()
    client.force_authenticate(user)
    start.wait()
    response = getattr(client, method)(
        url, json.dumps(body), content_type="application/fhir+json", **headers
    )
    connection.close()
    return response.status_code

with ThreadPoolExecutor(8) as pool:
    created = list(pool.map(
        lambda _: send("post", "/fhir/Patient", patient, HTTP_IF_NONE_EXIST="identifier=A-1"),
        range(8),
    ))
    row = Resource.objects.get(resource_type="Patient")
    body = {**patient, "id": row.fhir_id}
    updated = list(pool.map(
        lambda _: send("put", f"/fhir/Patient/{row.fhir_id}", body, HTTP_IF_MATCH='W/"1"'),
        range(8),
    ))
print(json.dumps({
    "created": sorted(created),
    "updated": sorted(updated),
    "version": Resource.objects.get().current.version,
}))
"""


def test_one_resource_and_one_winner(tmp_path: Path) -> None:
    with servers.postgres() as url:
        done = subprocess.run(
            [sys.executable, "-c", RACE],
            env={
                **os.environ,
                "DATABASE_URL": url,
                "CLINIC_HWR_DATA_DIR": str(tmp_path),
                "DJANGO_SETTINGS_MODULE": "clinic_hwr.settings",
                "ALLOWED_HOSTS": "testserver",
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            cwd=Path(__file__).parent.parent.parent,
        )

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().endswith(
        '{"created": [200, 200, 200, 200, 200, 200, 200, 201], '
        '"updated": [200, 412, 412, 412, 412, 412, 412, 412], "version": 2}'
    )
