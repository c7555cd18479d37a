"""Scripted page and recognition rooms, for tests of what the pipeline itself promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from clinic_hwr import pipeline, stage_page, stage_read
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.services import scan_transition
from clinic_hwr.pages.types import (
    Box,
    FieldKind,
    FieldRegion,
    Gray,
    PrintedWord,
    UprightPage,
)
from clinic_hwr.recognition.types import Alternative, CharConfidence, Reading

WORDS = (PrintedWord("Patient", Box(5, 5, 60, 12), 0.96),)

REGIONS = (
    FieldRegion(
        "patient_name", FieldKind.NAME, Box(70, 5, 90, 12), printed_text="Ann Lee", confidence=0.9
    ),
    FieldRegion("drug", FieldKind.DRUG, Box(20, 20, 80, 40), group=1, label="Rx"),
    FieldRegion("signature", FieldKind.SIGNATURE, Box(20, 200, 80, 40), present=True),
)


def make_upright(gray: Gray) -> UprightPage:
    """The page as it is."""
    return UprightPage(gray, 0, 0.0, np.eye(3))


def read_print(gray: Gray, **options: object) -> tuple[PrintedWord, ...]:
    """One printed label."""
    return WORDS


def find_fields(
    page: UprightPage, words: Sequence[PrintedWord], **options: Any
) -> tuple[FieldRegion, ...]:
    """Print, handwriting and a mark."""
    return REGIONS


def crop_field(gray: Gray, box: Box, *, margin: float = 0.0) -> Gray:
    """The pixels of the box."""
    return gray[box.y : box.y + box.height, box.x : box.x + box.width]


class ScriptedReader:
    """A reader that knows the answer and remembers what it was asked."""

    model_version = "scripted@1"

    def __init__(self) -> None:
        """Start with an empty memory."""
        self.asked: list[tuple[list[tuple[int, ...]], list[str]]] = []

    def read(
        self, crops: Sequence[Gray], *, kinds: Sequence[str] | None = None, **options: Any
    ) -> list[Reading]:
        """Read "amoxicillin" everywhere."""
        self.asked.append(([crop.shape for crop in crops], list(kinds or ())))
        text = "amoxicillin"
        reading = Reading(
            text=text,
            p_correct=0.8,
            chars=tuple(CharConfidence(char, 0.9) for char in text),
            alternatives=(Alternative(text, 0.8), Alternative("amoxapine", 0.1)),
            model=self.model_version,
            scores={"margin": 0.7},
        )
        return [reading for _ in crops]


def prescription_refresh(*, scan: Scan) -> None:
    """Send every scan to people."""
    scan_transition(scan=scan, to="in_review", reason="fields need a human")


def install(
    patch: Callable[[Any, str, Any], None], reader: ScriptedReader | None = None
) -> ScriptedReader:
    """Put the fakes in place with ``patch(module, name, value)``; returns the reader."""
    reader = reader or ScriptedReader()
    patch(stage_page, "make_upright", make_upright)
    patch(stage_page, "read_print", read_print)
    patch(stage_read, "find_fields", find_fields)
    patch(stage_read, "crop_field", crop_field)
    patch(stage_read, "reader_load", lambda: reader)
    patch(pipeline, "prescription_refresh", prescription_refresh)
    return reader
