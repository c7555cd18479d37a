"""Search and claiming say the same on PostgreSQL as on SQLite: their own tests, run there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import servers

pytestmark = pytest.mark.services


def test_search_and_claims_on_postgresql() -> None:
    tests = ["tests/review/test_search.py", "tests/review/test_claim_next.py"]
    with servers.postgres() as url:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:xdist", *tests],
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
            cwd=Path(__file__).parent.parent.parent,
        )

    assert done.returncode == 0, done.stdout[-3000:]
    assert "[100%]" in done.stdout
