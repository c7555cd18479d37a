"""Which fields two people enter blind, and when two entries say the same; no database here.

Independent double keying brought errors from 0.370 to 0.046 per 1,000 fields (Paulsen 2012), at a
third more time: so it is asked for only where an error harms most. Any drug that the ink *may* be
counts, not only the one that was read: a misread drug gets its second pair of eyes too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from clinic_hwr.prescriptions.drug_line import read_drug_line
from clinic_hwr.prescriptions.interpretation import MIN_DRUG_SCORE
from clinic_hwr.prescriptions.lexicon import DrugLexicon
from clinic_hwr.prescriptions.sig import parse_sig
from clinic_hwr.prescriptions.strengths import parse_strength

from .models import CheckLevel, CheckStage, Decision, DecisionKind

LookAlikes = Literal["listed", "pairs", "off"]
"""When a look-alike name asks for a blind entry: it is on the list; both names of a listed pair
are in play for the same ink; never."""

TWICE = frozenset({"drug", "strength", "sig"})
"""Fields of a high-alert or controlled drug that two people enter."""
TWICE_CONTROLLED = frozenset({"quantity"})
BLIND = frozenset({"drug"})
"""Fields of a drug with a look-alike name that are typed blind: only the name can be mistaken."""

ADJUDICATED = 3  # number of the entry that settles a field whatever stands before it
VALUE_KINDS = frozenset({DecisionKind.ACCEPTED.value, DecisionKind.CORRECTED.value})


@dataclass(frozen=True, slots=True)
class Alerts:
    """What the drugs in play are listed as."""

    high_alert: bool = False
    controlled: bool = False
    look_alike: bool = False

    def level(self, name: str) -> str:
        """Return the ``CheckLevel`` of a field called ``name``; "" when one person decides it."""
        if name in TWICE and (self.high_alert or self.controlled):
            return CheckLevel.TWO
        if name in TWICE_CONTROLLED and self.controlled:
            return CheckLevel.TWO
        return CheckLevel.BLIND if name in BLIND and self.look_alike else ""

    def words(self) -> str:
        """Return what the lists are called, for people: names no drug."""
        lists = [
            word
            for word, on in (
                ("high-alert drugs", self.high_alert),
                ("controlled substances", self.controlled),
                ("look-alike names", self.look_alike),
            )
            if on
        ]
        return " and of ".join(lists)


NO_ALERTS = Alerts()


def alerts_of(
    texts: Iterable[str], lexicon: DrugLexicon, look_alikes: LookAlikes = "listed"
) -> Alerts:
    """Return the alerts of every drug that one of ``texts`` names or is near to.

    Args:
        texts: all readings of the ink and everything people entered for it.
        lexicon: the site's lexicon, with its lists.
        look_alikes: see ``LookAlikes``.
    """
    names: set[str] = set()
    high_alert = controlled = False
    for text in dict.fromkeys(texts):
        for name, alert, schedule in _drugs(lexicon, text):
            names.add(name)
            high_alert |= alert
            controlled |= schedule
    listed = {name: lexicon.lookalikes_of(name) for name in names}
    look_alike = {
        "listed": any(listed.values()),
        "pairs": any(others & (names - {name}) for name, others in listed.items()),
        "off": False,
    }[look_alikes]
    return Alerts(high_alert, controlled, look_alike)


@lru_cache(maxsize=8192)
def _drugs(lexicon: DrugLexicon, text: str) -> tuple[tuple[str, bool, bool], ...]:
    """Return (name, high-alert, controlled) of the drugs that a drug line may mean."""
    written = read_drug_line(text, lexicon).name
    if not written:
        return ()
    known = lexicon.find(written)
    entries = [known] if known is not None else []
    if known is None:
        near = lexicon.match([(written, 1.0)])
        entries = [lexicon.entry(match) for match in near if match.score >= MIN_DRUG_SCORE]
    return tuple(
        (
            entry.name.lower(),
            bool(lexicon.high_alert_class(entry)),
            bool(lexicon.schedule_of(entry)),
        )
        for entry in entries
    )


def same_meaning(name: str, one: str, other: str, lexicon: DrugLexicon) -> bool:
    """Whether two people's entries of a field say the same, blanks, case and wording aside.

    A drug line is compared by drug, strength, form and release, directions by their structure;
    where either is not fully understood, by its letters. A brand and its generic differ.
    """
    if _plain(one) == _plain(other):
        return True
    if not one or not other:
        return False
    if name == "drug":
        return _drug_key(one, lexicon) == _drug_key(other, lexicon)
    if name == "strength":
        first, second = parse_strength(one), parse_strength(other)
        return first is not None and second is not None and _amounts(first) == _amounts(second)
    if name == "sig":
        return _sig_key(one) is not None and _sig_key(one) == _sig_key(other)
    return False


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _drug_key(text: str, lexicon: DrugLexicon) -> tuple[object, ...]:
    line = read_drug_line(text, lexicon)
    known = lexicon.find(line.name) if line.name else None
    if known is None:
        return (_plain(text),)
    rest = (_plain(line.sig_text), _plain(line.quantity_text), _plain(line.refills_text))
    return (known.name, line.strength and _amounts(line.strength), line.form, line.release, *rest)


def _amounts(strength: object) -> tuple[object, ...]:
    parts = ("value", "unit", "per_value", "per_unit", "others")
    return tuple(getattr(strength, part) for part in parts)


def _sig_key(text: str) -> tuple[object, ...] | None:
    """Return the structure of directions without their wording; None if not all understood."""
    sig = parse_sig(text)
    if sig.leftover or sig.warnings or not sig.dosages:
        return None
    left_out = {"text", "dose_unit_display"}
    return tuple(
        tuple(getattr(dosage, name) for name in dosage.__dataclass_fields__ if name not in left_out)
        for dosage in sig.dosages
    )


@dataclass(frozen=True, slots=True)
class DoubleEntry:
    """One field that is entered twice.

    Attributes:
        level: a ``CheckLevel``.
        stage: a ``CheckStage``: whose turn it is.
        entries: the independent entries of this round, oldest first.
    """

    level: str
    stage: str
    entries: tuple[Decision, ...]

    @property
    def decision(self) -> Decision | None:
        """The decision in force, None until the field is settled."""
        return self.entries[-1] if self.stage == CheckStage.SETTLED else None

    def people(self) -> list[object]:
        """Return the ids of those who have entered the field in this round."""
        return [entry.reviewer_id for entry in self.entries]


def double_entry(
    level: str, entries: Sequence[Decision], name: str, machine_value: str, lexicon: DrugLexicon
) -> DoubleEntry:
    """Tell how far a field of a ``level`` is from the ``entries`` of its round."""
    stage = CheckStage.FIRST
    if entries and (len(entries) >= 3 or entries[-1].entry == ADJUDICATED):
        stage = CheckStage.SETTLED
    elif len(entries) == 2:
        agreed = _agree(name, entries[0], entries[1], lexicon)
        stage = CheckStage.SETTLED if agreed else CheckStage.ADJUDICATION
    elif len(entries) == 1:
        first = entries[0]
        enough = (
            level == CheckLevel.BLIND
            and first.kind in VALUE_KINDS
            and bool(machine_value)
            and same_meaning(name, first.value, machine_value, lexicon)
        )
        stage = CheckStage.SETTLED if enough else CheckStage.SECOND
    return DoubleEntry(level, stage, tuple(entries))


def _agree(name: str, one: Decision, other: Decision, lexicon: DrugLexicon) -> bool:
    if one.kind in VALUE_KINDS and other.kind in VALUE_KINDS:
        return same_meaning(name, one.value, other.value, lexicon)
    return one.kind == other.kind


def entries_of_round(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the entries in force of one field's ``decisions`` (by number, oldest first)."""
    entries: list[Decision] = []
    for decision in decisions:
        if decision.kind == DecisionKind.REOPENED:
            entries = []
        elif decision.kind == DecisionKind.POSTPONED:
            continue
        elif decision.entry > 1:
            entries.append(decision)
        else:
            entries = [decision]
    return entries


def is_closed_to(check: DoubleEntry | None, user_id: object, *, may_adjudicate: bool) -> bool:
    """Whether the machine's value and others' entries are kept from a person for now."""
    if check is None or check.stage == CheckStage.SETTLED:
        return False
    if check.stage == CheckStage.ADJUDICATION:
        return not may_adjudicate or user_id in check.people()
    return True


def levels_of(groups: Collection[int], group: int, alerts: dict[int, Alerts]) -> Alerts:
    """Return the alerts of a field's medication; one without a number may belong to any."""
    mine = [alerts[g] for g in groups if g == group or group == 0 or g == 0]
    return Alerts(
        high_alert=any(found.high_alert for found in mine),
        controlled=any(found.controlled for found in mine),
        look_alike=any(found.look_alike for found in mine),
    )
