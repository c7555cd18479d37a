"""Drawing the box of a field anew: what was read and decided there was of other ink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from clinic_hwr.audit.services import audit_record
from clinic_hwr.routing.models import Field, FieldReading

from ..access import field_get
from ..errors import InvalidField
from ..locks import scan_locked
from ..states import field_states
from .fields import crop_of, open_or_raise, take_back
from .refresh import prescription_refresh

UNREAD = "none"
"""Model name of the empty reading of ink that no model looked at (as ``stage_read.UNREAD``)."""


@transaction.atomic
def field_rebox(
    *, user: Any, field_id: UUID, lease_token: UUID | None, box_px: Sequence[int]
) -> Field:
    """Move a field to other ink on its page; audited as ``field.reboxed`` with both boxes.

    An empty reading is appended: no model looked at the new ink, and what was read in the old
    stays in the record but is no longer in force. A decision in force was made about the old ink
    and is taken back, by appending. The same box again changes nothing.

    Args:
        box_px: ``[x, y, width, height]`` of the ink on the upright page.

    Raises:
        Http404, PermissionDenied: see ``access.field_get`` (needs ``field.decide``).
        InvalidField: the box does not lie on the page.
        ScanFinished: the scan is not in review any more.
        LeaseLost: ``lease_token`` is not in force.
    """
    found = field_get(user, field_id, "field.decide")
    scan = scan_locked(found.page.scan_id)
    open_or_raise(user, scan, lease_token)
    state = next(state for state in field_states(scan) if state.field.pk == field_id)
    field = state.field
    if len(box_px) != 4:
        raise InvalidField("A box is [x, y, width, height] in pixels.")
    if field.box_px == list(box_px):
        return field
    box, crop_sha256 = crop_of(field.page, box_px)
    old_box, old_crop = field.box_px, field.crop_sha256
    field.x_px, field.y_px, field.width_px, field.height_px = box.as_list()
    field.crop_sha256 = crop_sha256
    field.save(update_fields=["x_px", "y_px", "width_px", "height_px", "crop_sha256"])
    if state.reading is not None and state.reading.model != UNREAD:
        FieldReading.objects.create(field=field, text="", p_correct=0.0, model=UNREAD)
    if state.said is not None:
        take_back(user, state)
    audit_record(
        action="field.reboxed",
        site=scan.site,
        object_type="field",
        object_id=field.pk,
        actor=user,
        scan_id=scan.pk,
        data={
            "field": field.name,
            "group": field.group,
            "page": field.page.number,
            "old_box_px": old_box,
            "box_px": field.box_px,
            "old_crop_sha256": old_crop,
            "crop_sha256": crop_sha256,
        },
    )
    prescription_refresh(scan=scan)
    return field
