"""Fixtures every room's tests share: one site, its people, and folders that vanish afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Membership, Role, Site

# `make fast` runs one process a core; torch, not imported yet, must not start threads on top.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A time limit an example would measure how busy the machine is; pytest-timeout ends what hangs.
hypothesis_settings.register_profile("house", deadline=None)
hypothesis_settings.load_profile("house")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Put a SQLite test database in a file of its own.

    Django's default, one in-memory connection shared by all threads, has neither WAL nor real
    locks, so a test with a worker thread would prove nothing about the product.
    """
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        folder = tmp_path_factory.mktemp("database")
        database.setdefault("TEST", {})["NAME"] = str(folder / "test.sqlite3")


@pytest.fixture(autouse=True)
def data_dir(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Path:
    """Send everything the product writes to a folder of this test; nothing reaches ``var/``."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "blobs").mkdir()
    (folder / "incoming").mkdir()
    settings.DATA_DIR = folder
    settings.BLOB_DIR = folder / "blobs"
    settings.FILE_UPLOAD_TEMP_DIR = folder / "incoming"
    return folder


@pytest.fixture
def site(db: None) -> Site:
    """The site at which most tests happen (month-first dates, as in the US)."""
    return Site.objects.create(name="Riverside Clinic", slug="riverside")


@pytest.fixture
def other_site(db: None) -> Site:
    """A second clinic on the same installation, whose people must see nothing of ``site``."""
    return Site.objects.create(name="Hilltop Pharmacy", slug="hilltop")


@pytest.fixture
def make_user(db: None) -> Callable[..., AbstractBaseUser]:
    """Return ``make_user(username, site, role, **fields)``; no password unless one is given."""

    def make(username: str, site: Site, role: str, **fields: Any) -> AbstractBaseUser:
        user = get_user_model().objects.create_user(username=username, **fields)
        Membership.objects.create(user=user, site=site, role=role)
        return user

    return make


@pytest.fixture
def clinician(make_user: Callable[..., AbstractBaseUser], site: Site) -> AbstractBaseUser:
    """A clinician of ``site``."""
    return make_user("carla", site, Role.CLINICIAN, first_name="Carla", last_name="Weiss")


@pytest.fixture
def pharmacist(make_user: Callable[..., AbstractBaseUser], site: Site) -> AbstractBaseUser:
    """A pharmacist of ``site``."""
    return make_user("piet", site, Role.PHARMACIST, first_name="Piet", last_name="Osei")


@pytest.fixture
def clinic_admin(make_user: Callable[..., AbstractBaseUser], site: Site) -> AbstractBaseUser:
    """An administrator of ``site``; sees the audit trail, decides and releases nothing."""
    return make_user("ada", site, Role.ADMIN, first_name="Ada", last_name="Lind")


@pytest.fixture
def integration(make_user: Callable[..., AbstractBaseUser], site: Site) -> AbstractBaseUser:
    """The account of an EHR or fax gateway at ``site``."""
    return make_user("gateway", site, Role.INTEGRATION)


@pytest.fixture
def outsider(make_user: Callable[..., AbstractBaseUser], other_site: Site) -> AbstractBaseUser:
    """A clinician of another site; every request for ``site``'s data must fail for them."""
    return make_user("oskar", other_site, Role.CLINICIAN)


@pytest.fixture
def api_client() -> APIClient:
    """An anonymous REST client; ``api_client.force_authenticate(user)`` signs someone in."""
    return APIClient()


@pytest.fixture
def signed_in(client: Client) -> Callable[[AbstractBaseUser], Client]:
    """Return ``signed_in(user)``: a browser-like client with that user's session."""

    def sign_in(user: AbstractBaseUser) -> Client:
        client.force_login(user)
        return client

    return sign_in
