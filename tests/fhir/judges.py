"""Independent judges of what is published: validators from npm that share no code with us."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

STRICT_PARSER = Path(__file__).parent / "validators" / "StrictParser.java"
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


def hapi_jar() -> Path | None:
    """Return the archive with HAPI FHIR that the Python package pathling carries, None without."""
    found = importlib.util.find_spec("pathling")
    if found is None or found.origin is None:
        return None
    jars = sorted((Path(found.origin).parent / "jars").glob("*.jar"))
    return jars[0] if jars else None


class StrictParser:
    """HAPI FHIR's strict JSON parser in one Java process."""

    def __init__(self, jar: Path) -> None:
        self._process = subprocess.Popen(
            ["java", "-XX:TieredStopAtLevel=1", "-cp", str(jar), str(STRICT_PARSER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def complaint(self, body: bytes) -> str:
        """Return what the parser says against a resource, "" when it takes it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(body.decode("ascii") + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer, "the Java process died"
        return "" if answer == "ok" else answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
