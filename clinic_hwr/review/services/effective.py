"""The value in force of every field: the newest decision, else the newest reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clinic_hwr.intake.models import Scan
from clinic_hwr.pages.types import FieldKind
from clinic_hwr.prescriptions.types import FieldValue
from clinic_hwr.routing.models import Field, FieldReading, Route

from ..models import Decision, DecisionKind

# Kinds that hold a mark or none; they are decided as present or absent, never typed.
PRESENCE_KINDS = frozenset({FieldKind.CHECKBOX.value, FieldKind.SIGNATURE.value})
PRESENT, ABSENT = "present", "absent"


@dataclass(frozen=True, slots=True)
class FieldState:
    """One field with what machine and people said of it.

    Attributes:
        field: the field itself.
        reading: the newest machine reading, or None for marks.
        decision: the human decision in force, or None when nobody decided (or it was reopened).
        number: number of the newest decision row, 0 when there is none; fences stale saves.
    """

    field: Field
    reading: FieldReading | None
    decision: Decision | None
    number: int

    @property
    def is_presence(self) -> bool:
        """Whether the field is a mark (signature, checkbox)."""
        return self.field.kind in PRESENCE_KINDS

    @property
    def machine_value(self) -> str:
        """What the machine says: the text, or present/absent for a mark ("" = it cannot say)."""
        if self.is_presence:
            return {True: PRESENT, False: ABSENT, None: ""}[self.field.present]
        return self.reading.text if self.reading else ""

    @property
    def value(self) -> str:
        """The value in force; "" for illegible, not present and not applicable."""
        return self.machine_value if self.decision is None else self.decision.value

    @property
    def needs_human(self) -> bool:
        """Whether a person must still decide this field."""
        return self.field.route == Route.HUMAN and self.decision is None

    def as_field_value(self) -> FieldValue:
        """Return the field as it enters interpretation."""
        decision, reading = self.decision, self.reading
        return FieldValue(
            field_id=str(self.field.pk),
            name=self.field.name,
            group=self.field.group,
            text="" if self.is_presence else self.value,
            alternatives=()
            if decision is not None or reading is None
            else tuple((text, float(confidence)) for text, confidence in reading.alternatives),
            p_correct=1.0 if decision is not None else reading.p_correct if reading else 0.0,
            human=decision is not None,
            present=self._present() if self.is_presence else None,
            illegible=decision is not None and decision.kind == DecisionKind.ILLEGIBLE,
        )

    def _present(self) -> bool | None:
        """Whether the mark is there: the decision's word, else the machine's."""
        if self.decision is None:
            return self.field.present
        if self.decision.kind == DecisionKind.ILLEGIBLE:
            return None
        return self.decision.value == PRESENT


def decision_in_force(decisions: Iterable[Decision]) -> Decision | None:
    """Return the decision in force of one field's ``decisions`` (by number, oldest first)."""
    newest: Decision | None = None
    for decision in decisions:
        newest = decision
    return None if newest is None or newest.kind == DecisionKind.REOPENED else newest


def field_states(scan: Scan) -> list[FieldState]:
    """Return the state of every field of ``scan`` in reading order (three queries)."""
    fields = (
        Field.objects.filter(page__scan_id=scan.pk)
        .select_related("page")
        .order_by("page__number", "position")
    )
    readings: dict[object, FieldReading] = {}
    for reading in FieldReading.objects.filter(field__page__scan_id=scan.pk).order_by("id"):
        readings[reading.field_id] = reading
    decisions: dict[object, list[Decision]] = {}
    for decision in (
        Decision.objects.filter(field__page__scan_id=scan.pk)
        .select_related("reviewer")
        .order_by("number")
    ):
        decisions.setdefault(decision.field_id, []).append(decision)
    return [
        FieldState(
            field=field,
            reading=readings.get(field.pk),
            decision=decision_in_force(decisions.get(field.pk, ())),
            number=decisions[field.pk][-1].number if field.pk in decisions else 0,
        )
        for field in fields
    ]


def unresolved_fields(scan: Scan) -> list[Field]:
    """Return the fields that a person must still decide, in reading order."""
    return [state.field for state in field_states(scan) if state.needs_human]
