"""REST: the box of a field, and questions to the prescriber with their calls."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.rest.views import described

from ..models import Clarification
from ..services import (
    clarification_ask,
    clarification_call,
    clarification_withdraw,
    field_rebox,
)
from . import serializers as shapes_of
from .base import ReviewApi
from .fields import field_response


def _answer(asked: Clarification, status: int = 200) -> Response:
    body: dict[str, Any] = {
        "clarification_id": str(asked.pk),
        "field_id": str(asked.field_id),
        "reason": asked.reason,
        "question": asked.question,
        "status": asked.status,
    }
    return Response(body, status=status, headers={"Cache-Control": "no-store"})


class BoxApi(ReviewApi):
    """``/api/fields/{id}/box/``."""

    body = shapes_of.BoxBody

    @described(tags=["fields"], request=body, responses=shapes_of.FieldAnswer)
    def post(self, request: Request, field_id: UUID) -> Response:
        """Say where the ink of a field is; it is cut out anew."""
        field_rebox(user=request.user, field_id=field_id, **self.checked(request))
        return field_response(request.user, field_id)


class AskApi(ReviewApi):
    """``/api/fields/{id}/questions/``."""

    body = shapes_of.AskBody

    @described(tags=["questions"], request=body, responses={201: shapes_of.QuestionAnswer})
    def post(self, request: Request, field_id: UUID) -> Response:
        """Ask the prescriber about a field; the scan waits for the answer."""
        asked = clarification_ask(user=request.user, field_id=field_id, **self.checked(request))
        return _answer(asked, status=201)


class CallApi(ReviewApi):
    """``/api/questions/{id}/calls/``."""

    body = shapes_of.CallBody

    @described(tags=["questions"], request=body, responses={201: shapes_of.QuestionAnswer})
    def post(self, request: Request, clarification_id: UUID) -> Response:
        """Record a call; an answer that was read back brings the scan back into review."""
        call = clarification_call(
            user=request.user, clarification_id=clarification_id, **self.checked(request)
        )
        return _answer(Clarification.objects.get(pk=call.clarification_id), status=201)


class WithdrawApi(ReviewApi):
    """``/api/questions/{id}/withdraw/``."""

    body = shapes_of.WithdrawBody

    @described(tags=["questions"], request=body, responses=shapes_of.QuestionAnswer)
    def post(self, request: Request, clarification_id: UUID) -> Response:
        """Take a question back, with a reason."""
        asked = clarification_withdraw(
            user=request.user, clarification_id=clarification_id, **self.checked(request)
        )
        return _answer(asked)
