"""Adding a field that the page finder missed, and saying what a field is; both audited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.hints import hint_on_commit
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.intake.rasters import raster_read, raster_write
from clinic_hwr.pages import crop_field
from clinic_hwr.pages.types import FIELD_NAMES, Box, NamedBy
from clinic_hwr.prescriptions.interpretation import MEDICATION_FIELDS
from clinic_hwr.routing.models import Field

from ..access import field_get, scan_get_for
from ..errors import InvalidField, ScanFinished
from ..locks import scan_locked
from ..models import Decision, DecisionKind, FieldBox
from .decisions import DECIDABLE
from .effective import FieldState, field_states
from .leases import lease_check
from .refresh import prescription_refresh

NAMES_TO_GIVE = tuple(name for name in FIELD_NAMES if name != "unnamed")
# These may stand once for the whole page (group 0) or once for each medication.
PAGE_OR_MEDICATION = frozenset({"refills", "substitution"})
MAX_MEDICATIONS = 20  # no paper has more; a larger number is a slip of the hand


def medication_number(name: str) -> str:
    """Return whether a field called ``name`` has a medication number: required, optional, ""."""
    if name in MEDICATION_FIELDS:
        return "required"
    return "optional" if name in PAGE_OR_MEDICATION else ""


@transaction.atomic
def field_add(
    *,
    user: Any,
    scan_id: UUID,
    lease_token: UUID | None,
    name: str,
    group: int = 0,
    page_number: int = 1,
    box_px: Sequence[int] | None = None,
    field_id: UUID | None = None,
) -> Field:
    """Add a field that the page finder missed; it is empty and waits for a person.

    It comes after the last field of its page. The ink of its box is read by a worker; without a
    box no model looks at it.

    Args:
        group: medication number, 0 for a field of the whole page.
        box_px: ``[x, y, width, height]`` of the ink on the upright page; None: the whole page.
        field_id: chosen by the caller; the same id twice adds one field only.

    Raises:
        Http404, PermissionDenied: see ``access.scan_get_for`` (needs ``field.decide``).
        InvalidField: unknown name, number, page or box, or the page has such a field already.
        ScanFinished: the scan is not in review any more.
        LeaseLost: ``lease_token`` is not in force.
    """
    scan = scan_locked(scan_get_for(user, scan_id, "field.decide").pk)
    if field_id is not None:
        repeated = Field.objects.select_related("page").filter(pk=field_id).first()
        if repeated is not None:
            if repeated.page.scan_id != scan.pk:
                raise InvalidField("This field number is taken; choose a new one.")
            return repeated
    open_or_raise(user, scan, lease_token)
    _name_or_raise(name, group, field_states(scan))
    page = Page.objects.filter(scan=scan, number=page_number).first()
    if page is None:
        raise InvalidField(f"This scan has no page {page_number}.")
    box, crop_sha256 = crop_of(page, box_px)
    last = page.fields.aggregate(last=Max("position"))["last"]
    field = Field(
        page=page,
        position=0 if last is None else last + 1,
        name=name,
        kind=FIELD_NAMES[name].value,
        group=group,
        x_px=box.x,
        y_px=box.y,
        width_px=box.width,
        height_px=box.height,
        crop_sha256=crop_sha256,
        box_version=0 if box_px is None else 1,
        named_by=NamedBy.PERSON,
    )
    if field_id is not None:
        field.pk = field_id
    field.save(force_insert=True)
    if box_px is not None:
        FieldBox.objects.create(
            field=field,
            version=field.box_version,
            x_px=box.x,
            y_px=box.y,
            width_px=box.width,
            height_px=box.height,
            crop_sha256=crop_sha256,
            drawn_by=user,
        )
        hint_on_commit(scan.pk)
    _audit("field.added", user, scan, field, old="", old_group=0)
    prescription_refresh(scan=scan)
    return field


@transaction.atomic
def field_name(
    *, user: Any, field_id: UUID, lease_token: UUID | None, name: str, group: int = 0
) -> Field:
    """Say what a field is, by its name and medication number; its readings stay as they are.

    A decision in force was made about something else: it is taken back, by appending.

    Raises:
        Http404, PermissionDenied: see ``access.field_get`` (needs ``field.decide``).
        InvalidField: unknown name or number, or the page has such a field already.
        ScanFinished: the scan is not in review any more.
        LeaseLost: ``lease_token`` is not in force.
    """
    scan = scan_locked(field_get(user, field_id, "field.decide").page.scan_id)
    open_or_raise(user, scan, lease_token)
    states = field_states(scan)
    state = next(state for state in states if state.field.pk == field_id)
    field = state.field
    if (field.name, field.group) == (name, group):
        return field
    _name_or_raise(name, group, [other for other in states if other is not state])
    old, old_group = field.name, field.group
    field.name, field.group, field.kind = name, group, FIELD_NAMES[name].value
    field.named_by = NamedBy.PERSON
    field.save(update_fields=["name", "group", "kind", "named_by"])
    if state.said is not None:
        take_back(user, state)
    _audit("field.named", user, scan, field, old=old, old_group=old_group)
    prescription_refresh(scan=scan)
    return field


def open_or_raise(user: Any, scan: Scan, lease_token: UUID | None) -> None:
    """Raise unless the scan is in review and ``user`` has it to themselves."""
    if scan.state not in DECIDABLE:
        state = scan.get_state_display().lower()
        raise ScanFinished(f"This scan is {state}; its fields cannot be changed.")
    lease_check(user=user, scan_id=scan.pk, token=lease_token)


def _name_or_raise(name: str, group: int, others: Sequence[FieldState]) -> None:
    """Raise ``InvalidField`` unless ``name`` and ``group`` fit each other and the ``others``."""
    if name not in NAMES_TO_GIVE:
        raise InvalidField(f"Unknown field; the known ones are {', '.join(NAMES_TO_GIVE)}.")
    if not 0 <= group <= MAX_MEDICATIONS:
        raise InvalidField(f"A medication number is between 1 and {MAX_MEDICATIONS}.")
    numbered = medication_number(name)
    if numbered == "required" and group == 0:
        raise InvalidField("Say which medication this belongs to, from 1.")
    if group and not numbered:
        raise InvalidField("This field is about the whole page, not about one medication.")
    # Lines of one medication are joined. Of two patients the first would win without a word.
    taken = not numbered and any(other.field.name == name and other.value for other in others)
    if taken:
        raise InvalidField(
            "There is such a field with a value already. Correct that one, or mark it as not "
            "applicable first."
        )


def crop_of(page: Page, box_px: Sequence[int] | None) -> tuple[Box, str]:
    """Return the box on ``page`` and the SHA-256 of its ink; without a box, of the whole page."""
    if box_px is None:
        return Box(0, 0, page.width_px, page.height_px), page.image_sha256
    if len(box_px) != 4:
        raise InvalidField("A box is [x, y, width, height] in pixels.")
    box = Box(*box_px)
    inside = (
        box.x >= 0
        and box.y >= 0
        and box.width > 0
        and box.height > 0
        and box.x + box.width <= page.width_px
        and box.y + box.height <= page.height_px
    )
    if not inside:
        raise InvalidField(f"The box must lie on the page ({page.width_px} x {page.height_px}).")
    return box, raster_write(crop_field(raster_read(page.image_sha256), box))


def take_back(user: Any, state: FieldState) -> None:
    """Append a reopening to a field whose decision was made under another name."""
    Decision.objects.create(
        field=state.field,
        number=state.number + 1,
        kind=DecisionKind.REOPENED,
        machine_value=state.machine_value,
        reading=state.reading,
        reviewer=user,
    )


def _audit(action: str, user: Any, scan: Scan, field: Field, *, old: str, old_group: int) -> None:
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
            "box_px": field.box_px,
            "old": old,
            "old_group": old_group,
            "new": field.name,
            "crop_sha256": field.crop_sha256,
        },
    )
