"""Fixtures of the FHIR tests: the judges, started once, and fresh throttles."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.fhir.services import prescription_publish

from .judges import SCRIPT, US_CORE_VERSIONS, Judges, StrictParser, definitions, hapi_jar
from .publications import publication


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> None:
    """Forget the requests of other tests, which the throttles count by user id and address."""
    cache.clear()


@pytest.fixture
def released(site: Site) -> str:
    """The id of the document of one released prescription at ``site``."""
    return prescription_publish(record=publication(site=site))


@pytest.fixture
def as_integration(api_client: APIClient, integration: AbstractBaseUser) -> APIClient:
    """A client with the token of the site's integration account."""
    token = Token.objects.create(user=integration)
    api_client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.key}")
    return api_client


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


@pytest.fixture(scope="session")
def hapi() -> Iterator[StrictParser]:
    """HAPI FHIR's strict parser."""
    jar = hapi_jar()
    if jar is None or shutil.which("java") is None:
        pytest.skip("HAPI is not there (Java, and pip install --no-deps pathling==5.4.0)")
    parser = StrictParser(jar)
    yield parser
    parser.close()
