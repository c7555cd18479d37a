"""Building blocks of BigGAN (Brock et al. 2019): spectral norm, conditional batch norm, blocks.

Spectral norm follows Miyato et al. 2018, conditional batch norm de Vries et al. 2017. Both
keep their running state in buffers that may be averaged and rounded to half precision.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INITIAL_STD = 0.02  # of normal initial weights, as in the code the authors released


class SpectralNorm(nn.Module):
    """Divides a weight by its largest singular value, found by power iteration.

    Only the left vector is kept, and it is normalised where it is used: an average of such
    vectors is as good a starting point as the last one, which a stored pair (u, v) is not.

    Args:
        rows: outputs of the layer.
    """

    u: Tensor

    def __init__(self, rows: int):
        super().__init__()
        self.register_buffer("u", F.normalize(torch.randn(rows), dim=0))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight with spectral norm about one; one iteration in training."""
        matrix = weight.flatten(1)
        # Half precision would make the estimate jump from step to step.
        with torch.autocast(weight.device.type, enabled=False):
            with torch.no_grad():
                v = F.normalize(matrix.T @ F.normalize(self.u.float(), dim=0), dim=0)
                u = F.normalize(matrix @ v, dim=0)
                if self.training:
                    self.u = u
            sigma = torch.dot(u, matrix @ v)
        return weight / sigma


class SpectralConv2d(nn.Conv2d):
    """A convolution of stride 1 that keeps the size, spectrally normalised."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int):
        super().__init__(in_channels, out_channels, kernel, padding=kernel // 2)
        nn.init.normal_(self.weight, 0.0, INITIAL_STD)
        nn.init.zeros_(self.bias)  # type: ignore[arg-type]  # there is a bias
        self.norm = SpectralNorm(out_channels)

    def forward(self, images: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H, W)."""
        return F.conv2d(images, self.norm(self.weight), self.bias, padding=self.padding)


class SpectralLinear(nn.Linear):
    """A linear layer, spectrally normalised."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True):
        super().__init__(in_features, out_features, bias)
        nn.init.normal_(self.weight, 0.0, INITIAL_STD)
        if bias:
            nn.init.zeros_(self.bias)
        self.norm = SpectralNorm(out_features)

    def forward(self, values: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        return F.linear(values, self.norm(self.weight), self.bias)


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain and shift are linear in a part of the noise.

    Args:
        channels: of the images.
        condition: numbers in the noise's part.
    """

    def __init__(self, channels: int, condition: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain = SpectralLinear(condition, channels, bias=False)
        self.shift = SpectralLinear(condition, channels, bias=False)

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        """(B, C, H, W), (B, condition) -> (B, C, H, W)."""
        gain = 1 + self.gain(condition)[:, :, None, None]
        return self.norm(images) * gain + self.shift(condition)[:, :, None, None]


class UpBlock(nn.Module):
    """Residual block of the generator.

    Args:
        in_channels, out_channels: of the images.
        condition: numbers in the noise's part.
        upsample: factors of height and width.
        last_kernel: of the second convolution; 1 where the receptive field is wide enough.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        condition: int,
        upsample: tuple[int, int],
        last_kernel: int = 3,
    ):
        super().__init__()
        self.upsample = upsample
        self.first_norm = ConditionalBatchNorm(in_channels, condition)
        self.first = SpectralConv2d(in_channels, out_channels, 3)
        self.second_norm = ConditionalBatchNorm(out_channels, condition)
        self.second = SpectralConv2d(out_channels, out_channels, last_kernel)
        self.skip = SpectralConv2d(in_channels, out_channels, 1)

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        """(B, in, H, W), (B, condition) -> (B, out, H * upsample[0], W * upsample[1])."""
        inner = self._larger(F.relu(self.first_norm(images, condition)))
        inner = F.relu(self.second_norm(self.first(inner), condition))
        # A convolution of one pixel commutes with copying pixels, and is cheaper before it.
        return self.second(inner) + self._larger(self.skip(images))

    def _larger(self, images: Tensor) -> Tensor:
        high, wide = self.upsample
        return F.interpolate(images, scale_factor=(float(high), float(wide)), mode="nearest")


class DownBlock(nn.Module):
    """Residual block of the discriminator.

    Args:
        in_channels, out_channels: of the images.
        preactivation: whether it begins with a rectifier; the first block of a network,
            which sees the image itself, does not.
        downsample: whether height and width are halved at the end.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, preactivation: bool, downsample: bool
    ):
        super().__init__()
        self.preactivation = preactivation
        self.downsample = downsample
        self.first = SpectralConv2d(in_channels, out_channels, 3)
        self.second = SpectralConv2d(out_channels, out_channels, 3)
        self.skip = SpectralConv2d(in_channels, out_channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H, W) or half of it."""
        inner = self.first(F.relu(images) if self.preactivation else images)
        inner = self.second(F.relu(inner))
        if not self.downsample:
            return inner + self.skip(images)
        # Averaging commutes with a convolution of one pixel, which is cheaper after it.
        return F.avg_pool2d(inner, 2) + self.skip(F.avg_pool2d(images, 2))
