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
READERS = [name for name in architecture_names() if architecture(name).reads != "nothing"]


@pytest.fixture(params=READERS)
def built(request):
    torch.manual_seed(3)
    config = preset(request.param, "tiny")
    return request.param, config, architecture(request.param).build(config, CHARSET)


def _batch(built, count=4, columns=24):
    """Noise of the family's own size; a reader of characters sees squares and one letter each."""
    name, config, _ = built
    torch.manual_seed(5)
    one = architecture(name).reads == "character"
    width = config.height_px if one else 4 * columns
    images = torch.rand(count, 1, config.height_px, width)
    length = 1 if one else 5
    targets = torch.randint(1, CHARSET.size, (count, length))
    return images, torch.full((count,), width), targets, torch.full((count,), length)


def test_gradients_reach_every_parameter(built):
    _, _, model = built
    model.loss(*_batch(built))["loss"].backward()
    without = [
        name
        for name, p in model.named_parameters()
        # The rectifier's last layer starts at zero: what lies before it moves one step later.
        if p.grad is None and not name.startswith("transformation")
    ]
    assert without == []


def test_forward_gives_columns_and_one_step_more_than_the_text(built):
    _, _, model = built
    images, widths, targets, _ = _batch(built)
    encoded, steps = model.eval()(images, widths, targets)
    assert encoded.columns.shape[:2] == encoded.mask.shape
    assert encoded.mask.shape[0] == len(images)
    assert encoded.mask.any(1).all()
    if model.has_ctc:
        assert encoded.ctc_logits.shape == (*encoded.mask.shape, CHARSET.size)
    else:
        assert encoded.ctc_logits is None
    if model.decoder is None:
        assert steps is None
    else:
        assert steps.shape == (len(images), targets.shape[1] + 1, CHARSET.size)
    assert model.has_ctc or model.decoder is not None


def test_wider_crops_give_more_columns(built):
    name, _, model = built
    if architecture(name).reads == "character":
        pytest.skip("reads squares of one size")
    narrow = model.eval().encode(*_batch(built, 2, 24)[:2]).mask.sum()
    assert model.encode(*_batch(built, 2, 48)[:2]).mask.sum() > narrow


def test_an_answer_depends_neither_on_batch_mates_nor_on_padding(built):
    name, _, model = built
    images, widths, _, _ = _batch(built)
    alone = model.eval().nbest(images[:1], widths[:1], width=4)[0]
    together = model.nbest(images, widths, width=4)[0]
    assert [text for text, _ in together] == [text for text, _ in alone]
    assert [p for _, p in together] == pytest.approx([p for _, p in alone], abs=1e-3)
    if architecture(name).reads == "character":
        return
    padded = torch.nn.functional.pad(images, (0, 32))
    mixed = torch.cat([widths[:1], widths[1:] + 32])
    beside = model.nbest(padded, mixed, width=4)[0]
    assert [text for text, _ in beside] == [text for text, _ in alone]
    assert [p for _, p in beside] == pytest.approx([p for _, p in alone], abs=1e-3)


def test_nbest_readings_are_distinct_and_ordered_with_probabilities_of_strings(built):
    _, _, model = built
    images, widths, _, _ = _batch(built)
    for some in model.eval().nbest(images, widths, width=5):
        texts, scores = zip(*some, strict=True)
        assert len(set(texts)) == len(texts)
        assert list(scores) == sorted(scores, reverse=True)
        assert all(p <= 1e-6 for p in scores)
    assert len(model.greedy(images, widths)) == len(images)


def test_eight_samples_can_be_learnt_by_heart(built):
    _, _, model = built
    images, widths, targets, lengths = _batch(built, 8, 16)
    torch.manual_seed(1)
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3)
    first = last = 0.0
    for _ in range(100):
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
    images, widths, targets, _ = _batch(built, 2)
    with torch.inference_mode():
        before, after = (m.eval()(images, widths, targets) for m in (model, loaded))
    assert found == name
    assert len(digest) == 64
    assert loaded.charset == CHARSET
    # half precision on disk
    assert torch.allclose(before[0].columns, after[0].columns, atol=0.05)
    if before[0].ctc_logits is not None:
        assert torch.allclose(before[0].ctc_logits, after[0].ctc_logits, atol=0.05)
    if before[1] is not None:
        assert torch.allclose(before[1], after[1], atol=0.05)


@pytest.mark.parametrize("name", architecture_names())
def test_the_paper_size_has_its_documented_number_of_parameters(name):
    entry = architecture(name)
    if entry.paper_parameters is None:
        assert "paper" not in entry.presets
        return
    with torch.device("meta"):
        model = entry.build(preset(name, "paper"), Charset())
    assert sum(p.numel() for p in model.parameters()) == entry.paper_parameters


@pytest.mark.parametrize(
    ("arch", "preset_name", "parameters"),
    [("trba", "small", 6_105_748), ("fcn_ctc", "small", 5_165_564)],
)
def test_the_shipped_presets_have_their_documented_size(arch, preset_name, parameters):
    model = architecture(arch).build(preset(arch, preset_name), Charset())
    assert sum(p.numel() for p in model.parameters()) == parameters


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
    built = ("trba", config, model)
    assert torch.isfinite(model.loss(*_batch(built))["loss"])
