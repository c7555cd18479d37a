"""Where the decoder of any family looks while it reads; for ``family_pictures``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clinic_hwr.recognition.architectures.contract import MAX_CHARS, Recognizer
from clinic_hwr.recognition.decoding import attention
from clinic_hwr.recognition.images import prepare, prepare_block
from clinic_hwr.recognition.stages.map_attention import MapAttentionDecoder
from clinic_hwr.recognition.stages.prediction import AttentionDecoder
from clinic_hwr.recognition.stages.spelling import Speller
from clinic_hwr.recognition.stages.transcriber import Transcriber, TranscriberLayer

Gray = NDArray[np.uint8]
Maps = NDArray[np.float64]


class NoPicture(ValueError):
    """The weights, or the files, do not show what was asked for."""


@torch.inference_mode()
def attention_maps(model: Recognizer, gray: Gray) -> tuple[NDArray[np.float32], str, Maps]:
    """Where a decoder looks while it reads a crop.

    Args:
        model: a recognizer with a decoder, in evaluation mode.
        gray: crop, (height, width) uint8.

    Returns:
        the ink map that the network sees, (height, width); the text it reads; and the attention
        of each character and of the end, (len(text) + 1, rows, columns), each map sums to 1.
        One row where attention is over columns only.

    Raises:
        NoPicture: the family has no decoder, or the crop no ink.
    """
    if model.decoder is None:
        raise NoPicture("This family has no decoder, so there is no attention to show.")
    config = model.config
    if hasattr(config, "line_px"):
        ink = prepare_block(gray, config.height_px, config.max_width_px, config.line_px)
    else:
        ink = prepare(gray, config.height_px, config.max_width_px)
    if not ink.any():
        raise NoPicture("There is no ink on this crop.")
    images = torch.from_numpy(ink)[None, None]
    encoded = model.encode(images, torch.tensor([ink.shape[1]]))
    allowed = torch.zeros(model.charset.size, dtype=torch.bool)
    [classes] = attention.greedy(model.decoder, encoded.columns, encoded.mask, MAX_CHARS, allowed)
    weights = _weights(model.decoder, encoded.columns, encoded.mask, classes)
    rows = model.decoder.rows if isinstance(model.decoder, MapAttentionDecoder) else 1
    maps = weights.reshape(len(weights), -1, rows).transpose(0, 2, 1)
    seen = model.rectify(images)[0, 0].numpy()  # attention is over the rectified crop
    return seen, model.charset.decode(classes), maps


def _weights(decoder: Any, columns: Tensor, mask: Tensor, classes: Sequence[int]) -> Maps:
    """Attention (steps, T) of each step while given classes, and then the end, are written."""
    heard: list[Tensor] = []
    hook = _listen(decoder, mask, heard)
    memory = decoder.memory(columns, mask)
    state = decoder.initial_state(memory)
    try:
        for previous in (0, *classes):
            _, state = decoder.step(torch.tensor([previous]), state, memory)
            if isinstance(decoder, MapAttentionDecoder):
                heard.append(state[0])
            elif isinstance(decoder, Speller):
                heard.append(state[2])
    finally:
        if hook is not None:
            hook.remove()
    return torch.cat(heard).double().numpy()


def _listen(decoder: Any, mask: Tensor, heard: list[Tensor]) -> Any:
    """Keep the attention of decoders that do not hand it on in their state."""
    if isinstance(decoder, AttentionDecoder):

        def energies(module: Any, given: Any, answer: Tensor) -> None:
            energy = answer.squeeze(-1).masked_fill(~mask, float("-inf"))
            heard.append(energy.softmax(1))

        return decoder.score.register_forward_hook(energies)
    if isinstance(decoder, Transcriber):
        last = [layer for layer in decoder.layers if isinstance(layer, TranscriberLayer)][-1].seen

        def lookups(module: Any, given: tuple[Tensor, ...], answer: Tensor) -> None:
            query, key = module._split(module.query(given[0])), module._split(given[1])
            energy = (query @ key.transpose(2, 3)) / query.shape[-1] ** 0.5
            energy = energy.masked_fill(~mask[:, None, None, :], float("-inf"))
            heard.append(energy.softmax(-1).mean(1)[:, -1])  # mean of the heads

        return last.register_forward_hook(lookups)
    if isinstance(decoder, MapAttentionDecoder | Speller):
        return None
    raise NoPicture(f"The attention of {type(decoder).__name__} cannot be shown.")
