"""Signing in and out through the front door, and when a session ends by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from clinic_hwr.accounts.models import Role, Site

PASSWORD = "correct horse battery"


def whoami(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username())


# The sign-in pages with stand-ins for the rooms they lead to.
urlpatterns = [
    path("", include("clinic_hwr.accounts.urls")),
    path("inbox/", whoami, name="inbox"),
    path("audit/", whoami, name="audit"),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture(autouse=True)
def fast_passwords_and_no_old_failures(settings: Any) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def nurse(make_user: Callable[..., AbstractBaseUser], site: Site) -> AbstractBaseUser:
    return make_user("nora", site, Role.CLINICIAN, password=PASSWORD)


def sign_in(client: Client, password: str, **headers: str) -> Any:
    return client.post("/login/", {"username": "nora", "password": password}, **headers)


def test_sign_in_goes_to_the_inbox_and_sign_out_ends_the_session(
    client: Client, nurse: AbstractBaseUser
) -> None:
    response = sign_in(client, PASSWORD)

    assert (response.status_code, response.url) == (302, "/inbox/")
    assert client.get("/inbox/").content == b"nora"

    client.post("/logout/")
    assert client.get("/inbox/").content == b""


def test_wrong_password_says_so_without_saying_which_part(
    client: Client, nurse: AbstractBaseUser
) -> None:
    response = sign_in(client, "wrong")

    assert response.status_code == 200
    assert b"do not match an active account" in response.content
    assert client.get("/inbox/").content == b""


def test_guessing_is_stopped_for_this_address_only(
    client: Client, nurse: AbstractBaseUser, settings: Any
) -> None:
    settings.LOGIN_FAILURES_ALLOWED = 3
    for _ in range(3):
        assert sign_in(client, "wrong").status_code == 200

    refused = sign_in(client, PASSWORD)
    elsewhere = sign_in(Client(), PASSWORD, REMOTE_ADDR="10.1.2.3")

    assert refused.status_code == 429
    assert b"Too many failed attempts" in refused.content
    assert client.get("/inbox/").content == b""
    assert elsewhere.status_code == 302


def test_a_success_forgets_earlier_failures(
    client: Client, nurse: AbstractBaseUser, settings: Any
) -> None:
    settings.LOGIN_FAILURES_ALLOWED = 2
    sign_in(client, "wrong")
    sign_in(client, PASSWORD)
    client.post("/logout/")
    sign_in(client, "wrong")

    assert sign_in(client, PASSWORD).status_code == 302


def test_idle_session_ends(client: Client, nurse: AbstractBaseUser, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = -1  # every session is already past its idle limit
    client.force_login(nurse)

    assert client.get("/inbox/").content == b""


def test_use_renews_the_session_at_most_once_a_minute(
    client: Client, nurse: AbstractBaseUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(nurse)
    began = time.time()
    client.get("/inbox/")

    again = client.get("/inbox/")
    monkeypatch.setattr(time, "time", lambda: began + 61)
    later = client.get("/inbox/")

    assert "sessionid" not in again.cookies
    assert "sessionid" in later.cookies


def test_session_ends_after_a_shift_however_busy(
    client: Client, nurse: AbstractBaseUser, settings: Any
) -> None:
    client.force_login(nurse)
    session = client.session
    session["began_s"] = int(time.time()) - settings.SESSION_MAX_AGE_S - 1
    session.save()

    assert client.get("/inbox/").content == b""


def test_pages_for_signed_in_people_are_not_cached_and_carry_the_policy(
    client: Client, nurse: AbstractBaseUser
) -> None:
    client.force_login(nurse)
    response = client.get("/inbox/")

    assert response["Cache-Control"] == "no-store, private"
    policy = dict(
        part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' blob:"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
