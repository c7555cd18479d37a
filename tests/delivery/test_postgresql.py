"""The races again on PostgreSQL, whose UPDATEs wait for each other row by row."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import servers

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]

CRASH_TESTS = Path(__file__).with_name("test_crash.py")


def test_workers_race_and_die_on_postgresql_as_they_do_on_sqlite(tmp_path: Path) -> None:
    with servers.postgres() as url:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", str(CRASH_TESTS)],
            cwd=CRASH_TESTS.parent.parent.parent,
            env={**os.environ, "DATABASE_URL": url, "CLINIC_HWR_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    assert done.returncode == 0, done.stdout[-3000:]
