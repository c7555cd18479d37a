"""Eight processes claim at once on a real PostgreSQL, and no scan goes out twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import servers

pytestmark = pytest.mark.services


def test_no_scan_is_given_out_twice(tmp_path: Path) -> None:
    """A small run of ``benchmarks/claims.py``; the full figures are in docs/review.md."""
    command = [sys.executable, "-m", "benchmarks.claims"]
    sizes = ["--open", "1500", "--claims", "800", "--paced", "80", "--reviewers", "16"]
    with servers.postgres() as url:
        done = subprocess.run(
            [*command, *sizes],
            env={**os.environ, "DATABASE_URL": url, "CLINIC_HWR_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
            cwd=Path(__file__).parent.parent.parent,
        )

    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["race"] == {
        "processes": 8,
        "claims": 800,
        "double_claims": 0,
        "claimed_nothing": 0,
    }
    assert found["pace"]["at_once"]["n"] == 80
