"""Questions about one line: names of the whole lexicon survive a recognizer error as a line."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from benchmarks.drug_match import with_error
from clinic_hwr.prescriptions.drug_line import read_drug_line
from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.prescriptions.questions import country_named, drug_question, route_named


def found(change: Callable[[str], str], count: int = 300) -> tuple[int, int]:
    """(first, among five) of names drawn from the lexicon and changed."""
    lexicon = load_lexicon()
    names = random.Random(8).sample(lexicon.names, count)
    first = five = 0
    for name in names:
        truth = lexicon.find(name)
        candidates = [match.name for match in drug_question(change(name)).candidates]
        assert truth is not None
        first += candidates[:1] == [truth.name]
        five += truth.name in candidates
    return first, five


def test_every_kind_of_name_is_found_as_a_line() -> None:
    assert found(lambda name: name)[0] >= 298


def test_one_error_is_undone_in_a_line() -> None:
    rng = random.Random(4)

    first, five = found(lambda name: with_error(name, rng))

    assert first >= 0.97 * 300
    assert five >= 0.99 * 300


def test_two_errors_are_mostly_undone() -> None:
    rng = random.Random(4)

    first, five = found(lambda name: with_error(with_error(name, rng), rng))

    assert first >= 0.85 * 300
    assert five >= 0.95 * 300


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("betaine / folic acid / mecobalamin / pgridoxine", "betaine / folic acid / mecobalamin"),
        ("formoterol fuarate", "formoterol fumarate"),
        ("Botox Cosmetlc", "Botox Cosmetic"),
        ("Clinimix E 4.2S/5", "Clinimix E 4.25/5"),
    ],
)
def test_a_long_name_is_read_as_a_whole(line: str, name: str) -> None:
    assert drug_question(line).candidates[0].name.startswith(name)


@pytest.mark.parametrize(
    ("line", "name", "sig"),
    [
        ("Lisinopril 10 mg tab 1 po daily", "Lisinopril", "1 po daily"),
        ("Lisinoprl 10 mg tab 1 po daily", "Lisinoprl", "1 po daily"),
        ("metformin 500 mg bid", "metformin", "bid"),
        ("Amoxicilin 500mg cap tid x 7 days", "Amoxicilin", "tid x 7 days"),
    ],
)
def test_directions_behind_a_name_stay_directions(line: str, name: str, sig: str) -> None:
    found = read_drug_line(line, load_lexicon())

    assert (found.name, found.sig_text) == (name, sig)


def test_routes_and_countries_in_words() -> None:
    assert route_named("PO") == route_named("oral") == route_named("Oral route") == "26643006"
    assert route_named("eye") == route_named("54485002") == "54485002"
    assert route_named("sideways") is None
    assert (country_named("gb"), country_named(" fr "), country_named("DE")) == ("UK", "FR", None)
