"""REST: the box of a field, and questions to the prescriber with their calls."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.problems import Problem
from clinic_hwr.rest.etags import etag_of, tagged
from clinic_hwr.rest.views import described

from ..access import clarification_get, clarifications_for
from ..clarify_templates import TEMPLATES
from ..models import Clarification, QuestionStatus
from ..services import (
    clarification_ask,
    clarification_call,
    clarification_withdraw,
    field_box_undo,
    field_rebox,
)
from . import answers, bodies
from .base import ReviewApi
from .fields import field_response
from .shapes import question_answer

PAGE_SIZE = 50


def _answer(asked: Clarification, status: int = 200) -> Response:
    headers = {"ETag": etag_of(question_answer(asked)), "Cache-Control": "no-store"}
    return Response(question_answer(asked), status=status, headers=headers)


class QuestionsApi(ReviewApi):
    """``/api/questions/``."""

    @described(
        operation_id="questions_list",
        tags=["questions"],
        parameters=[
            OpenApiParameter("status", str, enum=QuestionStatus.values),
            OpenApiParameter("after", str, description="From the page before."),
        ],
        responses=answers.QuestionsAnswer,
    )
    def get(self, request: Request) -> Response:
        """List questions to prescribers, oldest first, and the reasons there are to ask."""
        if not accessible_sites(request.user, "field.decide").exists():
            raise PermissionDenied("Your account may not ask prescribers at any site.")
        asked = clarifications_for(request.user).prefetch_related("calls__by")
        status = request.query_params.get("status", QuestionStatus.OPEN)
        if status not in QuestionStatus.values:
            raise Problem(400, f"The states are {', '.join(QuestionStatus.values)}.")
        found = list(_after(asked.filter(status=status), request)[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE]
        answer = {
            "questions": [question_answer(each) for each in shown],
            "after": _place(shown[-1]) if len(found) > PAGE_SIZE else None,
            "reasons": [
                {"code": code, "title": template.title, "question": template.question}
                for code, template in TEMPLATES.items()
            ],
        }
        return tagged(request, answer)


def _place(asked: Clarification) -> str:
    return f"{asked.asked_at.isoformat()}_{asked.pk}"


def _after(asked: QuerySet[Clarification], request: Request) -> QuerySet[Clarification]:
    """Return the questions after the place in ``after``; a place that is none is the beginning."""
    at, _, number = request.query_params.get("after", "").partition("_")
    ordered = asked.order_by("asked_at", "pk")
    try:
        since, pk = datetime.fromisoformat(at.replace(" ", "+")).astimezone(UTC), UUID(number)
    except (ValueError, OverflowError):
        return ordered
    return ordered.filter(Q(asked_at__gt=since) | Q(asked_at=since, pk__gt=pk))


class QuestionApi(ReviewApi):
    """``/api/questions/{id}/``."""

    @described(tags=["questions"], responses=answers.QuestionAnswer)
    def get(self, request: Request, clarification_id: UUID) -> Response:
        """Return one question with its calls."""
        return tagged(request, question_answer(clarification_get(request.user, clarification_id)))


class BoxApi(ReviewApi):
    """``/api/fields/{id}/box/``."""

    body = bodies.BoxBody

    @described(tags=["fields"], request=body, responses=answers.FieldAnswer)
    def post(self, request: Request, field_id: UUID) -> Response:
        """Say where the ink of a field is; it is cut out, and a worker reads it."""
        field_rebox(user=request.user, field_id=field_id, **self.checked(request))
        return field_response(request.user, field_id)


class BoxUndoApi(ReviewApi):
    """``/api/fields/{id}/box/undo/``."""

    body = bodies.BoxUndoBody

    @described(tags=["fields"], request=body, responses=answers.FieldAnswer)
    def post(self, request: Request, field_id: UUID) -> Response:
        """Bring the box before back, and with it what was read there."""
        field_box_undo(user=request.user, field_id=field_id, **self.checked(request))
        return field_response(request.user, field_id)


class AskApi(ReviewApi):
    """``/api/fields/{id}/questions/``."""

    body = bodies.AskBody

    @described(tags=["questions"], request=body, responses={201: answers.QuestionAnswer})
    def post(self, request: Request, field_id: UUID) -> Response:
        """Ask the prescriber about a field; the scan waits for the answer."""
        asked = clarification_ask(user=request.user, field_id=field_id, **self.checked(request))
        return _answer(asked, status=201)


class CallApi(ReviewApi):
    """``/api/questions/{id}/calls/``."""

    body = bodies.CallBody

    @described(tags=["questions"], request=body, responses={201: answers.QuestionAnswer})
    def post(self, request: Request, clarification_id: UUID) -> Response:
        """Record a call; an answer that was read back brings the scan back into review."""
        call = clarification_call(
            user=request.user, clarification_id=clarification_id, **self.checked(request)
        )
        return _answer(Clarification.objects.get(pk=call.clarification_id), status=201)


class WithdrawApi(ReviewApi):
    """``/api/questions/{id}/withdraw/``."""

    body = bodies.WithdrawBody

    @described(tags=["questions"], request=body, responses=answers.QuestionAnswer)
    def post(self, request: Request, clarification_id: UUID) -> Response:
        """Take a question back, with a reason."""
        asked = clarification_withdraw(
            user=request.user, clarification_id=clarification_id, **self.checked(request)
        )
        return _answer(asked)
