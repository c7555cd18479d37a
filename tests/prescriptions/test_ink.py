"""The ink-aware distance: an edit costs an edit, unless the reader is known to make it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from clinic_hwr.prescriptions.drug_lexicon import DrugLexicon
from clinic_hwr.prescriptions.ink import (
    confusion_costs,
    confusions_source,
    ink_distance,
    ink_similarity,
)
from clinic_hwr.prescriptions.lexicon_entries import DrugEntry


def test_what_the_reader_confuses_costs_less() -> None:
    costs = confusion_costs()

    assert costs["v", "r"] < costs.get(("v", "k"), 1.0)
    assert ink_distance("hydroxyzine", "hydroxyrine") > ink_distance("valsartan", "ralsartan")
    assert min(costs.values()) > 0.3
    assert max(cost for (was, read), cost in costs.items() if len(was + read) < 3) <= 1.0


def test_distances_that_are_known() -> None:
    assert ink_distance("lisinopril", "lisinopril") == 0
    assert ink_distance("", "") == 0
    assert ink_distance("qb", "bq") == 1.0  # two neighbours exchanged
    assert ink_similarity("abc", "") < 0.7
    assert "kept out of training" in confusions_source()


words = st.text("abcdeilmnorstu", max_size=12)


@given(words, words)
def test_it_never_costs_more_than_plain_edits(truth: str, reading: str) -> None:
    plain = OSA.distance(truth, reading)

    distance = ink_distance(truth, reading)

    assert 0 <= distance <= plain + 1e-9
    assert (distance == 0) == (truth == reading)


def test_a_usual_misreading_decides_between_two_names() -> None:
    names = [DrugEntry(name, "1", "IN", "", 0, True, (), "") for name in ("kanodol", "vanodol")]
    lexicon = DrugLexicon(names, [])

    # one edit from both; a v is read as r far more often than a k
    assert [match.name for match in lexicon.match([("ranodol", 1.0)])] == ["vanodol", "kanodol"]
