"""The growth path: the same code on PostgreSQL, with Celery workers on Redis and on RabbitMQ.

Everything goes through the front door: HTTP in, HTTP out, separate processes between.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from . import servers

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parent.parent.parent
READY_S = 60.0

SET_UP = """
import django
django.setup()
from django.contrib.auth import get_user_model
from rest_framework.authtoken.models import Token
from clinic_hwr.accounts.models import Membership, Site
site = Site.objects.create(name="Growth Clinic", slug="growth")
user = get_user_model().objects.create_user("carla")
Membership.objects.create(user=user, site=site, role="clinician")
print(Token.objects.create(user=user).key)
"""
LOOK = """
import json
import django
django.setup()
from django.db import connection
from clinic_hwr.intake.models import Scan, StageRun
from clinic_hwr.routing.models import FieldReading
print(json.dumps({
    "vendor": connection.vendor,
    "stages": list(StageRun.objects.order_by("id").values_list("stage", "outcome")),
    "workers": sorted(set(StageRun.objects.values_list("worker", flat=True))),
    "models": sorted(set(FieldReading.objects.values_list("model", flat=True))),
    "states": list(Scan.objects.values_list("state", flat=True)),
}))
"""


def drawn_scan() -> bytes:
    """Return a PNG of a page with a printed label and a line of ink beside it."""
    page = np.full((1100, 850), 255, np.uint8)
    cv2.putText(page, "Patient:", (60, 150), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2)
    cv2.putText(page, "Jane Roe", (240, 150), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.4, 0, 2)
    cv2.putText(page, "Rx", (60, 320), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 0, 3)
    cv2.putText(page, "amoxicillin 500 mg", (160, 400), cv2.FONT_HERSHEY_SCRIPT_COMPLEX, 1.4, 0, 2)
    return cv2.imencode(".png", page)[1].tobytes()


@dataclass
class Installation:
    """Processes of one installation, all with the same environment."""

    folder: Path
    environment: dict[str, str]
    stack: ExitStack
    address: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def python(self, *arguments: str) -> str:
        """Run Python in the installation's environment and return what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def start_web(self) -> None:
        """Start ``manage.py serve``, which starts no worker when there is a broker."""
        log = self.folder / "web.log"
        command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", "0"]
        process = self.stack.enter_context(servers.running(command, env=self.environment, log=log))
        servers.wait_for(lambda: "http://" in log.read_text(), process, log, "The web server")
        self.address = re.search(r"http://[^/ ]+", log.read_text())[0]

    def start_worker(self, name: str, *flags: str) -> subprocess.Popen[bytes]:
        """Start one Celery worker with two processes, and wait until it takes messages."""
        log = self.folder / f"{name}.log"
        command = [sys.executable, "-m", "celery", "-A", "tests.services.scripted_celery"]
        command += ["worker", "-n", f"{name}@localhost", "-c", "2", "-l", "info", *flags]
        process = self.stack.enter_context(servers.running(command, env=self.environment, log=log))
        servers.wait_for(lambda: "ready." in log.read_text(), process, log, "The Celery worker")
        return process

    def upload(self, name: str) -> str:
        """Send the drawn scan in and return its id."""
        answer = httpx.post(
            f"{self.address}/api/scans/",
            files={"file": (name, drawn_scan(), "image/png")},
            headers=self.headers,
            timeout=30,
        )
        assert answer.status_code == 202, answer.text
        return answer.json()["scans"][0]["scan_id"]

    def wait_for_state(self, scan_id: str, wanted: set[str]) -> str:
        """Ask the API until the scan is in one of the states."""
        deadline = time.monotonic() + READY_S
        status = ""
        while time.monotonic() < deadline:
            answer = httpx.get(
                f"{self.address}/api/scans/{scan_id}/", headers=self.headers, timeout=30
            )
            assert answer.status_code == 200, answer.text
            status = answer.json()["status"]
            if status in wanted:
                return status
            time.sleep(servers.POLL_S)
        logs = "".join(path.read_text()[-1500:] for path in self.folder.glob("*.log"))
        pytest.fail(f"still {status} after {READY_S} s\n{logs}")


@pytest.fixture(params=[servers.redis, servers.rabbitmq], ids=["redis", "rabbitmq"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """PostgreSQL, a broker and a migrated database with one clinician."""
    start_broker: Callable[[], AbstractContextManager[str]] = request.param
    with ExitStack() as stack:
        database = stack.enter_context(servers.postgres())
        broker = stack.enter_context(start_broker())
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            "DJANGO_SETTINGS_MODULE": "clinic_hwr.settings",
            "CLINIC_HWR_DATA_DIR": str(tmp_path / "data"),
            "DATABASE_URL": database,
            "CELERY_BROKER_URL": broker,
        }
        made = Installation(tmp_path, environment, stack)
        made.python("manage.py", "migrate", "--verbosity", "0")
        token = made.python("-c", SET_UP).strip()
        made.headers = {"Authorization": f"Token {token}"}
        yield made


def test_uploaded_scan_reaches_review_through_separate_workers(
    installation: Installation,
) -> None:
    installation.start_web()
    installation.start_worker("one")

    scan_id = installation.upload("first.png")

    assert installation.wait_for_state(scan_id, {"in_review"}) == "in_review"
    seen = json.loads(installation.python("-c", LOOK))
    assert seen["vendor"] == "postgresql"
    assert seen["states"] == ["in_review"]
    assert seen["stages"] == [["page", "done"], ["read", "done"], ["route", "done"]]
    assert all(worker.startswith("celery:one@localhost:") for worker in seen["workers"])


def test_killed_worker_loses_nothing_and_its_page_is_finished_once(
    installation: Installation, tmp_path: Path
) -> None:
    # given a worker that is killed in the middle of reading a page
    hang = tmp_path / "hang"
    hang.touch()
    installation.environment |= {
        "CLINIC_HWR_CLAIM_S": "2",
        "REAP_INTERVAL_S": "1",
        "SCRIPTED_HANG": str(hang),
    }
    installation.start_web()
    killed = installation.start_worker("killed")
    scan_id = installation.upload("first.png")
    reached = hang.with_suffix(".reached")
    servers.wait_for(reached.exists, killed, tmp_path / "killed.log", "Reading")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    hang.unlink()

    # when another worker starts, with the reaper
    installation.start_worker("second", "-B", "-s", str(tmp_path / "schedule"))

    # then the page is finished, once
    assert installation.wait_for_state(scan_id, {"in_review"}) == "in_review"
    seen = json.loads(installation.python("-c", LOOK))
    assert seen["stages"] == [
        ["page", "done"],
        ["read", "lost"],
        ["read", "done"],
        ["route", "done"],
    ]
