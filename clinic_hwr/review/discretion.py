"""What must not be told to somebody who enters a field blind, wherever it would be said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.intake.models import Scan
from clinic_hwr.prescriptions.drug_line import read_drug_line
from clinic_hwr.prescriptions.interpretation import MEDICATION_FIELDS
from clinic_hwr.prescriptions.lexicon import DrugLexicon
from clinic_hwr.routing.models import Field

from .models import Decision
from .states import FieldState

_SHORTEST_WORD = 4  # shorter ones stand in too many sentences to tell a drug by


@dataclass(frozen=True, slots=True)
class Person:
    """Who looks: ``pk`` None is nobody in particular, from whom everything blind is kept."""

    pk: object
    may_adjudicate: bool


def closed_entry(state: FieldState, person: Person) -> Decision | None:
    """Return what ``person`` entered themselves in a field that is closed to them."""
    entries = state.check.entries if state.check else ()
    return next((entry for entry in entries if entry.reviewer_id == person.pk), None)


def person_at(scan: Scan, user: Any) -> Person:
    """Return what a person may do at the site of ``scan`` (one query)."""
    pk = getattr(user, "pk", None)
    if pk is None:
        return Person(None, may_adjudicate=False)
    sites = accessible_sites(user, "field.adjudicate").filter(pk=scan.site_id)
    return Person(pk, may_adjudicate=sites.exists())


class Discretion:
    """Knows which medications are closed to a person, and the words that would give them away."""

    def __init__(self, states: Sequence[FieldState], person: Person, lexicon: DrugLexicon) -> None:
        closed = [
            state
            for state in states
            if state.is_closed_to(person.pk, may_adjudicate=person.may_adjudicate)
        ]
        self._groups = frozenset(state.field.group for state in closed)
        self._words = frozenset(
            word for state in closed for text in _texts(state) for word in _words(text, lexicon)
        )

    def is_closed(self, group: int) -> bool:
        """Whether a medication is closed; one without a number closes all."""
        return group in self._groups or 0 in self._groups

    def may_tell_of(self, field: Field) -> bool:
        """Whether checks of ``field`` may be told: they are about the whole medication."""
        about = field.group > 0 or field.name in MEDICATION_FIELDS
        return not (about and self.is_closed(field.group))

    def may_tell(self, message: str) -> bool:
        """Whether ``message`` holds no word of what is closed."""
        said = set(re.findall(r"[a-z]+", message.lower()))
        return not said & self._words


def _texts(state: FieldState) -> list[str]:
    texts = [entry.value for entry in state.check.entries] if state.check else []
    if state.reading is not None:
        texts += [state.reading.text, *(text for text, _ in state.reading.alternatives)]
    return texts


def _words(text: str, lexicon: DrugLexicon) -> set[str]:
    """Return the words of a text, and of the drugs it may mean."""
    texts = [text]
    name = read_drug_line(text, lexicon).name
    if name:
        near = lexicon.match([(name, 1.0)])
        texts += [f"{match.name} {match.generic_of}" for match in near]
    words = {word for found in texts for word in re.findall(r"[a-z]+", found.lower())}
    return {word for word in words if len(word) >= _SHORTEST_WORD}
