"""The three feature extractors that Baek et al. 2019 compare, as published, at any width.

VGG of CRNN (Shi et al. 2015), gated recurrent convolutions (Lee & Osindero 2016; GRCNN, Wang &
Hu 2017) and the residual network of FAN (Cheng et al. 2017).

Deviations, the same in all three: text keeps one column for four pixels. Where the originals
pad by one pixel on both sides of the width before a 2x2 window of stride 1 (one column more than
width / 4) or do not pad (one less), only the right side is padded here. Heights that leave more
than one row are averaged away, as in Baek et al.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clinic_hwr.recognition.torchvision_ops import declare_missing_ops

declare_missing_ops()

from timm.models.resnet import BasicBlock  # noqa: E402  (needs the ops declared first)

MIN_HEIGHT_PX = 32  # all three halve the height four times and then look at two rows
Channels = tuple[int, int, int, int]


class VggFeatures(nn.Module):
    """Seven convolutions, four poolings; the last two poolings keep the width.

    Args:
        channels: of the stages; (64, 128, 256, 512) in CRNN.
        normalised: convolutions with batch normalisation (and then without a bias), counted
            from 0; the fifth and sixth in CRNN.
    """

    foldable = True  # each normalisation follows its own convolution; see ``inference``

    def __init__(self, channels: Channels, normalised: Collection[int] = (4, 5)):
        super().__init__()
        a, b, c, d = channels
        widths = (a, b, c, c, d, d, d)
        pools = {0: (2, 2), 1: (2, 2), 3: (2, 1), 5: (2, 1)}
        layers: list[nn.Module] = []
        previous = 1
        for index, width in enumerate(widths):
            last = index == len(widths) - 1
            if last:
                layers += [_right(), nn.Conv2d(previous, width, 2, bias=index not in normalised)]
            else:
                layers.append(
                    nn.Conv2d(previous, width, 3, padding=1, bias=index not in normalised)
                )
            if index in normalised:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU(inplace=True))
            if index in pools:
                layers.append(nn.MaxPool2d(pools[index]))
            previous = width
        self.net = nn.Sequential(*layers)
        self.out_channels = previous

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 1, height, width) -> (batch, width / 4, channels)."""
        return _columns(self.net(images))


class GatedRecurrentConv(nn.Module):
    """A convolution that looks at its own output again and again, through a gate.

    x(0) = relu(N(w_f * u)), then for each step, with normalisations N of its own,
    g = sigmoid(N(v_f * u) + N(v_r * x)) and x = relu(N(w_f * u) + N(N(w_r * x) g)).
    The 3x3 weights w and the 1x1 weights v are shared by all steps.

    Args:
        in_channels, out_channels: of u and x.
        steps: how often it looks again; 5 in GRCNN.
    """

    def __init__(self, in_channels: int, out_channels: int, steps: int = 5):
        super().__init__()
        self.feed = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.state = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.gate_feed = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.gate_state = nn.Conv2d(out_channels, out_channels, 1, bias=False)
        self.start = nn.BatchNorm2d(out_channels)
        self.steps = nn.ModuleList(_GateNorms(out_channels) for _ in range(steps))

    def forward(self, u: Tensor) -> Tensor:
        """(batch, in, height, width) -> (batch, out, height, width)."""
        feed, gate_feed = self.feed(u), self.gate_feed(u)
        x: Tensor = F.relu(self.start(feed))
        for norms in self.steps:
            x = norms(feed, self.state(x), gate_feed, self.gate_state(x))
        return x


class _GateNorms(nn.Module):
    """One step of ``GatedRecurrentConv``: what its steps do not share."""

    def __init__(self, channels: int):
        super().__init__()
        self.feed = nn.BatchNorm2d(channels)
        self.state = nn.BatchNorm2d(channels)
        self.gate_feed = nn.BatchNorm2d(channels)
        self.gate_state = nn.BatchNorm2d(channels)
        self.gated = nn.BatchNorm2d(channels)

    def forward(self, feed: Tensor, state: Tensor, gate_feed: Tensor, gate_state: Tensor) -> Tensor:
        gate = torch.sigmoid(self.gate_feed(gate_feed) + self.gate_state(gate_state))
        return F.relu(self.feed(feed) + self.gated(self.state(state) * gate))


class RcnnFeatures(nn.Module):
    """Three gated recurrent convolutions between two ordinary ones.

    Args:
        channels: (64, 128, 256, 512) in GRCNN; the first recurrent layer has the first number.
        steps: see ``GatedRecurrentConv``.
    """

    def __init__(self, channels: Channels, steps: int = 5):
        super().__init__()
        a, b, c, d = channels
        self.net = nn.Sequential(
            nn.Conv2d(1, a, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            GatedRecurrentConv(a, a, steps),
            nn.MaxPool2d(2),
            GatedRecurrentConv(a, b, steps),
            _right(),  # nothing is below 0 here, so a zero never wins
            nn.MaxPool2d(2, (2, 1)),
            GatedRecurrentConv(b, c, steps),
            _right(),
            nn.MaxPool2d(2, (2, 1)),
            _right(),
            *_layer(c, d, 2, padding=0),
        )
        self.out_channels = d

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 1, height, width) -> (batch, width / 4, channels)."""
        return _columns(self.net(images))


class FanFeatures(nn.Module):
    """The residual network of FAN; 29 layers with (1, 2, 5, 3) blocks.

    Args:
        channels: of the four stages; (128, 256, 512, 512) in FAN.
        layers: BasicBlocks in each stage.
        stem_width: half the channels of the stem's output; 32 in FAN.
    """

    foldable = True  # each normalisation follows its own convolution; see ``inference``

    def __init__(self, channels: Channels, layers: Channels, stem_width: int):
        super().__init__()
        a, b, c, d = channels
        self.net = nn.Sequential(
            *_layer(1, stem_width),
            *_layer(stem_width, 2 * stem_width),
            nn.MaxPool2d(2),
            *_blocks(2 * stem_width, a, layers[0]),
            *_layer(a, a),
            nn.MaxPool2d(2),
            *_blocks(a, b, layers[1]),
            *_layer(b, b),
            _right(),  # nothing is below 0 here, so a zero never wins
            nn.MaxPool2d(2, (2, 1)),
            *_blocks(b, c, layers[2]),
            *_layer(c, c),
            *_blocks(c, d, layers[3]),
            _right(),
            *_layer(d, d, 2, stride=(2, 1), padding=0),
            _right(),
            *_layer(d, d, 2, padding=0),
        )
        self.out_channels = d

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 1, height, width) -> (batch, width / 4, channels)."""
        return _columns(self.net(images))


def _columns(features: Tensor) -> Tensor:
    """(batch, channels, rows, columns) -> (batch, columns, channels)."""
    return features.mean(dim=2).transpose(1, 2)


def _right() -> nn.Module:
    """One column of zeros on the right, so that a window of two keeps the width."""
    return nn.ZeroPad2d((0, 1, 0, 0))


def _layer(
    before: int, after: int, kernel: int = 3, stride: tuple[int, int] = (1, 1), padding: int = 1
) -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    ]


def _blocks(before: int, after: int, count: int) -> list[nn.Module]:
    shortcut = None
    if before != after:
        shortcut = nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
    first = BasicBlock(before, after, downsample=shortcut)
    return [first, *(BasicBlock(after, after) for _ in range(count - 1))]
