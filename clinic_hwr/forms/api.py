"""REST: the forms of a site, their versions, and trying them on past pages; administrators only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.safety import MAX_FILE_BYTES, FileRefused
from clinic_hwr.pages.form_template import pages_from_json, pages_to_json, regions_from_json
from clinic_hwr.pages.known_forms import BadForm
from clinic_hwr.problems import Problem
from clinic_hwr.rest.etags import required_tag, tagged
from clinic_hwr.rest.views import ApiView, described, plain_request

from .access import CONFIGURE, forms_for, version_get
from .api_shapes import (
    EXPORTED,
    FORMS_ANSWER,
    NEW_FORM,
    PICTURE,
    REGIONS,
    TRIAL,
    VersionAnswer,
    tried_answer,
    version_answer,
    version_line,
)
from .models import FormVersion
from .services import (
    FormChanged,
    FormRefused,
    form_create,
    version_activate,
    version_repicture,
    version_retire,
    version_save,
)
from .testing import version_try
from .views import page_picture, region_picture

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="ETag of the version."
)
_TAG = re.compile(r"([0-9]{1,9})\.[a-z]{1,10}", re.ASCII)


class FormsRoom(ApiView):
    """What the endpoints of forms share: their refusals in HTTP."""

    def problem_of(self, error: Exception) -> Exception:
        """Return the refusals of the forms room as problems; ``code`` is stable."""
        if isinstance(error, FormChanged):
            return Problem(412, str(error), code="form_changed")
        if isinstance(error, FormRefused):
            return Problem(409, str(error), code="form_refused")
        if isinstance(error, BadForm):
            return Problem(400, str(error), code="bad_form")
        if isinstance(error, FileRefused):
            return Problem(400, error.problem, code=str(error.code))
        return super().problem_of(error)


class FormsApi(FormsRoom):
    """``/api/forms/``."""

    parser_classes = [MultiPartParser]
    # the file is decoded in a child process, for seconds; a repeat finds the name taken
    key_in_transaction = False

    @described(operation_id="forms_list", tags=["forms"], responses=FORMS_ANSWER)
    def get(self, request: Request) -> Response:
        """List the forms of the sites that one configures, with their versions."""
        _sites(request.user)
        forms = forms_for(request.user).select_related("site").prefetch_related("versions")
        found = [
            {
                "form_id": str(form.pk),
                "name": form.name,
                "site": form.site.slug,
                "versions": [version_line(version) for version in form.versions.all()],
            }
            for form in forms
        ]
        return tagged(request, {"forms": found})

    @described(
        tags=["forms"], request={"multipart/form-data": NEW_FORM}, responses={201: VersionAnswer}
    )
    def post(self, request: Request) -> Response:
        """Take the clean page of a new form; answers its first draft."""
        site = _site(request.user, str(request.data.get("site", "")))
        version = form_create(
            user=request.user,
            site=site,
            name=str(request.data.get("name", "")),
            data=_file(request),
        )
        return _version_response(version, status=201)


class FormApi(FormsRoom):
    """``/api/forms/{version_id}/``."""

    @described(tags=["forms"], responses=VersionAnswer)
    def get(self, request: Request, version_id: UUID) -> Response:
        """Return one version with its regions."""
        version = version_get(request.user, version_id)
        return tagged(request, version_answer(version), _tag(version))


class FormRegionsApi(FormsRoom):
    """``/api/forms/{version_id}/regions/``."""

    @described(tags=["forms"], parameters=[IF_MATCH], request=REGIONS, responses=VersionAnswer)
    def post(self, request: Request, version_id: UUID) -> Response:
        """Save the regions of every page; of an active version this makes the next draft."""
        edits = _edits(request)
        pages = request.data.get("pages") if isinstance(request.data, dict) else None
        if not isinstance(pages, list):
            raise BadForm("Send pages: for each page its list of regions.")
        version = version_get(request.user, version_id)
        return _version_response(
            version_save(user=request.user, version=version, pages=pages, edits=edits)
        )


class FormImportApi(FormsRoom):
    """``/api/forms/{version_id}/import/``."""

    @described(tags=["forms"], parameters=[IF_MATCH], request=EXPORTED, responses=VersionAnswer)
    def post(self, request: Request, version_id: UUID) -> Response:
        """Put the regions of an exported form over the clean pages of a version."""
        edits = _edits(request)
        version = version_get(request.user, version_id)
        _, pages = pages_from_json(request.data)
        drawn = [[region.to_json() for region in page] for page in pages]
        return _version_response(
            version_save(user=request.user, version=version, pages=drawn, edits=edits)
        )


class FormExportApi(FormsRoom):
    """``/api/forms/{version_id}/export/``."""

    @described(tags=["forms"], responses=EXPORTED)
    def get(self, request: Request, version_id: UUID) -> Response:
        """Return the regions for another site or a backup; no pictures."""
        version = version_get(request.user, version_id)
        pages = [regions_from_json(page["regions"]) for page in version.pages]
        return tagged(request, pages_to_json(version.form.name, pages))


class FormPictureApi(FormsRoom):
    """``/api/forms/{version_id}/picture/``."""

    parser_classes = [MultiPartParser]
    key_in_transaction = False

    @described(
        tags=["forms"],
        parameters=[IF_MATCH],
        request={"multipart/form-data": PICTURE},
        responses=VersionAnswer,
    )
    def post(self, request: Request, version_id: UUID) -> Response:
        """Put new clean pages under the regions."""
        edits = _edits(request)
        version = version_get(request.user, version_id)
        return _version_response(
            version_repicture(user=request.user, version=version, data=_file(request), edits=edits)
        )


class FormActivateApi(FormsRoom):
    """``/api/forms/{version_id}/activate/``."""

    @described(tags=["forms"], parameters=[IF_MATCH], request=None, responses=VersionAnswer)
    def post(self, request: Request, version_id: UUID) -> Response:
        """Look for this version on every page from now on, in place of the one before."""
        return _changed(request, version_id, version_activate)


class FormRetireApi(FormsRoom):
    """``/api/forms/{version_id}/retire/``."""

    @described(tags=["forms"], parameters=[IF_MATCH], request=None, responses=VersionAnswer)
    def post(self, request: Request, version_id: UUID) -> Response:
        """Look for this version no longer."""
        return _changed(request, version_id, version_retire)


class FormTrialApi(FormsRoom):
    """``/api/forms/{version_id}/trial/``."""

    @described(
        tags=["forms"],
        parameters=[OpenApiParameter("before", int, description="From the answer before.")],
        responses=TRIAL,
    )
    def get(self, request: Request, version_id: UUID) -> Response:
        """Lay a version over the newest past pages of its site; audited."""
        version = version_get(request.user, version_id)
        text = request.query_params.get("before", "")
        before = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
        tried = version_try(user=request.user, version=version, before=before)
        answer = {
            "recognised": sum(one.recognised for one in tried),
            "pages": [tried_answer(version, one) for one in tried],
            "before": tried[-1].page.pk if tried else None,
        }
        return Response(answer, headers={"Cache-Control": "no-store"})


class FormPageImageApi(FormsRoom):
    """``/api/forms/{version_id}/pages/{number}/image/``."""

    @described(tags=["forms"], responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, version_id: UUID, number: int) -> HttpResponse:
        """Return a clean page as PNG."""
        return page_picture(plain_request(request), version_id, number)


class FormTrialInkApi(FormsRoom):
    """``/api/forms/{version_id}/trial/{scan_id}/{number}/{region}/``."""

    @described(
        operation_id="forms_trial_ink",
        tags=["forms"],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(
        self, request: Request, version_id: UUID, scan_id: UUID, number: int, region: int
    ) -> HttpResponse:
        """Return what a region of a past page holds once the form is taken off, as PNG."""
        if number > 32_767:
            raise Http404("This scan has no such page.")
        return region_picture(plain_request(request), version_id, scan_id, number, region)


def _sites(user: Any) -> list[Site]:
    sites = list(accessible_sites(user, CONFIGURE).order_by("slug"))
    if not sites:
        raise PermissionDenied("Forms are for administrators.")
    return sites


def _site(user: Any, slug: str) -> Site:
    sites = {site.slug: site for site in _sites(user)}
    if not slug and len(sites) == 1:
        return next(iter(sites.values()))
    if slug not in sites:
        known = ", ".join(sites)
        raise Problem(400, f"Name one of your sites in the field 'site': {known}.")
    return sites[slug]


def _file(request: Request) -> bytes:
    file = request.FILES.get("file")
    if file is None:
        raise Problem(400, "Send the clean page in the multipart field 'file'.")
    data: bytes = file.read(MAX_FILE_BYTES + 1)
    return data


def _edits(request: Request) -> int:
    """Return from ``If-Match`` which state of the version was seen."""
    found = _TAG.fullmatch(required_tag(request))
    if found is None:
        raise Problem(412, "This is no ETag of a form; read the version first.", code="no_etag")
    return int(found[1])


def _changed(request: Request, version_id: UUID, change: Callable[..., FormVersion]) -> Response:
    edits = _edits(request)
    version = version_get(request.user, version_id)
    return _version_response(change(user=request.user, version=version, edits=edits))


def _version_response(version: FormVersion, status: int = 200) -> Response:
    headers = {"ETag": _tag(version), "Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = reverse("api-form", args=[version.pk])
    return Response(version_answer(version), status=status, headers=headers)


def _tag(version: FormVersion) -> str:
    return f'"{version.edits}.{version.state}"'
