"""Published recognizer families, one file each; importing this package registers them all."""

from . import fcn_ctc, trba
from .registry import (
    Architecture,
    UnknownArchitecture,
    UnknownPreset,
    architecture,
    architecture_names,
    config_from_dict,
    preset,
)

__all__ = [
    "Architecture",
    "UnknownArchitecture",
    "UnknownPreset",
    "architecture",
    "architecture_names",
    "config_from_dict",
    "fcn_ctc",
    "preset",
    "trba",
]
