"""One network at work: batches of equal width in, class probabilities out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .architectures.contract import MAX_CHARS, Recognizer
from .charset import Charset
from .decoding import attention
from .images import Ink

BATCH_PIXELS = 8192 * 32  # pixels a batch; keeps memory flat however many crops come
BEAM_WIDTH = 10  # of a decoder that has no CTC layer beside it
DECODED_TOGETHER = 16  # crops in which the decoder writes at once
SCORED_TOGETHER = 2  # crops whose candidates the decoder scores at once: what fits into the cache
IMPOSSIBLE = -1e4  # logit of a character that the field's kind does not allow


@dataclass(frozen=True)
class Frames:
    """What a network says of one ink map.

    Attributes:
        log_probs: (T, classes) float64 CTC log probabilities; None without a CTC layer.
        columns: (T, features) encoder columns, for the decoder.
        drafts: what the decoder writes by itself, as classes, best first; one string beside a
            CTC layer, a beam without one, none without a decoder.
    """

    log_probs: NDArray[np.float64] | None
    columns: Tensor
    drafts: tuple[tuple[int, ...], ...]


class Network:
    """A trained recognizer and its input geometry.

    Args:
        model: a recognizer; it is put into evaluation mode.
        version: name and content hash of its weights.
    """

    def __init__(self, model: Recognizer, version: str):
        self.model = model.eval()
        self.version = version
        self.charset: Charset = model.charset
        self.height_px: int = model.config.height_px
        self.max_width_px: int = model.config.max_width_px
        self.decoder = model.decoder
        self.has_ctc = model.has_ctc

    @torch.inference_mode()
    def frames(self, inks: Sequence[Ink], forbidden: Tensor) -> list[Frames]:
        """Encode ink maps, batched by width; in order.

        Args:
            inks: (height_px, width) float32 each, from ``images.fit_ink``.
            forbidden: (len(inks), classes) bool, classes that may not be written.
        """
        groups: dict[int, list[int]] = defaultdict(list)
        for i, ink in enumerate(inks):
            groups[ink.shape[1]].append(i)
        encoded: list[_Encoded | None] = [None] * len(inks)
        for width, members in sorted(groups.items()):
            step = max(1, BATCH_PIXELS // (width * self.height_px))
            for start in range(0, len(members), step):
                part = members[start : start + step]
                images = torch.from_numpy(np.stack([inks[i] for i in part])).unsqueeze(1)
                for i, row in zip(part, self._batch(images, forbidden[part]), strict=True):
                    encoded[i] = row
        rows = [row for row in encoded if row is not None]
        drafts = self._drafts([row.columns for row in rows], forbidden)
        return [
            Frames(row.log_probs, row.columns, own) for row, own in zip(rows, drafts, strict=True)
        ]

    def _batch(self, images: Tensor, forbidden: Tensor) -> list[_Encoded]:
        widths = torch.full((len(images),), images.shape[3])
        encoded = self.model.encode(images, widths)
        if encoded.ctc_logits is None:
            return [_Encoded(None, columns) for columns in encoded.columns]
        logits = encoded.ctc_logits.float().masked_fill(forbidden.unsqueeze(1), IMPOSSIBLE)
        log_probs = logits.log_softmax(-1).double().numpy()
        return [_Encoded(p, columns) for p, columns in zip(log_probs, encoded.columns, strict=True)]

    def _drafts(
        self, columns: Sequence[Tensor], forbidden: Tensor
    ) -> list[tuple[tuple[int, ...], ...]]:
        """What the decoder writes by itself; crops of about equal length together."""
        if self.decoder is None:
            return [()] * len(columns)
        order = sorted(range(len(columns)), key=lambda i: len(columns[i]))
        found: list[tuple[tuple[int, ...], ...]] = [()] * len(columns)
        for start in range(0, len(order), DECODED_TOGETHER):
            part = order[start : start + DECODED_TOGETHER]
            padded, mask = _padded([columns[i] for i in part])
            if self.has_ctc:
                greedy = attention.greedy(self.decoder, padded, mask, MAX_CHARS, forbidden[part])
                written: list[tuple[tuple[int, ...], ...]] = [(string,) for string in greedy]
            else:
                beams = attention.beam(
                    self.decoder, padded, mask, BEAM_WIDTH, MAX_CHARS, forbidden[part]
                )
                written = [tuple(string for string, _ in some) for some in beams]
            for i, strings in zip(part, written, strict=True):
                found[i] = strings
        return found

    @torch.inference_mode()
    def attention_scores(
        self, frames: Sequence[Frames], strings: Sequence[Sequence[tuple[int, ...]]]
    ) -> list[list[tuple[float, ...]]]:
        """Log probability of each character and of the end, for given strings.

        Args:
            frames: of some ink maps.
            strings: for each ink map, the strings to score, as classes.

        Returns:
            for each ink map and string, one number a character and one for the end.
        """
        if self.decoder is None:
            raise ValueError("This network has no attention decoder.")
        # Crops of about equal length together: columns are padded to the longest.
        asked = [i for i, some in enumerate(strings) if some]
        order = sorted(asked, key=lambda i: len(frames[i].columns))
        scores: list[list[tuple[float, ...]]] = [[] for _ in strings]
        for start in range(0, len(order), SCORED_TOGETHER):
            part = order[start : start + SCORED_TOGETHER]
            columns, mask = _padded([frames[i].columns for i in part])
            found = attention.string_log_probabilities(
                self.decoder, columns, mask, [strings[i] for i in part]
            )
            for i, some in zip(part, found, strict=True):
                scores[i] = [tuple(chars) for chars in some]
        return scores


class _Encoded(NamedTuple):
    """CTC log probabilities (T, classes) or None, and columns (T, features) of one ink map."""

    log_probs: NDArray[np.float64] | None
    columns: Tensor


def _padded(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Columns (batch, longest, features) and mask (batch, longest) of rows (T, features)."""
    longest = max(len(row) for row in rows)
    columns = rows[0].new_zeros(len(rows), longest, rows[0].shape[1])
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for k, row in enumerate(rows):
        columns[k, : len(row)] = row
        mask[k, : len(row)] = True
    return columns, mask
