"""How fast the FHIR server answers from a small store and from a large one.

``DATABASE_URL=postgresql://... python -m benchmarks.fhir_store --sizes 10000 1000000``: on an empty
database, or one that this script has filled before, publishes one paper as the product does,
multiplies it (same bytes, other ids and record numbers) until the store holds as many resources as
wanted, starts one worker process of the web server and measures over HTTP: reads and patient
searches one after the other, then reads from several clients at once, beside a bare Django view
that returns the same bytes. Every read leaves its audit event, as in the product. Prints JSON.

Synthetic data: all papers say the same, the scan is a PDF of 60 bytes. What this measures is the
store, its indexes and the server, not the size of scans.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import platform
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

os.environ["DJANGO_SETTINGS_MODULE"] = "clinic_hwr.settings"
ROOT = Path(__file__).resolve().parent.parent
SPACE = UUID("7f3c1f3e-0a3b-4c69-9d6e-3f1c0e8a1b01")
MRN = "MRN-0000000000"
CLIENTS = 8
THREADS = 4
# The web server of one worker process; without the product, a view that returns fixed bytes.
SERVED = """
import os, sys
from waitress import serve
if sys.argv[2] == "product":
    from clinic_hwr.wsgi import application
else:
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import re_path
    body = sys.stdin.buffer.read()
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", MIDDLEWARE=[])
    urlpatterns = [re_path("", lambda request: HttpResponse(body, "application/fhir+json"))]
    application = get_wsgi_application()
serve(application, listen="127.0.0.1:" + sys.argv[1], threads=int(sys.argv[3]))
"""


def main() -> None:
    """Fill, serve, measure; for each size in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--requests", type=int, default=1000, help="of each kind")
    options = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        raise SystemExit("Set DATABASE_URL to an empty PostgreSQL database.")
    # a limit nobody reaches; by the second, as the throttle keeps the times of its whole period
    os.environ["API_RATE_USER"] = "1000000/s"
    import django

    django.setup()
    store = Store()
    answer = {
        "date": datetime.date.today().isoformat(),
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}",
        "load_before": os.getloadavg()[0],
        "data": "synthetic: one paper of two orders, multiplied",
        "sizes": [],
    }
    for size in sorted(options.sizes):
        store.fill(size)
        answer["sizes"].append(measure(store, options.requests))
    print(json.dumps(answer, indent=1))


class Store:
    """The database under measurement: one paper and its copies."""

    def __init__(self) -> None:
        from django.contrib.auth import get_user_model
        from django.core.management import call_command
        from rest_framework.authtoken.models import Token

        from clinic_hwr.accounts.models import Membership, Role, Site
        from clinic_hwr.fhir.models import Resource, ResourceVersion
        from clinic_hwr.fhir.services import prescription_publish
        from tests.fhir.publications import PRESCRIPTION, publication

        call_command("migrate", verbosity=0)
        if Resource.objects.exclude(site__slug="measured").exists():
            raise SystemExit("This database holds FHIR resources of others; take an empty one.")
        site, _ = Site.objects.get_or_create(name="Measured", slug="measured")
        user, _ = get_user_model().objects.get_or_create(username="measuring")
        Membership.objects.get_or_create(user=user, site=site, role=Role.INTEGRATION)
        self.token = Token.objects.get_or_create(user=user)[0].key
        patient = replace(PRESCRIPTION.patient, mrn=MRN)
        record = publication(replace(PRESCRIPTION, patient=patient), site)
        prescription_publish(record=record)  # does nothing when it is there from a run before
        first = ResourceVersion.objects.filter(prescription_id=record.prescription_id)
        self._versions = list(first.order_by("pk"))
        self._resources = list(Resource.objects.filter(current__in=first).order_by("pk"))
        self._ids = sorted(
            {row.fhir_id for row in self._versions}
            | {str(row.prescription_id) for row in self._versions}
            | {str(row.scan_id) for row in self._versions}
        )
        self._index = {name: _index_rows(name, self._resources) for name in _INDEX}
        self.papers = Resource.objects.count() // len(self._resources)

    @property
    def size(self) -> int:
        """How many resources there are."""
        return self.papers * len(self._resources)

    def fill(self, size: int) -> None:
        """Multiply the paper until there are ``size`` resources, then let the planner look."""
        from django.db import connection

        wanted = math.ceil(size / len(self._resources))
        if wanted <= self.papers:
            return
        with connection.cursor() as cursor:
            dropped = _drop_indexes(cursor) if wanted > 5000 else []
            self._copy(cursor, range(self.papers, wanted))
            for statement in dropped:
                cursor.execute(statement)
            cursor.execute("SET maintenance_work_mem = '256MB'")
        self.papers = wanted
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def fhir_id(self, resource_type: str, paper: int) -> str:
        """Return the id of the first resource of a type on a paper."""
        row = next(each for each in self._resources if each.resource_type == resource_type)
        return _other(row.fhir_id, paper)

    def body(self, resource_type: str) -> bytes:
        """Return the stored bytes of a resource of a type."""
        row = next(each for each in self._versions if each.resource_type == resource_type)
        return bytes(row.body)

    def _copy(self, cursor: Any, papers: range) -> None:
        versions, resources = len(self._versions), len(self._resources)
        first_version = self._versions[0].pk
        first_resource = self._resources[0].pk
        for low in range(papers.start, papers.stop, 500):
            chunk = range(low, min(low + 500, papers.stop))
            names = {paper: {i: _other(i, paper) for i in self._ids} for paper in chunk}
            _copy_rows(cursor, "clinic_fhir_resourceversion", _VERSION, (
                self._version_row(row, paper, names[paper], first_version + paper * versions + at)
                for paper in chunk for at, row in enumerate(self._versions)
            ))  # fmt: skip
            _copy_rows(cursor, "clinic_fhir_resource", _RESOURCE, (
                (
                    first_resource + paper * resources + at, row.resource_type,
                    names[paper][row.fhir_id], names[paper][row.patient_fhir_id],
                    row.last_updated,
                    first_version + paper * versions
                    + row.current_id - self._versions[0].pk, row.site_id,
                )
                for paper in chunk for at, row in enumerate(self._resources)
            ))  # fmt: skip
            for name, rows in self._index.items():
                _copy_rows(cursor, f"clinic_fhir_{name}", _INDEX[name], (
                    (
                        *(_renamed(value, names[paper], paper) for value in values),
                        first_resource + paper * resources + at,
                    )
                    for paper in chunk for at, values in rows
                ))  # fmt: skip

    def _version_row(self, row: Any, paper: int, names: dict[str, str], pk: int) -> tuple[Any, ...]:
        body = bytes(row.body)
        for old, new in names.items():
            body = body.replace(old.encode(), new.encode())
        body = body.replace(MRN.encode(), _mrn(paper).encode())
        return (
            pk, row.resource_type, names[row.fhir_id], row.version, body, row.last_updated,
            UUID(names[str(row.prescription_id)]), UUID(names[str(row.scan_id)]),
            names[row.patient_fhir_id], names[row.document_fhir_id], row.site_id,
        )  # fmt: skip


_VERSION = (
    "id", "resource_type", "fhir_id", "version", "body", "last_updated", "prescription_id",
    "scan_id", "patient_fhir_id", "document_fhir_id", "site_id",
)  # fmt: skip
_RESOURCE = (
    "id", "resource_type", "fhir_id", "patient_fhir_id", "last_updated", "current_id",
    "site_id",
)  # fmt: skip
_INDEX = {
    "searchtoken": ("parameter", "system", "value", "resource_id"),
    "searchreference": ("parameter", "target_type", "target_id", "resource_id"),
    "searchdate": ("parameter", "low", "high", "resource_id"),
    "searchstring": ("parameter", "folded", "exact", "resource_id"),
}


def _index_rows(name: str, resources: Sequence[Any]) -> list[tuple[int, tuple[Any, ...]]]:
    """Return (position of the resource, values) of the index rows of the first paper."""
    from django.apps import apps

    position = {row.pk: at for at, row in enumerate(resources)}
    rows = apps.get_model("clinic_fhir", name).objects.filter(resource__in=list(resources))
    return [(position[row[-1]], row[:-1]) for row in rows.values_list(*_INDEX[name])]


def _copy_rows(
    cursor: Any, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]
) -> None:
    with cursor.cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _drop_indexes(cursor: Any) -> list[str]:
    """Drop the indexes that are no constraints; returns the statements that bring them back."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'clinic_fhir_%' "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [definition for _, definition in found]


def _other(old: str, paper: int) -> str:
    return old if paper == 0 else str(uuid5(SPACE, f"{old}/{paper}"))


def _mrn(paper: int) -> str:
    return f"MRN-{paper:010}"


def _renamed(value: Any, names: dict[str, str], paper: int) -> Any:
    if not isinstance(value, str):
        return value
    if value == MRN:
        return _mrn(paper)
    bare = value.removeprefix("urn:uuid:")
    return value.replace(bare, names[bare]) if bare in names else value


# ---- measuring --------------------------------------------------------------------------------


def measure(store: Store, count: int) -> dict[str, Any]:
    """Return the figures at the present size."""
    import httpx

    chance = random.Random(1)
    kinds = ("MedicationRequest", "Patient", "DocumentReference", "Practitioner")

    def some_read() -> str:
        kind = chance.choice(kinds)
        return f"/fhir/{kind}/{store.fhir_id(kind, chance.randrange(store.papers))}"

    def by_patient() -> str:
        patient = store.fhir_id("Patient", chance.randrange(store.papers))
        return f"/fhir/MedicationRequest?patient={patient}"

    def by_record_number() -> str:
        return f"/fhir/Patient?identifier={_mrn(chance.randrange(1, store.papers))}"

    def by_status_and_date() -> str:
        return f"{by_patient()}&status=active&authoredon=ge2026-11-01&_revinclude=Provenance:target"

    result: dict[str, Any] = {"resources": store.size, "papers": store.papers}
    headers = {"Authorization": f"Bearer {store.token}", "Accept-Encoding": "identity"}
    with serving("product") as base, httpx.Client(base_url=base, headers=headers) as client:
        for _ in range(50):
            client.get(some_read()).raise_for_status()
            client.get(by_patient()).raise_for_status()
        for name, address in (
            ("read", some_read),
            ("search_by_patient", by_patient),
            ("search_by_record_number", by_record_number),
            ("search_with_status_date_and_provenance", by_status_and_date),
        ):
            result[name] = timed(client, address, count)
        addresses = [some_read() for _ in range(count * 2)]
        result["reads_per_second"] = throughput(base, headers, addresses)
    with serving("plain", store.body("MedicationRequest")) as base:
        result["plain_django_per_second"] = throughput(base, headers, addresses)
    ratio = result["reads_per_second"] / result["plain_django_per_second"]
    result["of_plain_django"] = round(ratio, 3)
    result["load_after"] = os.getloadavg()[0]
    return result


def timed(client: Any, address: Callable[[], str], count: int) -> dict[str, Any]:
    """Return median and 95th percentile in ms, the latter with its 95 % interval."""
    times = []
    for _ in range(count):
        url = address()
        began = time.perf_counter()
        response = client.get(url)
        times.append((time.perf_counter() - began) * 1000)
        response.raise_for_status()
        if len(response.content) < 300:
            raise SystemExit(f"{url} answered next to nothing.")
    times.sort()
    # order statistics: the rank of a percentile is binomial
    spread = 1.96 * math.sqrt(count * 0.95 * 0.05)
    low, high = (min(count - 1, max(0, round(count * 0.95 + s))) for s in (-spread, spread))
    return {
        "n": count,
        "median_ms": round(times[count // 2], 2),
        "p95_ms": round(times[math.ceil(count * 0.95) - 1], 2),
        "p95_interval_ms": [round(times[low], 2), round(times[high], 2)],
    }


def throughput(base: str, headers: dict[str, str], addresses: Sequence[str]) -> float:
    """Return the answers a second to ``CLIENTS`` clients at once."""
    import httpx

    def run(part: Sequence[str]) -> None:
        with httpx.Client(base_url=base, headers=headers) as client:
            for address in part:
                client.get(address).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(run, [addresses[at::CLIENTS] for at in range(CLIENTS)]))
    return round(len(addresses) / (time.perf_counter() - began), 1)


@contextmanager
def serving(kind: str, body: bytes = b"") -> Iterator[str]:
    """Run one worker process of the web server; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile() as source:
        source.write(body)
        source.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-c", SERVED, str(port), kind, str(THREADS)],
            stdin=source,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )
    try:
        for _ in range(300):
            time.sleep(0.1)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
