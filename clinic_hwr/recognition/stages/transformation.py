"""Thin-plate-spline rectification, the first stage (Shi et al. 2016, RARE; Baek et al. 2019).

The localisation network predicts where fiducial points of the text line are; a thin-plate
spline maps them onto a straight grid. The last layer starts at zero with the identity grid
as bias (**identity initialisation**, y = -1 above and +1 below), not at RARE's figure 6(a):
training starts from the undistorted crop, which short runs need.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TpsRectifier(nn.Module):
    """Rectifies a batch of crops.

    Input and output: (batch, 1, height, width); the grid follows the input's own size.
    """

    target: Tensor
    inverse: Tensor

    def __init__(self, fiducial_points: int = 20, channels: tuple[int, ...] = (16, 32, 64, 64)):
        super().__init__()
        if fiducial_points < 4 or fiducial_points % 2:
            raise ValueError("fiducial_points must be even and at least 4.")
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
        self.pool = nn.AdaptiveAvgPool2d((1, half))
        self.hidden = nn.Linear(previous * half, 128)
        self.points = nn.Linear(128, fiducial_points * 2)
        xs = torch.linspace(-1, 1, half)
        grid = torch.cat(
            [
                torch.stack([xs, -torch.ones(half)], dim=1),
                torch.stack([xs, torch.ones(half)], dim=1),
            ]
        )  # (F, 2)
        nn.init.zeros_(self.points.weight)
        with torch.no_grad():
            self.points.bias.copy_(grid.flatten())
        self.register_buffer("target", grid, persistent=False)
        self.register_buffer("inverse", _inverse_delta(grid), persistent=False)
        self._basis: dict[tuple[int, int, torch.device], Tensor] = {}

    def predict_points(self, images: Tensor) -> Tensor:
        """Return fiducial points (batch, F, 2) as x, y in -1..1 of the crop."""
        small = F.interpolate(images, scale_factor=0.5, mode="bilinear", align_corners=False)
        x = self.pool(self.localisation(small)).flatten(1)
        return self.points(F.relu(self.hidden(x))).view(images.shape[0], -1, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Rectify (batch, 1, height, width)."""
        batch, _, height, width = images.shape
        with torch.autocast(images.device.type, enabled=False):
            points = self.predict_points(images).float()
            zeros = points.new_zeros(batch, 3, 2)
            weights = self.inverse @ torch.cat([points, zeros], dim=1)  # (B, F+3, 2)
            grid = (self._grid_basis(height, width) @ weights).view(batch, height, width, 2)
            return F.grid_sample(images.float(), grid, padding_mode="border", align_corners=True)

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
