"""What the form editor, and programs with a session, exchange as JSON."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from clinic_hwr.pages.form_template import pages_to_json, regions_from_json
from clinic_hwr.pages.known_forms import BadForm

from .access import version_get
from .services import FormRefused, version_save


@login_required
@require_POST
def save(request: HttpRequest, version_id: UUID) -> JsonResponse:
    """Save ``{"pages": [[region, ...], ...], "edits": n}``: 200 with where it is, 400 or 409."""
    version = version_get(request.user, version_id)
    try:
        body = json.loads(request.body)
        pages, edits = body["pages"], body["edits"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return _problem(400, "Send JSON with pages and edits.")
    if not isinstance(pages, list) or not isinstance(edits, int):
        return _problem(400, "Send JSON with pages and edits.")
    try:
        saved = version_save(user=request.user, version=version, pages=pages, edits=edits)
    except BadForm as error:
        return _problem(400, str(error))
    except FormRefused as error:
        return _problem(409, str(error))
    return JsonResponse(
        {
            "edits": saved.edits,
            "version": saved.number,
            "url": reverse("form-edit", args=[saved.pk]),
            "is_new": saved.pk != version.pk,
        }
    )


@never_cache
@login_required
@require_safe
def export(request: HttpRequest, version_id: UUID) -> JsonResponse:
    """Answer the regions of every page, for another site or a backup; no pictures."""
    version = version_get(request.user, version_id)
    pages = [regions_from_json(page["regions"]) for page in version.pages]
    answer = JsonResponse(pages_to_json(version.form.name, pages), json_dumps_params={"indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="form-{version.pk}.json"'
    return answer


def _problem(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"status": status, "detail": detail}, status=status)
