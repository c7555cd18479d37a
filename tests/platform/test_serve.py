"""``manage.py serve``: web and worker in one process that stops when asked."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command

from clinic_hwr.accounts.management.commands.serve import STOP_S

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A freshly migrated installation, served on a free port."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "CLINIC_HWR_DATA_DIR": str(tmp_path / "data"),
    }
    manage = [sys.executable, "manage.py"]
    subprocess.run(
        [*manage, "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True, timeout=60
    )
    process = subprocess.Popen(
        [*manage, "serve", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_serves_pages_and_static_files_and_stops_on_sigterm(
    server: subprocess.Popen[str],
) -> None:
    announced = server.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:\d+", announced)[0]

    with httpx.Client(base_url=address, timeout=20) as browser:
        login = browser.get("/login/")
        style = browser.get(re.search(r'href="([^"]+\.css)"', login.text)[1])
        stranger = browser.get("/")

    assert login.status_code == 200
    assert "Sign in" in login.text
    assert login.headers["server"] == "clinic_hwr"
    assert login.headers["x-frame-options"] == "DENY"
    assert style.status_code == 200
    assert style.headers["content-type"].startswith("text/css")
    assert (stranger.status_code, stranger.headers["location"]) == (302, "/inbox/")

    asked = time.monotonic()
    server.send_signal(signal.SIGTERM)
    rest, errors = server.communicate(timeout=STOP_S + 20)

    assert server.returncode == 0, errors
    assert rest == "Stopped.\n"
    assert time.monotonic() - asked < STOP_S
    assert "worker.started" in errors
    assert "worker.stopped" in errors
    assert "Traceback" not in errors


def test_taken_port_is_refused_with_advice() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        with pytest.raises(CommandError, match=r"Choose another with --port"):
            call_command("serve", port=other.getsockname()[1], no_worker=True)
