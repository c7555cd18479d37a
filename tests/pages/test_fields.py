"""Fields are named by their labels, their place and their table."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import (
    Box,
    FieldKind,
    FieldRegion,
    PrintedWord,
    UprightPage,
    find_fields,
    read_print,
)
from clinic_hwr.pages.checkboxes import find_checkboxes
from clinic_hwr.pages.medication_groups import grouped
from clinic_hwr.pages.medications import without_emblem
from clinic_hwr.pages.pen_strokes import Stroke
from clinic_hwr.pages.types import FIELD_NAMES, LineMaps
from clinic_hwr.recognition.synthesis.pages_paper import Paper

from .conftest import PreparedPage, needs_tesseract
from .scribble import ScribbleHand

pytestmark = needs_tesseract


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("patient_name", 0), ("patient_dob", 0), ("patient_address", 0), ("date_written", 0),
        ("drug", 1), ("sig", 1), ("quantity", 1), ("signature", 0),
    ],
)  # fmt: skip
def test_written_fields_of_a_pad_are_found_where_they_are(
    us_pad: PreparedPage, name: str, group: int
) -> None:
    assert us_pad.overlap(name, group) > 0.5
    assert us_pad.field(name, group).printed_text is None


def test_printed_head_of_a_pad_is_read(us_pad: PreparedPage) -> None:
    assert us_pad.field("prescriber_npi").printed_text == "1234567893"
    assert us_pad.field("prescriber_dea").printed_text == "AB1234563"
    assert us_pad.field("prescriber_name").printed_text == "Robin Sample, M.D."
    assert us_pad.field("practice_name").printed_text == "Riverside Family Clinic"
    assert us_pad.field("prescriber_npi").confidence > 0.8


def test_circled_refill_is_read_off_the_row(us_pad: PreparedPage) -> None:
    refills = us_pad.field("refills")
    assert refills.printed_text == "0"
    assert refills.kind is FieldKind.REFILLS


def test_signature_line_that_was_signed_tells_substitution(us_pad: PreparedPage) -> None:
    assert us_pad.field("signature").present is True
    assert us_pad.field("substitution").present is True


def test_order_table_gives_one_medication_a_row(order_sheet: PreparedPage) -> None:
    drugs = [f.group for f in order_sheet.fields if f.name == "drug"]
    assert drugs == [1, 2]
    for group in (1, 2):
        assert order_sheet.overlap("drug", group) > 0.5
        assert order_sheet.overlap("sig", group) > 0.5


def test_cells_of_a_row_that_are_one_value_are_pieces_of_it(order_sheet: PreparedPage) -> None:
    sig = order_sheet.field("sig", 1)
    assert len(sig.lines_px) == 3  # dose, route, frequency
    assert [box.x for box in sig.lines_px] == sorted(box.x for box in sig.lines_px)
    assert order_sheet.field("drug", 1).lines_px == ()


def test_patient_sticker_is_printed_text(order_sheet: PreparedPage) -> None:
    assert order_sheet.field("patient_name").printed_text == "John Specimen"
    assert order_sheet.field("patient_mrn").printed_text == "0077510"
    assert order_sheet.field("patient_dob").printed_text == "9/30/1951"
    assert order_sheet.field("prescriber_name").printed_text == "Robin Sample, M.D."


def test_numbered_lines_of_a_letterhead_become_medications(letterhead: PreparedPage) -> None:
    named = [(f.name, f.group) for f in letterhead.fields if f.group]
    assert named == [
        ("drug", 1), ("sig", 1), ("quantity", 1), ("drug", 2), ("sig", 2), ("quantity", 2),
    ]  # fmt: skip
    assert letterhead.overlap("patient_age") > 0.5
    assert letterhead.overlap("patient_name") > 0.5


def test_unsigned_pad_has_an_absent_signature() -> None:
    gray = np.full((900, 900), 255, np.uint8)
    gray[600:603, 100:700] = 0
    words = (PrintedWord("Signature", Box(300, 615, 120, 20), 0.95),)
    gray[617:633, 302:418:6] = 0
    (field,) = find_fields(UprightPage(gray, 0, 0.0, np.eye(3)), words)
    assert (field.name, field.present) == ("signature", False)


def test_ink_that_nobody_can_name_is_kept() -> None:
    gray = np.full((900, 900), 255, np.uint8)
    for x in range(200, 420, 22):
        gray[400:430, x : x + 4] = 0
    fields = find_fields(UprightPage(gray, 0, 0.0, np.eye(3)), ())
    assert [f.name for f in fields] == ["unnamed"]
    assert fields[0].box_px.as_list() == pytest.approx([200, 400, 202, 30], abs=4)


@pytest.mark.parametrize(
    "gray",
    [
        np.full((1200, 900), 255, np.uint8),
        np.zeros((1200, 900), np.uint8),
        np.full((5, 7), 128, np.uint8),
        np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8),
    ],
    ids=["blank", "black", "tiny", "noise"],
)
def test_odd_pages_never_raise(gray: np.ndarray) -> None:
    fields = find_fields(UprightPage(gray, 0, 0.0, np.eye(3)), ())
    assert all(field.name == "unnamed" for field in fields)


def test_circles_and_letters_are_no_checkboxes() -> None:
    page = np.full((300, 600), 255, np.uint8)
    cv2.circle(page, (60, 60), 22, 0, 6)
    cv2.putText(page, "D", (120, 84), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 0, 4)
    cv2.putText(page, "R", (190, 84), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 0, 4)
    cv2.putText(page, "8", (260, 84), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 0, 4)
    cv2.rectangle(page, (340, 40), (380, 80), 0, 3)
    cv2.rectangle(page, (440, 40), (480, 80), 0, 3)
    cv2.line(page, (445, 45), (475, 75), 0, 4)
    cv2.line(page, (475, 45), (445, 75), 0, 4)

    found = find_checkboxes(np.where(page < 128, 255, 0).astype(np.uint8), unit_px=25.0)

    assert sorted((one.box_px.x // 100, one.marked) for one in found) == [(3, False), (4, True)]


def _field(name: str, y: int, group: int = 0) -> FieldRegion:
    return FieldRegion(name, FIELD_NAMES[name], Box(100, y, 200, 40), group)


def test_refills_amid_drugs_go_for_the_drug_above_them() -> None:
    fields = [_field("drug", 100, 1), _field("refills", 160), _field("drug", 300, 2),
              _field("refills", 360)]  # fmt: skip
    groups = [one.group for one in grouped(fields) if one.name == "refills"]
    assert groups == [1, 2]


def test_refills_below_all_drugs_go_for_every_one() -> None:
    fields = [_field("drug", 100, 1), _field("drug", 300, 2), _field("refills", 500)]
    assert grouped(fields)[2].group == 0


def test_an_area_of_specks_and_one_tall_mark_has_no_emblem() -> None:
    specks = [Stroke(Box(10 * place, 40, 2, 2), 4) for place in range(4)]
    tall = [Stroke(Box(x, 0, 10, 90), 300) for x in (80, 120)]
    assert without_emblem([*specks, *tall], 9.0) == [*specks, *tall]


def test_rows_typed_under_an_rx_are_regions_of_print_without_a_name() -> None:
    paper = Paper(5.0, 6.0, 200, ScribbleHand(), np.random.default_rng(1))
    paper.text(0.4, 0.6, "Riverside Family Clinic", points=12)
    paper.text(0.4, 1.2, "Name: Jane Example", points=10)
    paper.text(0.4, 1.9, "Rx", points=22, face="serif-bold")
    paper.text(1.0, 2.4, "Furosemide 40 mg tablet", points=10)
    paper.text(1.0, 2.8, "1 tablet by mouth daily", points=10)
    page = UprightPage(paper.ink, 0, 0.0, np.eye(3))

    fields = find_fields(page, read_print(page.gray))

    typed = [one for one in fields if one.name == "unnamed" and one.printed_text]
    assert [one.printed_text for one in typed] == [
        "Furosemide 40 mg tablet", "1 tablet by mouth daily",
    ]  # fmt: skip


def test_the_grain_of_a_shadow_under_an_rx_is_no_drug() -> None:
    """What a segmenter sees no writing in is shown without a name, and counts as no medication."""
    page = np.full((1200, 900), 255, np.uint8)
    rng = np.random.default_rng(3)
    for x in range(200, 620, 24):
        cv2.ellipse(page, (x, 500), (9, 14), 0, 0, 300, 0, 3)
    for _ in range(40):
        x, y = int(rng.integers(300, 420)), int(rng.integers(380, 420))
        cv2.rectangle(page, (x, y), (x + 7, y + 7), 0, -1)
    rx = PrintedWord("Rx", Box(90, 300, 60, 40), 0.95)
    cv2.putText(page, "Rx", (90, 340), cv2.FONT_HERSHEY_DUPLEX, 1.6, 0, 4)
    hand = np.zeros((600, 450), np.float32)
    hand[246:255, 95:315] = 0.9

    upright = UprightPage(page, 0, 0.0, np.eye(3))
    marked = find_fields(
        upright, [rx], segmenter=lambda _: LineMaps(hand, np.zeros_like(hand), 0.5)
    )
    bare = find_fields(upright, [rx])

    def rows(fields: tuple[FieldRegion, ...]) -> list[tuple[str, bool]]:
        return [(one.name, one.box_px.y > 450) for one in fields]

    assert rows(marked) == [("unnamed", False), ("drug", True)]
    assert ("drug", False) in rows(bare)
