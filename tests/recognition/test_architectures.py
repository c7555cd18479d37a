"""The contract that every registered architecture keeps."""

import pytest
import torch

from clinic_hwr.recognition.architectures import (
    UnknownArchitecture,
    UnknownPreset,
    architecture,
    architecture_names,
    config_from_dict,
    preset,
)
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.training.checkpoints import (
    WeightsRefused,
    export_weights,
    load_weights,
)

CHARSET = Charset("abcdefgh")


@pytest.fixture(params=architecture_names())
def built(request):
    torch.manual_seed(3)
    config = preset(request.param, "tiny")
    return request.param, config, architecture(request.param).build(config, CHARSET)


def _batch(count: int = 4, width: int = 96):
    torch.manual_seed(5)
    images = torch.rand(count, 1, 32, width)
    widths = torch.full((count,), width)
    targets = torch.randint(1, CHARSET.size, (count, 5))
    return images, widths, targets, torch.full((count,), 5)


def test_gradients_reach_every_parameter(built):
    _, _, model = built
    model.loss(*_batch())["loss"].backward()
    without = [
        name
        for name, p in model.named_parameters()
        # The rectifier's last layer starts at zero: what lies before it moves one step later.
        if p.grad is None and not name.startswith("transformation")
    ]
    assert without == []


def test_the_shapes_follow_the_width(built):
    _, _, model = built
    images, widths, _, _ = _batch(3, 128)
    encoded = model.eval().encode(images, widths)
    assert encoded.ctc_logits.shape == (3, 32, CHARSET.size)
    assert encoded.columns.shape[:2] == (3, 32)
    assert encoded.mask.all()
    assert not model.encode(images, widths // 2).mask[:, 16:].any()


def test_an_answer_does_not_depend_on_batch_mates(built):
    _, _, model = built
    images, widths, _, _ = _batch()
    with torch.inference_mode():
        together = model.eval().encode(images, widths).ctc_logits
        alone = model.encode(images[:1], widths[:1]).ctc_logits
    assert torch.allclose(together[:1], alone, atol=1e-5)


def test_the_decoder_writes_one_step_more_than_the_text():
    model = architecture("trba").build(preset("trba", "tiny"), CHARSET).eval()
    images, widths, targets, _ = _batch(3, 128)
    assert model(images, widths, targets)[1].shape == (3, 6, CHARSET.size)


@pytest.mark.parametrize(
    ("arch", "preset_name", "parameters"),
    [("trba", "small", 1_895_892), ("fcn_ctc", "small", 2_107_080)],
)
def test_the_shipped_presets_have_their_documented_size(arch, preset_name, parameters):
    model = architecture(arch).build(preset(arch, preset_name), Charset())
    assert sum(p.numel() for p in model.parameters()) == parameters


def test_eight_samples_can_be_learnt_by_heart(built):
    _, _, model = built
    torch.manual_seed(1)
    images, widths, targets, lengths = _batch(8, 64)
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3)
    first = last = 0.0
    for _ in range(60):
        loss = model.train().loss(images, widths, targets, lengths)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        last = loss.item()
        first = first or last
        if last < 0.4 * first:
            break
    assert last < 0.4 * first


def test_weights_survive_saving(built, tmp_path):
    name, config, model = built
    path = tmp_path / "w.safetensors"
    digest = export_weights(path, name, config, CHARSET, model.state_dict())
    found, loaded = load_weights(path)
    images, widths, _, _ = _batch(2)
    with torch.inference_mode():
        before, after = (m.eval().encode(images, widths).ctc_logits for m in (model, loaded))
    assert found == name
    assert len(digest) == 64
    assert loaded.charset == CHARSET
    assert torch.allclose(before, after, atol=0.05)  # half precision on disk


def test_a_broken_weights_file_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"no weights at all")
    with pytest.raises(WeightsRefused, match="cannot be read"):
        load_weights(path)


def test_an_unknown_name_lists_the_valid_ones():
    with pytest.raises(UnknownArchitecture, match="trba"):
        architecture("nope")
    with pytest.raises(UnknownPreset, match="small"):
        preset("trba", "nope")


def test_unknown_settings_are_refused():
    with pytest.raises(ValueError, match="shoe_size"):
        config_from_dict("trba", {"shoe_size": 44})


@pytest.mark.parametrize("transformation", ["tps", "none"])
@pytest.mark.parametrize("sequence", ["bilstm", "none"])
def test_each_stage_can_be_left_out(transformation, sequence):
    from dataclasses import replace

    config = replace(preset("trba", "tiny"), transformation=transformation, sequence=sequence)
    model = architecture("trba").build(config, CHARSET)
    assert torch.isfinite(model.loss(*_batch())["loss"])
