"""All 24 combinations of Baek et al. 2019, and what their published stages compute."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from clinic_hwr import recognition
from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.inference import prepare_for_inference
from clinic_hwr.recognition.stages.baek_features import (
    FanFeatures,
    GatedRecurrentConv,
    RcnnFeatures,
    VggFeatures,
)
from clinic_hwr.recognition.stages.one_hot_attention import OneHotAttentionDecoder
from clinic_hwr.recognition.stages.sequence import ProjectedBiLstm
from clinic_hwr.recognition.training.checkpoints import load_weights

CHARSET = Charset("abcdefgh")
ALPHANUMERIC = Charset("0123456789abcdefghijklmnopqrstuvwxyz")  # what Baek et al. count with
GRID = list(
    product(["none", "tps"], ["vgg", "rcnn", "resnet"], ["none", "bilstm"], ["ctc", "attn"])
)
WIDTHS = (8, 16, 24, 32)


def _tiny(**changes):
    torch.manual_seed(1)
    config = replace(preset("trba", "tiny"), **changes)
    return architecture("trba").build(config, CHARSET)


def _batch(count=2, width=32):
    torch.manual_seed(2)
    targets = torch.randint(1, CHARSET.size, (count, 4))
    images = torch.rand(count, 1, 32, width)
    return images, torch.full((count,), width), targets, torch.full((count,), 4)


@pytest.mark.parametrize(("transformation", "features", "sequence", "prediction"), GRID)
def test_every_combination_trains_and_reads(transformation, features, sequence, prediction):
    model = _tiny(
        transformation=transformation,
        features=features,
        sequence=sequence,
        prediction=prediction,
    )
    images, widths, targets, lengths = _batch()
    parts = model.loss(images, widths, targets, lengths)
    parts["loss"].backward()
    assert torch.isfinite(parts["loss"])
    assert parts.keys() == {"loss", {"ctc": "ctc", "attn": "attention"}[prediction]}
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    encoded, steps = model.eval()(images, widths, targets)
    assert encoded.columns.shape[:2] == (2, 8)  # one column for four pixels
    assert encoded.mask.all()
    assert model.has_ctc == (prediction == "ctc") == (encoded.ctc_logits is not None)
    assert (model.decoder is None) == (prediction == "ctc") == (steps is None)
    assert len(model.greedy(images, widths)) == 2


def test_the_published_stages_train_and_read_together():
    model = _tiny(
        features="fan",
        lstm_projections=(24, 16),
        prediction="attn",
        previous="one_hot",
        fiducial_start="rare",
        localisation_channels=(8, 8, 16, 16),
        localisation_positions=1,
        localisation_scale=1.0,
    )
    images, widths, targets, lengths = _batch()
    loss = model.loss(images, widths, targets, lengths)["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    assert model.eval().encode(images, widths).columns.shape == (2, 8, 16)
    for some in model.nbest(images, widths, width=3):
        assert [p for _, p in some] == sorted((p for _, p in some), reverse=True)


@pytest.mark.parametrize("features", ["vgg", "rcnn", "resnet", "fan"])
def test_the_loss_is_finite_in_half_precision(features):
    model = _tiny(features=features)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.loss(*_batch())["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_joint_loss_of_one_part_still_builds_both(weight):
    model = _tiny(ctc_weight=weight)  # what benchmarks/ablations.py compares
    parts = model.loss(*_batch())
    assert parts.keys() == {"loss", "ctc" if weight else "attention"}
    assert model.ctc is not None
    assert model.decoder is not None


@pytest.mark.parametrize(
    ("changes", "millions"),
    [
        ({}, 49.6),  # TRBA
        ({"features": "vgg", "feature_channels": (64, 128, 256, 512)}, 10.8),  # RARE
        ({"transformation": "none", "sequence": "none", "prediction": "ctc"}, 44.3),  # Rosetta
    ],
)
def test_published_combinations_have_their_published_size(changes, millions):
    with torch.device("meta"):
        config = replace(preset("trba", "paper"), **changes)
        model = architecture("trba").build(config, ALPHANUMERIC)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 1) == millions


def test_the_shipped_weights_load_as_the_joint_reader_they_are():
    path = Path(recognition.__file__).parent / "weights" / "trba-small.safetensors"
    _, model = load_weights(path)
    assert model.config == preset("trba", "small")
    assert model.config.prediction == "joint"
    assert model.config.fiducial_start == "identity"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": "vit"}, "vgg, rcnn, resnet"),
        ({"prediction": "both"}, "joint, ctc, attn"),
        ({"features": "vgg", "height_px": 24}, "32 px"),
    ],
)
def test_unknown_stages_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(preset("trba", "tiny"), **changes)


def test_a_gated_recurrent_convolution_computes_its_formula():
    torch.manual_seed(0)
    layer = GatedRecurrentConv(3, 5, steps=2).eval()
    for norm in layer.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.uniform_(-1, 1)
            norm.weight.data.uniform_(0.5, 1.5)
    u = torch.rand(2, 3, 6, 8)
    x = F.relu(layer.start(F.conv2d(u, layer.feed.weight, padding=1)))
    for n in layer.steps:
        gate = torch.sigmoid(
            n.gate_feed(F.conv2d(u, layer.gate_feed.weight))
            + n.gate_state(F.conv2d(x, layer.gate_state.weight))
        )
        recurrent = n.state(F.conv2d(x, layer.state.weight, padding=1))
        x = F.relu(n.feed(F.conv2d(u, layer.feed.weight, padding=1)) + n.gated(recurrent * gate))
    assert torch.allclose(layer(u), x, atol=1e-5)


def test_recurrent_steps_share_their_weights_and_not_their_normalisation():
    def count(steps):
        convolutions, norms = 0, 0
        for module in GatedRecurrentConv(3, 5, steps).modules():
            convolutions += isinstance(module, nn.Conv2d)
            norms += isinstance(module, nn.BatchNorm2d)
        return convolutions, norms

    assert count(1) == (4, 6)
    assert count(5) == (4, 26)


def test_a_closed_gate_leaves_a_convolution():
    layer = GatedRecurrentConv(3, 5).eval()
    for norms in layer.steps:
        norms.gate_feed.bias.data.fill_(-1e4)
    u = torch.rand(1, 3, 6, 8)
    assert torch.equal(layer(u), F.relu(layer.steps[-1].feed(layer.feed(u))))


@pytest.mark.parametrize(
    "features",
    [VggFeatures(WIDTHS), RcnnFeatures(WIDTHS), FanFeatures(WIDTHS, (1, 1, 1, 1), 4)],
    ids=["vgg", "rcnn", "fan"],
)
def test_published_features_keep_a_column_for_four_pixels_at_any_size(features):
    for height, width in ((32, 32), (32, 100), (40, 64), (64, 96)):
        assert features(torch.rand(2, 1, height, width)).shape == (2, width // 4, 32)


def test_vgg_normalises_the_two_layers_that_crnn_normalises():
    layers = [m for m in VggFeatures(WIDTHS).net if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    kinds = "".join("c" if isinstance(m, nn.Conv2d) else "n" for m in layers)
    assert kinds == "cccccncnc"
    convolutions = [m for m in layers if isinstance(m, nn.Conv2d)]
    assert [m.bias is None for m in convolutions] == [False] * 4 + [True] * 2 + [False]


@pytest.mark.parametrize("features", ["vgg", "rcnn", "fan"])
def test_the_fast_copy_computes_the_same(features):
    # Folding a normalisation into a convolution that all steps share would be wrong.
    model = _tiny(features=features).eval()
    generator = torch.Generator().manual_seed(4)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5, generator=generator)
            module.running_var.uniform_(0.3, 2.0, generator=generator)
    images, widths, _, _ = _batch()
    with torch.inference_mode():
        expected = model.encode(images, widths).ctc_logits
        found = prepare_for_inference(model).encode(images, widths).ctc_logits
    assert (found - expected).abs().max() < 1e-3


def test_lstm_layers_are_projected_one_by_one():
    module = ProjectedBiLstm(7, 5, (4, 0))
    assert [lstm.input_size for lstm in module.lstms] == [7, 4]
    assert module(torch.rand(2, 9, 7)).shape == (2, 9, 10)
    assert module.out_features == 10
    assert ProjectedBiLstm(7, 5, (4, 3)).out_features == 3


def _decoder():
    torch.manual_seed(0)
    decoder = OneHotAttentionDecoder(6, 8, 5)
    return decoder, torch.rand(2, 7, 6), torch.ones(2, 7, dtype=torch.bool)


def test_the_published_decoder_embeds_nothing_and_predicts_from_its_state():
    decoder, _, _ = _decoder()
    assert decoder.cell.input_size == 6 + 5
    assert list(decoder.embed.parameters()) == []
    assert decoder.embed(torch.tensor([0, 3])).tolist() == [[1, 0, 0, 0, 0], [0, 0, 0, 1, 0]]
    hidden, context = torch.rand(2, 8), torch.rand(2, 6)
    assert torch.equal(decoder.logits(hidden, context), decoder.logits(hidden, context + 1))


def test_the_published_decoder_scores_strings_as_teacher_forcing_does():
    decoder, columns, mask = _decoder()
    targets = torch.tensor([[1, 4, 2], [3, 3, 1]])
    log_probs = decoder(columns, mask, targets).log_softmax(-1)
    wanted = F.pad(targets, (0, 1))
    expected = log_probs.gather(2, wanted.unsqueeze(2)).squeeze(2)
    found = decoder.score_strings(columns, mask, wanted.unsqueeze(1))
    assert torch.allclose(found.squeeze(1), expected, atol=1e-5)
