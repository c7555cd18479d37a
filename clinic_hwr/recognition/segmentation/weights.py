"""The segmenter's weights as a file: fp16 safetensors that say what they are."""

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


class SegmenterMissing(RuntimeError):
    """The weights of the segmenter are not installed, or are no weights of it."""


def save_segmenter(model: LineSegmenter, path: Path) -> None:
    """Write the weights of a model."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        name: value.half().contiguous() if value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }
    save_file(state, path, metadata={"kind": _KIND, "config": json.dumps({})})


def load_segmenter(path: Path = SHIPPED) -> tuple[LineSegmenter, str]:
    """Return a model ready to use, and its name with the first digits of the file's SHA-256.

    Raises:
        SegmenterMissing: there is no such file, or it holds something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            kind = (file.metadata() or {}).get("kind", "")
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise SegmenterMissing(f"The weights of the line finder cannot be read: {path}.") from error
    if kind != _KIND:
        raise SegmenterMissing(f"{path} holds no weights of the line finder.")
    model = LineSegmenter()
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise SegmenterMissing(f"The weights in {path} are of another network.") from error
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return model.eval().to(memory_format=torch.channels_last), f"lines-small@{digest}"  # type: ignore[call-overload]
