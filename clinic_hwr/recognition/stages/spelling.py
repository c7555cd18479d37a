"""A recurrent speller whose attention knows where it looked last.

Location attention is Chorowski et al. 2015 (arXiv 1506.07503); the speller is that of Kang et
al. 2018 (Convolve, Attend and Spell): two GRU layers behind an embedding and the context.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .prediction import Decoder, Tensors

Feed = Literal["teacher", "own", "multinomial"]


class LocationAttention(nn.Module):
    """Bahdanau's attention with a convolution of the previous weights inside the tanh.

    Args:
        features: of a column; hidden: of the speller.
        filters, window: K and R of the convolution; the window is odd.
        smoothed: normalise sigmoids instead of exponentials, so that several columns count.
    """

    def __init__(self, features: int, hidden: int, filters: int, window: int, smoothed: bool):
        super().__init__()
        if window % 2 == 0:
            raise ValueError("The window of location attention must be odd.")
        self.project_columns = nn.Linear(features, hidden)
        self.project_state = nn.Linear(hidden, hidden, bias=False)
        self.location = nn.Conv1d(1, filters, window, padding=window // 2)
        self.project_location = nn.Linear(filters, hidden, bias=False)
        self.score = nn.Linear(hidden, 1)
        self.smoothed = smoothed

    def energies(self, state: Tensor, projected: Tensor, previous: Tensor) -> Tensor:
        """Score every column.

        Args:
            state: (batch, hidden) of the speller.
            projected: (batch, T, hidden), by ``project_columns``.
            previous: (batch, T) weights of the step before.

        Returns:
            (batch, T).
        """
        place = self.location(previous.unsqueeze(1)).transpose(1, 2)  # (B, T, K)
        wanted = self.project_state(state).unsqueeze(1)
        inner = torch.tanh(projected + wanted + self.project_location(place))
        return self.score(inner).squeeze(2)

    def forward(self, state: Tensor, projected: Tensor, previous: Tensor, mask: Tensor) -> Tensor:
        """Weights (batch, T) that sum to one, 0 where the mask is False; see ``energies``."""
        energies = self.energies(state, projected, previous).float()
        if not self.smoothed:
            return energies.masked_fill(~mask, float("-inf")).softmax(dim=1)
        share = energies.sigmoid() * mask
        return share / share.sum(dim=1, keepdim=True)


class Speller(Decoder):
    """Two GRU layers and location attention.

    Memory is (columns, their projection, mask); the state is the hidden vector of both layers
    and the attention weights (batch, T). Columns are as wide as the hidden vectors, which
    start from the first column: the backward direction of the encoder ends there.
    """

    def __init__(
        self,
        hidden: int,
        classes: int,
        embedding: int,
        filters: int,
        window: int,
        smoothed: bool,
        dropout: float,
    ):
        super().__init__()
        self.classes = classes
        self.embed = nn.Embedding(classes, embedding)
        self.attention = LocationAttention(hidden, hidden, filters, window, smoothed)
        self.lower = nn.GRUCell(embedding + hidden, hidden)
        self.upper = nn.GRUCell(hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, classes)

    def memory(self, columns: Tensor, mask: Tensor) -> Tensors:
        """Columns, their projection (batch, T, hidden), and the mask; see ``Decoder``."""
        return columns, self.attention.project_columns(columns), mask

    def initial_state(self, memory: Tensors) -> Tensors:
        """The first column for both layers, and no attention yet."""
        columns, _, mask = memory
        first = columns[:, 0].float()
        return first, first, torch.zeros_like(mask, dtype=torch.float32)

    def step(self, previous: Tensor, state: Tensors, memory: Tensors) -> tuple[Tensor, Tensors]:
        """Write one character; see ``Decoder.step``."""
        state = self._advance(self.embed(previous), state, memory)
        return self.output(state[1]), state

    def forward(
        self, columns: Tensor, mask: Tensor, targets: Tensor, feed: Feed = "teacher"
    ) -> Tensor:
        """Spell with the previous character from the truth or from the speller itself.

        Args:
            columns, mask, targets: see ``Decoder.forward``.
            feed: ``teacher`` = the true character, ``own`` = the most probable one,
                ``multinomial`` = one drawn from the predicted distribution.

        Returns:
            logits (batch, L + 1, classes).
        """
        memory = self.memory(columns, mask)
        state = self.initial_state(memory)
        previous = self.embed(F.pad(targets, (1, 0)))  # (B, L + 1, E)
        spoken: list[Tensor] = []
        for i in range(targets.shape[1] + 1):
            fed = previous[:, i]
            if i > 0 and feed != "teacher":
                fed = self.embed(self._prediction(spoken[-1], feed))
            state = self._advance(fed, state, memory)
            spoken.append(state[1])
        return self.output(torch.stack(spoken, dim=1))

    def _advance(self, fed: Tensor, state: Tensors, memory: Tensors) -> Tensors:
        """The state after the embedded character (batch, embedding)."""
        columns, projected, mask = memory
        lower, upper, weights = state
        # Both layers ask, as in the authors' program.
        weights = self.attention((lower + upper) / 2, projected, weights, mask)
        context = torch.bmm(weights.unsqueeze(1).to(columns.dtype), columns).squeeze(1)
        lower = self.lower(torch.cat([fed, context], dim=1), lower)
        upper = self.upper(self.dropout(lower), upper)
        return lower, upper, weights

    @torch.no_grad()
    def _prediction(self, spoken: Tensor, feed: Feed) -> Tensor:
        """Classes (batch,) that the speller itself would write."""
        logits = self.output(spoken).float()
        if feed == "own":
            return logits.argmax(1)
        return torch.multinomial(logits.softmax(1), 1).squeeze(1)
