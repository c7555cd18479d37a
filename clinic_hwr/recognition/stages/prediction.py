"""Prediction, the fourth stage: what every decoder promises, and Bahdanau's attention decoder.

Bahdanau et al. 2015 (arXiv 1409.0473), as in Baek et al. 2019.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

Tensors = tuple[Tensor, ...]


class Decoder(nn.Module, ABC):
    """Writes one character a step while looking at the encoder's columns.

    Class 0 is both the start symbol fed first and the end symbol predicted last, so its
    probability is part of every string's score.

    Attributes:
        classes: how many, the end symbol included.
    """

    classes: int

    @abstractmethod
    def memory(self, columns: Tensor, mask: Tensor) -> Tensors:
        """What stays the same at every step, computed once.

        Args:
            columns: (batch, T, in); mask: (batch, T) True where a column holds image.

        Returns:
            tensors whose first dimension is the batch.
        """

    @abstractmethod
    def initial_state(self, memory: Tensors) -> Tensors:
        """What changes at every step, before the first; first dimension is the batch."""

    @abstractmethod
    def step(self, previous: Tensor, state: Tensors, memory: Tensors) -> tuple[Tensor, Tensors]:
        """Write one character.

        Args:
            previous: (batch,) classes written last, 0 at the start.
            state, memory: see ``initial_state`` and ``memory``.

        Returns:
            logits (batch, classes) and the new state.
        """

    def forward(self, columns: Tensor, mask: Tensor, targets: Tensor) -> Tensor:
        """Teacher forcing.

        Args:
            columns: (batch, T, in); mask: (batch, T).
            targets: (batch, L) classes, 0 after the end of each string.

        Returns:
            logits (batch, L + 1, classes); step i predicts target i, step len the end.
        """
        memory = self.memory(columns, mask)
        state = self.initial_state(memory)
        previous = targets.new_zeros(targets.shape[0])
        logits = []
        for i in range(targets.shape[1] + 1):
            step_logits, state = self.step(previous, state, memory)
            logits.append(step_logits)
            if i < targets.shape[1]:
                previous = targets[:, i]
        return torch.stack(logits, dim=1)

    def score_strings(self, columns: Tensor, mask: Tensor, targets: Tensor) -> Tensor:
        """Log probabilities of several strings for each crop.

        Args:
            columns: (batch, T, in); mask: (batch, T).
            targets: (batch, K, L + 1) classes, 0 behind the end of each string.

        Returns:
            (batch, K, L + 1) log probabilities of exactly these classes, one after the other.
        """
        batch, strings, steps = targets.shape
        logits = self.forward(
            columns.repeat_interleave(strings, dim=0),
            mask.repeat_interleave(strings, dim=0),
            targets.flatten(0, 1)[:, : steps - 1],
        )
        log_probs = logits.float().log_softmax(-1)
        picked = log_probs.gather(2, targets.flatten(0, 1).unsqueeze(2)).squeeze(2)
        return picked.view(batch, strings, steps)


class AttentionDecoder(Decoder):
    """LSTM decoder with additive attention; memory is (columns, projected columns, mask)."""

    def __init__(self, in_features: int, hidden: int, classes: int, embedding: int = 32):
        super().__init__()
        self.classes = classes
        self.embed: nn.Module = nn.Embedding(classes, embedding)
        self.cell = nn.LSTMCell(in_features + embedding, hidden)
        self.project_columns = nn.Linear(in_features, hidden, bias=False)
        self.project_state = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.output = nn.Linear(hidden + in_features, classes)

    def memory(self, columns: Tensor, mask: Tensor) -> Tensors:
        """Columns, their projection (batch, T, hidden), and the mask; see ``Decoder``."""
        return columns, self.project_columns(columns), mask

    def initial_state(self, memory: Tensors) -> Tensors:
        """Zero hidden and cell state."""
        zeros = memory[0].new_zeros(memory[0].shape[0], self.cell.hidden_size)
        return zeros, zeros

    def step(self, previous: Tensor, state: Tensors, memory: Tensors) -> tuple[Tensor, Tensors]:
        """Write one character; see ``Decoder.step``."""
        columns, projected, mask = memory
        energy = self.score(
            torch.tanh(projected + self.project_state(state[0]).unsqueeze(1))
        ).squeeze(-1)  # (B, T)
        weights = energy.masked_fill(~mask, float("-inf")).softmax(dim=1)
        context = torch.bmm(weights.unsqueeze(1), columns).squeeze(1)  # (B, in)
        hidden, cell = self.cell(torch.cat([context, self.embed(previous)], dim=1), state)
        return self.logits(hidden, context), (hidden, cell)

    def logits(self, hidden: Tensor, context: Tensor) -> Tensor:
        """Logits (batch, classes) of what the state and the columns looked at say together."""
        logits: Tensor = self.output(torch.cat([hidden, context], dim=1))
        return logits

    def score_strings(self, columns: Tensor, mask: Tensor, targets: Tensor) -> Tensor:
        """See ``Decoder``.

        Strings of a crop share its columns, which are never copied, and equal beginnings: each
        is decoded once, and ended strings cost nothing more.
        """
        batch, strings, steps = targets.shape
        projected = self.project_columns(columns).unsqueeze(1)  # (B, 1, T, H)
        blank = ~mask.unsqueeze(1)
        hidden = columns.new_zeros(batch, 1, self.cell.hidden_size)
        state = (hidden, hidden)
        found = columns.new_zeros(batch, strings, steps, dtype=torch.float32)
        rows = torch.arange(batch, device=targets.device).unsqueeze(1)  # (B, 1)
        for i, level in enumerate(shared_prefixes(targets)):
            hidden, cell = (part[rows, level.parent] for part in state)  # (B, N, H)
            wanted = self.project_state(hidden).unsqueeze(2)
            # In place: a second array of this size costs as much as the function itself.
            energy = self.score((projected + wanted).tanh_()).squeeze(-1)  # (B, N, T)
            weights = energy.masked_fill(blank, float("-inf")).softmax(dim=2)
            context = torch.bmm(weights, columns).flatten(0, 1)  # (B * N, features)
            fed = torch.cat([context, self.embed(level.previous.flatten())], dim=1)
            flat = self.cell(fed, (hidden.flatten(0, 1), cell.flatten(0, 1)))
            logits = self.logits(flat[0], context).unflatten(0, (batch, -1))  # (B, N, classes)
            state = (flat[0].unflatten(0, (batch, -1)), flat[1].unflatten(0, (batch, -1)))
            log_probs = logits.float().log_softmax(-1)
            found[:, :, i] = log_probs[rows, level.node, targets[:, :, i]]
        return found


class PrefixLevel(NamedTuple):
    """The distinct prefixes of one length among the strings of each crop; see ``shared_prefixes``.

    Attributes:
        parent: (batch, N) number of the prefix that is one shorter, among those of its length.
        previous: (batch, N) last class of the prefix, 0 for the empty one.
        node: (batch, strings) number of each string's own prefix; 0 once it has ended.
    """

    parent: Tensor
    previous: Tensor
    node: Tensor


def shared_prefixes(targets: Tensor) -> list[PrefixLevel]:
    """Number the distinct prefixes of every length, crop by crop.

    Args:
        targets: (batch, strings, steps) classes, 0 behind the end of each string.

    Returns:
        a level for each step: level i holds the prefixes of i classes of strings that are at
        least so long. N is the largest number in any crop; what is over repeats prefix 0.
    """
    batch, _, steps = targets.shape
    table = [[tuple(row) for row in rows] for rows in targets.tolist()]
    ends = [[row.index(0) if 0 in row else steps for row in rows] for rows in table]
    above: list[dict[tuple[int, ...], int]] = [{(): 0} for _ in range(batch)]
    levels = []
    for i in range(steps):
        numbers: list[dict[tuple[int, ...], int]] = []
        parents, lasts, nodes = [], [], []
        for rows, lengths, known in zip(table, ends, above, strict=True):
            own: dict[tuple[int, ...], int] = {}
            for row, length in zip(rows, lengths, strict=True):
                if length >= i:
                    own.setdefault(row[:i], len(own))
            own = own or {(): 0}
            numbers.append(own)
            parents.append([known.get(prefix[:-1], 0) for prefix in own])
            lasts.append([prefix[-1] if prefix else 0 for prefix in own])
            nodes.append([own.get(row[:i], 0) for row in rows])
        most = max(len(own) for own in numbers)
        for padded in (*parents, *lasts):
            padded += [0] * (most - len(padded))
        levels.append(
            PrefixLevel(
                *(torch.tensor(part, device=targets.device) for part in (parents, lasts, nodes))
            )
        )
        above = numbers
    return levels
