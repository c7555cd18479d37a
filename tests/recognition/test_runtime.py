"""The reader with tiny random weights: shapes, order and honesty, not accuracy."""

import numpy as np
import pytest
import torch

from clinic_hwr.recognition.architectures import UnknownArchitecture, architecture, preset
from clinic_hwr.recognition.calibration import Calibrator
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.fusion import Fusion
from clinic_hwr.recognition.looking import DIGIT_CHARS
from clinic_hwr.recognition.reader import ReaderSettings
from clinic_hwr.recognition.runtime import (
    WeightsNotFound,
    load_reader,
    save_settings,
    settings_path,
)
from clinic_hwr.recognition.training.checkpoints import export_weights


def _weights(folder, arch):
    torch.manual_seed(11)
    path = folder / f"{arch}-tiny.safetensors"
    config = preset(arch, "tiny")
    model = architecture(arch).build(config, Charset())
    export_weights(path, arch, config, Charset(), model.state_dict())
    return path


READERS = (
    "trba",
    "fcn_ctc",
    "trba+fcn_ctc",
    "mdlstm_ctc",
    "pay_attention",
    "crnn_ctc+pay_attention",
)


@pytest.fixture(scope="module", params=READERS)
def reader(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("weights")
    paths = tuple(_weights(folder, name) for name in request.param.split("+"))
    return load_reader(request.param, paths)


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
    assert [r.scores["joint"] for r in together] == pytest.approx(
        [r.scores["joint"] for r in alone], abs=1e-3
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
    assert "lexicon_gap" in reading.scores


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


def test_readers_that_read_together_need_as_many_weights(tmp_path):
    with pytest.raises(WeightsNotFound, match="as many"):
        load_reader("trba+fcn_ctc", _weights(tmp_path, "trba"))
    with pytest.raises(WeightsNotFound, match="holds trba"):
        load_reader("fcn_ctc", _weights(tmp_path, "trba"))


def test_fitted_settings_are_found_beside_the_weights(tmp_path):
    path = (_weights(tmp_path, "fcn_ctc"),)
    always = Calibrator(("length",), (0.0,), (1.0,), (0.0,), 2.0)
    settings = ReaderSettings(
        Fusion((1.5,), 0.0, 0.25, 0.1), Fusion((0.7,), 0.0), {"word": always, "drug": always}
    )
    save_settings(settings_path(path), settings, "fcn_ctc-tiny@0", "nothing")
    reader = load_reader("fcn_ctc", path)
    assert reader.settings == settings
    assert reader.language_model is not None
    assert reader.read(_crops(1))[0].p_correct == pytest.approx(0.8808, abs=1e-3)


def test_the_second_reader_adds_its_opinion(tmp_path):
    paths = (_weights(tmp_path, "trba"), _weights(tmp_path, "fcn_ctc"))
    [reading] = load_reader("trba+fcn_ctc", paths).read(_crops(1), kinds=["word"])
    assert {"ctc", "second", "attention"} <= set(reading.scores)
    assert 0.0 <= reading.scores["agree"] <= 1.0
    [alone] = load_reader("trba", paths[0]).read(_crops(1), kinds=["word"])
    assert "second" not in alone.scores


def test_frames_and_decoder_steps_can_be_looked_at(tmp_path):
    reader = load_reader("trba", _weights(tmp_path, "trba"))
    crops = [*_crops(2), np.full((40, 80), 240, np.uint8)]
    frames = reader.frame_log_probabilities(crops)
    assert [f.shape[1] for f in frames] == [Charset().size] * 3
    assert np.exp(frames[0]).sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    steps = reader.attention_log_probabilities(crops, ["ab", "c", "d"])
    assert [len(s) for s in steps] == [3, 2, 0]


def test_running_text_is_read_in_pieces_and_a_wide_name_is_not(tmp_path):
    reader = load_reader("trba", _weights(tmp_path, "trba"))
    image = np.full((40, 330), 235, np.uint8)
    for word in range(3):
        for x in range(0, 80, 10):
            image[6:38, 15 + 110 * word + x : 19 + 110 * word + x] = 15
    line, name = (reader.looker.look([image], [kind])[0] for kind in ("line", "name"))
    assert len(line) == 2
    assert len(name) == 1


@pytest.mark.parametrize("arch", ["capsnet", "scan_attend_read", "scrabblegan"])
def test_a_family_that_reads_no_fields_is_refused(arch):
    with pytest.raises(UnknownArchitecture, match="cannot read fields"):
        load_reader(arch)
