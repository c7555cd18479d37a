"""manage.py recognize: pure JSON lines, order kept, broken files reported."""

import io
import json

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from PIL import Image

from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.training.checkpoints import export_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(4)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    config = preset("trba", "tiny")
    model = architecture("trba").build(config, Charset())
    export_weights(path, "trba", config, Charset(), model.state_dict())
    return path


@pytest.fixture
def folder(tmp_path):
    for i in range(3):
        image = np.full((40, 90), 240, np.uint8)
        image[8:30, 20 + 10 * i : 26 + 10 * i] = 10
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    Image.fromarray(image).convert("RGBA").save(tmp_path / "3_alpha.png")
    Image.fromarray(image.astype(np.uint16) * 256).save(tmp_path / "4_16bit.png")
    return tmp_path


def _run(*args, **options):
    out = io.StringIO()
    call_command("recognize", *map(str, args), stdout=out, **options)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_one_line_an_image_in_name_order(folder, weights):
    lines = _run(folder, arch="trba", weights=[weights], kind="word", nbest=3)
    assert [line["path"].rsplit("/", 1)[1] for line in lines] == [
        "0.png", "1.png", "2.png", "3_alpha.png", "4_16bit.png",
    ]  # fmt: skip
    for line in lines:
        assert line.keys() == {
            "path", "text", "confidence", "chars", "alternatives", "model", "ms",
        }  # fmt: skip
        assert 1 <= len(line["alternatives"]) <= 3
        assert "".join(c["char"] for c in line["chars"]) == line["text"]


def test_a_broken_image_is_a_line_with_its_error_and_the_rest_is_read(folder, weights, capsys):
    (folder / "1.png").write_bytes(b"\x89PNG but not really")
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of the images") as failure:
        call_command("recognize", str(folder), arch="trba", weights=[weights], stdout=out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert failure.value.returncode == 1
    assert "error" in lines[1]
    assert "text" not in lines[1]
    assert all("text" in lines[i] for i in (0, 2, 3, 4))


def test_a_lexicon_file_ranks_its_names(folder, weights, tmp_path_factory):
    names = tmp_path_factory.mktemp("lexicon") / "names.txt"
    names.write_text("Metformin\n\nWarfarin\n")
    lines = _run(folder / "0.png", arch="trba", weights=[weights], kind="drug", lexicon=names)
    assert {a["text"] for a in lines[0]["alternatives"]} == {"Metformin", "Warfarin"}


def test_an_empty_lexicon_is_refused(folder, weights, tmp_path):
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(CommandError, match="holds no names"):
        _run(folder, arch="trba", weights=[weights], lexicon=tmp_path / "empty.txt")


def test_an_unknown_architecture_lists_the_valid_ones(folder):
    with pytest.raises(CommandError, match="trba"):
        _run(folder, arch="perceptron")
