"""Thin-plate-spline rectification, the first stage (Shi et al. 2016, RARE; Baek et al. 2019).

The localisation network predicts where fiducial points of the text line are; a thin-plate
spline maps them onto a straight grid. The last layer starts at zero, so its bias says where the
points start. ``identity`` (y = -1 above and +1 below) begins with the undistorted crop, which
short runs need; ``rare`` is RARE's figure 6(a), as in the code of Baek et al.: x from -1 to 1,
y from 0 to -1 above and from 1 to 0 below.

Deviation from that code: pixels stand at the corners of the grid (-1 and 1 are the first and the
last), as ``align_corners`` expects, not at pixel centres; so the identity is exact. The grid
follows the size of each batch instead of being fixed to 32x100.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Start = Literal["identity", "rare"]


class TpsRectifier(nn.Module):
    """Rectifies a batch of crops.

    Input and output: (batch, 1, height, width); the grid follows the input's own size.

    Args:
        fiducial_points: half of them above the text, half below.
        channels: of the localisation network; (64, 128, 256, 512) in Baek et al.
        hidden: of its linear layer; 256 in Baek et al.
        positions: parts of the width that are pooled apart; 0 = one for each pair of points.
            Baek et al. pool everything into one.
        scale: of what the localisation network sees; 1 in Baek et al.
        start: where the points start; see the module.
    """

    target: Tensor
    inverse: Tensor

    def __init__(
        self,
        fiducial_points: int = 20,
        channels: tuple[int, ...] = (16, 32, 64, 64),
        hidden: int = 128,
        positions: int = 0,
        scale: float = 0.5,
        start: Start = "identity",
    ):
        super().__init__()
        if fiducial_points < 4 or fiducial_points % 2:
            raise ValueError("fiducial_points must be even and at least 4.")
        if start not in get_args(Start):
            raise ValueError(f"The points start at one of {', '.join(get_args(Start))}.")
        self.scale = scale
        layers: list[nn.Module] = []
        previous = 1
        for index, width in enumerate(channels):
            layers += [
                nn.Conv2d(previous, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            if index < len(channels) - 1:
                layers.append(nn.MaxPool2d(2))
            previous = width
        self.localisation = nn.Sequential(*layers)
        half = fiducial_points // 2
        # Features keep a coarse left-to-right order: one point pair needs to know where it is.
        positions = positions or half
        self.pool = nn.AdaptiveAvgPool2d((1, positions))
        self.hidden = nn.Linear(previous * positions, hidden)
        self.points = nn.Linear(hidden, fiducial_points * 2)
        grid = _points(-torch.ones(half), torch.ones(half))
        first = grid
        if start == "rare":
            first = _points(torch.linspace(0, -1, half), torch.linspace(1, 0, half))
        nn.init.zeros_(self.points.weight)
        with torch.no_grad():
            self.points.bias.copy_(first.flatten())
        self.register_buffer("target", grid, persistent=False)
        self.register_buffer("inverse", _inverse_delta(grid), persistent=False)
        self._basis: dict[tuple[int, int, torch.device], Tensor] = {}

    def predict_points(self, images: Tensor) -> Tensor:
        """Return fiducial points (batch, F, 2) as x, y in -1..1 of the crop."""
        seen = images
        if self.scale != 1:
            seen = F.interpolate(
                images, scale_factor=self.scale, mode="bilinear", align_corners=False
            )
        x = self.pool(self.localisation(seen)).flatten(1)
        return self.points(F.relu(self.hidden(x))).view(images.shape[0], -1, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Rectify (batch, 1, height, width)."""
        with torch.autocast(images.device.type, enabled=False):
            points = self.predict_points(images).float()
            grid = self.sampling_grid(points, images.shape[2], images.shape[3])
            return F.grid_sample(images.float(), grid, padding_mode="border", align_corners=True)

    def sampling_grid(self, points: Tensor, height: int, width: int) -> Tensor:
        """Where each output pixel is taken from: (batch, height, width, 2) x, y in -1..1.

        Args:
            points: (batch, F, 2); see ``predict_points``.
            height, width: of the output in pixels.
        """
        zeros = points.new_zeros(len(points), 3, 2)
        weights = self.inverse @ torch.cat([points, zeros], dim=1)  # (B, F+3, 2)
        grid = self._grid_basis(height, width) @ weights
        return grid.view(len(points), height, width, 2)

    def _grid_basis(self, height: int, width: int) -> Tensor:
        """Spline basis of every output pixel, (height * width, F + 3); cached by size."""
        key = (height, width, self.target.device)
        if key not in self._basis:
            ys = torch.linspace(-1, 1, height, device=self.target.device)
            xs = torch.linspace(-1, 1, width, device=self.target.device)
            grid = torch.stack(torch.meshgrid(ys, xs, indexing="ij"), dim=-1)
            pixels = grid.flip(-1).reshape(-1, 2)
            if len(self._basis) > 64:
                self._basis.clear()
            self._basis[key] = torch.cat(
                [
                    pixels.new_ones(len(pixels), 1),
                    pixels,
                    _radial(torch.cdist(pixels, self.target)),
                ],
                dim=1,
            )
        return self._basis[key]


def _points(above: Tensor, below: Tensor) -> Tensor:
    """Points (F, 2) as x, y: evenly spaced in x, those above the text first."""
    xs = torch.linspace(-1, 1, len(above))
    return torch.cat([torch.stack([xs, above], dim=1), torch.stack([xs, below], dim=1)])


def _radial(distance: Tensor) -> Tensor:
    """r^2 log r, 0 at r = 0."""
    return distance.square() * torch.log(distance.clamp_min(1e-6))


def _inverse_delta(points: Tensor) -> Tensor:
    """Inverse of the (F+3, F+3) spline system for fixed target points."""
    count = len(points)
    delta = torch.zeros(count + 3, count + 3, dtype=torch.float64)
    p = points.double()
    delta[:count, 0] = 1
    delta[:count, 1:3] = p
    delta[:count, 3:] = _radial(torch.cdist(p, p))
    delta[count, 3:] = 1
    delta[count + 1 :, 3:] = p.T
    return torch.linalg.inv(delta).float()
