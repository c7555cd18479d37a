"""Pictures of the families: attention that is the decoder's, small legible files."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import family_pictures as pictures
from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.architectures.contract import MAX_CHARS
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.runtime import WEIGHTS_DIR
from clinic_hwr.recognition.training.checkpoints import export_weights, load_weights

TRBA = WEIGHTS_DIR / "trba-small.safetensors"
CAPSNET = WEIGHTS_DIR / "capsnet-small.safetensors"


def _crop():
    gray = np.full((60, 190), 240, np.uint8)
    for x in range(20, 170, 22):
        gray[14:46, x : x + 5] = 20
        gray[40:45, x : x + 16] = 20
    return gray


def _check(path):
    assert path.stat().st_size <= 150 * 1024
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert min(image.size) > 60
        assert len(image.convert("L").getcolors()) > 8  # something is drawn
        return image.size


def _tiny(tmp_path, arch, **changes):
    torch.manual_seed(6)
    config = preset(arch, "tiny")
    config = type(config)(**{**vars(config), **changes})
    path = tmp_path / f"{arch}.safetensors"
    model = architecture(arch).build(config, Charset())
    if arch == "scrabblegan":
        model.seen += 1000  # it writes only what its training has shown often enough
    export_weights(path, arch, config, Charset(), model.state_dict())
    return path


@pytest.mark.parametrize(
    "arch", ["trba", "pay_attention", "convolve_attend_spell", "scan_attend_read"]
)
def test_attention_is_a_distribution_for_every_character_and_the_end(tmp_path, arch):
    _, model = load_weights(_tiny(tmp_path, arch))
    ink, text, maps = pictures.attention_maps(model, _crop())
    assert len(maps) == min(len(text) + 1, MAX_CHARS + 1)
    assert maps.sum(axis=(1, 2)) == pytest.approx(np.ones(len(maps)), abs=1e-5)
    assert maps.min() >= 0
    assert ink.shape[1] >= maps.shape[2]


def test_attention_of_the_shipped_reader_moves_to_the_right():
    _, model = load_weights(TRBA)
    _, text, maps = pictures.attention_maps(model, _crop())
    middles = (maps[:, 0] * np.arange(maps.shape[2])).sum(axis=1)
    assert len(text) >= 3
    assert middles[-1] > middles[0] + 0.5 * maps.shape[2]


def test_fiducial_points_and_the_rectified_crop_are_those_of_the_network():
    _, model = load_weights(TRBA)
    ink, points, after = pictures.rectified(model, _crop())
    assert points.shape == (model.transformation.target.shape[0], 2)
    assert after.shape == ink.shape
    with torch.inference_mode():
        expected = model.rectify(torch.from_numpy(ink)[None, None])[0, 0].numpy()
    assert np.array_equal(after, expected)


def test_pictures_from_weights_are_small(tmp_path):
    crops = tmp_path / "crops"
    crops.mkdir()
    Image.fromarray(_crop()).save(crops / "a.png")
    for command, weights in (("attention", TRBA), ("tps", TRBA)):
        out = tmp_path / f"{command}.png"
        pictures.main(
            [command, "--weights", str(weights), "--crops", str(crops), "--out", str(out)]
        )
        _check(out)
    out = tmp_path / "words.png"
    weights = _tiny(tmp_path, "scrabblegan")
    pictures.main(["words", "--weights", str(weights), "--count", "8", "--out", str(out)])
    _check(out)


def test_reconstructions_are_drawn(tmp_path):
    _, model = load_weights(CAPSNET)
    images = np.zeros((3, 28, 28), np.float32)
    images[:, 4:24, 12:16] = 1
    pictures.draw_capsules(model, images, ["1", "l", "I"], tmp_path / "c.png")
    _check(tmp_path / "c.png")


def test_curves_of_several_runs_share_one_plot(tmp_path):
    for name, end in (("crnn_ctc", 0.2), ("capsnet", None)):
        (tmp_path / name).mkdir()
        rows = [
            f"{1000 * i},{3 / i},{0.9 / i},{'' if end is None or i % 5 else end + 1 / i},{i}"
            for i in range(1, 41)
        ]
        (tmp_path / name / "curve.csv").write_text("\n".join(rows) + "\n")
    values, which = pictures.read_curve(tmp_path / "crnn_ctc" / "curve.csv")
    assert (which, len(values)) == ("held out", 8)
    assert values[-1].tolist() == [40000, pytest.approx(0.225)]
    assert pictures.read_curve(tmp_path / "capsnet" / "curve.csv")[1] == "training"
    out = tmp_path / "curves.png"
    pictures.main(
        ["curves", str(tmp_path / "crnn_ctc"), str(tmp_path / "capsnet"), "--out", str(out)]
    )
    _check(out)


def test_what_cannot_be_shown_is_said(tmp_path, capsys):
    out = str(tmp_path / "x.png")
    table = tmp_path / "curve.csv"
    table.write_text("step,discriminator\n1,2\n")
    for arguments, message in (
        (["tps", "--weights", str(CAPSNET), "--crops", str(tmp_path), "--out", out], "no crops"),
        (["capsules", "--weights", str(TRBA), "--out", out], "Only capsnet"),
        (["curves", str(table), "--out", out], "no curve"),
        (["attention", "--weights", str(TRBA), "--out", out], "--crops"),
    ):
        with pytest.raises(SystemExit):
            pictures.main(arguments)
        assert message in capsys.readouterr().err
