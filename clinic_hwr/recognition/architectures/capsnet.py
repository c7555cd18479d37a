"""CapsNet with dynamic routing: one character in, one capsule for each class out.

Sabour, Frosst & Hinton 2017 (arXiv 1710.09829). It reads the characters of boxed fields
(``comb``); there is one class capsule for each letter and digit of the character set.

The preset ``paper`` follows the paper with more classes than MNIST's ten. It leaves the
couplings out of the gradient (as most implementations do; the paper does not say), and draws
the transformation matrices so that lengths start well above zero.

Deviations of ``small``: the 9x9 convolution is replaced by five 3x3 ones with batch
normalisation; 16 maps of primary capsules on 3x3 positions instead of 32 on 6x6, because the
62 classes make 9.1 million weights of the paper's transformation matrices; the reconstruction
network is narrower; and it is trained with rotations, slants and elastic distortions
(``training.characters``) where the paper only shifts by two pixels.

So that the prefix beam works on characters too, the answer is CTC with one column: the
log-probability of a class is the log of its capsule's length divided by the sum of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.capsules import (
    PrimaryCapsules,
    RoutedCapsules,
    capsule_lengths,
    margin_loss,
)

from .contract import Encoded, Recognizer
from .registry import register

# Log of a length that no capsule has: for the blank and for characters without a capsule.
_NEVER = -30.0
_RECONSTRUCTION_WEIGHT = 0.0005  # of the SUM of squares over the pixels, as in the paper


@dataclass(frozen=True)
class CapsNetConfig:
    """Settings of the network and of its input.

    Attributes:
        height_px, max_width_px: side of the square image.
        front_channels, front_strides, front_kernel: the convolutions before the capsules.
        front_padding: pixels of paper around each of them.
        front_norm: batch normalisation behind each of them.
        primary_maps, primary_dimensions, primary_kernel, primary_stride: ``PrimaryCapsules``.
        class_dimensions: of a class capsule.
        routing_iterations: see ``RoutedCapsules``.
        decoder: hidden widths of the reconstruction network.
    """

    height_px: int = 28
    max_width_px: int = 28
    front_channels: tuple[int, ...] = (32, 64, 64, 128, 128)
    front_strides: tuple[int, ...] = (1, 2, 1, 2, 1)
    front_kernel: int = 3
    front_padding: int = 1
    front_norm: bool = True
    primary_maps: int = 16
    primary_dimensions: int = 8
    primary_kernel: int = 3
    primary_stride: int = 2
    class_dimensions: int = 16
    routing_iterations: int = 3
    decoder: tuple[int, ...] = (128, 256)


SMALL = CapsNetConfig()
PAPER = CapsNetConfig(
    front_channels=(256,),
    front_strides=(1,),
    front_kernel=9,
    front_padding=0,
    front_norm=False,
    primary_maps=32,
    primary_kernel=9,
    decoder=(512, 1024),
)
TINY = replace(  # for tests
    SMALL,
    front_channels=(8, 16, 16),
    front_strides=(2, 2, 1),
    primary_maps=4,
    class_dimensions=8,
    decoder=(16,),
)


class CapsNet(Recognizer):
    """Convolutions, primary capsules, class capsules, reconstruction."""

    capsule_of_class: Tensor

    def __init__(self, config: CapsNetConfig, charset: Charset):
        super().__init__(config, charset)
        self.characters = "".join(c for c in charset.characters if c.isalnum())
        if not self.characters:
            raise ValueError("CapsNet reads letters and digits: the character set has none.")
        if config.height_px != config.max_width_px:
            raise ValueError("CapsNet reads squares: height_px and max_width_px must be equal.")
        self.front = _front(config)
        side = config.height_px
        for stride in config.front_strides:
            side = (side + 2 * config.front_padding - config.front_kernel) // stride + 1
        side = (side - config.primary_kernel) // config.primary_stride + 1
        self.primary = PrimaryCapsules(
            config.front_channels[-1],
            config.primary_maps,
            config.primary_dimensions,
            config.primary_kernel,
            config.primary_stride,
        )
        self.classes = RoutedCapsules(
            config.primary_maps * side * side,
            config.primary_dimensions,
            len(self.characters),
            config.class_dimensions,
            config.routing_iterations,
        )
        self.reconstruction = _reconstruction(config, len(self.characters))
        known = {c: i for i, c in enumerate(self.characters)}
        self.register_buffer(
            "capsule_of_class",
            torch.tensor([-1, *(known.get(c, -1) for c in charset.characters)]),
            persistent=False,
        )

    def capsules(self, images: Tensor) -> Tensor:
        """Class capsules (batch, classes, dimensions) of squares (batch, 1, side, side)."""
        side = self.config.height_px
        if images.shape[2:] != (side, side):
            raise ValueError(
                f"CapsNet reads characters of {side}x{side} px, not {tuple(images.shape[2:])}: "
                "cut them with comb.split_comb."
            )
        return self.classes(self.primary(self.front(images)))

    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """One column for each image: its class capsules side by side; see ``Recognizer``."""
        capsules = self.capsules(images)
        scores = F.pad(capsule_lengths(capsules).log(), (0, 1), value=_NEVER)  # -1 is the last
        logits = scores[:, self.capsule_of_class].unsqueeze(1)  # (B, 1, charset.size)
        mask = torch.ones(len(images), 1, dtype=torch.bool, device=images.device)
        return Encoded(capsules.flatten(1).unsqueeze(1), mask, logits)

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """Margin loss and reconstruction; see ``Recognizer.loss``.

        An image whose text is empty or has no capsule should wake no capsule at all.

        Returns:
            ``loss`` and its parts ``margin`` and ``squares``, the sum of squares of an image.
        """
        if targets.shape[1] != 1:
            raise ValueError("CapsNet learns single characters: each text must be one.")
        capsules = self.capsules(images)
        present = self._present(targets[:, 0])
        margin = margin_loss(capsule_lengths(capsules), present)
        with torch.autocast(images.device.type, enabled=False):
            drawn = self._draw(capsules, present)
            squares = (drawn - images.float().flatten(1)).square().sum(1).mean()
        loss = margin + _RECONSTRUCTION_WEIGHT * squares
        return {"loss": loss, "margin": margin.detach(), "squares": squares.detach()}

    @torch.inference_mode()
    def reconstruct(self, images: Tensor) -> Tensor:
        """Draw the longest capsule of each image, the others masked; shape of ``images``."""
        capsules = self.capsules(images)
        winners = capsule_lengths(capsules).argmax(1)
        present = F.one_hot(winners, capsules.shape[1]).to(capsules.dtype)
        return self._draw(capsules, present).view_as(images)

    def _present(self, targets: Tensor) -> Tensor:
        """(batch, capsules) float32, 1 at the capsule of the true class."""
        wanted = self.capsule_of_class[targets].unsqueeze(1)
        numbers = torch.arange(len(self.characters), device=targets.device)
        return (wanted == numbers).float()

    def _draw(self, capsules: Tensor, present: Tensor) -> Tensor:
        """Pixels 0..1 (batch, side * side) of the capsules that ``present`` lets through."""
        drawn: Tensor = self.reconstruction((capsules * present.unsqueeze(2)).flatten(1))
        return drawn


def _front(config: CapsNetConfig) -> nn.Sequential:
    layers: list[nn.Module] = []
    previous = 1
    for channels, stride in zip(config.front_channels, config.front_strides, strict=True):
        layers.append(
            nn.Conv2d(
                previous,
                channels,
                config.front_kernel,
                stride,
                config.front_padding,
                bias=not config.front_norm,
            )
        )
        if config.front_norm:
            layers.append(nn.BatchNorm2d(channels))
        layers.append(nn.ReLU(inplace=True))
        previous = channels
    return nn.Sequential(*layers)


def _reconstruction(config: CapsNetConfig, classes: int) -> nn.Sequential:
    widths = (classes * config.class_dimensions, *config.decoder)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], config.height_px**2), nn.Sigmoid())


@register(
    "capsnet",
    config=CapsNetConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Sabour, Frosst & Hinton 2017, arXiv 1710.09829",
    paper_parameters=16_309_264,  # 8,215,568 with MNIST's ten classes, as published
    reads="character",
)
def build(config: CapsNetConfig, charset: Charset) -> CapsNet:
    """Build CapsNet."""
    return CapsNet(config, charset)
