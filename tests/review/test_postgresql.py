"""Saves, second entries and releases again on PostgreSQL, which locks row by row."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import servers

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

FILES = ("test_saving.py", "test_double_entry.py", "test_clarifications.py", "test_races.py")


def test_people_review_on_postgresql_as_they_do_on_sqlite(tmp_path: Path) -> None:
    here = Path(__file__).parent
    with servers.postgres() as url:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *(str(here / name) for name in FILES)],
            cwd=here.parent.parent,
            env={**os.environ, "DATABASE_URL": url, "CLINIC_HWR_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    assert done.returncode == 0, done.stdout[-3000:]
