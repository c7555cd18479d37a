"""The demo site and its three accounts."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from clinic_hwr.accounts.models import Membership, Role, Site

SITE_SLUG = "demo"
ACCOUNTS = {
    # user name: role, first name, last name
    "clinician": (Role.CLINICIAN, "Demo", "Clinician"),
    "pharmacist": (Role.PHARMACIST, "Demo", "Pharmacist"),
    "admin": (Role.ADMIN, "Demo", "Administrator"),
}


def demo_site() -> Site:
    """Return the demo site, made at the first call."""
    site, _ = Site.objects.get_or_create(slug=SITE_SLUG, defaults={"name": "Demo Clinic"})
    return site


@transaction.atomic
def demo_accounts(site: Site) -> dict[str, str]:
    """Make the demo accounts that are missing; returns user name -> password of the new ones.

    An account that exists keeps its password, and somebody else's account of the same name is
    left as it is, without a membership.
    """
    users: Any = get_user_model()
    made = {}
    for name, (role, first, last) in ACCOUNTS.items():
        if users.objects.filter(username=name).exists():
            continue
        password = secrets.token_urlsafe(12)
        is_admin = role == Role.ADMIN
        user = users.objects.create_user(
            name,
            password=password,
            first_name=first,
            last_name=last,
            is_staff=is_admin,
            is_superuser=is_admin,
        )
        Membership.objects.create(user=user, site=site, role=role)
        made[name] = password
    return made


def demo_user(site: Site, role: Role) -> Any:
    """Return the first member of the demo site with ``role``, or None."""
    membership = (
        Membership.objects.select_related("user")
        .filter(site=site, role=role)
        .order_by("pk")
        .first()
    )
    return membership.user if membership else None
