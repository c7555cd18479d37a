"""Checks of the drug's name: look-alikes, other readings, and names that are only near."""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz.distance import OSA

from clinic_hwr.prescriptions.checks.context import CheckContext, MedicationReading
from clinic_hwr.prescriptions.checks.registry import Finding, blocker
from clinic_hwr.prescriptions.ink import ink_distance
from clinic_hwr.prescriptions.lexicon_entries import name_key
from clinic_hwr.prescriptions.types import DrugMatch

# Two names this near a reading (edits) are both possible readings of the same ink.
_NEAR_EDITS = 2
# A listed look-alike needs no such nearness to each other: it counts when it is this similar to
# any of the readings.
_LISTED_SIMILARITY = 0.75
_SHORTEST_FUZZY_NAME = 5
# Computed look-alikes: names whose ink-aware distance is at most this share of their length.
_ALIKE_SHARE = 0.35
_LONGEST_LINE = 400  # characters of a drug line that may hold its name
_LONGEST_LISTED = 3  # words of a listed name


def label_of(match: DrugMatch) -> str:
    """Return the name as it is shown: in tall-man letters where there are any."""
    return match.tallman or match.name


@blocker("look_alike")
def look_alike(context: CheckContext) -> Iterator[Finding]:
    """A look-alike or sound-alike of the drug, listed or computed, is near one of the readings."""
    for reading in context.medications:
        top = reading.medication.drug
        if all(field.human for field in context.fields("drug", reading.medication.sequence)):
            continue  # a person has read the name itself
        names = [_shown(context, name) for name in _listed_readings(context, reading)]
        if top is not None:
            rivals = [c for c in reading.medication.candidates if _rivals(context, reading, top, c)]
            names += [label_of(other) for other in rivals if _are_alike(context, top, other)]
        if names:
            written = label_of(top) if top is not None else reading.line.name
            yield Finding(
                f"{written} looks or sounds like {', '.join(dict.fromkeys(names))}: check the name "
                "letter by letter.",
                "drug",
                reading.medication.sequence,
            )


def _shown(context: CheckContext, name: str) -> str:
    known = context.lexicon.match_exact(name)
    return label_of(known) if known is not None else name


def _listed_readings(context: CheckContext, reading: MedicationReading) -> list[str]:
    """Names of the readings that are listed look-alikes of the drug or of each other."""
    top = reading.medication.drug
    names = [name_key(name) for name, _ in reading.readings]
    for value in context.fields("drug", reading.medication.sequence):
        for text in (value.text, *(text for text, _ in value.alternatives)):
            # "Wellbutrin SR" and "Wellbutrin XL": the release is a part of some listed names.
            words = name_key(text[:_LONGEST_LINE]).split()
            names += [" ".join(words[:n]) for n in range(1, _LONGEST_LISTED + 1)]
    readings = [n for n in dict.fromkeys(names) if n and context.lexicon.lookalikes_of(n)]
    meant = [name_key(top.name)] if top is not None else readings[:1]
    found: list[str] = []
    for name in [*meant, *readings]:
        listed = context.lexicon.lookalikes_of(name)
        found.extend(other for other in readings if other in listed and other not in meant)
    return found


@blocker("ambiguous_drug")
def ambiguous_drug(context: CheckContext) -> Iterator[Finding]:
    """Another reading of the same ink is another drug, unlike as the two names may be."""
    for reading in context.medications:
        top = reading.medication.drug
        if top is None:
            continue
        others = [
            c
            for c in reading.medication.candidates
            if _rivals(context, reading, top, c) and not _are_alike(context, top, c)
        ]
        if others:
            names = ", ".join(dict.fromkeys(label_of(other) for other in others))
            yield Finding(
                f"{label_of(top)} may also be read as {names}: check the name letter by letter.",
                "drug",
                reading.medication.sequence,
            )


@blocker("readings_disagree")
def readings_disagree(context: CheckContext) -> Iterator[Finding]:
    """What was read freely is not the name that the lexicon made of it."""
    for reading in context.medications:
        top, written = reading.medication.drug, reading.line.name
        if top is None or not written:
            continue
        found = context.lexicon.find(written)
        if found is not None and found.name == top.name:
            continue
        yield Finding(
            f"“{written}” was read and the nearest name is {label_of(top)}: check the name letter "
            "by letter.",
            "drug",
            reading.medication.sequence,
        )


def _are_alike(context: CheckContext, a: DrugMatch, b: DrugMatch) -> bool:
    """Whether two names are a listed look-alike pair, or near enough to be a computed one."""
    if b.name.lower() in context.lexicon.lookalikes_of(a.name):
        return True
    first, second = name_key(a.name), name_key(b.name)
    longest = max(len(first), len(second))
    return ink_distance(first, second, limit=longest) <= _ALIKE_SHARE * longest


def _rivals(
    context: CheckContext, reading: MedicationReading, top: DrugMatch, other: DrugMatch
) -> bool:
    key = name_key(other.name)
    listed = other.name.lower() in context.lexicon.lookalikes_of(top.name)
    if other.name == top.name or (not listed and _same_drug(context, top, other)):
        return False
    for name, _ in reading.readings:
        text = name_key(name)
        if text == key:
            return True  # another reading of the same ink is a drug by itself
        if len(key) < _SHORTEST_FUZZY_NAME:
            continue
        # Where a reading is a drug letter by letter, only one edit away is still too near.
        edits = 1 if context.lexicon.find(name) is not None else _NEAR_EDITS
        if OSA.distance(text, key, score_cutoff=edits) <= edits:
            return True
        if listed and edits > 1 and OSA.normalized_similarity(text, key) >= _LISTED_SIMILARITY:
            return True
    return False


def _same_drug(context: CheckContext, a: DrugMatch, b: DrugMatch) -> bool:
    """Whether two names stand for the same substance: brand and generic, or a salt of it."""
    first = " / ".join(context.lexicon.entry(a).ingredients)
    second = " / ".join(context.lexicon.entry(b).ingredients)
    if not first or not second:
        return False
    return first == second or _is_salt_of(first, second) or _is_salt_of(second, first)


def _is_salt_of(name: str, base: str) -> bool:
    return name.startswith(base + " ") and "/" not in name
