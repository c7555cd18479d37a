"""Capsules: vectors whose length says whether a thing is there and whose direction says how.

Sabour, Frosst & Hinton 2017 (arXiv 1710.09829). Lengths, couplings and their logits are float32
also under autocast, which would round short capsules to nothing; the large products of
predictions follow autocast (measured: bfloat16 takes 181 ms instead of 289 ms for 128 crops).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 1e-7  # inside the root: the length of a capsule that is zero has a gradient
MARGIN_PRESENT, MARGIN_ABSENT, ABSENT_WEIGHT = 0.9, 0.1, 0.5  # the paper's m+, m- and lambda


def squash(vectors: Tensor) -> Tensor:
    """Shrink (..., dimensions) to lengths below one, directions kept (equation 1)."""
    vectors = vectors.float()
    squared = vectors.square().sum(-1, keepdim=True)
    return vectors * (squared / (1 + squared) / (squared + EPSILON).sqrt())


def capsule_lengths(capsules: Tensor) -> Tensor:
    """Lengths (...) of capsules (..., dimensions); differentiable at zero."""
    return (capsules.square().sum(-1) + EPSILON**2).sqrt()


def margin_loss(lengths: Tensor, present: Tensor) -> Tensor:
    """Sum over the classes, mean over the batch (equation 4).

    Args:
        lengths: (batch, classes) of the class capsules.
        present: (batch, classes), 1 where the class is in the image, else 0.
    """
    missed = F.relu(MARGIN_PRESENT - lengths).square()
    invented = F.relu(lengths - MARGIN_ABSENT).square()
    losses = present * missed + ABSENT_WEIGHT * (1 - present) * invented
    return losses.sum(1).mean()


class PrimaryCapsules(nn.Module):
    """A convolution whose channels are grouped to capsules; (B, C, H, W) -> (B, inputs, dim).

    A capsule is made of ``dimensions`` channels **of one position**. The maps of capsules lie
    one after the other, as in the paper: capsule ``map * positions + position``.

    Args:
        channels: of the features.
        maps, dimensions: the convolution has ``maps * dimensions`` channels.
        kernel, stride: of the convolution, which is not padded.
    """

    def __init__(self, channels: int, maps: int, dimensions: int, kernel: int, stride: int):
        super().__init__()
        self.maps = maps
        self.dimensions = dimensions
        self.conv = nn.Conv2d(channels, maps * dimensions, kernel, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Make capsules."""
        grid = self.conv(features)
        batch, _, height, width = grid.shape
        grid = grid.reshape(batch, self.maps, self.dimensions, height, width)
        return squash(grid.permute(0, 1, 3, 4, 2).reshape(batch, -1, self.dimensions))


class RoutedCapsules(nn.Module):
    """Capsules routed by agreement (procedure 1); (B, inputs, in) -> (B, outputs, out).

    Each pair of an input and an output has a matrix of its own. Gradients flow through the
    last iteration only: the couplings are constants to them.

    Args:
        inputs, in_dimensions: of the layer below.
        outputs, out_dimensions: of this layer.
        iterations: of the routing.
    """

    def __init__(
        self, inputs: int, in_dimensions: int, outputs: int, out_dimensions: int, iterations: int
    ):
        super().__init__()
        if iterations < 1:
            raise ValueError("Routing takes at least one iteration.")
        self.outputs = outputs
        self.out_dimensions = out_dimensions
        self.iterations = iterations
        # (inputs, 1, in, outputs * out): the second axis stands for the batch. It also tells
        # Muon that this is no matrix to orthogonalise, but many small ones.
        self.weight = nn.Parameter(torch.empty(inputs, 1, in_dimensions, outputs * out_dimensions))
        # Inputs of length 1/2 then give outputs whose length before squashing is about 1/2 with
        # even couplings: shorter ones have next to no gradient (squash is quadratic at zero).
        # Many classes would make it so large that chance decides the routing: it ends at 1/2.
        std = outputs / math.sqrt(inputs * out_dimensions)
        nn.init.normal_(self.weight, std=min(std, 0.5))

    def forward(self, capsules: Tensor) -> Tensor:
        """Route."""
        predictions = self.predictions(capsules)
        return _weighted(self.couplings(predictions.detach()), predictions)

    def predictions(self, capsules: Tensor) -> Tensor:
        """What each input says of each output, (batch, outputs, inputs, out)."""
        batch, inputs, _ = capsules.shape
        said = torch.bmm(capsules.transpose(0, 1), self.weight.squeeze(1))  # (I, B, O * out)
        said = said.view(inputs, batch, self.outputs, self.out_dimensions)
        return said.permute(1, 2, 0, 3).contiguous()

    @torch.no_grad()
    def couplings(self, predictions: Tensor) -> Tensor:
        """Couplings of the last iteration, (batch, outputs, inputs); their sum over the outputs
        is one for each input."""
        logits = torch.zeros(predictions.shape[:3], device=predictions.device)
        for _ in range(self.iterations - 1):
            outputs = _weighted(logits.softmax(1), predictions)
            logits = logits + (predictions @ outputs.unsqueeze(3)).squeeze(3)
        return logits.softmax(1)


def _weighted(couplings: Tensor, predictions: Tensor) -> Tensor:
    """Squashed weighted sum over the inputs, (batch, outputs, out)."""
    return squash((couplings.unsqueeze(2) @ predictions).squeeze(2))
