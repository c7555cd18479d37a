"""Sequence modelling, the third stage: bidirectional LSTMs over the feature columns."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class BiLstm(nn.Module):
    """Stacked bidirectional LSTM; (batch, columns, in) -> (batch, columns, 2 * hidden)."""

    def __init__(self, in_features: int, hidden: int, layers: int, dropout: float):
        super().__init__()
        self.lstm = nn.LSTM(
            in_features,
            hidden,
            layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if layers > 1 else 0.0,
        )
        self.out_features = 2 * hidden

    def forward(self, columns: Tensor) -> Tensor:
        """Return the hidden states of both directions side by side."""
        states, _ = self.lstm(columns)
        return states


class ProjectedBiLstm(nn.Module):
    """Bidirectional LSTM layers with a linear layer behind; see ``BiLstm`` for the shapes.

    Baek et al. 2019 project behind each layer, CRNN (Shi et al. 2015) between the layers only.

    Args:
        in_features: of the columns.
        hidden: of each direction.
        projections: for each LSTM layer the size to which its states are projected, 0 = not.
    """

    def __init__(self, in_features: int, hidden: int, projections: Sequence[int]):
        super().__init__()
        self.lstms = nn.ModuleList()
        self.projections = nn.ModuleList()
        for size in projections:
            self.lstms.append(nn.LSTM(in_features, hidden, batch_first=True, bidirectional=True))
            self.projections.append(nn.Linear(2 * hidden, size) if size else nn.Identity())
            in_features = size or 2 * hidden
        self.out_features = in_features

    def forward(self, columns: Tensor) -> Tensor:
        """Return the last layer's states, projected where it has a projection."""
        for lstm, projection in zip(self.lstms, self.projections, strict=True):
            columns = projection(lstm(columns)[0])
        return columns
