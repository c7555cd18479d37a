"""Independent judges of what is published: validators from npm that share no code with us."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

SCRIPT = Path(__file__).parent / "validators" / "validate.mjs"
US_CORE_VERSIONS = ("6.1.0", "7.0.0")


def definitions() -> Path | None:
    """Return the folder of FHIR definitions of the shared data, None when it is not there."""
    folder = Path(settings.CLINIC_HWR_DATA) / "fhir_defs" if settings.CLINIC_HWR_DATA else None
    return folder if folder is not None and folder.is_dir() else None


class Judges:
    """Medplum and FHIR.js in one node process, which reads its definitions once."""

    def __init__(self, us_core_folder: Path | None) -> None:
        arguments = [str(us_core_folder)] if us_core_folder else []
        self._with_profiles = us_core_folder is not None
        self._process = subprocess.Popen(
            ["node", str(SCRIPT), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def errors(
        self, resources: Sequence[dict[str, Any]], *, profiles: bool | None = None
    ) -> list[dict[str, Any]]:
        """Return the errors found, by the claimed US Core profiles too when there is a folder."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with_profiles = self._with_profiles if profiles is None else profiles
        question = {"resources": list(resources), "profiles": with_profiles}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the validators died; their own words are on stderr"
        return [each for each in json.loads(answer) if each["severity"] in ("error", "fatal")]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
