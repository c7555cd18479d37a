"""What every recognizer of crops promises, whatever its family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor
from torch.nn import functional as F

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.features import PIXELS_PER_COLUMN


@dataclass(frozen=True)
class Encoded:
    """What the encoder says of a batch.

    Attributes:
        columns: (batch, T, features).
        mask: (batch, T), True where a column holds image.
        ctc_logits: (batch, T, classes).
    """

    columns: Tensor
    mask: Tensor
    ctc_logits: Tensor


class CtcRecognizer(Protocol):
    """A module that reads crops with a CTC layer; class 0 is the blank."""

    config: Any
    charset: Charset

    def encode(self, images: Tensor, widths: Tensor) -> Encoded:
        """Encode ink maps.

        Args:
            images: (batch, 1, height_px, width) in 0..1, paper = 0, padded on the right.
            widths: (batch,) true widths in pixels.
        """
        ...

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """Return ``loss``, a mean a sample, and its parts.

        Args:
            images, widths: see ``encode``.
            targets: (batch, L) classes, 0 behind the end.
            lengths: (batch,) string lengths.
        """
        ...


def column_lengths(widths: Tensor) -> Tensor:
    """Columns that hold image for true widths in pixels."""
    return (widths + PIXELS_PER_COLUMN - 1) // PIXELS_PER_COLUMN


def ctc_loss(logits: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """CTC loss divided by the string's length, mean over the batch; in float32.

    Args:
        logits: (batch, T, classes); widths: (batch,) pixels.
        targets: (batch, L) classes, 0 behind the end; lengths: (batch,).
    """
    losses = F.ctc_loss(
        logits.float().log_softmax(-1).transpose(0, 1),
        targets,
        column_lengths(widths),
        lengths,
        blank=0,
        reduction="none",
        zero_infinity=True,
    )
    return (losses / lengths.clamp_min(1)).mean()
