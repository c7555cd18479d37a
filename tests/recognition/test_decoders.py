"""Best path, prefix beam and word beam as the product reads with them."""

import numpy as np
import pytest
import torch

from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding.choice import (
    NUMBER_KINDS,
    BadDecoding,
    CtcSearch,
    Decoding,
    choose_decoding,
)
from clinic_hwr.recognition.decoding.ctc import best_path
from clinic_hwr.recognition.network import Network
from clinic_hwr.recognition.reader import FusedReader
from clinic_hwr.recognition.runtime import load_reader, save_settings, settings_path
from clinic_hwr.recognition.training.checkpoints import export_weights

CHARSET = Charset(" 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@pytest.fixture
def dictionary(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("take one daily\nlisinopril\n\n")
    return path


def _frames(text, confused=()):
    """Log probabilities that spell a text, with a doubtful second class in some places."""
    rows = []
    for i, char in enumerate(text):
        row = np.full(CHARSET.size, 1e-4)
        row[CHARSET.encode(char)[0]] = 1.0
        if i in dict(confused):
            row[CHARSET.encode(dict(confused)[i])[0]] = 0.6
        rows += [row / row.sum(), np.eye(CHARSET.size)[0] * 0.99 + 1e-4]
    return np.log(np.array([row / row.sum() for row in rows]))


def _texts(search, log_probs, kind="word"):
    return [CHARSET.decode(s) for s in search.strings(log_probs, kind)]


def test_the_default_is_the_prefix_beam():
    assert choose_decoding() == Decoding("prefix_beam")
    assert choose_decoding("", "", "") == Decoding("prefix_beam")


def test_best_path_proposes_one_string():
    p = _frames("dally")
    search = CtcSearch(choose_decoding("best_path"), CHARSET)
    assert search.strings(p, "word") == [best_path(p)]
    assert len(CtcSearch(Decoding(), CHARSET).strings(p, "word")) == 10


@pytest.mark.parametrize("mode", ["words", "ngrams", "ngrams_forecast"])
def test_words_come_from_the_dictionary_in_any_case(dictionary, mode):
    search = CtcSearch(choose_decoding("word_beam", dictionary, mode), CHARSET)
    for written, read in (("dally", "daily"), ("DALLY", "DAILY"), ("Dally", "Daily")):
        doubt = [(2, "i" if written[2].islower() else "I")]
        assert _texts(search, _frames(written, doubt))[0] == read
        assert search.spells(read)
        assert not search.spells(written)


@pytest.mark.parametrize("mode", ["words", "ngrams", "ngrams_forecast"])
def test_numbers_beside_words_stay_as_written(dictionary, mode):
    search = CtcSearch(choose_decoding("word_beam", dictionary, mode), CHARSET)
    assert _texts(search, _frames("take 15 daily", [(6, "s")]))[0] == "take 15 daily"


@pytest.mark.parametrize("kind", sorted(NUMBER_KINDS))
def test_fields_that_are_numbers_never_meet_the_dictionary(tmp_path, kind):
    path = tmp_path / "trap.txt"
    path.write_text("lo\nso\n")
    search = CtcSearch(choose_decoding("word_beam", path), CHARSET)
    p = _frames("dx1O")
    assert not search.closed(kind)
    assert search.strings(p, kind) == CtcSearch(Decoding(), CHARSET).strings(p, kind)


def test_what_no_word_fits_is_read_freely(dictionary):
    search = CtcSearch(choose_decoding("word_beam", dictionary), CHARSET)
    p = _frames("a")  # two frames: no word of the dictionary is so short
    assert _texts(search, p)[0] == "a"


def test_an_unknown_word_does_not_become_a_number(dictionary):
    search = CtcSearch(choose_decoding("word_beam", dictionary), CHARSET)
    p = _frames("qs", [(0, "9"), (1, "5")])  # without the rule: 95, the best text of no word
    assert _texts(search, p)[0] == "qs"


@pytest.mark.parametrize(
    ("name", "file", "mode", "message"),
    [
        ("magic", None, None, "prefix_beam, best_path, word_beam"),
        ("word_beam", None, None, "needs a dictionary"),
        ("word_beam", "/nowhere/a.txt", None, "no dictionary a.txt"),
        ("best_path", "/nowhere/a.txt", None, "uses no dictionary"),
        ("prefix_beam", None, "ngrams", "uses no dictionary"),
        ("word_beam", __file__, "sentences", "ngrams_forecast"),
    ],
)
def test_what_does_not_fit_together_is_refused(name, file, mode, message):
    with pytest.raises(BadDecoding, match=message):
        choose_decoding(name, file, mode)


def test_a_dictionary_without_words_is_refused(tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("12 34\n")
    with pytest.raises(BadDecoding, match=r"empty\.txt"):
        CtcSearch(choose_decoding("word_beam", path), Charset())


def _weights(folder, arch, charset):
    torch.manual_seed(3)
    path = folder / f"{arch}-small.safetensors"
    config = preset(arch, "tiny")
    model = architecture(arch).build(config, charset)
    export_weights(path, arch, config, charset, model.state_dict())
    return path


def _ink():
    image = np.full((40, 120), 240, np.uint8)
    image[8:30, 20:100:9] = 10
    return image


@pytest.mark.parametrize("arch", ["crnn_ctc", "fcn_ctc", "mdlstm_ctc", "trba"])
def test_every_family_with_a_ctc_layer_reads_words_of_the_dictionary(tmp_path, dictionary, arch):
    decoding = choose_decoding("word_beam", dictionary)
    reader = load_reader(arch, _weights(tmp_path, arch, CHARSET), decoding)
    (reading,) = reader.read([_ink()], kinds=["word"])
    assert reading.scores["words_known"] == float(reader.search.spells(reading.text))
    assert reading.p_correct < 1e-9  # nothing was fitted for this search
    (number,) = reader.read([_ink()], kinds=["digits"])
    assert "words_known" not in number.scores


def test_a_family_without_a_ctc_layer_has_nothing_to_search(tmp_path):
    torch.manual_seed(1)
    config = preset("scan_attend_read", "tiny")
    network = Network(architecture("scan_attend_read").build(config, CHARSET), "x")
    settings = None
    with pytest.raises(BadDecoding, match="none"):
        FusedReader([network], settings, decoding=Decoding("best_path"))


def test_each_search_has_settings_of_its_own(tmp_path, dictionary):
    path = _weights(tmp_path, "crnn_ctc", CHARSET)
    usual = load_reader("crnn_ctc", path)
    assert settings_path((path,)).name == "crnn_ctc-small.settings.json"
    own = settings_path((path,), "word_beam")
    assert own.name == "crnn_ctc-small.word_beam.settings.json"
    from dataclasses import replace

    from clinic_hwr.recognition.calibration import Calibrator

    half = Calibrator((), (), (), (), 0.0)
    save_settings(
        own, replace(usual.settings, calibrators={"word": half}), usual.model_version, "a test"
    )
    reader = load_reader("crnn_ctc", path, choose_decoding("word_beam", dictionary))
    assert reader.read([_ink()], kinds=["word"])[0].p_correct == pytest.approx(0.5)
    assert usual.read([_ink()], kinds=["word"])[0].p_correct < 1e-9
