"""Characters and their numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_hwr.recognition.charset import PRINTABLE_ASCII, Charset, fold_text


@given(st.text(alphabet=PRINTABLE_ASCII))
def test_decode_undoes_encode(text):
    charset = Charset()
    assert charset.decode(charset.encode(text)) == text


@given(st.text())
def test_folded_text_can_always_be_encoded(text):
    assert Charset().covers(fold_text(text))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Élève", "Eleve"),
        ("50 µg", "50 ug"),
        ("½ tab", "1/2 tab"),
        ("l’œuf", "l'oeuf"),
        ("a\u00a0b", "a b"),
    ],
)
def test_folding_keeps_the_meaning(text, folded):
    assert fold_text(text) == folded


def test_class_zero_is_reserved():
    assert Charset("ab").encode("ab") == [1, 2]
    assert Charset("ab").decode([0, 1, 0, 2]) == "ab"
    assert Charset("ab").size == 3


def test_a_character_twice_is_refused():
    with pytest.raises(ValueError, match="once"):
        Charset("aba")
