"""A server that is killed dead and started again, under the hands of a person."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import expect

from clinic_hwr.review.models import (
    Decision,
)
from clinic_hwr.review.services import unresolved_fields
from tests.review.scripted import ReadScan

from .conftest import Watched
from .workstation import open_workstation, saved, sign_in, title

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


class Killable:
    """A server process of its own on the test's database, to be killed dead."""

    def __init__(self, data_dir: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": settings.SECRET_KEY,
            "CLINIC_HWR_DATA_DIR": str(data_dir),
            "DATABASE_URL": f"sqlite:///{settings.DATABASES['default']['NAME']}",
        }

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(self.port), "--no-worker"],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        assert str(self.port) in self.process.stdout.readline()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def killable(data_dir: Path) -> Iterator[Killable]:
    """A server that is killed at the end, if not before."""
    server = Killable(data_dir)
    server.start()
    yield server
    server.kill()


def test_a_server_killed_and_started_again_loses_and_doubles_nothing(
    killable: Killable, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, killable, signer)
    open_workstation(page, killable, read)
    waiting = len(unresolved_fields(read.scan))
    page.keyboard.press("Enter")
    saved(page)

    killable.kill()
    for _ in range(waiting - 1):
        page.keyboard.press("1" if title(page) == "Signature" else "Enter")
    expect(page.locator("[data-save]")).to_contain_text(f"{waiting - 1} decisions kept here")
    assert Decision.objects.count() == 1

    killable.start()
    expect(page.locator("[data-save]")).to_have_text("All saved", timeout=30_000)

    assert Decision.objects.count() == waiting
    assert unresolved_fields(read.scan) == []
