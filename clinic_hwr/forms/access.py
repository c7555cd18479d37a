"""The only way to a form: by a person's permission at the form's site."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from clinic_hwr.accounts.access import accessible_sites

from .models import Form, FormVersion

CONFIGURE = "site.configure"


def forms_for(user: Any) -> QuerySet[Form]:
    """Return the forms of every site that ``user`` may configure."""
    return Form.objects.filter(site__in=accessible_sites(user, CONFIGURE))


def version_get(user: Any, version_id: UUID | str) -> FormVersion:
    """Return one version.

    Raises:
        Http404: there is none, or it belongs to a site that ``user`` may not configure; the two
            look the same from outside.
    """
    version = (
        FormVersion.objects.select_related("form__site")
        .filter(pk=version_id, form__in=forms_for(user))
        .first()
    )
    if version is None:
        raise Http404("No form with this number.")
    return version
