"""Fields in cells: what may stand where, the best texts, and an honest probability."""

import cv2
import numpy as np
import pytest

from clinic_hwr.recognition.calibration import Calibrator
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.comb_reader import (
    CAPITALS,
    DIGITS,
    PROVISIONAL_MOST,
    CharacterReader,
    CombCrop,
    CombReader,
    allowed_in_cells,
    is_whole,
)

from .test_comb import _comb, _Scripted

SURE = Calibrator((), (), (), (), 30.0)


def _reader(shares, charset="S0123456789"):
    return CombReader(_Scripted(Charset(charset), shares), "scripted@1", SURE)


def _crop(text, allowed=DIGITS):
    return CombCrop(_comb("frame", text)[0], len(text), (allowed,) * len(text))


def test_a_dea_number_has_letters_first_and_a_date_only_digits():
    allowed = allowed_in_cells("prescriber_dea", "digits", 9)
    assert allowed[:3] == (CAPITALS, CAPITALS + "9", DIGITS)
    assert allowed_in_cells("patient_dob", "date", 8) == (DIGITS,) * 8
    assert allowed_in_cells("patient_mrn", "digits", 4) == (DIGITS + CAPITALS,) * 4
    assert allowed_in_cells("patient_name", "name", 2) == (CAPITALS,) * 2


def test_a_part_of_an_identifier_is_not_whole():
    assert is_whole("prescriber_npi", "digits", 10)
    assert not is_whole("prescriber_npi", "digits", 9)
    assert is_whole("patient_dob", "date", 6)
    assert not is_whole("patient_dob", "date", 4)
    assert is_whole("quantity", "quantity", 3)


def test_texts_are_ranked_by_the_product_of_their_shares():
    reading = _reader({"5": 0.6, "6": 0.3, "8": 0.1}).read([_crop("55")], nbest=4)
    assert reading.text == "55"
    assert [a.text for a in reading.alternatives] == ["55", "56", "65", "66"]
    shares = [a.confidence for a in reading.alternatives]
    assert shares == pytest.approx([0.36, 0.18, 0.18, 0.09])
    assert [c.confidence for c in reading.chars] == pytest.approx([0.6, 0.6])
    assert reading.scores["joint"] == pytest.approx(np.log(0.36))
    assert reading.scores["second"] == pytest.approx(np.log(2))
    assert reading.model == "scripted@1"


def test_no_calibrator_says_more_than_drawn_combs_can_prove():
    assert _reader({"5": 1.0}).read([_crop("5")]).p_correct == PROVISIONAL_MOST


def test_runs_are_joined_by_a_blank_and_empty_cells_at_the_ends_left_out():
    reader = _reader({"5": 1.0})
    assert reader.read([_crop("55"), _crop("55"), _crop("5555")]).text == "55 55 5555"
    reading = reader.read([_crop(" 55")])
    assert reading.text == "55"
    assert "".join(c.char for c in reading.chars) == "55"
    assert reading.scores["empty"] == 1
    assert reader.read([_crop("5 5")]).text == "5 5"


def test_cells_without_ink_are_no_reading():
    reading = _reader({"5": 1.0}).read([_crop("   ")])
    assert (reading.text, reading.p_correct, reading.chars) == ("", 0.0, ())


def test_a_capital_stands_for_both_cases():
    reader = _reader({"s": 0.5, "S": 0.2, "5": 0.3}, "Ss5")
    reading = reader.read([_crop("5", "S5")])
    assert reading.text == "S"
    assert reading.chars[0].confidence == pytest.approx(0.7)


def test_characters_and_combs_are_read_behind_the_common_contract():
    page = np.full((60, 50), 240, np.uint8)
    cv2.line(page, (25, 10), (25, 50), 30, 4)
    single = CharacterReader(_reader({"S": 0.6, "5": 0.4}))
    assert single.model_version == "scripted@1"
    assert [r.text for r in single.read([page, page])] == ["S", "S"]
    assert single.read([page], kinds=["digits"])[0].text == "5"
    comb = CharacterReader(_reader({"S": 0.6, "5": 0.4}), cells=3)
    assert comb.read([_comb("frame", "5 5")[0]], kinds=["digits"])[0].text == "5 5"
    with pytest.raises(ValueError, match="cannot rank names"):
        single.read([page], lexicon=["a"])
