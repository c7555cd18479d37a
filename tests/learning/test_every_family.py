"""Every registered name can be chosen in every command: it works, or says what would."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from PIL import Image

from clinic_hwr.recognition.architectures import architecture, architecture_names, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.training.checkpoints import export_weights
from clinic_hwr.recognition.training.recipe import make_recipe

DATA = Path(os.environ.get("CLINIC_HWR_DATA") or "nowhere")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="CLINIC_HWR_DATA names no data folder")
READERS = [name for name in architecture_names() if architecture(name).reads != "nothing"]
LINE_READERS = [name for name in READERS if architecture(name).reads in ("word", "line")]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A tiny untrained model of every family."""
    folder = tmp_path_factory.mktemp("weights")
    for name in architecture_names():
        torch.manual_seed(7)
        config = preset(name, "tiny")
        model = architecture(name).build(config, Charset())
        if name == "scrabblegan":
            model.seen += 1000  # it writes only what its training has shown often enough
        path = folder / f"{name}-small.safetensors"
        export_weights(path, name, config, Charset(), model.state_dict())
    return folder


@pytest.fixture
def crops(tmp_path):
    for i in range(2):
        image = np.full((40, 90), 240, np.uint8)
        image[8:30, 20 + 10 * i : 26 + 10 * i] = 10
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    return tmp_path


def _recognize(crops, arch, weights, **options):
    out = io.StringIO()
    path = weights / f"{arch}-small.safetensors"
    call_command("recognize", str(crops), arch=arch, weights=[path], stdout=out, **options)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("arch", architecture_names())
@pytest.mark.parametrize("size", ["small", "paper"])
def test_every_family_can_be_trained_by_name(arch, size):
    if size not in architecture(arch).presets:
        pytest.skip(f"{arch} has no published size")
    assert make_recipe(arch, size).arch == arch


@pytest.mark.parametrize("arch", READERS)
def test_every_reader_reads_image_files(crops, weights, arch):
    lines = _recognize(crops, arch, weights, nbest=3)
    assert len(lines) == 2
    for line in lines:
        assert line["model"].startswith(f"{arch}-small@")
        assert "".join(c["char"] for c in line["chars"]) == line["text"]
        assert len(line["alternatives"]) <= 3
    if architecture(arch).reads == "character":
        assert [len(line["text"]) for line in lines] == [1, 1]


@pytest.mark.parametrize("decoder", ["best_path", "prefix_beam"])
@pytest.mark.parametrize("arch", LINE_READERS)
def test_the_search_can_be_chosen_where_there_is_a_ctc_layer(crops, weights, arch, decoder):
    model = architecture(arch).build(preset(arch, "tiny"), Charset())
    if model.has_ctc or decoder == "prefix_beam":
        assert len(_recognize(crops, arch, weights, decoder=decoder)) == 2
    else:
        with pytest.raises(CommandError, match="CTC layer"):
            _recognize(crops, arch, weights, decoder=decoder)


def test_a_dictionary_is_a_file_of_words(crops, weights, tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("daily\nnight\n")
    lines = _recognize(crops, "crnn_ctc", weights, decoder="word_beam", dictionary=words)
    assert len(lines) == 2
    with pytest.raises(CommandError, match="needs a dictionary"):
        _recognize(crops, "crnn_ctc", weights, decoder="word_beam")
    with pytest.raises(CommandError, match="words and lines"):
        _recognize(crops, "capsnet", weights, decoder="best_path")


def test_boxed_characters_are_counted_by_the_caller(crops, weights):
    assert all(len(x["text"]) <= 3 for x in _recognize(crops, "capsnet", weights, cells=3))
    with pytest.raises(CommandError, match="at least 1"):
        _recognize(crops, "capsnet", weights, cells=0)
    with pytest.raises(CommandError, match="only characters stand in cells"):
        _recognize(crops, "crnn_ctc", weights, cells=3)


@pytest.mark.parametrize("arch", ["capsnet", "scan_attend_read"])
def test_names_are_ranked_by_readers_of_words_only(crops, weights, arch, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("warfarin\n")
    with pytest.raises(CommandError, match="--lexicon"):
        _recognize(crops, arch, weights, lexicon=names)


def test_a_family_that_makes_words_cannot_read(crops, weights):
    with pytest.raises(CommandError, match="makes words"):
        _recognize(crops, "scrabblegan", weights)


def test_words_are_made_by_name_and_need_no_data(weights, tmp_path):
    out = io.StringIO()
    path = weights / "scrabblegan-small.safetensors"
    call_command(
        "synthesize", str(tmp_path / "made"), arch="scrabblegan", weights=path, count=6, stdout=out
    )
    sheet = Path(out.getvalue().strip())
    assert sheet.name == "contact_sheet.png"
    labels = (sheet.parent / "labels.tsv").read_text().splitlines()
    assert len(labels) == 7
    name, text, level, writer = labels[1].split("\t")
    with Image.open(sheet.parent / name) as image:
        assert image.size == (16 * len(text), 32)
    assert (level, writer) == ("word", "scrabblegan")


@pytest.mark.parametrize("arch", READERS)
def test_a_family_that_reads_makes_no_words(arch, tmp_path):
    with pytest.raises(CommandError, match=f"{arch} makes no words"):
        call_command("synthesize", str(tmp_path), arch=arch)


def test_an_unknown_family_lists_the_known_ones(crops, tmp_path):
    for command in (
        ("recognize", str(crops)), ("train",), ("evaluate",), ("synthesize", str(tmp_path)),
    ):  # fmt: skip
        with pytest.raises(CommandError, match="capsnet"):
            call_command(*command, arch="nonsense", **_data(command[0], tmp_path))


def _data(command, folder):
    return {} if command == "recognize" else {"data": folder}


@needs_data
def test_blocks_are_measured_by_their_number_of_lines(weights):
    out = io.StringIO()
    call_command(
        "evaluate", arch="scan_attend_read", data=DATA, limit=3, json=True, stdout=out,
        weights=[weights / "scan_attend_read-small.safetensors"],
    )  # fmt: skip
    (report,) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (report["name"], report["n"]) == ("blocks of 1", 3)


@needs_data
def test_made_words_are_measured_by_the_shipped_reader(weights):
    out = io.StringIO()
    call_command(
        "evaluate", arch="scrabblegan", data=DATA, limit=4, json=True, stdout=out,
        weights=[weights / "scrabblegan-small.safetensors"],
    )  # fmt: skip
    report = json.loads(out.getvalue())
    assert report["n"] == 4
    assert report["name"].startswith("made words, read by trba-small@")


@needs_data
def test_characters_and_combs_are_measured_and_calibrated(weights, tmp_path):
    path = tmp_path / "capsnet-small.safetensors"
    path.write_bytes((weights / "capsnet-small.safetensors").read_bytes())
    out = io.StringIO()
    call_command("evaluate", arch="capsnet", data=DATA, limit=2, weights=[path], stdout=out)
    text = out.getvalue()
    assert "all classes apart:" in text
    assert "| prescriber_npi | 2 |" in text
    with pytest.raises(CommandError, match="--set"):
        call_command("evaluate", arch="capsnet", data=DATA, sets=["rx_words"], weights=[path])
