"""The state of a field: the newest reading, what people decided, and whose turn it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from django.conf import settings

from clinic_hwr.intake.models import Scan
from clinic_hwr.pages.types import FieldKind
from clinic_hwr.prescriptions.interpretation import MEDICATION_FIELDS
from clinic_hwr.prescriptions.lexicon import DrugLexicon
from clinic_hwr.prescriptions.types import FieldValue
from clinic_hwr.routing.lexicons import working_lexicon
from clinic_hwr.routing.models import Field, FieldReading, Route

from .double_entry import (
    NO_ALERTS,
    Alerts,
    DoubleEntry,
    LookAlikes,
    alerts_of,
    double_entry,
    entries_of_round,
    is_closed_to,
    levels_of,
)
from .models import (
    BoxReading,
    CheckStage,
    Clarification,
    Decision,
    DecisionKind,
    FieldBox,
    FieldCheck,
    QuestionStatus,
)

# Kinds that hold a mark or none; they are decided as present or absent, never typed.
PRESENCE_KINDS = frozenset({FieldKind.CHECKBOX.value, FieldKind.SIGNATURE.value})
PRESENT, ABSENT = "present", "absent"


@dataclass(frozen=True, slots=True)
class FieldState:
    """One field with what machine and people said of it.

    Attributes:
        field: the field itself.
        reading: the newest machine reading of the box in force, or None: a mark, or not read.
        decision: the human decision in force, or None: nobody decided, it was reopened, or the
            second person is still to come.
        number: number of the newest decision row, 0 when there is none; fences stale saves.
        check: how far the field is when it is entered twice; None: one person decides.
        alerts: what the drugs of its medication may be listed as.
        newest: the newest row, decision or not.
        questions: questions to the prescriber about it, oldest first.
        box: the box in force where a person drew one, with how reading it stands.
    """

    field: Field
    reading: FieldReading | None
    decision: Decision | None
    number: int
    check: DoubleEntry | None = None
    alerts: Alerts = NO_ALERTS
    newest: Decision | None = None
    questions: tuple[Clarification, ...] = ()
    box: FieldBox | None = None

    @property
    def ink_seen(self) -> str:
        """What a person who looks now sees of the ink: "" as it was found, else box and reading."""
        version = self.field.box_version
        return f"{version}{'r' if self.reading else ''}" if version else ""

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
        said = self.said
        return self.machine_value if said is None else said.value

    @property
    def needs_human(self) -> bool:
        """Whether a person must still decide this field, or the prescriber answer."""
        if self.question is not None:
            return True
        return self.decision is None and (self.field.route == Route.HUMAN or bool(self.check))

    @property
    def question(self) -> Clarification | None:
        """The question to the prescriber that waits for an answer."""
        waiting = (q for q in self.questions if q.status == QuestionStatus.OPEN)
        return next(waiting, None)

    @property
    def is_postponed(self) -> bool:
        """Whether somebody put the field off and nobody has decided it since."""
        return self.newest is not None and self.newest.kind == DecisionKind.POSTPONED

    def is_closed_to(self, user_id: object, *, may_adjudicate: bool = False) -> bool:
        """Whether the machine's value and others' entries are kept from a person for now."""
        return is_closed_to(self.check, user_id, may_adjudicate=may_adjudicate)

    def waits_for(self, user_id: object, *, may_adjudicate: bool = False) -> str:
        """Return who is next: you, second, pharmacist or prescriber; "" when nobody is."""
        if self.question is not None:
            return "prescriber"
        if not self.needs_human:
            return ""
        if self.check is None or self.check.stage == CheckStage.FIRST:
            return "you"
        mine = user_id in self.check.people()
        if self.check.stage == CheckStage.SECOND:
            return "second" if mine else "you"
        return "you" if may_adjudicate and not mine else "pharmacist"

    @property
    def said(self) -> Decision | None:
        """The decision in force, or the first of two entries: the draft follows a person's word."""
        if self.decision is not None or self.check is None:
            return self.decision
        return self.check.entries[0] if self.check.entries else None

    def as_field_value(self) -> FieldValue:
        """Return the field as it enters interpretation."""
        decision, reading, said = self.decision, self.reading, self.said
        return FieldValue(
            field_id=str(self.field.pk),
            name=self.field.name,
            group=self.field.group,
            text="" if self.is_presence else self.value,
            alternatives=()
            if said is not None or reading is None
            else tuple((text, float(confidence)) for text, confidence in reading.alternatives),
            p_correct=1.0 if decision is not None else reading.p_correct if reading else 0.0,
            human=decision is not None,
            present=self._present() if self.is_presence else None,
            illegible=decision is not None and decision.kind == DecisionKind.ILLEGIBLE,
            named_by=self.field.named_by,
            struck_out=self.field.struck_out,
            print_problem=self.field.page.print_problem,
            page_problems=tuple(self.field.page.problems),
            mark_doubt=self.field.mark_doubt,
        )

    def _present(self) -> bool | None:
        """Whether the mark is there: the decision's word, else the machine's."""
        if self.decision is None:
            return self.field.present
        if self.decision.kind == DecisionKind.ILLEGIBLE:
            return None
        return self.decision.value == PRESENT


def decision_in_force(decisions: Iterable[Decision]) -> Decision | None:
    """Return the newest decision of one field's ``decisions`` (by number, oldest first)."""
    entries = entries_of_round(decisions)
    return entries[-1] if entries else None


def look_alike_rule() -> LookAlikes:
    """Return when a look-alike name is typed blind; an unknown setting means the safest."""
    chosen = str(getattr(settings, "CLINIC_HWR_LOOKALIKES", "listed"))
    return chosen if chosen in get_args(LookAlikes) else "listed"  # type: ignore[return-value]


def field_states(scan: Scan) -> list[FieldState]:
    """Return the state of every field of ``scan`` in reading order (five queries)."""
    fields = list(
        Field.objects.filter(page__scan_id=scan.pk)
        .select_related("page", "double_entry")
        .order_by("page__number", "position")
    )
    # Before the readings: a worker may write one between these queries, and then its box, as seen
    # here, still waits. The other way round a box would be read and hold nothing.
    boxes = {
        (box.field_id, box.version): box
        for box in FieldBox.objects.filter(field__page__scan_id=scan.pk)
    }
    readings: dict[object, list[FieldReading]] = {}
    for reading in FieldReading.objects.filter(field__page__scan_id=scan.pk).order_by("id"):
        readings.setdefault(reading.field_id, []).append(reading)
    decisions: dict[object, list[Decision]] = {}
    for decision in (
        Decision.objects.filter(field__page__scan_id=scan.pk)
        .select_related("reviewer")
        .order_by("number")
    ):
        decisions.setdefault(decision.field_id, []).append(decision)
    questions: dict[object, list[Clarification]] = {}
    asked = Clarification.objects.filter(field__page__scan_id=scan.pk)
    for question in asked.prefetch_related("calls__by"):
        questions.setdefault(question.field_id, []).append(question)
    lexicon = working_lexicon(scan.site.slug)
    alerts = _alerts(fields, readings, decisions, lexicon)
    return [
        _state(
            field,
            readings.get(field.pk, ()),
            decisions.get(field.pk, ()),
            tuple(questions.get(field.pk, ())),
            levels_of(tuple(alerts), field.group, alerts),
            lexicon,
            boxes.get((field.pk, field.box_version)),
        )
        for field in fields
    ]


def _alerts(
    fields: Sequence[Field],
    readings: dict[object, list[FieldReading]],
    decisions: dict[object, list[Decision]],
    lexicon: DrugLexicon,
) -> dict[int, Alerts]:
    """Return the alerts of every medication: of all that was ever read or entered as its drug.

    Nothing is ever taken out, so that no later value lowers what an earlier one asked for.
    """
    texts: dict[int, list[str]] = {}
    for field in fields:
        if field.name != "drug":
            continue
        mine = texts.setdefault(field.group, [])
        for reading in readings.get(field.pk, ()):
            mine += [reading.text, *(text for text, _ in reading.alternatives)]
        mine += [decision.value for decision in decisions.get(field.pk, ()) if decision.value]
    rule = look_alike_rule()
    return {group: alerts_of(found, lexicon, rule) for group, found in texts.items()}


def field_state(
    field: Field, reading: FieldReading | None, decisions: Sequence[Decision]
) -> FieldState:
    """Return the state of one field with the level its last interpretation gave it (no query).

    ``field`` comes with ``double_entry``, page, scan and site.
    """
    known: FieldCheck | None = getattr(field, "double_entry", None)
    lexicon = working_lexicon(field.page.scan.site.slug)
    level = known.level if known is not None else ""
    return _state_at(field, reading, decisions, level, lexicon)


def _state(
    field: Field,
    readings: Sequence[FieldReading],
    decisions: Sequence[Decision],
    questions: tuple[Clarification, ...],
    alerts: Alerts,
    lexicon: DrugLexicon,
    box: FieldBox | None,
) -> FieldState:
    level = alerts.level(field.name) if field.name in MEDICATION_FIELDS else ""
    mine = [each for each in readings if each.box_version == field.box_version]
    waits = box is not None and box.reading == BoxReading.WAITING
    reading = mine[-1] if mine and not waits else None
    state = _state_at(field, reading, decisions, level, lexicon)
    return replace(state, alerts=alerts, questions=questions, box=box)


def _state_at(
    field: Field,
    reading: FieldReading | None,
    decisions: Sequence[Decision],
    level: str,
    lexicon: DrugLexicon,
) -> FieldState:
    entries = entries_of_round(decisions)
    check = None
    if level:
        machine_value = reading.text if reading else ""
        check = double_entry(level, entries, field.name, machine_value, lexicon)
    decision = check.decision if check else entries[-1] if entries else None
    newest = decisions[-1] if decisions else None
    return FieldState(
        field=field,
        reading=reading,
        decision=decision,
        number=newest.number if newest else 0,
        check=check,
        newest=newest,
    )


def unresolved_fields(scan: Scan) -> list[Field]:
    """Return the fields that a person must still decide, in reading order."""
    return [state.field for state in field_states(scan) if state.needs_human]
