"""One network at work: batches of equal width in, class probabilities out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .architectures.contract import MAX_CHARS, Encoded, Recognizer
from .charset import Charset
from .decoding import attention
from .images import Ink

BATCH_PIXELS = 8192 * 32  # pixels a batch; keeps memory flat however many crops come
BEAM_WIDTH = 10  # of a decoder that has no CTC layer beside it
SCORED_TOGETHER = 8  # crops whose candidates the decoder scores at once
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
        found: list[Frames | None] = [None] * len(inks)
        for width, members in sorted(groups.items()):
            step = max(1, BATCH_PIXELS // (width * self.height_px))
            for start in range(0, len(members), step):
                part = members[start : start + step]
                images = torch.from_numpy(np.stack([inks[i] for i in part])).unsqueeze(1)
                for i, frames in zip(part, self._batch(images, forbidden[part]), strict=True):
                    found[i] = frames
        return [frames for frames in found if frames is not None]

    def _batch(self, images: Tensor, forbidden: Tensor) -> list[Frames]:
        widths = torch.full((len(images),), images.shape[3])
        encoded = self.model.encode(images, widths)
        drafts = self._drafts(encoded, forbidden)
        if encoded.ctc_logits is None:
            return [Frames(None, encoded.columns[i], drafts[i]) for i in range(len(images))]
        logits = encoded.ctc_logits.float().masked_fill(forbidden.unsqueeze(1), IMPOSSIBLE)
        log_probs = logits.log_softmax(-1).double().numpy()
        return [Frames(log_probs[i], encoded.columns[i], drafts[i]) for i in range(len(images))]

    def _drafts(self, encoded: Encoded, forbidden: Tensor) -> list[tuple[tuple[int, ...], ...]]:
        if self.decoder is None:
            return [()] * len(encoded.columns)
        if encoded.ctc_logits is None:
            beams = attention.beam(
                self.decoder, encoded.columns, encoded.mask, BEAM_WIDTH, MAX_CHARS, forbidden
            )
            return [tuple(string for string, _ in some) for some in beams]
        greedy = attention.greedy(self.decoder, encoded.columns, encoded.mask, MAX_CHARS, forbidden)
        return [(string,) for string in greedy]

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
            longest = len(frames[part[-1]].columns)
            columns = torch.zeros(len(part), longest, frames[part[0]].columns.shape[1])
            mask = torch.zeros(len(part), longest, dtype=torch.bool)
            for row, i in enumerate(part):
                columns[row, : len(frames[i].columns)] = frames[i].columns
                mask[row, : len(frames[i].columns)] = True
            found = attention.string_log_probabilities(
                self.decoder, columns, mask, [strings[i] for i in part]
            )
            for i, some in zip(part, found, strict=True):
                scores[i] = [tuple(chars) for chars in some]
        return scores
