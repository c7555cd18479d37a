"""Published recognizer families, one file each; importing this package registers them all."""

from . import (
    capsnet,
    convolve_attend_spell,
    crnn_ctc,
    fcn_ctc,
    mdlstm_ctc,
    pay_attention,
    scan_attend_read,
    scrabblegan,
    trba,
)
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
    "capsnet",
    "config_from_dict",
    "convolve_attend_spell",
    "crnn_ctc",
    "fcn_ctc",
    "mdlstm_ctc",
    "pay_attention",
    "preset",
    "scan_attend_read",
    "scrabblegan",
    "trba",
]
