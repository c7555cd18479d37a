"""What was found on a page without a form is named by what it says."""

from __future__ import annotations

import pytest

from clinic_hwr.pages.types import Box, FieldKind, FieldRegion, NamedBy, StruckOut
from clinic_hwr.recognition.types import Reading
from clinic_hwr.unknown_pages import regions_named


@pytest.mark.parametrize(
    ("struck", "groups"),
    [(StruckOut.WHOLLY, [1, 1]), (StruckOut.PERHAPS, [1, 2]), (StruckOut.NO, [1, 2])],
)
def test_a_drug_takes_the_place_of_one_that_is_surely_crossed_out(
    struck: StruckOut, groups: list[int]
) -> None:
    """What is only perhaps crossed out stays a medication of its own until a person answers."""
    regions = [
        FieldRegion(
            "drug", FieldKind.DRUG, Box(100, y, 300, 30), group=1, named_by=NamedBy.PLACE,
            struck_out=said,
        )
        for y, said in ((100, struck), (150, StruckOut.NO))
    ]  # fmt: skip
    readings = [
        Reading(text=text, p_correct=0.8, chars=(), alternatives=(), model="m")
        for text in ("Lisinopril 10 mg tab", "Metformin 500 mg tab")
    ]

    named = regions_named(regions, readings)

    assert [(one.name, one.group) for one in named] == [("drug", group) for group in groups]
