"""The rectifier starts at the identity and bends where its points say."""

import torch

from clinic_hwr.recognition.stages.transformation import TpsRectifier


def test_an_untrained_rectifier_returns_its_input():
    torch.manual_seed(0)
    rectifier = TpsRectifier(8).eval()
    images = torch.rand(2, 1, 32, 96)
    with torch.no_grad():
        assert torch.allclose(rectifier(images), images, atol=1e-3)


def test_moved_points_move_the_image():
    rectifier = TpsRectifier(8).eval()
    images = torch.zeros(1, 1, 32, 64)
    images[:, :, 16, :] = 1.0  # a line in the middle
    with torch.no_grad():
        rectifier.points.bias.view(8, 2)[:, 1] += 0.25  # sample lower: the line comes up
        rows = rectifier(images)[0, 0].mean(dim=1)
    assert 10 <= int(rows.argmax()) <= 13


def test_gradients_reach_the_localisation_network():
    rectifier = TpsRectifier(8)
    (rectifier(torch.rand(2, 1, 32, 64)) * torch.linspace(0, 1, 64)).sum().backward()
    assert rectifier.points.weight.grad.abs().sum() > 0
