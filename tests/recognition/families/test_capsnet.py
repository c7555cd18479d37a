"""CapsNet as published, and the mistakes that its popular ports make."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from clinic_hwr.recognition.architectures.capsnet import PAPER, TINY, CapsNet
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.capsules import (
    PrimaryCapsules,
    RoutedCapsules,
    capsule_lengths,
    margin_loss,
    squash,
)


@pytest.fixture
def model():
    torch.manual_seed(2)
    return CapsNet(TINY, Charset("-b1 a")).eval()


@pytest.fixture
def routed():
    torch.manual_seed(4)
    return RoutedCapsules(6, 3, 4, 5, iterations=3), torch.randn(2, 6, 3)


def _images(count=3):
    torch.manual_seed(1)
    return torch.rand(count, 1, 28, 28)


def test_squash_keeps_the_direction_and_maps_lengths_to_below_one():
    squashed = squash(torch.tensor([[0.6, 0.8], [0.0, -3.0], [30.0, 40.0]]))
    expected = torch.tensor([[0.3, 0.4], [0.0, -0.9], [0.6, 0.8]]) * torch.tensor(
        [[1.0], [1.0], [2500 / 2501]]
    )
    assert torch.allclose(squashed, expected, atol=1e-6)


def test_a_capsule_of_zero_has_a_finite_gradient():
    vectors = torch.zeros(1, 4, requires_grad=True)
    capsule_lengths(squash(vectors)).sum().backward()
    assert torch.isfinite(vectors.grad).all()


def test_a_primary_capsule_is_made_of_the_channels_of_one_position():
    capsules = PrimaryCapsules(6, maps=2, dimensions=3, kernel=1, stride=1)
    with torch.no_grad():
        capsules.conv.weight.copy_(torch.eye(6)[:, :, None, None])
        capsules.conv.bias.zero_()
    features = torch.randn(1, 6, 2, 4)
    found = capsules(features)
    assert found.shape == (1, 2 * 8, 3)
    # map 1, row 1, column 2: channels 3 to 5 there and nothing else
    assert torch.allclose(found[0, 8 + 4 + 2], squash(features[0, 3:6, 1, 2]))


def test_a_change_at_one_position_changes_one_capsule_of_each_map():
    torch.manual_seed(0)
    capsules = PrimaryCapsules(5, maps=4, dimensions=8, kernel=1, stride=1)
    features = torch.randn(1, 5, 3, 3)
    moved = features.clone()
    moved[0, :, 2, 1] += 1
    changed = (capsules(features) != capsules(moved)).any(2)[0]
    assert torch.nonzero(changed).flatten().tolist() == [7, 16, 25, 34]


def test_couplings_of_an_input_sum_to_one_over_the_outputs(routed):
    layer, inputs = routed
    couplings = layer.couplings(layer.predictions(inputs))
    assert torch.allclose(couplings.sum(1), torch.ones(2, 6))
    assert not torch.allclose(couplings, torch.full_like(couplings, 1 / 4), atol=1e-3)


def test_routing_is_procedure_one_of_the_paper(routed):
    layer, inputs = routed
    weight = layer.weight.detach().double().view(6, 3, 4, 5)
    for sample in range(2):
        said = torch.einsum("id,idjk->ijk", inputs[sample].double(), weight)
        logits = torch.zeros(6, 4, dtype=torch.float64)
        for _ in range(3):
            couplings = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
            total = (couplings[:, :, None] * said).sum(0)
            squared = total.square().sum(1, keepdim=True)
            outputs = squared / (1 + squared) * total / squared.sqrt()
            logits = logits + (said * outputs).sum(2)
        assert torch.allclose(layer(inputs)[sample].double(), outputs, atol=1e-5)


def test_one_iteration_couples_evenly():
    torch.manual_seed(4)
    layer, inputs = RoutedCapsules(6, 3, 4, 5, iterations=1), torch.randn(2, 6, 3)
    assert torch.allclose(layer(inputs), squash(layer.predictions(inputs).sum(2) / 4), atol=1e-6)


def test_gradients_flow_through_the_last_iteration_only(routed):
    layer, inputs = routed
    layer(inputs).square().sum().backward()
    found, layer.weight.grad = layer.weight.grad, None
    predictions = layer.predictions(inputs)
    constant = layer.couplings(predictions).clone().detach()
    squash((constant[..., None] * predictions).sum(2)).square().sum().backward()
    assert torch.allclose(found, layer.weight.grad, atol=1e-6)


def test_margin_loss_is_summed_over_the_classes():
    lengths = torch.tensor([[0.8, 0.3, 0.05], [0.95, 0.1, 0.5]])
    present = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    first = 0.1**2 + 0.5 * 0.2**2
    second = 0.5 * (0.85**2 + 0.4**2)
    assert margin_loss(lengths, present).item() == pytest.approx((first + second) / 2, abs=1e-6)


def test_reconstruction_counts_with_the_sum_of_squares(model):
    last = model.reconstruction[-2]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.zero_()  # every pixel 1/2
    one = torch.ones(2, dtype=torch.long)
    parts = model.loss(torch.zeros(2, 1, 28, 28), 28 * one, 2 * one[:, None], one)
    assert parts["squares"].item() == pytest.approx(784 / 4)
    expected = parts["margin"].item() + 0.0005 * 784 / 4
    assert parts["loss"].item() == pytest.approx(expected, abs=1e-6)


def test_the_true_capsule_is_drawn_in_training_and_the_longest_in_use(model):
    seen = []
    model.reconstruction.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()))
    images, one = _images(), torch.ones(3, dtype=torch.long)
    model.loss(images, 28 * one, torch.tensor([[2], [3], [5]]), one)  # b, 1, a
    drawn = model.reconstruct(images)
    capsules = model.capsules(images).detach()
    woken = [s.view(3, 3, -1).abs().sum(2) > 0 for s in seen]
    assert woken[0].tolist() == torch.eye(3, dtype=torch.bool).tolist()
    winners = capsules.norm(dim=2).argmax(1)
    assert woken[1].tolist() == F.one_hot(winners, 3).bool().tolist()
    assert drawn.shape == images.shape


def test_the_answer_is_one_column_with_the_normalised_lengths(model):
    images = _images()
    encoded = model.encode(images, torch.full((3,), 28))
    lengths = model.capsules(images).norm(dim=2)  # of b, 1, a
    probabilities = encoded.ctc_logits.log_softmax(2).exp()[:, 0].detach()
    assert encoded.mask.tolist() == [[True]] * 3
    expected = lengths / lengths.sum(1, keepdim=True)
    assert torch.allclose(probabilities[:, [2, 3, 5]], expected, atol=1e-5)
    assert probabilities[:, [0, 1, 4]].max().item() < 1e-9  # blank, hyphen and space


def test_beam_and_greedy_read_single_characters(model):
    images, widths = _images(), torch.full((3,), 28)
    readings = model.nbest(images, widths, 3)
    for text, some in zip(model.greedy(images, widths), readings, strict=True):
        assert some[0][0] == text
        assert sorted(reading for reading, _ in some) == ["1", "a", "b"]
        assert sum(math.exp(p) for _, p in some) == pytest.approx(1, abs=1e-5)


def test_a_character_without_a_capsule_should_wake_none(model):
    images, one = _images(1), torch.ones(1, dtype=torch.long)
    margin = model.loss(images, 28 * one, one[:, None], one)["margin"].item()  # a hyphen
    lengths = model.capsules(images).norm(dim=2)
    assert margin == pytest.approx(0.5 * F.relu(lengths - 0.1).square().sum().item(), abs=1e-5)


def test_the_paper_size_has_the_published_weights_and_capsules():
    with torch.device("meta"):
        mnist = CapsNet(PAPER, Charset("0123456789"))
    decoder = sum(p.numel() for p in mnist.reconstruction.parameters())
    assert sum(p.numel() for p in mnist.parameters()) == 8_215_568
    assert decoder == 8_215_568 - 6_804_224
    assert mnist.classes.weight.shape == (1152, 1, 8, 10 * 16)


def test_the_loss_works_in_bfloat16(model):
    images, one = _images(), torch.ones(3, dtype=torch.long)
    batch = (images, 28 * one, torch.tensor([[2], [3], [5]]), one)
    full = model.train().loss(*batch)["loss"]
    with torch.autocast("cpu", torch.bfloat16):
        half = model.loss(*batch)["loss"]
    half.backward()
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(full.item(), rel=0.05)


def test_what_is_no_single_character_is_refused(model):
    one = torch.ones(2, dtype=torch.long)
    with pytest.raises(ValueError, match="28x28"):
        model.encode(torch.zeros(2, 1, 28, 64), 64 * one)
    with pytest.raises(ValueError, match="single characters"):
        model.loss(torch.zeros(2, 1, 28, 28), 28 * one, torch.ones(2, 3, dtype=torch.long), one)
    with pytest.raises(ValueError, match="letters and digits"):
        CapsNet(TINY, Charset("-/"))
    with pytest.raises(ValueError, match="squares"):
        CapsNet(replace(TINY, max_width_px=64), Charset("ab"))
