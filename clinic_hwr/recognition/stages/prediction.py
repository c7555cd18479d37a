"""Prediction, the fourth stage: an attention decoder (Bahdanau et al. 2015) and a CTC layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AttentionDecoder(nn.Module):
    """Writes one character a step while looking at a weighted sum of the columns.

    Class 0 is both the start symbol fed first and the end symbol predicted last, so its
    probability is part of every string's score.
    """

    def __init__(self, in_features: int, hidden: int, classes: int, embedding: int = 32):
        super().__init__()
        self.classes = classes
        self.embed = nn.Embedding(classes, embedding)
        self.cell = nn.LSTMCell(in_features + embedding, hidden)
        self.project_columns = nn.Linear(in_features, hidden, bias=False)
        self.project_state = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.output = nn.Linear(hidden + in_features, classes)

    def initial_state(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Zero hidden and cell state for a batch of columns (batch, T, in)."""
        zeros = columns.new_zeros(columns.shape[0], self.cell.hidden_size)
        return zeros, zeros

    def step(
        self,
        previous: Tensor,
        state: tuple[Tensor, Tensor],
        columns: Tensor,
        projected: Tensor,
        mask: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One character.

        Args:
            previous: (batch,) classes written last, 0 at the start.
            state: hidden and cell state.
            columns: (batch, T, in).
            projected: ``project_columns(columns)``, computed once.
            mask: (batch, T) True where a column holds image.

        Returns:
            logits (batch, classes) and the new state.
        """
        energy = self.score(
            torch.tanh(projected + self.project_state(state[0]).unsqueeze(1))
        ).squeeze(-1)  # (B, T)
        weights = energy.masked_fill(~mask, float("-inf")).softmax(dim=1)
        context = torch.bmm(weights.unsqueeze(1), columns).squeeze(1)  # (B, in)
        state = self.cell(torch.cat([context, self.embed(previous)], dim=1), state)
        return self.output(torch.cat([state[0], context], dim=1)), state

    def forward(self, columns: Tensor, mask: Tensor, targets: Tensor) -> Tensor:
        """Teacher forcing.

        Args:
            columns: (batch, T, in); mask: (batch, T).
            targets: (batch, L) classes, 0 after the end of each string.

        Returns:
            logits (batch, L + 1, classes); step i predicts target i, step len the end.
        """
        projected = self.project_columns(columns)
        state = self.initial_state(columns)
        previous = targets.new_zeros(targets.shape[0])
        logits = []
        for i in range(targets.shape[1] + 1):
            step_logits, state = self.step(previous, state, columns, projected, mask)
            logits.append(step_logits)
            if i < targets.shape[1]:
                previous = targets[:, i]
        return torch.stack(logits, dim=1)
