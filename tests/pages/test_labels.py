"""Labels are found among printed words, also misread, but not inside of running text."""

from __future__ import annotations

import numpy as np
import pytest

from clinic_hwr.pages import survey
from clinic_hwr.pages.label_vocabulary import normalised
from clinic_hwr.pages.labels import field_of_phrase, find_labels
from clinic_hwr.pages.types import Box, PrintedWord


def _row(*texts: str, gap: int = 8) -> list[PrintedWord]:
    words, x = [], 10
    for text in texts:
        words.append(PrintedWord(text, Box(x, 100, 11 * len(text), 20), 0.95))
        x += 11 * len(text) + gap
    return words


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Name:", "patient_name"), ("Patient's Name", "patient_name"), ("D.O.B.", "patient_dob"),
        ("Addross", "patient_address"), ("Refill(s)", "refills"), ("DEA #", "prescriber_dea"),
        ("Wt:", "patient_weight"), ("Riverside", None), ("223-4", None),
    ],
)  # fmt: skip
def test_phrases_name_fields(text: str, field: str | None) -> None:
    assert field_of_phrase(normalised(text)) == field


def test_longest_phrase_wins() -> None:
    (label,) = find_labels(_row("Date", "of", "Birth"))
    assert (label.field, label.word_indexes) == ("patient_dob", (0, 1, 2))


def test_a_sign_between_words_belongs_to_their_label() -> None:
    (label,) = find_labels(_row("Title,", "Forename,", "Surname", "&", "Address"))
    assert (label.field, label.word_indexes) == ("patient_name", (0, 1, 2, 3, 4))
    assert find_labels(_row("Patient", "Name", "&")) == ()  # a sentence that goes on


def test_running_text_holds_no_labels() -> None:
    assert find_labels(_row("All", "orders", "must", "be", "dated", "and", "signed.")) == ()


def test_handwriting_beside_a_label_makes_no_sentence_of_it() -> None:
    row = _row("lu", "Sexe", "ii")
    assert find_labels(row) == ()
    assert [label.text for label in find_labels(row, by_pen={0, 2})] == ["Sexe"]
    assert find_labels(row, by_pen={0}) == find_labels(row, by_pen={2}) == ()


def test_which_words_are_handwriting_is_said_by_their_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = {"Sexe": 6.0, "ii": -4.0, "all": 0.5}
    monkeypatch.setattr(
        survey, "print_log_odds", lambda gray, ink, words: np.array([looks[w.text] for w in words])
    )
    page = np.full((200, 900), 255, np.uint8)

    def labels(*texts: str) -> list[str]:
        return [label.text for label in survey.survey_page(page, _row(*texts)).labels]

    assert labels("Sexe", "ii") == ["Sexe"]
    assert labels("Sexe", "all") == []


def test_labels_of_one_row_are_apart() -> None:
    labels = find_labels(_row("Name", "DOB", gap=300))
    assert [label.field for label in labels] == ["patient_name", "patient_dob"]


@pytest.mark.parametrize(
    ("headings", "fields"),
    [
        (("Drug", "Dose", "Directions"), ("drug", "strength", "sig")),
        (("Drug", "Dosage:"), ("drug", "sig")),
        (("Drug", "Strength", "Dose", "Directions"), ("drug", "strength", "sig", "sig")),
        (("Drug", "Dose", "Frequency"), ("drug", "strength", "sig")),
        (("Drug", "Frequency", "Directions"), ("drug", "", "sig")),
    ],
)
def test_a_dose_beside_directions_is_the_strength(
    headings: tuple[str, ...], fields: tuple[str, ...]
) -> None:
    assert tuple(label.field for label in find_labels(_row(*headings, gap=200))) == fields


def test_what_explains_a_label_in_brackets_is_none_itself() -> None:
    words = ("Weight", "(Doctor)")
    assert [label.field for label in find_labels(_row(*words))] == ["patient_weight"]
    far = find_labels(_row(*words, gap=60))
    assert [label.field for label in far] == ["patient_weight", "prescriber_name"]
