"""Reading a block of free text without finding its lines first.

The text is one string: line breaks are read as a space, because the packaged character set has
no line break.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from .architectures.contract import Recognizer
from .decoding import attention
from .images import prepare_block

MAX_BLOCK_CHARS = 160  # about four short lines


def read_block(
    model: Recognizer, gray: NDArray[np.uint8], width: int = 4
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
    config = model.config
    if model.decoder is None or not hasattr(config, "line_px"):
        raise ValueError("This family reads no paragraphs. Train one such as scan_attend_read.")
    ink = prepare_block(gray, config.height_px, config.max_width_px, config.line_px)
    if not ink.any():
        return [("", 0.0)]
    device = next(model.parameters()).device
    with torch.inference_mode():
        images = torch.from_numpy(ink)[None, None].to(device)
        encoded = model.encode(images, torch.tensor([ink.shape[1]], device=device))
        open_classes = torch.zeros(model.charset.size, dtype=torch.bool, device=device)
        [found] = attention.beam(
            model.decoder, encoded.columns, encoded.mask, width, MAX_BLOCK_CHARS, open_classes
        )
    return [(model.charset.decode(string), log_p) for string, log_p in found]
