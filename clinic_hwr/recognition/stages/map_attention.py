"""Attention over a 2-D map, computed by a multidimensional LSTM (Bluche et al. 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .mdlstm import DIRECTIONS, GATES, MdLstm
from .prediction import Decoder, Tensors


class MapAttentionDecoder(Decoder):
    """Writes from a map without knowing its lines: where to look next is learnt.

    At every character four scans run over the whole map. Each cell reads its features, the
    attention it had for the last character (location) and the decoder's state (content); their
    outputs give one energy a cell, and a softmax over all cells gives the attention.

    Args:
        in_features: of a cell of the map.
        rows: of the map; the encoder's columns are the map column after column.
        scan_hidden: cells of the attention's scans, each direction.
        hidden: of the state LSTM.
        classes: how many, the end symbol included.
        embedding: of the character written last; 0 = the state LSTM reads the context only.
        peepholes: of the attention's scans.
    """

    def __init__(
        self,
        in_features: int,
        rows: int,
        scan_hidden: int,
        hidden: int,
        classes: int,
        embedding: int = 0,
        peepholes: bool = True,
    ):
        super().__init__()
        self.classes = classes
        self.rows = rows
        self.in_features = in_features
        self.scan = MdLstm(in_features + 1 + hidden, scan_hidden, peepholes)
        # One feature among hundreds, and a small one: with Glorot's start it is not heard.
        for weight in self.scan.weight:
            nn.init.uniform_(weight[:, in_features], -4.0, 4.0)
        self.score = nn.Linear(self.scan.out_features, 1, bias=False)
        nn.init.uniform_(self.score.weight, -1.0, 1.0)  # or all cells start alike
        self.embed = nn.Embedding(classes, embedding) if embedding else None
        self.cell = nn.LSTMCell(in_features + embedding, hidden)
        self.output = nn.Linear(hidden + in_features, classes)

    def memory(self, columns: Tensor, mask: Tensor, rows: int = 0) -> Tensors:
        """Cells, what they give to the gates of the scans, and the mask.

        Args:
            columns: (batch, columns * rows, in); mask: (batch, columns * rows).
            rows: of this map, if it has fewer than usual.

        Returns:
            columns; gates (batch, 4, columns, rows, 5 * scan_hidden), turned to each corner; mask.
        """
        weight = torch.cat([*self.scan.weight])[:, : self.in_features]
        # In the order in which a scan reads them: they are read for every character.
        gates = F.linear(columns.transpose(0, 1), weight, torch.cat([*self.scan.bias]))
        gates = gates.view(
            -1, rows or self.rows, len(columns), DIRECTIONS, GATES * self.scan.hidden
        )
        a, b, c, d = gates.unbind(3)
        turned = torch.stack([a, b.flip(0), c.flip(1), d.flip(0, 1)])
        return columns, turned.permute(3, 0, 1, 2, 4), mask

    def initial_state(self, memory: Tensors) -> Tensors:
        """No attention yet, (batch, columns * rows), and zero hidden and cell state."""
        columns, _, mask = memory
        zeros = columns.new_zeros(len(columns), self.cell.hidden_size)
        return torch.zeros_like(mask, dtype=torch.float32), zeros, zeros

    def attend(self, attention: Tensor, hidden: Tensor, memory: Tensors) -> Tensor:
        """Where to look next.

        Args:
            attention: (batch, columns * rows), the last one; hidden: (batch, hidden).
            memory: see ``memory``.

        Returns:
            (batch, columns * rows) float32, at least 0, sums to 1; 0 outside of the mask.
        """
        _, gates, mask = memory
        batch, _, width, rows, _ = gates.shape
        weight = torch.stack([*self.scan.weight])  # (4, 5 * scan_hidden, in + 1 + hidden)
        content = F.linear(hidden, weight[:, :, self.in_features + 1 :].flatten(0, 1))
        scanned = self.scan.scan_located(
            gates.permute(1, 2, 3, 0, 4),
            content.view(batch, DIRECTIONS, -1).transpose(0, 1),
            attention.view(batch, width, rows).permute(1, 2, 0),
            weight[:, :, self.in_features],
            mask.view(batch, width, rows)[:, :, 0],
        )
        energy = self.score(scanned).squeeze(-1).permute(2, 0, 1).flatten(1)
        return energy.float().masked_fill(~mask, float("-inf")).softmax(1)

    def step(self, previous: Tensor, state: Tensors, memory: Tensors) -> tuple[Tensor, Tensors]:
        """Look, and write one character; see ``Decoder.step``."""
        attention, hidden, cell = state
        columns = memory[0]
        attention = self.attend(attention, hidden, memory)
        context = torch.bmm(attention.to(columns.dtype).unsqueeze(1), columns).squeeze(1)
        read = context
        if self.embed is not None:
            read = torch.cat([context, self.embed(previous)], dim=1)
        hidden, cell = self.cell(read, (hidden, cell))
        return self.output(torch.cat([hidden, context], dim=1)), (attention, hidden, cell)

    def unroll(
        self,
        columns: Tensor,
        mask: Tensor,
        targets: Tensor,
        rows: int,
        told: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Teacher forcing on maps of any height, as ``forward``, but says where it looked.

        Args:
            columns: (batch, columns * rows, in); mask: (batch, columns * rows).
            targets: (batch, L) classes, 0 after the end of each string.
            rows: of these maps.
            told: (batch, L, columns * rows) where each character lies, with which the next one is
                looked for instead of where it looked; all 0 = not told.

        Returns:
            logits (batch, L + 1, classes) and attention (batch, L + 1, columns * rows).
        """
        memory = self.memory(columns, mask, rows)
        state = self.initial_state(memory)
        logits, attention = [], []
        for i, previous in enumerate(F.pad(targets, (1, 0)).unbind(1)):
            step_logits, state = self.step(previous, state, memory)
            logits.append(step_logits)
            attention.append(state[0])
            if told is not None and i < told.shape[1]:
                known = told[:, i].any(1, keepdim=True)
                state = (torch.where(known, told[:, i], state[0]), *state[1:])
        return torch.stack(logits, dim=1), torch.stack(attention, dim=1)
