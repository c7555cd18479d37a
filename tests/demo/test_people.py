"""The demo's accounts: made once, passwords known once, others' accounts untouched."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.demo.people import demo_accounts, demo_site, demo_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_accounts_are_made_once_with_passwords_that_work() -> None:
    site = demo_site()

    first = demo_accounts(site)
    second = demo_accounts(demo_site())

    assert sorted(first) == ["admin", "clinician", "pharmacist"]
    assert len(set(first.values())) == 3
    assert min(len(password) for password in first.values()) >= 16
    assert second == {}
    assert Site.objects.count() == 1
    for name, password in first.items():
        user = authenticate(username=name, password=password)
        assert list(accessible_sites(user, "scan.view")) == [site]
        assert user.is_superuser is (name == "admin")


def test_somebody_elses_account_of_the_same_name_is_left_alone(django_user_model: Any) -> None:
    theirs = django_user_model.objects.create_user("admin", password="their own password")
    site = demo_site()

    made = demo_accounts(site)

    assert sorted(made) == ["clinician", "pharmacist"]
    assert not Membership.objects.filter(user=theirs).exists()
    assert authenticate(username="admin", password="their own password") == theirs
    assert demo_user(site, Role.ADMIN) is None
    assert demo_user(site, Role.CLINICIAN).get_username() == "clinician"
