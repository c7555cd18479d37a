"""CRNN as published, and its small preset."""

import torch
from torch import nn

from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.charset import Charset

ALPHANUMERIC = Charset("0123456789abcdefghijklmnopqrstuvwxyz")


def _on_meta(name, charset):
    with torch.device("meta"):
        return architecture("crnn_ctc").build(preset("crnn_ctc", name), charset)


def test_the_paper_preset_has_the_published_size():
    model = _on_meta("paper", ALPHANUMERIC)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 1) == 8.3


def test_the_small_preset_has_its_documented_size():
    model = _on_meta("small", Charset())
    assert sum(p.numel() for p in model.parameters()) == 2_076_040


def test_a_linear_layer_stands_between_the_lstm_layers_and_none_behind():
    sequence = _on_meta("paper", ALPHANUMERIC).sequence
    assert [type(m) for m in sequence.projections] == [nn.Linear, nn.Identity]
    assert [lstm.input_size for lstm in sequence.lstms] == [512, 256]
    assert sequence.out_features == 512


def test_a_crop_of_100_pixels_has_a_column_for_four_pixels():
    torch.manual_seed(0)
    model = architecture("crnn_ctc").build(preset("crnn_ctc", "tiny"), ALPHANUMERIC).eval()
    encoded = model.encode(torch.rand(2, 1, 32, 100), torch.tensor([100, 60]))
    assert encoded.ctc_logits.shape == (2, 25, 37)
    assert encoded.mask.sum(1).tolist() == [25, 15]


def test_the_loss_is_finite_in_half_precision():
    torch.manual_seed(0)
    model = architecture("crnn_ctc").build(preset("crnn_ctc", "tiny"), ALPHANUMERIC)
    targets, lengths = torch.randint(1, 37, (3, 5)), torch.tensor([5, 4, 1])
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.loss(torch.rand(3, 1, 32, 64), torch.full((3,), 64), targets, lengths)["loss"]
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    assert model.features.net[0].weight.grad.abs().sum() > 0
