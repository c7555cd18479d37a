"""The reader with tiny random weights: shapes, order and honesty, not accuracy."""

import numpy as np
import pytest
import torch

from clinic_hwr.recognition.architectures import UnknownArchitecture, architecture, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.runtime import (
    DIGIT_CHARS,
    WeightsNotFound,
    load_reader,
)
from clinic_hwr.recognition.training.checkpoints import export_weights


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    torch.manual_seed(11)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    config = preset("trba", "tiny")
    model = architecture("trba").build(config, Charset())
    export_weights(path, "trba", config, Charset(), model.state_dict())
    return load_reader("trba", path)


def _crops(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    crops = []
    for i in range(count):
        image = np.full((40, 60 + 17 * i), 235, np.uint8)
        for x in rng.integers(5, 50 + 15 * i, 5):
            image[8:34, x : x + 3] = 15
        crops.append(image)
    return crops


def test_one_reading_a_crop_in_order(reader):
    crops = _crops(5)
    together = reader.read(crops)
    alone = [reader.read([crop])[0] for crop in crops]
    assert [r.text for r in together] == [r.text for r in alone]
    assert [r.scores["ctc"] for r in together] == pytest.approx(
        [r.scores["ctc"] for r in alone], abs=1e-3
    )


def test_characters_are_aligned_with_the_text(reader):
    for reading in reader.read(_crops(3), nbest=4):
        assert "".join(c.char for c in reading.chars) == reading.text
        assert all(0.0 <= c.confidence <= 1.0 for c in reading.chars)
        assert reading.alternatives[0].text == reading.text
        assert len(reading.alternatives) <= 4


def test_a_crop_without_ink_is_empty_and_not_trusted(reader):
    [reading] = reader.read([np.full((40, 80), 240, np.uint8)])
    assert (reading.text, reading.p_correct, reading.scores) == ("", 0.0, {"no_ink": 1.0})


def test_digits_are_read_with_digit_characters_only(reader):
    allowed = set(DIGIT_CHARS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for reading in reader.read(_crops(4), kinds=["digits"] * 4):
        assert set("".join(a.text for a in reading.alternatives)) <= allowed


def test_a_lexicon_ranks_names_and_keeps_the_free_reading_in_the_scores(reader):
    names = ("Amoxicillin", "Metformin", "Warfarin")
    [reading] = reader.read(_crops(1), kinds=["drug"], lexicon=names)
    assert {a.text for a in reading.alternatives} <= set(names)
    assert reading.scores["lexicon_gap"] >= 0.0


def test_numbers_are_never_corrected_by_a_lexicon(reader):
    free, named = (
        reader.read(_crops(1), kinds=["strength"], lexicon=lexicon)[0]
        for lexicon in (None, ("500 mg",))
    )
    assert named.text == free.text


def test_without_calibration_nothing_is_trusted(reader):
    assert all(r.p_correct < 1e-9 for r in reader.read(_crops(2)))


def test_missing_weights_say_what_to_do(tmp_path):
    with pytest.raises(WeightsNotFound, match=r"manage\.py train"):
        load_reader("trba", tmp_path / "none.safetensors")


def test_an_unknown_architecture_lists_the_valid_ones():
    with pytest.raises(UnknownArchitecture, match="trba"):
        load_reader("perceptron")


def test_kinds_must_match_crops(reader):
    with pytest.raises(ValueError, match="one kind a crop"):
        reader.read(_crops(2), kinds=["word"])
