"""One field as the workstation shows it to one person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from clinic_hwr.pages.types import FieldKind
from clinic_hwr.prescriptions.drug_line import read_drug_line
from clinic_hwr.prescriptions.lexicon import DrugLexicon
from clinic_hwr.routing.models import FieldBlocker
from clinic_hwr.routing.policy import is_sampled, route
from clinic_hwr.routing.thresholds import SitePolicy

from .clarify_templates import TEMPLATES
from .discretion import Discretion, Person, closed_entry
from .models import (
    BoxReading,
    CallOutcome,
    CheckStage,
    Clarification,
    Decision,
    DecisionKind,
    QuestionStatus,
)
from .states import ABSENT, PRESENT, FieldState
from .wording import band, decision_json, field_title, naming_words

# Characters under these probabilities are tinted once, or twice as strong.
CHAR_DOUBT, CHAR_STRONG_DOUBT = 0.9, 0.6
MAX_CANDIDATES = 5  # keys 1-5
MAX_LOOK_ALIKES = 4

TURNS: dict[str, str] = {
    CheckStage.FIRST.value: "first",
    CheckStage.SECOND.value: "second",
    CheckStage.ADJUDICATION.value: "adjudicate",
}


def field_json(
    state: FieldState,
    blockers: Sequence[FieldBlocker],
    *,
    person: Person,
    discretion: Discretion,
    policy: SitePolicy,
    lexicon: DrugLexicon,
) -> dict[str, Any]:
    """Return one field as plain JSON; of a closed one, only what the person entered themselves."""
    field = state.field
    waits_for = state.waits_for(person.pk, may_adjudicate=person.may_adjudicate)
    closed = state.is_closed_to(person.pk, may_adjudicate=person.may_adjudicate)
    told = [row for row in blockers if discretion.may_tell(row.message)]
    if closed or not discretion.may_tell_of(field):
        told = []
    seen = _closed(state, person) if closed else _open(state, policy, told, lexicon)
    choices = [] if closed else _choices(state, waits_for)
    if choices:  # all three stand side by side: none of them is shown as the value
        seen |= {"value": "", "band": None, "look_alikes": []}
    if not closed and len(told) < len(blockers):
        seen["reasons"].append(
            {
                "message": "Other checks are shown once the drug is entered by everybody needed.",
                "severity": "policy",
            }
        )
    return {
        "id": str(field.pk),
        "name": field.name,
        "group": field.group,
        "title": field_title(field.name, field.group),
        "label": field.label,
        "page": field.page.number,
        "box": field.box_px,
        # the hash makes the address of other ink another address
        "crop": f"{reverse('field-crop', args=[field.pk])}?{field.crop_sha256[:12]}",
        "decide": reverse("field-decide", args=[field.pk]),
        "name_url": reverse("field-name", args=[field.pk]),
        "box_url": reverse("field-box", args=[field.pk]),
        "ask_url": reverse("field-ask", args=[field.pk]),
        "box_version": field.box_version,
        "box_undo_url": reverse("field-box-undo", args=[field.pk]),
        # says nothing of what was read, so a person who enters blind may know it too
        "reading": state.box.reading if state.box else "",
        "whole_page": field.crop_sha256 == field.page.image_sha256,
        "mark": state.is_presence,
        "named_by": field.named_by,
        "named": naming_words(field.named_by, field.label),
        "struck_out": field.struck_out,
        "print": field.is_print,
        "digits": field.kind == FieldKind.DIGITS,
        "number": state.number,
        "needs_human": state.needs_human,
        "needs_you": waits_for == "you",
        "waits_for": waits_for,
        "turn": TURNS.get(state.check.stage, "") if state.check and waits_for == "you" else "",
        "blind": closed,
        "postponed": state.is_postponed,
        "question": _question(state.question, discretion) if state.question else None,
        "answers": [_answer(q) for q in state.questions if q.status == QuestionStatus.ANSWERED],
        **seen,
        "choices": choices,
    }


def _closed(state: FieldState, person: Person) -> dict[str, Any]:
    """Return what a person sees of a field that is entered blind: their own entry at most."""
    own = closed_entry(state, person)
    differ = state.check is not None and state.check.stage == CheckStage.ADJUDICATION
    why = f"A reading of this medication is on the list of {state.alerts.words()}."
    if differ:
        what = "Two people entered different values; a pharmacist who is neither of them decides."
    elif state.check is not None and state.check.level == "two":
        what = "Two people type it, each without seeing what was read."
    else:
        what = "Type what you read; what the machine read is not shown."
    return {
        "machine": "",
        "value": own.value if own else "",
        "chars": [],
        "candidates": [],
        "look_alikes": [],
        "band": None,
        "decision": {**(decision_json(own) or {}), "label": _entered(own)} if own else None,
        "reasons": [{"message": f"{why} {what}", "severity": "warn"}],
    }


def _entered(own: Decision) -> str:
    """Return the label of one's own entry; "Accepted" or "Corrected" would tell the machine's."""
    if own.kind in (DecisionKind.ACCEPTED, DecisionKind.CORRECTED):
        return "Entered"
    return str(DecisionKind(own.kind).label)


def _open(
    state: FieldState, policy: SitePolicy, blockers: Sequence[FieldBlocker], lexicon: DrugLexicon
) -> dict[str, Any]:
    reading = state.reading
    return {
        "machine": state.machine_value,
        "value": state.value,
        "chars": _chars(state),
        "candidates": _candidates(state, lexicon),
        "look_alikes": look_alikes(state.value, lexicon) if state.field.name == "drug" else [],
        "band": None
        if state.is_presence or reading is None or not reading.text
        else band(reading.p_correct),
        "decision": decision_json(state.decision),
        "reasons": _reasons(state, blockers, policy),
    }


def _chars(state: FieldState) -> list[list[Any]]:
    """Return ``[[char, doubt], ...]`` of the machine value; doubt is 0, 1 or 2."""
    if state.reading is None or state.is_presence:
        return []
    return [
        [char, 2 if p < CHAR_STRONG_DOUBT else 1 if p < CHAR_DOUBT else 0]
        for char, p in state.reading.chars
    ]


def _candidates(state: FieldState, lexicon: DrugLexicon) -> list[dict[str, Any]]:
    """Return up to five different texts to choose from, best first."""
    if state.is_presence:
        return [
            {"text": text, "shown": text.capitalize(), "note": ""} for text in (PRESENT, ABSENT)
        ]
    texts = []
    if state.reading is not None:
        texts = [state.reading.text, *(text for text, _ in state.reading.alternatives)]
    is_drug = state.field.name == "drug"
    return [
        {
            "text": text,
            "shown": tall_man(text, lexicon) if is_drug else text,
            "note": _alike_words(text, lexicon) if is_drug else "",
        }
        for text in list(dict.fromkeys(text for text in texts if text))[:MAX_CANDIDATES]
    ]


def tall_man(text: str, lexicon: DrugLexicon) -> str:
    """Return a drug line with its name in tall-man letters, where there are any."""
    name = read_drug_line(text, lexicon).name
    known = lexicon.match_exact(name) if name else None
    return text.replace(name, known.tallman, 1) if known and known.tallman else text


def look_alikes(text: str, lexicon: DrugLexicon) -> list[str]:
    """Return the listed look-alikes of the drug in a line, in tall-man letters."""
    name = read_drug_line(text, lexicon).name
    known = lexicon.find(name) if name else None
    if known is None:
        return []
    others = sorted(lexicon.lookalikes_of(known.name))[:MAX_LOOK_ALIKES]
    matches = [(other, lexicon.match_exact(other)) for other in others]
    return [(match.tallman or match.name) if match else other for other, match in matches]


def _alike_words(text: str, lexicon: DrugLexicon) -> str:
    found = look_alikes(text, lexicon)
    return f"looks like {', '.join(found)}" if found else ""


def _choices(state: FieldState, waits_for: str) -> list[dict[str, str]]:
    """Return both entries and the machine's reading for the person who adjudicates."""
    check = state.check
    if check is None or check.stage != CheckStage.ADJUDICATION or waits_for != "you":
        return []
    choices = [
        {
            "who": who,
            "kind": DecisionKind.CORRECTED.value if entry.value else entry.kind,
            "value": entry.value,
            "label": DecisionKind(entry.kind).label,
        }
        for who, entry in zip(("First entry", "Second entry"), check.entries, strict=False)
    ]
    if state.machine_value:
        machine = DecisionKind.ACCEPTED.value
        value = state.machine_value
        choices.append({"who": "Machine", "kind": machine, "value": value, "label": "Read"})
    return choices


def _question(asked: Clarification, discretion: Discretion) -> dict[str, Any]:
    """Return the open question; its words only where they tell nobody what is closed to them."""
    told = asked.question if discretion.may_tell(asked.question) else ""
    return {
        "id": str(asked.pk),
        "reason": TEMPLATES[asked.reason].title if asked.reason in TEMPLATES else asked.reason,
        "question": told,
        "asked_at": asked.asked_at.isoformat(),
        "url": reverse("clarification", args=[asked.pk]),
    }


def _answer(asked: Clarification) -> dict[str, Any]:
    """Return what the prescriber answered, to stand beside the ink."""
    calls = [call for call in asked.calls.all() if call.outcome == CallOutcome.ANSWERED]
    call = calls[-1] if calls else None
    return {
        "question": asked.question,
        "answer": call.answer if call else "",
        "called": call.called if call else "",
        "by": (call.by.get_full_name() or call.by.get_username()) if call else "",
        "at": call.at.isoformat() if call else "",
    }


def unread_words(state: FieldState) -> str:
    """Return why there is no reading: it is on its way, it failed, or nobody asked for one."""
    box = state.box
    if box is None and state.reading is None:
        return "No model read this: type what the page says."
    if box is None or box.reading in (BoxReading.READ, BoxReading.LATE):
        return "Nothing was read here: type what the page says."
    if box.reading == BoxReading.FAILED:
        return box.problem
    why = f" {box.problem}" if box.problem else ""
    return f"This ink is still to be read.{why} You need not wait: type what the page says."


def _reasons(
    state: FieldState, blockers: Sequence[FieldBlocker], policy: SitePolicy
) -> list[dict[str, str]]:
    """Return why this field was not accepted without a person, worst first."""
    reasons = [{"message": row.message, "severity": row.severity} for row in blockers]
    reasons.sort(key=lambda reason: reason["severity"] != "stop")
    if state.machine_value == "" and not state.is_presence:
        reasons.append({"message": unread_words(state), "severity": "policy"})
    elif state.field.route == "human":
        verdict = route(
            kind=state.field.kind,
            p_correct=state.reading.p_correct if state.reading else 0.0,
            blocker_codes=[row.code for row in blockers if row.severity == "stop"],
            is_print=state.field.is_print,
            sampled=is_sampled(str(state.field.pk)),
            redrawn=state.field.box_version > 0,
            policy=policy.of(state.field.kind, state.reading.model if state.reading else ""),
        )
        # a blocker speaks for itself above, in words; the policy repeats only its code
        reasons += [
            {"message": f"{reason[:1].upper()}{reason[1:]}.", "severity": "policy"}
            for reason in verdict.reasons
            if not reason.startswith("blocker: ")
        ]
    return reasons
