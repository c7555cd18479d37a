"""The only door to patient data: every other room's access functions are built on these."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from .models import Role, Site

# Who may do what; one table so that a reviewer can read it at a glance.
PERMISSIONS: dict[str, frozenset[str]] = {
    "scan.upload": frozenset(Role.values),
    "scan.view": frozenset({Role.CLINICIAN, Role.PHARMACIST, Role.ADMIN}),
    "scan.status": frozenset(Role.values),
    "scan.retry": frozenset({Role.ADMIN}),
    "field.decide": frozenset({Role.CLINICIAN, Role.PHARMACIST}),
    "field.adjudicate": frozenset({Role.PHARMACIST}),
    "prescription.release": frozenset({Role.PHARMACIST, Role.CLINICIAN}),
    "lease.take_over": frozenset({Role.PHARMACIST, Role.ADMIN}),
    "fhir.read": frozenset(Role.values),
    "fhir.write": frozenset({Role.INTEGRATION}),
    "audit.view": frozenset({Role.ADMIN}),
    "site.configure": frozenset({Role.ADMIN}),
}


def accessible_sites(user: Any, permission: str) -> QuerySet[Site]:
    """Return the sites at which ``user`` holds ``permission`` (a key of ``PERMISSIONS``)."""
    roles = PERMISSIONS[permission]
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return Site.objects.none()
    return Site.objects.filter(memberships__user_id=user.pk, memberships__role__in=roles).distinct()


def require(user: Any, site: Site, permission: str) -> None:
    """Raise ``PermissionDenied`` unless ``user`` holds ``permission`` at ``site``."""
    if not accessible_sites(user, permission).filter(pk=site.pk).exists():
        raise PermissionDenied(f"This needs the permission {permission} at {site.name}.")
