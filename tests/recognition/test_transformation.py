"""The rectifier starts where it is told to and bends where its points say."""

import pytest
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


def test_points_may_start_at_figure_6a_of_rare():
    rectifier = TpsRectifier(6, start="rare").eval()
    with torch.no_grad():
        points = rectifier.predict_points(torch.rand(2, 1, 32, 64))
    above = [[-1.0, 0.0], [0.0, -0.5], [1.0, -1.0]]
    below = [[-1.0, 1.0], [0.0, 0.5], [1.0, 0.0]]
    assert points.tolist() == [above + below] * 2
    assert rectifier.target.tolist() == [[x, -1.0] for x in (-1, 0, 1)] + [
        [x, 1.0] for x in (-1, 0, 1)
    ]


def test_rare_starts_with_a_distorted_crop():
    torch.manual_seed(0)
    images = torch.rand(1, 1, 32, 64)
    with torch.no_grad():
        found = TpsRectifier(8, start="rare").eval()(images)
    # Bottom left is (-1, 1) in both; top left is taken from the middle of the left edge.
    assert found[0, 0, -1, 0] == pytest.approx(images[0, 0, -1, 0].item(), abs=1e-3)
    assert found[0, 0, 0, 0] == pytest.approx(images[0, 0, 15:17, 0].mean().item(), abs=1e-3)


@pytest.mark.parametrize(("height", "width"), [(5, 9), (33, 17)])
def test_the_spline_passes_through_its_points_at_any_size(height, width):
    torch.manual_seed(0)
    rectifier = TpsRectifier(10)
    points = rectifier.target + torch.rand(3, 10, 2) / 4
    grid = rectifier.sampling_grid(points, height, width)
    on = slice(None, None, (width - 1) // 4)  # every fiducial point lies on a pixel
    assert torch.allclose(grid[:, 0, on], points[:, :5], atol=1e-4)
    assert torch.allclose(grid[:, -1, on], points[:, 5:], atol=1e-4)


def test_the_published_localisation_network_has_its_size():
    rectifier = TpsRectifier(20, (64, 128, 256, 512), 256, positions=1, scale=1.0, start="rare")
    convolutions = 9 * (1 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
    norms = 2 * (64 + 128 + 256 + 512)
    linear = (512 + 1) * 256 + (256 + 1) * 40
    assert sum(p.numel() for p in rectifier.parameters()) == convolutions + norms + linear
    assert rectifier.localisation[0].in_channels == 1
    assert rectifier.points.weight.abs().sum() == 0


def test_an_unknown_start_is_refused():
    with pytest.raises(ValueError, match="identity, rare"):
        TpsRectifier(8, start="random")
