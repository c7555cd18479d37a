"""Sequence modelling, the third stage: bidirectional LSTMs over the feature columns."""

from __future__ import annotations

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
