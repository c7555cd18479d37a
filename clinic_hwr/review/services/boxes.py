"""Drawing the box of a field anew, and taking that back: every box keeps what was read in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.hints import hint_on_commit
from clinic_hwr.intake.models import Scan
from clinic_hwr.routing.models import Field

from ..access import field_get
from ..errors import InvalidField, StaleBox
from ..locks import scan_locked
from ..models import BoxReading, FieldBox
from ..states import FieldState, field_states
from .box_readings import box_apply, box_read_again
from .fields import crop_of, open_or_raise, take_back
from .refresh import prescription_refresh


@transaction.atomic
def field_rebox(
    *, user: Any, field_id: UUID, lease_token: UUID | None, box_px: Sequence[int]
) -> Field:
    """Move a field to other ink on its page; audited as ``field.reboxed`` with both boxes.

    What was read in the old box stays in the record but is no longer in force; the new one waits
    to be read by a worker (see ``box_readings``), and a worker is told. A decision in force was
    made about the old ink and is taken back, by appending. The same box again changes nothing.

    Args:
        box_px: ``[x, y, width, height]`` of the ink on the upright page.

    Raises:
        Http404, PermissionDenied: see ``access.field_get`` (needs ``field.decide``).
        InvalidField: the box does not lie on the page.
        ScanFinished: the scan is not in review any more.
        LeaseLost: ``lease_token`` is not in force.
    """
    scan, state = _locked(user, field_id, lease_token)
    field = state.field
    if len(box_px) != 4:
        raise InvalidField("A box is [x, y, width, height] in pixels.")
    if field.box_px == list(box_px):
        return field
    box, crop_sha256 = crop_of(field.page, box_px)
    old = _as_stored(field, user)
    new = FieldBox.objects.create(
        field=field,
        version=_next_version(field),
        before=field.box_version,
        x_px=box.x,
        y_px=box.y,
        width_px=box.width,
        height_px=box.height,
        crop_sha256=crop_sha256,
        drawn_by=user,
    )
    _put_in_force(user, state, new)
    _audit("field.reboxed", user, scan, field, old, new)
    hint_on_commit(scan.pk)
    prescription_refresh(scan=scan)
    return field


@transaction.atomic
def field_box_undo(
    *, user: Any, field_id: UUID, lease_token: UUID | None, box_version: int
) -> Field:
    """Bring back the box before the one in force, and with it what was read there.

    A decision on the ink of the box that goes is taken back, by appending. Both boxes stay in the
    record. Audit: ``field.box_undone``.

    Args:
        box_version: of the box that is taken back, as the person saw it.

    Raises:
        InvalidField: the box is the one that the page finder drew.
        StaleBox: another box is in force by now.
        Otherwise as ``field_rebox``.
    """
    scan, state = _locked(user, field_id, lease_token)
    field = state.field
    if field.box_version != box_version:
        raise StaleBox("This box was drawn anew meanwhile; look at it first.")
    boxes = {box.version: box for box in field.boxes.all()}
    drawn = boxes.get(field.box_version)
    if drawn is None or drawn.before is None:
        raise InvalidField("Nobody has drawn this box anew; there is nothing to take back.")
    earlier = boxes[drawn.before]
    _put_in_force(user, state, earlier)
    _audit("field.box_undone", user, scan, field, drawn, earlier)
    box_read_again(field)
    prescription_refresh(scan=scan)
    return field


def _locked(user: Any, field_id: UUID, lease_token: UUID | None) -> tuple[Scan, FieldState]:
    found = field_get(user, field_id, "field.decide")
    scan = scan_locked(found.page.scan_id)
    open_or_raise(user, scan, lease_token)
    return scan, next(state for state in field_states(scan) if state.field.pk == field_id)


def _as_stored(field: Field, user: Any) -> FieldBox:
    """Return the row of the box in force; that of the page finder is made when it first goes."""
    found, _ = FieldBox.objects.get_or_create(
        field=field,
        version=field.box_version,
        defaults={
            "x_px": field.x_px,
            "y_px": field.y_px,
            "width_px": field.width_px,
            "height_px": field.height_px,
            "crop_sha256": field.crop_sha256,
            "is_print": field.is_print,
            "present": field.present,
            "struck_out": field.struck_out,
            "reading": BoxReading.READ,
        },
    )
    return found


def _next_version(field: Field) -> int:
    newest = field.boxes.aggregate(newest=Max("version"))["newest"]
    return int(newest) + 1


def _put_in_force(user: Any, state: FieldState, box: FieldBox) -> None:
    """Let a field have ``box``; a decision was about other ink and no longer stands."""
    box_apply(state.field, box)
    if state.said is not None:
        take_back(user, state)


def _audit(action: str, user: Any, scan: Scan, field: Field, old: FieldBox, new: FieldBox) -> None:
    audit_record(
        action=action,
        site=scan.site,
        object_type="field",
        object_id=field.pk,
        actor=user,
        scan_id=scan.pk,
        data={
            "field": field.name,
            "group": field.group,
            "page": field.page.number,
            "old_box_px": old.box_px,
            "box_px": new.box_px,
            "old_box_version": old.version,
            "box_version": new.version,
            "old_crop_sha256": old.crop_sha256,
            "crop_sha256": new.crop_sha256,
        },
    )
