"""Labelled outcomes: machine readings beside what people decided of the same fields."""

from __future__ import annotations

from collections import defaultdict

from clinic_hwr.accounts.models import Site
from clinic_hwr.routing.models import Field
from clinic_hwr.routing.policy import is_sampled
from clinic_hwr.routing.thresholds import SitePolicy

from ..models import Decision, DecisionKind
from .effective import PRESENCE_KINDS, decision_in_force

Outcome = tuple[float, bool]


def labelled_outcomes(site: Site) -> dict[tuple[str, str], list[Outcome]]:
    """Return (``p_correct``, was right) of every field that a person decided, by kind and model.

    A reading was right when the person accepted it, or entered the same text (blanks and case
    aside). A field that was illegible, not there or not applicable to them counts as wrong: the
    machine had read something in it. Marks (signature, checkbox) have no reading and no outcome.
    A box that a person drew has none either: thresholds are for the boxes that are found.
    Where a threshold is in force, of later decisions only those of the sample count: the others
    are fields under the threshold or with a blocker, and say nothing of what is accepted.
    """
    policy = SitePolicy(site)
    decisions: dict[object, list[Decision]] = defaultdict(list)
    rows = Decision.objects.filter(field__page__scan__site=site).select_related("reading", "field")
    for decision in rows.order_by("field_id", "number"):
        decisions[decision.field_id].append(decision)
    outcomes: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for found in decisions.values():
        decision = decision_in_force(found)
        if decision is None or decision.reading is None or decision.reading.box_version:
            continue  # nobody said, nothing was read, or in a box that a person drew
        field: Field = decision.field
        key = (field.kind, decision.reading.model)
        since = policy.since(*key)
        if field.kind in PRESENCE_KINDS or decision.reading.text == "":
            continue
        if since is not None and decision.created_at >= since and not is_sampled(str(field.pk)):
            continue
        outcomes[key].append((decision.reading.p_correct, _was_right(decision)))
    return dict(outcomes)


def _was_right(decision: Decision) -> bool:
    if decision.kind == DecisionKind.ACCEPTED:
        return True
    if decision.kind != DecisionKind.CORRECTED or decision.reading is None:
        return False
    return _plain(decision.value) == _plain(decision.reading.text)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
