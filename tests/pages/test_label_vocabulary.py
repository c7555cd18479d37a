"""Labels are known in four languages, selectable, also with accents and OCR errors."""

from __future__ import annotations

import pytest

from clinic_hwr.pages import UnknownLanguage, languages, tesseract_pack
from clinic_hwr.pages.label_vocabulary import LabelVocabulary, label_vocabulary, normalised
from clinic_hwr.pages.labels import find_labels, split_glued
from clinic_hwr.pages.types import Box, PrintedWord


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Fecha de nacimiento", "patient_dob"), ("Posología:", "sig"),
        ("Médico", "prescriber_name"),
        ("Né(e) le", "patient_dob"), ("Quantité", "quantity"), ("Renouvellement", "refills"),
        ("Geburtsdatum", "patient_dob"), ("Stärke", "strength"), ("Unterschrift", "signature"),
        ("D0B", "patient_dob"), ("PatientName", "patient_name"), ("Fax", ""), ("Springfield", None),
    ],
)  # fmt: skip
def test_labels_of_all_languages_name_fields(text: str, field: str | None) -> None:
    assert label_vocabulary().field_of(normalised(text)) == field


@pytest.mark.parametrize(
    ("row", "roles"),
    [
        (["warkstott", "dosis", "anweisung", "stuck"], ["drug", "dose", "sig", "quantity"]),
        (["warkstott", "zzzzz", "anweisung", "stuck"], [None, None, "sig", "quantity"]),
        (["wirkstoff", "warkstott", "dosis", "anweisung", "stuck"],
         ["drug", None, "dose", "sig", "quantity"]),
        (["qqqqqqqq", "dosis", "anweisung", "stuck"], [None, "dose", "sig", "quantity"]),
        (["", "dosis", "anweisung", "stuck"], [None, "dose", "sig", "quantity"]),
        (["arzn", "dosis", "anweisung", "stuck"], [None, "dose", "sig", "quantity"]),
        ([], []),
    ],
    ids=["misread by a third", "two others known", "drugs are known", "like none", "empty", "short",
         "none"],
)  # fmt: skip
def test_the_heading_for_drugs_is_told_by_its_fellows(
    row: list[str], roles: list[str | None]
) -> None:
    assert label_vocabulary(["de"]).columns_of(row) == roles


def test_a_language_that_is_not_enabled_names_nothing() -> None:
    assert label_vocabulary(["en"]).field_of("geburtsdatum") is None
    assert label_vocabulary(["de"]).field_of("geburtsdatum") == "patient_dob"


def test_a_colon_lets_one_letter_of_four_be_misread() -> None:
    assert label_vocabulary(["en"]).field_of("nane", colon=True) == "patient_name"
    assert label_vocabulary(["en"]).field_of("nane") is None


def test_unknown_language_lists_the_known_ones() -> None:
    assert languages() == ("de", "en", "es", "fr")
    assert tesseract_pack("es") == "spa"
    with pytest.raises(UnknownLanguage, match="de, en, es, fr"):
        label_vocabulary(["xx"])


def test_a_label_glued_to_its_value_is_parted() -> None:
    words = split_glued([PrintedWord("DOB:4/12/88", Box(100, 50, 110, 20), 0.9)])
    assert [word.text for word in words] == ["DOB:", "4/12/88"]
    assert [word.box_px.as_list() for word in words] == [[100, 50, 40, 20], [140, 50, 70, 20]]
    (label,) = find_labels(words)
    assert label.field == "patient_dob"


def test_a_short_word_of_a_phrase_must_be_the_same() -> None:
    known = label_vocabulary()
    assert known.field_of("patient no") == "patient_mrn"
    assert known.field_of("patient nora") != "patient_mrn"
    assert known.field_of("patlent no") == "patient_mrn"


def test_a_label_ends_at_its_colon() -> None:
    words = [
        PrintedWord("Patient:", Box(10, 10, 80, 20), 0.95),
        PrintedWord("Nora", Box(105, 10, 40, 20), 0.95),
        PrintedWord("Mockford", Box(155, 10, 80, 20), 0.95),
    ]
    assert [(label.field, label.text) for label in find_labels(words)] == [
        ("patient_name", "Patient:")
    ]


def test_a_heading_that_a_crease_has_parted_names_its_column() -> None:
    known = label_vocabulary(["en"])
    assert known.column_of("ins uctions") == "sig"
    assert known.column_of("drug approved name") == "drug"
    assert known.column_of("ins ulated") is None


@pytest.mark.parametrize(
    ("phrase", "label"),
    [("weaicamento", "medicamento"), ("quant te", "quantite"), ("pirections", "directions"),
     ("posage", "dosage"), ("po age", None), ("doze", None), ("written", None),
     ("muster kasse", None)],
)  # fmt: skip
def test_the_long_label_that_a_badly_read_phrase_is_like(phrase: str, label: str | None) -> None:
    assert label_vocabulary().nearest_long(phrase) == label


def test_a_phrase_between_two_fields_is_like_none() -> None:
    known = LabelVocabulary({"location": "practice_name", "rotation": "sig"}, 1, {}, {})
    assert known.nearest_long("lotation") is None
    assert known.nearest_long("locatien") == "location"


def test_what_goes_on_behind_a_label_is_more_than_the_label() -> None:
    known = LabelVocabulary({"known allergies": "allergies"}, 1, {}, {})
    assert known.nearest_long("known allergles") == "known allergies"
    assert known.nearest_long("known allergies of mum") is None


@pytest.mark.parametrize(
    ("phrase", "field"),
    [("medi cm ento", "drug"), ("dosierungsanw lisung", "sig"),
     ("prescriber si patare", "signature"), ("e medicamemt", None),
     ("directions and", None), ("generic may be", None), ("pat ient nor", None)],
)  # fmt: skip
def test_a_long_word_read_as_two_is_still_the_label(phrase: str, field: str | None) -> None:
    assert label_vocabulary().field_of(phrase) == field
