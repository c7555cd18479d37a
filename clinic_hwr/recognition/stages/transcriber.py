"""A transformer that writes text while looking at columns (Vaswani et al. 2017, arXiv 1706.03762).

As the text transcriber of Kang et al. 2020: masked self-attention over what is written,
mutual attention over the columns, a feed-forward layer, each with a residual connection.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .prediction import Decoder, Tensors


def sinusoids(start: int, count: int, like: Tensor) -> Tensor:
    """Sinusoidal positions from ``start`` on, (count, features), features as in ``like``.

    Feature 2i is the sine and 2i + 1 the cosine of position / 10000^(2i / features).
    """
    features = like.shape[-1]
    positions = torch.arange(start, start + count, device=like.device, dtype=torch.float32)
    even = torch.arange(0, features, 2, device=like.device, dtype=torch.float32)
    angles = positions.unsqueeze(1) * 10_000.0 ** (-even / features)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


class HeadedAttention(nn.Module):
    """Multi-head attention whose keys and values are made apart, so that they can be kept."""

    def __init__(self, features: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(features, features)
        self.key = nn.Linear(features, features)
        self.value = nn.Linear(features, features)
        self.output = nn.Linear(features, features)

    def remember(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of (batch, t, features), both of the same shape."""
        return self.key(source), self.value(source)

    def forward(
        self,
        wanting: Tensor,
        keys: Tensor,
        values: Tensor,
        mask: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """Look up (batch, L, features) among keys and values (batch, t, features).

        Args:
            mask: (batch, t), True where there is something to see.
            causal: position i sees positions up to i only.
        """
        found = F.scaled_dot_product_attention(
            self._split(self.query(wanting)),
            self._split(keys),
            self._split(values),
            attn_mask=None if mask is None else mask[:, None, None, :],
            is_causal=causal,
        )
        return self.output(found.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, t, features / heads)


class TranscriberLayer(nn.Module):
    """One layer of the transcriber.

    Args:
        norm_first: normalise before each part (steadier in short runs), not behind it.
    """

    def __init__(
        self, features: int, heads: int, feed_forward: int, dropout: float, norm_first: bool
    ):
        super().__init__()
        self.written = HeadedAttention(features, heads)
        self.seen = HeadedAttention(features, heads)
        self.feed_forward = nn.Sequential(
            nn.Linear(features, feed_forward),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(feed_forward, features),
        )
        self.norms = nn.ModuleList(nn.LayerNorm(features) for _ in range(3))
        self.dropout = nn.Dropout(dropout)
        self.norm_first = norm_first

    def forward(self, text: Tensor, past: Tensors, columns: Tensors) -> tuple[Tensor, Tensors]:
        """Let new characters look at old ones, then at the columns.

        Args:
            text: (batch, L, features) new characters; L is 1 unless there is no past.
            past: keys and values (batch, t, features) of the characters before.
            columns: keys, values (batch, T, features) and mask (batch, T).

        Returns:
            (batch, L, features), and the past with the new characters at its end.
        """
        x = self._before(0, text)
        keys, values = self.written.remember(x)
        if past[0].shape[1]:
            keys = torch.cat([past[0], keys], dim=1)
            values = torch.cat([past[1], values], dim=1)
        causal = text.shape[1] > 1
        text = self._after(0, text, self.written(x, keys, values, causal=causal))
        text = self._after(1, text, self.seen(self._before(1, text), *columns))
        text = self._after(2, text, self.feed_forward(self._before(2, text)))
        return text, (keys, values)

    def _before(self, part: int, x: Tensor) -> Tensor:
        return self.norms[part](x) if self.norm_first else x

    def _after(self, part: int, x: Tensor, found: Tensor) -> Tensor:
        x = x + self.dropout(found)
        return x if self.norm_first else self.norms[part](x)


class Transcriber(Decoder):
    """Writes with several ``TranscriberLayer``.

    Memory is the mask and each layer's keys and values of the columns. The state is each
    layer's keys and values of the text, (batch, t, features), one longer after each step.
    """

    def __init__(
        self,
        features: int,
        heads: int,
        layers: int,
        feed_forward: int,
        classes: int,
        dropout: float,
        norm_first: bool,
    ):
        super().__init__()
        if features % (2 * heads):
            raise ValueError("features must be an even multiple of heads.")
        self.classes = classes
        self.embed = nn.Embedding(classes, features)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            TranscriberLayer(features, heads, feed_forward, dropout, norm_first)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(features) if norm_first else nn.Identity()
        self.output = nn.Linear(features, classes)

    def memory(self, columns: Tensor, mask: Tensor) -> Tensors:
        """The mask, then keys and values of each layer; see ``Decoder``."""
        kept = [part for layer in self._layers() for part in layer.seen.remember(columns)]
        return (mask, *kept)

    def initial_state(self, memory: Tensors) -> Tensors:
        """Nothing written: keys and values of length 0."""
        nothing = memory[1].new_zeros(memory[1].shape[0], 0, memory[1].shape[2])
        return (nothing,) * (2 * len(self.layers))

    def step(self, previous: Tensor, state: Tensors, memory: Tensors) -> tuple[Tensor, Tensors]:
        """Write one character; see ``Decoder.step``."""
        logits, state = self._write(previous.unsqueeze(1), state, memory)
        return logits.squeeze(1), state

    def forward(self, columns: Tensor, mask: Tensor, targets: Tensor) -> Tensor:
        """Teacher forcing of all characters at once; see ``Decoder.forward``."""
        memory = self.memory(columns, mask)
        fed = F.pad(targets, (1, 0))  # the start symbol is class 0
        return self._write(fed, self.initial_state(memory), memory)[0]

    def _write(self, fed: Tensor, state: Tensors, memory: Tensors) -> tuple[Tensor, Tensors]:
        """Logits (batch, L, classes) behind each of the classes fed, (batch, L)."""
        text = self.embed(fed)
        text = self.dropout(text + sinusoids(state[0].shape[1], fed.shape[1], text))
        mask, *kept = memory
        new: list[Tensor] = []
        for i, layer in enumerate(self._layers()):
            columns = (kept[2 * i], kept[2 * i + 1], mask)
            text, past = layer(text, state[2 * i : 2 * i + 2], columns)
            new += past
        return self.output(self.norm(text)), tuple(new)

    def _layers(self) -> list[TranscriberLayer]:
        return [layer for layer in self.layers if isinstance(layer, TranscriberLayer)]
