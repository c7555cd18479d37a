"""Who may do what, where: the permission table cell by cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied

from clinic_hwr.accounts.access import PERMISSIONS, accessible_sites, require
from clinic_hwr.accounts.models import Membership, Role, Site

ROLES = (Role.CLINICIAN, Role.PHARMACIST, Role.ADMIN, Role.INTEGRATION)

# Written out a second time on purpose: a change of the table must be made here as well.
MATRIX = {
    # permission            clinician pharmacist admin integration
    "scan.upload": (True, True, True, True),
    "scan.view": (True, True, True, False),
    "scan.status": (True, True, True, True),
    "scan.retry": (False, False, True, False),
    "field.decide": (True, True, False, False),
    "field.adjudicate": (False, True, False, False),
    "prescription.release": (True, True, False, False),
    "lease.take_over": (False, True, True, False),
    "fhir.read": (True, True, True, True),
    "fhir.write": (False, False, False, True),
    "audit.view": (False, False, True, False),
    "site.configure": (False, False, True, False),
}
CELLS = [
    (permission, role, allowed)
    for permission, row in MATRIX.items()
    for role, allowed in zip(ROLES, row, strict=True)
]


def test_matrix_covers_every_permission_and_role() -> None:
    assert set(MATRIX) == set(PERMISSIONS)
    assert set(ROLES) == set(Role)


@pytest.mark.parametrize(("permission", "role", "allowed"), CELLS)
def test_cell_of_the_permission_matrix(
    make_user: Callable[..., AbstractBaseUser],
    site: Site,
    other_site: Site,
    permission: str,
    role: Role,
    allowed: bool,
) -> None:
    user = make_user("someone", site, role)

    assert list(accessible_sites(user, permission)) == ([site] if allowed else [])
    if allowed:
        require(user, site, permission)
    else:
        with pytest.raises(PermissionDenied):
            require(user, site, permission)
    # and nothing at a site where the user is no member
    with pytest.raises(PermissionDenied):
        require(user, other_site, permission)


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_anonymous_and_deactivated_users_hold_nothing(
    clinician: AbstractBaseUser, site: Site, permission: str
) -> None:
    clinician.is_active = False
    clinician.save()

    for user in (AnonymousUser(), clinician, None):
        assert not accessible_sites(user, permission).exists()
        with pytest.raises(PermissionDenied):
            require(user, site, permission)


def test_superuser_without_membership_sees_no_patient_data(
    django_user_model: type, site: Site
) -> None:
    root = django_user_model.objects.create_superuser("root")

    assert not accessible_sites(root, "scan.view").exists()


def test_two_roles_at_one_site_give_both_and_list_the_site_once(
    clinician: AbstractBaseUser, site: Site
) -> None:
    Membership.objects.create(user=clinician, site=site, role=Role.ADMIN)

    assert list(accessible_sites(clinician, "scan.view")) == [site]
    require(clinician, site, "field.decide")
    require(clinician, site, "audit.view")


def test_unknown_permission_is_a_programming_error(clinician: AbstractBaseUser) -> None:
    with pytest.raises(KeyError):
        accessible_sites(clinician, "scan.veiw")
