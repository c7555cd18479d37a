"""A small network that marks the lines of writing and of print on a page.

An encoder of timm (a ResNet of one block a stage) and a decoder that adds its maps up, as feature
pyramid networks do (Lin et al. 2017). For every second pixel it says how likely this is the core
of a line of handwriting, and of a line of print: the middle half of the line's height, so that
cores of neighbouring lines do not touch even where their letters do (the idea of the shrunk
regions of PSENet, Wang et al. 2019, and DB, Liao et al. 2020).
"""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional

from clinic_hwr.recognition.torchvision_ops import declare_missing_ops

declare_missing_ops()

import timm  # noqa: E402  (needs the ops declared first)

INPUT_LONG_SIDE = 1024
"""Pixels of the long side of a page as the network sees it."""
STRIDE = 2
"""Input pixels a pixel of its maps."""
MULTIPLE = 32
"""Both sides of an input must be a multiple of this."""
HAND, PRINT = 0, 1
"""Channels of its maps."""


class LineSegmenter(nn.Module):
    """Maps of line cores from pages.

    Args:
        channels: of the encoder's four stages.
        stem_width: half the channels of the stem's output.
        width: channels of the decoder.
    """

    def __init__(
        self,
        channels: tuple[int, int, int, int] = (16, 32, 48, 64),
        stem_width: int = 8,
        width: int = 24,
    ) -> None:
        super().__init__()
        self.encoder = timm.create_model(
            "resnet10t",
            pretrained=False,
            features_only=True,
            in_chans=1,
            stem_width=stem_width,
            channels=channels,
        )
        info = cast(Any, self.encoder.feature_info)
        levels: list[int] = info.channels()
        self.laterals = nn.ModuleList(nn.Conv2d(size, width, 1) for size in levels)
        self.smooth = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, pages: Tensor) -> Tensor:
        """(batch, 1, height, width) of ink 0..1 -> logits (batch, 2, height / 2, width / 2)."""
        maps = self.encoder(pages)
        merged = self.laterals[-1](maps[-1])
        for lateral, level in zip(
            reversed(list(self.laterals)[:-1]), reversed(maps[:-1]), strict=True
        ):
            merged = lateral(level) + functional.interpolate(
                merged, scale_factor=2.0, mode="nearest"
            )
        return cast(Tensor, self.head(self.smooth(merged)))


def parameters_of(model: nn.Module) -> int:
    """Return how many numbers a model has learnt."""
    return sum(weight.numel() for weight in model.parameters())


def as_input(ink: Tensor) -> Tensor:
    """Pad a page (1, height, width) of ink 0..1 with paper to multiples of ``MULTIPLE``."""
    height, width = ink.shape[-2:]
    return functional.pad(ink, (0, -width % MULTIPLE, 0, -height % MULTIPLE))


__all__ = [
    "HAND",
    "INPUT_LONG_SIDE",
    "MULTIPLE",
    "PRINT",
    "STRIDE",
    "LineSegmenter",
    "as_input",
    "parameters_of",
]
