"""Lets ``import timm`` work where torchvision's compiled ops cannot load.

The torchvision wheel of the package index is built for CUDA; beside a CPU torch its
shared library does not load, and importing torchvision then fails because it registers
shape functions for ``torchvision::nms`` and ``torchvision::qnms``, which do not exist.
Declaring the two schemas is enough: no recognizer here calls them. On a machine where the
ops load this module does nothing.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

_library: torch.library.Library | None = None


def declare_missing_ops() -> bool:
    """Declare the two schemas if torchvision's own library does not load.

    Returns:
        True if the schemas were declared by us, False if torchvision works unpatched.
    """
    global _library
    if _library is not None:
        return True
    if hasattr(torch.ops.torchvision, "nms"):
        return False
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    for candidate in Path(spec.origin).parent.glob("_C*.so"):
        try:
            torch.ops.load_library(str(candidate))
        except OSError:
            continue
        return False
    _library = torch.library.Library("torchvision", "DEF")
    _library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return True
