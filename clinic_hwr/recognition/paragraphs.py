"""Reading a block of free text without finding its lines first.

The text is one string: line breaks are read as a space, because the packaged character set has
no line break.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from .architectures.contract import Recognizer
from .calibration import Calibrator
from .decoding import attention
from .images import prepare_block
from .types import Alternative, CharConfidence, Reading

MAX_BLOCK_CHARS = 160  # about four short lines
BEAM_WIDTH = 4
BLOCK_FEATURES = ("attention", "attention_per_char", "weakest", "margin", "length")


def read_block(
    model: Recognizer, gray: NDArray[np.uint8], width: int = BEAM_WIDTH
) -> list[tuple[str, float]]:
    """Read a block of up to as many lines as the model's canvas holds.

    Args:
        model: of a family that reads paragraphs (``scan_attend_read``), in evaluation mode.
        gray: crop, shape (height, width) uint8.
        width: of the beam.

    Returns:
        readings with their natural log probability, end symbol included, best first; [("", 0.0)]
        when the crop holds no ink.

    Raises:
        ValueError: the model has no canvas for several lines.
    """
    return [(text, log_p) for text, log_p, _ in _search(model, gray, width)]


@torch.inference_mode()
def _search(
    model: Recognizer, gray: NDArray[np.uint8], width: int
) -> list[tuple[str, float, tuple[float, ...]]]:
    """Readings with their log probability, and that of each character and the end, best first."""
    config = model.config
    if model.decoder is None or not hasattr(config, "line_px"):
        raise ValueError("This family reads no paragraphs. Train one such as scan_attend_read.")
    ink = prepare_block(gray, config.height_px, config.max_width_px, config.line_px)
    if not ink.any():
        return [("", 0.0, ())]
    device = next(model.parameters()).device
    images = torch.from_numpy(ink)[None, None].to(device)
    encoded = model.encode(images, torch.tensor([ink.shape[1]], device=device))
    open_classes = torch.zeros(model.charset.size, dtype=torch.bool, device=device)
    [found] = attention.beam(
        model.decoder, encoded.columns, encoded.mask, width, MAX_BLOCK_CHARS, open_classes
    )
    [scores] = attention.string_log_probabilities(
        model.decoder, encoded.columns, encoded.mask, [[string for string, _ in found[:1]]]
    )
    best = tuple(scores[0])
    return [
        (model.charset.decode(string), log_p, () if k else best)
        for k, (string, log_p) in enumerate(found)
    ]


class BlockReader:
    """Reads blocks of text; thread-safe.

    Args:
        model: of a family that reads paragraphs.
        model_version: name and content hash of its weights.
        calibrator: from the scores of a reading to the probability that it is right.

    Attributes:
        most_lines: of a block; letters of a higher one would be scaled down.
    """

    def __init__(self, model: Recognizer, model_version: str, calibrator: Calibrator):
        self.model = model.eval()
        self.model_version = model_version
        self.calibrator = calibrator
        self.most_lines: int = max(1, model.config.height_px // model.config.line_px)
        self._lock = threading.Lock()

    def read(self, gray: NDArray[np.uint8], nbest: int = 5) -> Reading:
        """Read one block, (height, width) uint8; without ink "" with ``p_correct`` 0.

        Shares of the alternatives are the probabilities of the whole strings.
        """
        with self._lock:
            found = _search(self.model, gray, max(BEAM_WIDTH, nbest))[:nbest]
        text, log_p, chars = found[0]
        if not chars:
            return Reading("", 0.0, (), (), self.model_version, {"no_ink": 1.0})
        scores = {
            "attention": sum(chars),
            "attention_per_char": sum(chars) / len(chars),
            "weakest": min(chars),
            "margin": log_p - found[1][1] if len(found) > 1 else 20.0,
            "length": float(len(text)),
        }
        return Reading(
            text,
            self.calibrator.probability(scores),
            tuple(CharConfidence(char, math.exp(p)) for char, p in zip(text, chars, strict=False)),
            tuple(Alternative(other, math.exp(p)) for other, p, _ in found),
            self.model_version,
            scores,
        )


class ParagraphReader:
    """A ``types.Reader`` of crops that hold a block of text each."""

    def __init__(self, blocks: BlockReader):
        self.blocks = blocks

    @property
    def model_version(self) -> str:
        """Name and content hash of the weights in use."""
        return self.blocks.model_version

    def read(
        self,
        crops: Sequence[NDArray[np.uint8]],
        *,
        kinds: Sequence[str] | None = None,
        lexicon: Sequence[str] | None = None,
        nbest: int = 5,
    ) -> list[Reading]:
        """Read blocks, each (height, width) uint8; kinds make no difference.

        Raises:
            ValueError: a list of names was given, and blocks are none.
        """
        if lexicon:
            raise ValueError("A reader of blocks cannot rank names: leave the list away.")
        return [self.blocks.read(crop, nbest) for crop in crops]
