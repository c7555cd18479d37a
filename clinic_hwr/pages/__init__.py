"""Page image -> upright page -> printed words -> named field crops."""

from .crops import crop_cells, crop_field
from .fields import find_fields
from .print_words import TesseractMissing, read_print
from .types import FIELD_NAMES, Box, CombRun, FieldKind, FieldRegion, Gray, PrintedWord, UprightPage
from .upright import make_upright

__all__ = [
    "FIELD_NAMES",
    "Box",
    "CombRun",
    "FieldKind",
    "FieldRegion",
    "Gray",
    "PrintedWord",
    "TesseractMissing",
    "UprightPage",
    "crop_cells",
    "crop_field",
    "find_fields",
    "make_upright",
    "read_print",
]
