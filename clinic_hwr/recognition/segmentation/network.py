"""A small network that marks the lines of writing and of print on a page.

An encoder of timm (a ResNet of one or two blocks a stage) and a decoder that adds its maps up, as
feature pyramid networks do (Lin et al. 2017). For every second pixel it says how likely this is the
core of a line of handwriting, and of a line of print: the middle half of the line's height, so that
cores of neighbouring lines do not touch even where their letters do (the idea of the shrunk regions
of PSENet, Wang et al. 2019, and DB, Liao et al. 2020); and how likely it is the core of a line, of
either sort, that is crossed out there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
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
STRUCK_WIDTH = 16
"""Channels of the branch that looks for crossed-out lines."""
HAND, PRINT, STRUCK = 0, 1, 2
"""Channels of its maps."""


class LineSegmenter(nn.Module):
    """Maps of line cores from pages.

    Args:
        channels: of the encoder's four stages.
        blocks: of the encoder's four stages.
        stem_width: half the channels of the stem's output.
        width: channels of the decoder.
        fine_width: of its finest level, which costs as much as all the others together. ONNX
            Runtime computes blocks of 16 channels: 24 would cost what 32 do.
        struck_width: channels of the branch that looks for crossed-out lines, on the level before
            the finest; 0 leaves it out, and its map.
    """

    def __init__(
        self,
        channels: Sequence[int] = (16, 32, 64, 96),
        blocks: Sequence[int] = (1, 1, 2, 2),
        stem_width: int = 8,
        width: int = 32,
        fine_width: int = 16,
        struck_width: int = STRUCK_WIDTH,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "channels": list(channels), "blocks": list(blocks), "stem_width": stem_width,
            "width": width, "fine_width": fine_width,
            "struck_width": struck_width,
        }  # fmt: skip
        self.encoder = timm.create_model(
            "resnet10t",
            pretrained=False,
            features_only=True,
            in_chans=1,
            stem_width=stem_width,
            channels=tuple(channels),
            layers=tuple(blocks),
        )
        info = cast(Any, self.encoder.feature_info)
        levels: list[int] = info.channels()
        widths = [fine_width, *[width] * (len(levels) - 1)]
        self.laterals = nn.ModuleList(
            nn.Conv2d(size, wide, 1) for size, wide in zip(levels, widths, strict=True)
        )
        same = fine_width == width
        self.narrowed = nn.Identity() if same else nn.Conv2d(width, fine_width, 1, bias=False)
        self.smooth = nn.Sequential(
            nn.Conv2d(fine_width, fine_width, 3, padding=1, bias=False),
            nn.BatchNorm2d(fine_width),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Conv2d(fine_width, 2, 1)
        self.struck = _branch(width, struck_width) if struck_width else None

    def forward(self, pages: Tensor) -> Tensor:
        """Mark what is on pages: (batch, 1, height, width) of ink 0..1.

        Returns:
            Logits (batch, 3, height / 2, width / 2); 2 maps without ``struck_width``.
        """
        maps = self.encoder(pages)
        merged = self.laterals[-1](maps[-1])
        for number in reversed(range(len(maps) - 1)):
            last, coarser = merged, merged if number else self.narrowed(merged)
            merged = self.laterals[number](maps[number]) + _enlarged(coarser)
        lines = cast(Tensor, self.head(self.smooth(merged)))
        if self.struck is None:
            return lines
        return torch.cat([lines, _enlarged(self.struck(last))], dim=1)


def _branch(width: int, wide: int) -> nn.Sequential:
    """One map from the maps of a level."""
    return nn.Sequential(
        nn.Conv2d(width, wide, 3, padding=1, bias=False),
        nn.BatchNorm2d(wide),
        nn.ReLU(inplace=True),
        nn.Conv2d(wide, 1, 1),
    )


def _enlarged(maps: Tensor) -> Tensor:
    return functional.interpolate(maps, scale_factor=2.0, mode="nearest")


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
    "STRUCK",
    "STRUCK_WIDTH",
    "LineSegmenter",
    "as_input",
    "parameters_of",
]
