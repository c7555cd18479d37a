"""Fixtures of the FHIR tests: the judges, started once, and fresh throttles."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from django.core.cache import cache

from .judges import SCRIPT, US_CORE_VERSIONS, Judges, definitions


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> None:
    """Forget the requests of other tests, which the throttles count by user id and address."""
    cache.clear()


def _need_npm_packages() -> None:
    if shutil.which("node") is None or not (SCRIPT.parent / "node_modules").is_dir():
        pytest.skip("the npm validators are not installed (npm ci in tests/fhir/validators)")


@pytest.fixture(scope="session")
def base_judges() -> Iterator[Judges]:
    """Judges of base R4; they need nothing but npm packages."""
    _need_npm_packages()
    judges = Judges(None)
    yield judges
    judges.close()


@pytest.fixture(scope="session", params=US_CORE_VERSIONS)
def us_core_judges(request: pytest.FixtureRequest) -> Iterator[Judges]:
    """Judges of base R4 and of one version of US Core."""
    _need_npm_packages()
    folder = definitions()
    if folder is None:
        pytest.skip("CLINIC_HWR_DATA names no folder with fhir_defs/us-core")
    judges = Judges(folder / "us-core" / request.param)
    yield judges
    judges.close()
