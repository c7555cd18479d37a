"""REST: a person's own keys of the workstation, and drug names to choose from while typing."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.intake.access import scan_get
from clinic_hwr.problems import Problem
from clinic_hwr.rest.etags import etag_of, required_tag, tagged
from clinic_hwr.rest.views import described
from clinic_hwr.routing.lexicons import working_lexicon

from ..drug_search import drug_names
from ..keys import keys_bind, keys_of, keys_reset
from . import answers, bodies
from .base import IF_MATCH_KEYS, ReviewApi


def _seen(request: Request) -> None:
    """Raise unless the map in ``If-Match`` is the one in force."""
    if f'"{required_tag(request)}"' != etag_of(_answer(request)):
        raise Problem(412, "Your keys are others by now; read them first.", code="keys_changed")


def _answer(request: Request) -> dict[str, object]:
    return {"keys": keys_of(request.user)}


class KeysApi(ReviewApi):
    """``/api/keys/``."""

    body = bodies.KeysBody

    @described(operation_id="keys_list", tags=["keys"], responses=answers.KeysAnswer)
    def get(self, request: Request) -> Response:
        """List what every key of the workstation does for you."""
        return tagged(request, _answer(request))

    @described(
        tags=["keys"], parameters=[IF_MATCH_KEYS], request=body, responses=answers.KeysAnswer
    )
    def post(self, request: Request) -> Response:
        """Give an action other keys; without keys, those it has for everybody."""
        _seen(request)
        keys_bind(user=request.user, **self.checked(request))
        return tagged(request, _answer(request))


class KeysResetApi(ReviewApi):
    """``/api/keys/reset/``."""

    @described(tags=["keys"], request=None, responses=answers.KeysAnswer)
    def post(self, request: Request) -> Response:
        """Give every action the keys it has for everybody."""
        keys_reset(user=request.user)
        return tagged(request, _answer(request))


class DrugsApi(ReviewApi):
    """``/api/drugs/``."""

    body = bodies.DrugsBody

    @described(tags=["search"], request=body, responses=answers.DrugsAnswer)
    def post(self, request: Request) -> Response:
        """List drug names that begin so, from five letters on, each with its look-alikes."""
        asked = self.checked(request)
        lexicon = working_lexicon(scan_get(request.user, asked["scan_id"]).site.slug)
        return Response({"drugs": drug_names(asked["text"], lexicon)})
