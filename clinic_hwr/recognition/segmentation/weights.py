"""The segmenter's weights as a file: safetensors that say what they are.

Weights are stored in 16 bits, the statistics of the normalisations in 32: a variance may be larger
than a number of 16 bits can be.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .network import LineSegmenter

SHIPPED = Path(__file__).parent / "lines-small.safetensors"
_KIND = "line_segmenter"
# The network of files that do not say which.
_FIRST = {"channels": [16, 32, 48, 64], "blocks": [1, 1, 1, 1], "width": 24, "fine_width": 24}
_BEFORE = {"struck_width": 0}  # what files say that were written before there was such a branch


class SegmenterMissing(RuntimeError):
    """The weights of the segmenter are not installed, or are no weights of it."""


def save_segmenter(model: LineSegmenter, path: Path) -> None:
    """Write the weights of a model."""
    path.parent.mkdir(parents=True, exist_ok=True)
    measured = {name for name, _ in model.named_buffers()}
    state = {
        name: value.contiguous() if name in measured or not value.is_floating_point()
        else value.half().contiguous()
        for name, value in model.state_dict().items()
    }  # fmt: skip
    save_file(state, path, metadata={"kind": _KIND, "config": json.dumps(model.config)})


def load_segmenter(path: Path = SHIPPED) -> tuple[LineSegmenter, str]:
    """Return a model ready to use, and its name with the first digits of the file's SHA-256.

    Raises:
        SegmenterMissing: there is no such file, or it holds something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            said = file.metadata() or {}
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise SegmenterMissing(f"The weights of the line finder cannot be read: {path}.") from error
    if said.get("kind") != _KIND:
        raise SegmenterMissing(f"{path} holds no weights of the line finder.")
    try:
        config = json.loads(said.get("config", "{}")) or _FIRST
        model = LineSegmenter(**{**_BEFORE, **config})
        model.load_state_dict(state)
    except (RuntimeError, TypeError, ValueError) as error:
        raise SegmenterMissing(f"The weights in {path} are of another network.") from error
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return model.eval().to(memory_format=torch.channels_last), f"lines-small@{digest}"  # type: ignore[call-overload]
