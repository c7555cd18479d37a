"""Page image -> upright page -> printed words -> named field crops."""

from .crops import crop_cells, crop_field
from .fields import find_fields
from .label_vocabulary import UnknownLanguage, languages, tesseract_pack
from .print_words import (
    PrintUnread,
    TesseractFailed,
    TesseractMissing,
    choose_packs,
    read_print,
)
from .types import (
    FIELD_NAMES,
    Box,
    CombRun,
    FieldKind,
    FieldRegion,
    Gray,
    LineMaps,
    LineSegmenter,
    NamedBy,
    PageProblem,
    PageTransform,
    PrintedWord,
    RowBend,
    StruckOut,
    UprightPage,
)
from .upright import make_upright

__all__ = [
    "FIELD_NAMES",
    "Box",
    "CombRun",
    "FieldKind",
    "FieldRegion",
    "Gray",
    "LineMaps",
    "LineSegmenter",
    "NamedBy",
    "PageProblem",
    "PageTransform",
    "PrintUnread",
    "PrintedWord",
    "RowBend",
    "StruckOut",
    "TesseractFailed",
    "TesseractMissing",
    "UnknownLanguage",
    "UprightPage",
    "choose_packs",
    "crop_cells",
    "crop_field",
    "find_fields",
    "languages",
    "make_upright",
    "read_print",
    "tesseract_pack",
]
