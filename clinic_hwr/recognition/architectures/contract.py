"""What every recognizer promises, whatever its family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding import attention, ctc
from clinic_hwr.recognition.stages.features import PIXELS_PER_COLUMN
from clinic_hwr.recognition.stages.prediction import Decoder

MAX_CHARS = 64
LABEL_SMOOTHING = 0.02


@dataclass(frozen=True)
class Encoded:
    """What the encoder says of a batch.

    Attributes:
        columns: (batch, T, features). A map of features keeps its columns one after the other
            (T = columns times height), so that padding on the right stays at the end.
        mask: (batch, T), True where a column holds image.
        ctc_logits: (batch, T, classes); None for a family without a CTC layer.
    """

    columns: Tensor
    mask: Tensor
    ctc_logits: Tensor | None

    def ctc_log_probs(self) -> NDArray[np.float64]:
        """CTC log probabilities (batch, T, classes); ``ValueError`` without a CTC layer."""
        if self.ctc_logits is None:
            raise ValueError("This family has no CTC layer.")
        found: NDArray[np.float64] = self.ctc_logits.float().log_softmax(-1).double().cpu().numpy()
        return found


class Recognizer(nn.Module, ABC):
    """A module that reads crops, with a CTC layer, a decoder, or both.

    Attributes:
        config: frozen dataclass with at least ``height_px`` and ``max_width_px``.
        charset: what it can write; class 0 is CTC's blank and the decoder's end symbol.
        decoder: writes character by character; None for a family without one.
        has_ctc: whether there is a CTC layer.
    """

    decoder: Decoder | None
    has_ctc: bool = True

    def __init__(self, config: Any, charset: Charset):
        super().__init__()
        self.config = config
        self.charset = charset
        self.decoder = None

    @abstractmethod
    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """Encode ink maps as one batch, padding and all.

        Args:
            images: (batch, 1, height_px, width) in 0..1, paper = 0, padded on the right.
            widths: (batch,) true widths in pixels.
        """

    def encode(self, images: Tensor, widths: Tensor) -> Encoded:
        """Encode ink maps; outside of training padding has no influence on the answer.

        Convolutions and recurrence look across the edge between image and padding. So that a
        crop reads the same in any batch, crops of equal width are encoded together without
        their padding.

        Args:
            images, widths: see ``encode_batch``.
        """
        cut = (-(-widths // PIXELS_PER_COLUMN) * PIXELS_PER_COLUMN).clamp(max=images.shape[3])
        if self.training or bool((cut == images.shape[3]).all()):
            return self.encode_batch(images, widths)
        groups = [
            (
                rows := torch.nonzero(cut == width).flatten(),
                self.encode_batch(images[rows, :, :, : int(width)], widths[rows]),
            )
            for width in cut.unique()
        ]
        return _joined(groups, len(images))

    @abstractmethod
    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """Return ``loss``, a mean a sample, and its parts.

        Args:
            images, widths: see ``encode_batch``.
            targets: (batch, L) classes, 0 behind the end.
            lengths: (batch,) string lengths.
        """

    def rectify(self, images: Tensor) -> Tensor:
        """What happens to images before ``exported_encoder``; nothing by default."""
        return images

    def exported_encoder(self) -> nn.Module | None:
        """The part that may run outside of torch, or None.

        Returns:
            a module that takes rectified images (batch, 1, height_px, width) and gives columns
            (batch, T, features) and, for a family with a CTC layer, its logits; T as
            ``column_mask`` counts columns. Batch and width stay free.
        """
        return None

    def forward(
        self, images: Tensor, widths: Tensor, targets: Tensor
    ) -> tuple[Encoded, Tensor | None]:
        """Encode, and decode with teacher forcing where there is a decoder.

        Returns:
            the encoder's view, and logits (batch, L + 1, classes) or None; see ``Decoder``.
        """
        encoded = self.encode(images, widths)
        if self.decoder is None:
            return encoded, None
        return encoded, self.decoder(encoded.columns, encoded.mask, targets)

    def _only_decoder(self) -> Decoder:
        """The decoder of a family without a CTC layer."""
        if self.decoder is None:
            raise TypeError(f"{type(self).__name__} has neither a CTC layer nor a decoder.")
        return self.decoder

    @torch.inference_mode()
    def greedy(self, images: Tensor, widths: Tensor) -> list[str]:
        """Read without search: CTC's best path, or the decoder's first choice at each step."""
        encoded = self.encode(images, widths)
        if encoded.ctc_logits is None:
            allowed = torch.zeros(self.charset.size, dtype=torch.bool, device=images.device)
            found = attention.greedy(
                self._only_decoder(), encoded.columns, encoded.mask, MAX_CHARS, allowed
            )
            return [self.charset.decode(string) for string in found]
        best = encoded.ctc_logits.argmax(-1).masked_fill(~encoded.mask, 0).tolist()
        return [
            self.charset.decode([c for i, c in enumerate(row) if i == 0 or c != row[i - 1]])
            for row in best
        ]

    @torch.inference_mode()
    def nbest(
        self, images: Tensor, widths: Tensor, width: int = 10
    ) -> list[list[tuple[str, float]]]:
        """Read with a beam: strings with their natural log probability, best first.

        The probability is that of the whole string: summed over CTC's alignments, or of all
        characters and the end symbol.

        Args:
            images, widths: see ``encode``.
            width: of the beam.
        """
        encoded = self.encode(images, widths)
        if encoded.ctc_logits is None:
            allowed = torch.zeros(self.charset.size, dtype=torch.bool, device=images.device)
            beams = attention.beam(
                self._only_decoder(), encoded.columns, encoded.mask, width, MAX_CHARS, allowed
            )
            return [[(self.charset.decode(s), p) for s, p in some] for some in beams]
        return [
            [(self.charset.decode(h.classes), h.log_p) for h in ctc.prefix_beam(row[mask], width)]
            for row, mask in zip(encoded.ctc_log_probs(), encoded.mask.cpu().numpy(), strict=True)
        ]


class CtcRecognizer(Recognizer):
    """A recognizer that is columns and a CTC layer on them, and nothing else.

    Attributes:
        ctc: (batch, T, features) -> (batch, T, classes).
    """

    ctc: nn.Module

    @abstractmethod
    def columns(self, images: Tensor) -> Tensor:
        """(batch, 1, height_px, width) -> (batch, T, features), T as ``column_mask`` counts."""

    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """Encode ink maps; see ``Recognizer``."""
        columns = self.columns(images)
        return Encoded(columns, column_mask(widths, columns.shape[1]), self.ctc(columns))

    def exported_encoder(self) -> nn.Module:
        """Everything; see ``Recognizer``."""
        return ExportedEncoder(self, self.columns, self.ctc)

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """CTC loss a character, mean over the batch; see ``Recognizer.loss``."""
        columns = self.columns(images)
        mask = column_mask(widths, columns.shape[1])
        loss = ctc_loss(self.ctc(columns), mask, targets, lengths)
        return {"loss": loss, "ctc": loss.detach()}


class ExportedEncoder(nn.Module):
    """The encoder of a recognizer in the form that ``exported_encoder`` wants.

    Args:
        model: owns the weights.
        columns: its method from rectified images to columns (batch, T, features).
        ctc: the layer on the columns, or None.
    """

    def __init__(
        self, model: Recognizer, columns: Callable[[Tensor], Tensor], ctc: nn.Module | None
    ):
        super().__init__()
        self.model = model
        self.columns = columns
        self.ctc = ctc

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Columns, and logits where there is a CTC layer."""
        columns = self.columns(images)
        return (columns,) if self.ctc is None else (columns, self.ctc(columns))


def _joined(groups: Sequence[tuple[Tensor, Encoded]], batch: int) -> Encoded:
    """Put groups of rows back together, columns padded on the right to the longest."""
    first = groups[0][1]
    longest = max(encoded.columns.shape[1] for _, encoded in groups)
    columns = first.columns.new_zeros(batch, longest, first.columns.shape[2])
    mask = first.mask.new_zeros(batch, longest)
    logits = None
    if first.ctc_logits is not None:
        logits = first.ctc_logits.new_zeros(batch, longest, first.ctc_logits.shape[2])
    for rows, encoded in groups:
        count = encoded.columns.shape[1]
        columns[rows, :count] = encoded.columns
        mask[rows, :count] = encoded.mask
        if logits is not None and encoded.ctc_logits is not None:
            logits[rows, :count] = encoded.ctc_logits
    return Encoded(columns, mask, logits)


def column_mask(widths: Tensor, columns: int, pixels_per_column: int = PIXELS_PER_COLUMN) -> Tensor:
    """Columns that hold image, (batch, columns) bool, for true widths in pixels."""
    lengths = column_lengths(widths, pixels_per_column).unsqueeze(1)
    return torch.arange(columns, device=widths.device) < lengths


def column_lengths(widths: Tensor, pixels_per_column: int = PIXELS_PER_COLUMN) -> Tensor:
    """How many columns hold image for true widths in pixels."""
    return (widths + pixels_per_column - 1) // pixels_per_column


def ctc_loss(logits: Tensor, mask: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """CTC loss divided by the string's length, mean over the batch; in float32.

    Args:
        logits: (batch, T, classes); mask: (batch, T), True where a column holds image.
        targets: (batch, L) classes, 0 behind the end; lengths: (batch,).
    """
    losses = F.ctc_loss(
        logits.float().log_softmax(-1).transpose(0, 1),
        targets,
        mask.sum(1),
        lengths,
        blank=0,
        reduction="none",
        zero_infinity=True,
    )
    return (losses / lengths.clamp_min(1)).mean()


def decoder_loss(
    logits: Tensor, targets: Tensor, lengths: Tensor, label_smoothing: float = LABEL_SMOOTHING
) -> Tensor:
    """Mean cross entropy a character, end symbol included; in float32.

    Args:
        logits: (batch, L + 1, classes); see ``Decoder``.
        targets: (batch, L) classes, 0 behind the end; lengths: (batch,).
        label_smoothing: share of the probability spread over all classes.
    """
    steps = torch.arange(logits.shape[1], device=logits.device)
    wanted = F.pad(targets, (0, 1))
    wanted = wanted.masked_fill(steps > lengths.unsqueeze(1), -100)
    return F.cross_entropy(
        logits.float().flatten(0, 1),
        wanted.flatten(),
        ignore_index=-100,
        label_smoothing=label_smoothing,
    )
