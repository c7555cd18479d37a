"""Ink-aware distance: what the recognizer confuses costs less than what it does not.

Costs come from ``data/confusions.tsv``, counts of the shipped reader's own errors on words of
writers it never learnt from (``scripts/build_confusions.py``).
"""

from __future__ import annotations

from functools import lru_cache

from clinic_hwr.prescriptions.tables import read_note, read_table

# The cheapest confusion costs this share of an edit: two letters, even often confused, stay two.
_CHEAPEST = 0.35
# A confusion seen in this share of a letter's occurrences, or more, is the cheapest.
_USUAL = 0.05
# One confusion too few or too many per so many letters says nothing.
_PRIOR = 1.0


@lru_cache(maxsize=1)
def confusion_costs() -> dict[tuple[str, str], float]:
    """(true letters, read letters) -> cost of that error; an absent one costs an edit a letter."""
    rows = [(was, read, int(count)) for was, read, count in read_table("confusions.tsv")]
    seen = {was: count for was, read, count in rows if was == read}
    total = sum(seen.values())
    costs: dict[tuple[str, str], float] = {}
    for was, read, count in rows:
        if was == read:
            continue
        # What is gained has no letter of its own: any place of a word may gain one.
        base = min((seen.get(letter, 0) for letter in was), default=total) or total
        share = min(1.0, count / (base + _PRIOR) / _USUAL)
        edits = float(max(len(was), len(read)))
        # Two letters that are read as one are one thing that went wrong.
        merged = edits > 1 and len(was) != len(read)
        costs[was, read] = (1.0 if merged else edits) - (1 - _CHEAPEST) * share**0.5
    return costs


def ink_distance(truth: str, reading: str, *, limit: float = 1e9) -> float:
    """Cost of reading ``truth`` as ``reading``; 0 when they are equal.

    Substitution, loss and gain of one letter, exchange of two neighbours, and two letters read as
    one or one as two ("rn" as "m") where the reader is known to do so.

    Args:
        truth: a lexicon name, lower case.
        reading: what was read, lower case.
        limit: give up (and return infinity) when every path costs more.
    """
    if truth == reading:
        return 0.0
    truth, reading = _differing(truth, reading)
    costs = confusion_costs()
    rows, columns = len(truth), len(reading)
    previous2: list[float] = []
    previous = [0.0] * (columns + 1)
    for j in range(1, columns + 1):
        previous[j] = previous[j - 1] + costs.get(("", reading[j - 1]), 1.0)
    for i in range(1, rows + 1):
        letter = truth[i - 1]
        loss = costs.get((letter, ""), 1.0)
        current = [previous[0] + loss] + [0.0] * columns
        for j in range(1, columns + 1):
            seen = reading[j - 1]
            if letter == seen:
                best = previous[j - 1]
            else:
                best = previous[j - 1] + costs.get((letter, seen), 1.0)
            best = min(best, previous[j] + loss, current[j - 1] + costs.get(("", seen), 1.0))
            if i > 1:
                pair = truth[i - 2 : i]
                merged = costs.get((pair, seen))
                if merged is not None:
                    best = min(best, previous2[j - 1] + merged)
                if j > 1:
                    both = reading[j - 2 : j]
                    swapped = costs.get((pair, both))
                    if swapped is None and pair == both[::-1]:
                        swapped = 1.0
                    if swapped is not None:
                        best = min(best, previous2[j - 2] + swapped)
            if j > 1:
                split = costs.get((letter, reading[j - 2 : j]))
                if split is not None:
                    best = min(best, previous[j - 2] + split)
            current[j] = best
        if min(current) > limit and (not previous2 or min(previous) > limit):
            return float("inf")
        previous2, previous = previous, current
    return previous[columns]


def _differing(truth: str, reading: str) -> tuple[str, str]:
    """Cut off what both have in common at the ends, but for a letter that may have merged."""
    shorter = min(len(truth), len(reading))
    start = 0
    while start < shorter and truth[start] == reading[start]:
        start += 1
    end = 0
    while end < shorter - start and truth[-1 - end] == reading[-1 - end]:
        end += 1
    start, end = max(0, start - 1), max(0, end - 1)
    return truth[start : len(truth) - end], reading[start : len(reading) - end]


def ink_similarity(truth: str, reading: str) -> float:
    """Similarity 0..1 of a name and a reading: one minus the cost of an edit a letter."""
    longest = max(len(truth), len(reading), 1)
    return max(0.0, 1.0 - ink_distance(truth, reading) / longest)


def confusions_source() -> str:
    """Return what the confusions were counted on."""
    return read_note("confusions.tsv").removeprefix("source: ")
