"""Independent judges of what is published: validators from npm that share no code with us."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

FOLDER = Path(__file__).parent / "validators"
US_CORE_VERSIONS = ("6.1.0", "7.0.0")


def definitions() -> Path | None:
    """Return the folder of FHIR definitions of the shared data, None when it is not there."""
    folder = Path(settings.CLINIC_HWR_DATA) / "fhir_defs" if settings.CLINIC_HWR_DATA else None
    return folder if folder is not None and folder.is_dir() else None


def errors_of(
    resources: Sequence[dict[str, Any]], *, us_core: str | None = None
) -> list[dict[str, Any]]:
    """Return the errors that Medplum and FHIR.js find; ``us_core`` also judges by its profiles."""
    if shutil.which("node") is None or not (FOLDER / "node_modules").is_dir():
        pytest.skip("the npm validators are not installed (npm ci in tests/fhir/validators)")
    command = ["node", str(FOLDER / "validate.mjs")]
    if us_core is not None:
        folder = definitions()
        if folder is None:
            pytest.skip("CLINIC_HWR_DATA names no folder with fhir_defs/us-core")
        command.append(str(folder / "us-core" / us_core))
    done = subprocess.run(
        command, input=json.dumps(resources), capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [
        issue for issue in json.loads(done.stdout) if issue["severity"] in ("error", "fatal")
    ]
