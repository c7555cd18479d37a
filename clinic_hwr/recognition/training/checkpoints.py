"""Saving and resuming a run, and exporting weights for the product."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from clinic_hwr.recognition.architectures import architecture, config_from_dict
from clinic_hwr.recognition.charset import Charset

FORMAT = "clinic_hwr-weights-1"


class WeightsRefused(ValueError):
    """The file is not a weights file of this product, or does not fit its architecture."""


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a run's state so that a crash leaves either the old file or the new one."""
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what ``save_checkpoint`` wrote; tensors, numbers and text only."""
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def export_weights(
    path: Path, arch: str, config: Any, charset: Charset, tensors: dict[str, Tensor]
) -> str:
    """Write fp16 weights that describe themselves.

    Returns:
        SHA-256 of the file, hex.
    """
    metadata = {
        "format": FORMAT,
        "arch": arch,
        "config": json.dumps(asdict(config)),
        "charset": charset.characters,
    }
    small = {
        name: (t.half() if t.is_floating_point() else t).contiguous() for name, t in tensors.items()
    }
    save_file(small, path, metadata=metadata)
    path.chmod(0o644)  # safetensors writes for the owner only; weights are no secret
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_weights(path: Path) -> tuple[str, nn.Module]:
    """Rebuild a model from its weights file.

    Returns:
        the architecture's name and the model in evaluation mode, float32.

    Raises:
        WeightsRefused: not such a file, or its tensors do not fit.
    """
    try:
        with safe_open(path, framework="pt") as handle:
            metadata = handle.metadata() or {}
            tensors = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118
    except Exception as error:  # safetensors raises its own untyped errors on broken files
        raise WeightsRefused(f"{path.name} cannot be read as safetensors: {error}") from error
    if metadata.get("format") != FORMAT:
        raise WeightsRefused(f"{path.name} is not a {FORMAT} file.")
    name = metadata["arch"]
    config = config_from_dict(name, json.loads(metadata["config"]))
    model = architecture(name).build(config, Charset(metadata["charset"]))
    full = {key: t.float() if t.is_floating_point() else t for key, t in tensors.items()}
    try:
        model.load_state_dict(full)
    except RuntimeError as error:
        raise WeightsRefused(f"{path.name} does not fit {name}: {error}") from error
    return name, model.eval()
