"""Boxes that people drew and that wait to be read: the queue of record, and what may count.

A reading counts only if its box is still in force, nobody has decided the field since, and the
scan is still in review. Whatever else happened meanwhile came from a person and stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.claims import MAX_ATTEMPTS, claim_seconds, retry_seconds, wait_seconds
from clinic_hwr.intake.hints import hint_on_commit
from clinic_hwr.intake.models import Scan
from clinic_hwr.routing.models import Field, FieldReading

from ..locks import scan_locked
from ..models import BoxReading, FieldBox
from ..states import FieldState, field_states
from .effective import OPEN_TO_PEOPLE
from .refresh import prescription_refresh

Stored = Literal["read", "reboxed", "decided", "finished", "lost"]
"""What became of a reading: it counts; or another box is in force, a person was faster, the scan is
finished, another worker has the box."""

_GIVEN_UP = "The reader failed on this ink. Type what it says."
_DIED = "The worker died while it read this ink. Type what it says."


@dataclass(frozen=True, slots=True)
class BoxClaim:
    """The right of one worker to read one box until it runs out."""

    box: FieldBox
    token: str


@dataclass(frozen=True, slots=True)
class InkFound:
    """What was found in a box.

    Attributes:
        reading: a row to store, without its field; None for marks, and where nothing is.
        present: for marks: whether there is one; None: it cannot be said.
        is_print: OCR read it, not the reader of handwriting.
        struck_out: a ``StruckOut`` value.
    """

    reading: FieldReading | None
    present: bool | None = None
    is_print: bool = False
    struck_out: str = ""


def boxes_waiting(scan_id: UUID | None = None) -> QuerySet[FieldBox]:
    """Return the boxes in force that wait to be read and that no worker holds, oldest first."""
    waiting = FieldBox.objects.filter(
        _free(),
        reading=BoxReading.WAITING,
        field__box_version=F("version"),
        field__page__scan__state__in=OPEN_TO_PEOPLE,
    )
    if scan_id is not None:
        waiting = waiting.filter(field__page__scan=scan_id)
    return waiting.order_by("drawn_at", "pk")


def box_claim(box_id: int, *, worker: str) -> BoxClaim | None:
    """Claim a box in one statement; None when it is held, read, or has used up its tries."""
    token = f"{worker[:60]}/{uuid4().hex[:16]}"
    free = FieldBox.objects.filter(_free(), pk=box_id, reading=BoxReading.WAITING)
    taken = free.filter(attempts__lt=MAX_ATTEMPTS).update(
        claimed_by=token, claim_expires_at=_from_now(claim_seconds()), attempts=F("attempts") + 1
    )
    if taken:
        box = FieldBox.objects.select_related("field__page__scan__site").get(pk=box_id)
        return BoxClaim(box, token)
    # every try was used up by a worker that died of it
    free.filter(attempts__gte=MAX_ATTEMPTS).update(reading=BoxReading.FAILED, problem=_DIED)
    return None


@transaction.atomic
def box_reading_store(*, claim: BoxClaim, ink: InkFound) -> Stored:
    """Append what was read in a box, and interpret the prescription anew; or drop it.

    Audit: ``field.read``, or ``field.reading_dropped`` with why. No value is in either entry: the
    field may be one that two people are to enter blind.
    """
    scan = scan_locked(claim.box.field.page.scan_id)
    box = FieldBox.objects.filter(pk=claim.box.pk, claimed_by=claim.token).first()
    if box is None or box.reading != BoxReading.WAITING:
        return "lost"
    state = next(state for state in field_states(scan) if state.field.pk == box.field_id)
    why = _why_not(scan, state, box)
    if why is not None:
        box.reading = BoxReading.LATE if why == "decided" else BoxReading.WAITING
        _give_back(box)
        _audit("field.reading_dropped", scan, state.field, box, reason=why)
        return why
    box.reading, box.problem = BoxReading.READ, ""
    box.is_print, box.present, box.struck_out = ink.is_print, ink.present, ink.struck_out
    _give_back(box)
    box_apply(state.field, box)
    if ink.reading is not None:
        ink.reading.field, ink.reading.box_version = state.field, box.version
        ink.reading.save(force_insert=True)
    _audit("field.read", scan, state.field, box, reading=ink.reading)
    prescription_refresh(scan=scan)
    return "read"


def box_wait(claim: BoxClaim, problem: str) -> None:
    """Give a box back that cannot be read now; the try does not count, the reason shows."""
    _held(claim).update(
        claimed_by="",
        claim_expires_at=_from_now(wait_seconds()),
        attempts=F("attempts") - 1,
        problem=problem,
    )


def box_fail(claim: BoxClaim) -> None:
    """Count a failed try; after the last one people type the value."""
    if claim.box.attempts < MAX_ATTEMPTS:
        again = _from_now(retry_seconds() * claim.box.attempts)
        _held(claim).update(claimed_by="", claim_expires_at=again)
        return
    _held(claim).update(claimed_by="", reading=BoxReading.FAILED, problem=_GIVEN_UP)


def box_read_again(field: Field) -> None:
    """Let the box in force be read that nobody has decided any more, if it was not yet."""
    unread = (BoxReading.WAITING, BoxReading.LATE)
    boxes = FieldBox.objects.filter(field=field, version=field.box_version, reading__in=unread)
    if boxes.update(reading=BoxReading.WAITING, attempts=0):
        hint_on_commit(field.page.scan_id)


def box_apply(field: Field, box: FieldBox) -> None:
    """Copy a box, and what was found in it, to its field."""
    field.box_version = box.version
    field.x_px, field.y_px, field.width_px, field.height_px = box.box_px
    field.crop_sha256 = box.crop_sha256
    field.is_print, field.present, field.struck_out = box.is_print, box.present, box.struck_out
    field.save(
        update_fields=[
            "box_version",
            "x_px",
            "y_px",
            "width_px",
            "height_px",
            "crop_sha256",
            "is_print",
            "present",
            "struck_out",
        ]
    )


def _why_not(
    scan: Scan, state: FieldState, box: FieldBox
) -> Literal["finished", "reboxed", "decided"] | None:
    if scan.state not in OPEN_TO_PEOPLE:
        return "finished"
    if state.field.box_version != box.version:
        return "reboxed"
    return "decided" if state.said is not None else None


def _give_back(box: FieldBox) -> None:
    box.claimed_by, box.claim_expires_at = "", None
    box.save()


def _held(claim: BoxClaim) -> QuerySet[FieldBox]:
    return FieldBox.objects.filter(pk=claim.box.pk, claimed_by=claim.token)


def _free() -> Q:
    return Q(claim_expires_at__isnull=True) | Q(claim_expires_at__lt=timezone.now())


def _from_now(seconds: float) -> Any:
    return timezone.now() + timedelta(seconds=seconds)


def _audit(
    action: str,
    scan: Scan,
    field: Field,
    box: FieldBox,
    *,
    reading: FieldReading | None = None,
    reason: str = "",
) -> None:
    audit_record(
        action=action,
        site=scan.site,
        object_type="field",
        object_id=field.pk,
        actor_name="pipeline",
        scan_id=scan.pk,
        reason=reason,
        data={
            "field": field.name,
            "group": field.group,
            "page": field.page.number,
            "box_px": box.box_px,
            "box_version": box.version,
            "crop_sha256": box.crop_sha256,
            "model": reading.model if reading else "",
            "reading": reading.pk if reading else None,
        },
    )
