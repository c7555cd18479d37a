"""A site's formulary on top of the lexicon: what it adds, and what it says when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinic_hwr.prescriptions.formulary import FormularyError, read_formulary
from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.prescriptions.strengths import parse_strength

INDIAN = """name,generic,strength,form,rxcui
Dolo,Acetaminophen,500 mg,tablet,
Dolo,Acetaminophen,650 mg,tablet,
Calpol,acetaminophen,120 mg/5 mL,syrup,
Augmentin Duo,amoxicillin / clavulanate,875 mg/125 mg,tablet,
Thyronorm,levothyroxine,25 mcg,tab,
Huminsulin,insulin,100 units/mL,injection,
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "pune.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_brands_of_a_country_are_matched_with_their_strengths(tmp_path: Path) -> None:
    lexicon = load_lexicon(formulary=write(tmp_path, INDIAN))

    (first, *_) = lexicon.match([("Dclo", 1.0)], strength=parse_strength("650 mg"), form="tablet")
    entry = lexicon.entry(first)

    assert (first.name, first.generic_of, first.verified) == ("Dolo", "acetaminophen", False)
    assert entry.strengths == "500 MG Oral Tablet; 650 MG Oral Tablet"
    assert "from the formulary pune" in first.why
    made = lexicon.availability(entry, strength=parse_strength("325 mg"), form="tablet")
    assert (made.strength, made.form) == (False, True)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Calpol", "24 MG/ML Oral Solution"),
        ("Augmentin Duo", "875 MG / 125 MG Oral Tablet"),
        ("Thyronorm", "0.025 MG Oral Tablet"),
        ("Huminsulin", "100 UNT/ML Injection"),
    ],
)
def test_strengths_are_written_as_in_rxnorm(tmp_path: Path, name: str, made: str) -> None:
    entries = {entry.name: entry for entry in read_formulary(write(tmp_path, INDIAN))}

    assert entries[name].strengths == made


def test_the_packaged_names_stay(tmp_path: Path) -> None:
    lexicon = load_lexicon(formulary=write(tmp_path, INDIAN))

    assert lexicon.find("lisinopril") is not None
    assert load_lexicon().find("Dolo") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the first line must name columns"),
        ("drug,strength\nDolo,500 mg\n", "“name” is required"),
        ("name,strength,price\nDolo,500 mg,3\n", "columns out of name, generic"),
        ("name,strength\nDolo,lots\n", "line 2: the strength “lots” is not understood"),
        ("name,form\nDolo,blob\n", "line 2: the form “blob” is unknown"),
        ("name,generic\nDolo,a\nDolo,b\n", "line 3: “Dolo” has two generics, a and b"),
        ("name,rxcui\nDolo,12x\n", "line 2: an RxCUI is digits only"),
        ("name,rxcui\n  ,1\n", "line 2: no name"),
        ("name\nDolo,1,2\n", "line 2: too many cells"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(FormularyError, match=words.replace("(", r"\(")):
        read_formulary(write(tmp_path, text))


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("name\nDoliprane é\n".encode("latin-1"))

    with pytest.raises(FormularyError, match="not a CSV file in UTF-8"):
        read_formulary(path)
