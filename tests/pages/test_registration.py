"""A page is laid over its form, its print is taken off, and its fields get their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.background import flatten_background
from clinic_hwr.pages.blank_form import without_form
from clinic_hwr.pages.form_match import FormMatch, FormMiss, FormSheet, match_form
from clinic_hwr.pages.form_template import regions_from_json
from clinic_hwr.pages.registered_fields import registered_fields
from clinic_hwr.pages.registration import (
    FormPrint,
    Misfit,
    PagePrint,
    Refusal,
    Registration,
    register,
)
from clinic_hwr.pages.types import Gray, LineMaps, NamedBy, StruckOut
from clinic_hwr.recognition.segmentation.finder import load_line_marker
from tests.forms.drawn import REGIONS, blank_form, faxed, filled_form, photographed, wiggle

pytestmark = pytest.mark.thorough

REGION_TUPLE = regions_from_json(REGIONS)
FORM = FormPrint.of(blank_form())
SHEET = FormSheet("riverside", 1, FORM, REGION_TUPLE)
AS_IT_IS: Callable[[Gray], Gray] = lambda page: page  # noqa: E731 - one name in a table


def upright(page: Gray) -> PagePrint:
    return PagePrint.of(flatten_background(page))


@pytest.mark.parametrize("degrade", [AS_IT_IS, faxed, photographed], ids=["scan", "fax", "photo"])
def test_every_field_is_found_under_its_name(degrade: Callable[[Gray], Gray]) -> None:
    page = upright(degrade(filled_form()))

    match = match_form(page, [SHEET])
    assert isinstance(match, FormMatch)
    found = registered_fields(page, (), match)

    names = [(one.field.name, one.field.group) for one in found.fields if one.region is not None]
    assert names == [(region.field, region.group) for region in REGION_TUPLE]
    assert [one.field.present for one in found.fields[5:7]] == [True, True]
    for one, box in zip(found.fields[:5], found.boxes[:5], strict=True):
        middle = one.field.box_px.x + one.field.box_px.width / 2
        assert box.x < middle < box.x + box.width
    assert not any(one.doubtful for one in found.fields)


def test_empty_marks_are_absent_and_empty_regions_no_fields() -> None:
    page = upright(faxed(blank_form()))

    match = match_form(page, [SHEET])
    assert isinstance(match, FormMatch)
    found = registered_fields(page, (), match)

    assert [(one.field.name, one.field.present) for one in found.fields] == [
        ("substitution", False),
        ("signature", False),
    ]


def test_a_signature_ends_where_a_stamp_hangs_on_it() -> None:
    page = filled_form()
    cv2.ellipse(page, (330, 1290), (120, 120), 0, 0, 360, 60, 4)  # down into the signature

    here = upright(page)
    match = match_form(here, [SHEET])
    assert isinstance(match, FormMatch)
    (signed,) = [
        one.field
        for one in registered_fields(here, (), match).fields
        if one.field.name == "signature"
    ]

    assert signed.present
    assert signed.box_px.y > 1290 and signed.box_px.height < 140


def test_only_ink_remains_and_ink_across_print_survives() -> None:
    blank, page = blank_form(), blank_form()
    cv2.line(page, (300, 380), (330, 450), 30, 4, cv2.LINE_AA)  # across the rule at y = 410
    shifted = np.roll(page, (2, -2), (0, 1))  # the registration may be off by as much
    ink_there = np.where(shifted < 170, 255, 0).astype(np.uint8)
    print_there = np.where(blank < 170, 255, 0).astype(np.uint8)
    thick = cv2.dilate(ink_there, np.ones((3, 3), np.uint8))

    _, ink = without_form(shifted, thick, print_there)

    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink)
    line = stats[labels[400, 308]]
    assert line[cv2.CC_STAT_HEIGHT] > 65  # one stroke from above the rule to below it
    rest = np.count_nonzero(ink) - int(line[cv2.CC_STAT_AREA])
    assert rest < 0.01 * np.count_nonzero(ink_there)
    assert count > 1


def test_another_version_is_told_apart() -> None:
    old = SHEET
    new = FormSheet("riverside-2", 1, FormPrint.of(blank_form(moved=True)), REGION_TUPLE[:4])
    page = upright(faxed(filled_form()))

    match = match_form(page, [new, old])
    alone = match_form(page, [new])

    assert isinstance(match, FormMatch)
    assert match.sheet.key == "riverside"
    assert isinstance(alone, FormMiss)
    assert alone.reason in (Refusal.OTHER_VERSION, Refusal.PRINT_DIFFERS)


def test_two_forms_that_cannot_be_told_apart_are_refused() -> None:
    twin = FormSheet("twin", 1, FORM, REGION_TUPLE[:3])

    miss = match_form(upright(filled_form()), [SHEET, twin])

    assert isinstance(miss, FormMiss)
    assert miss.reason is Refusal.AMBIGUOUS


def test_other_paper_is_refused_with_a_reason() -> None:
    rng = np.random.default_rng(3)
    letter = np.full((1650, 1275), 255, np.uint8)
    for y in range(200, 1500, 45):
        text = "".join(rng.choice(list("abcdefghik lmnop rstuv"), 48))
        cv2.putText(letter, text, (100, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 40, 2, cv2.LINE_AA)

    fit = register(FORM, upright(letter))
    empty = register(FORM, upright(np.full((1650, 1275), 255, np.uint8)))

    assert isinstance(fit, Misfit)
    assert fit.reason in (Refusal.FEW_INLIERS, Refusal.IMPLAUSIBLE, Refusal.PRINT_DIFFERS)
    assert isinstance(empty, Misfit)
    assert empty.reason is Refusal.BLANK


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda page: np.ascontiguousarray(np.rot90(page, 2)), Refusal.TURNED),
        (lambda page: np.ascontiguousarray(np.rot90(page)), Refusal.TURNED),
        (lambda page: np.ascontiguousarray(np.rot90(page, 3)), Refusal.TURNED),
        (lambda page: page[:900].copy(), Refusal.CUT_OFF),
    ],
    ids=["upside down", "on its left side", "on its right side", "half a page"],
)
def test_the_form_in_a_wrong_position_is_named_as_such(
    change: Callable[[Gray], Gray], reason: Refusal
) -> None:
    fit = register(FORM, upright(change(filled_form())))

    assert isinstance(fit, Misfit)
    assert fit.reason is reason


def test_the_same_page_gives_the_same_fit() -> None:
    page = upright(photographed(filled_form()))
    first, second = register(FORM, page), register(FORM, page)
    assert isinstance(first, Registration)
    assert isinstance(second, Registration)
    assert np.array_equal(first.matrix, second.matrix)
    assert first.fit == second.fit


def test_the_right_one_of_many_forms() -> None:
    clinics = [f"Clinic of {name} Hospital" for name in ("Abel", "Bruno", "Carla", "Doris", "Emil")]
    sheets = [
        FormSheet(name, 1, FormPrint.of(blank_form(clinic=name)), REGION_TUPLE) for name in clinics
    ]
    page = upright(faxed(filled_form()))

    match = match_form(page, [*sheets, SHEET])

    assert isinstance(match, FormMatch)
    assert match.sheet.key == "riverside"


def test_checkboxes_that_mean_values_become_the_ticked_value() -> None:
    box = {"field": "refills", "kind": "checkbox"}
    choices = regions_from_json(
        [
            {**box, "value": "2", "box": [0.70, 0.583, 0.05, 0.035]},
            {**box, "value": "5", "box": [0.2, 0.575, 0.18, 0.05]},
        ]
    )
    page = upright(filled_form())
    one = match_form(page, [FormSheet("one", 1, FORM, choices[:1])])
    two = match_form(page, [FormSheet("two", 1, FORM, choices)])
    assert isinstance(one, FormMatch)
    assert isinstance(two, FormMatch)

    single = next(f.field for f in registered_fields(page, (), one).fields if f.region == 0)
    double = next(f.field for f in registered_fields(page, (), two).fields if f.region == 0)

    assert (single.name, single.printed_text) == ("refills", "2")
    assert (double.name, double.printed_text) == ("refills", None)  # two marks: a person decides


def curled(page: Gray) -> Gray:
    """A corner of the sheet lifts, as in a photo of a folded page: no homography undoes that."""
    height, width = page.shape
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    lift = np.clip(xs / width - 0.35, 0, 1) * np.clip(ys / height + 0.1, 0, 1)
    return cv2.remap(
        page, xs + 12 * lift, ys - 150 * lift**2, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def test_a_curled_sheet_is_laid_over_its_form() -> None:
    page = upright(curled(filled_form()))

    match = match_form(page, [SHEET])

    assert isinstance(match, FormMatch)
    fit = match.registration.fit
    assert fit.coincidence > 0.97 and len(fit.absent) <= 1  # a corner left the picture
    # Where the lift is greatest the shifts carry it: no matrix is that far off its own middle.
    assert float(np.abs(match.registration.shifts).max()) > 6


def test_rules_paler_than_the_print_may_be_lost() -> None:
    blank = blank_form()
    for y in range(1080, 1160, 20):
        cv2.line(blank, (300, y), (1150, y), 130, 1)
    form = FormPrint.of(blank)
    assert sum(form.faint) > 5 and not all(form.faint)

    lost = register(form, upright(filled_form()))
    assert isinstance(lost, Registration) and lost.fit.absent == ()

    for y in range(1080, 1160, 20):
        cv2.line(blank, (300, y), (1150, y), 40, 2)
    firm = register(FormPrint.of(blank), upright(filled_form()))
    assert isinstance(firm, Misfit) and firm.reason is Refusal.OTHER_VERSION


def test_a_struck_drug_on_a_known_form_is_said_to_be_struck() -> None:
    form = blank_form()
    for text, y in (("Amoxicillin 500 mg", 605), ("one capsule daily", 850)):
        cv2.putText(form, text, (130, y), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.8, 40, 3, cv2.LINE_AA)
    cv2.line(form, (120, 594), (560, 588), 40, 4, cv2.LINE_AA)

    page = upright(faxed(form))
    match = match_form(page, [SHEET])
    assert isinstance(match, FormMatch)
    found = {one.field.name: one.field for one in registered_fields(page, (), match).fields}

    assert found["drug"].struck_out is StruckOut.WHOLLY
    assert found["sig"].struck_out is StruckOut.NO

    marker = load_line_marker()

    def sees_no_stroke(gray: Gray) -> LineMaps:
        maps = marker(gray)
        return replace(maps, struck=np.zeros_like(maps.hand))

    asked = registered_fields(page, (), match, segmenter=sees_no_stroke).fields
    said = {one.field.name: one.field.struck_out for one in asked}
    assert (said["drug"], said["sig"]) == (StruckOut.PERHAPS, StruckOut.NO)


def test_a_page_half_hidden_under_another_is_refused_and_a_note_on_it_is_not() -> None:
    page = filled_form()
    hidden, note = page.copy(), page.copy()
    hidden[700:1500] = 255  # a blank sheet over all but the head
    note[1100:1260, 700:1200] = 235  # a slip of paper where nothing is printed

    under = register(FORM, upright(hidden))

    assert isinstance(under, Misfit)
    assert under.reason in (Refusal.PRINT_DIFFERS, Refusal.OTHER_VERSION)
    assert isinstance(register(FORM, upright(note)), Registration)


def test_a_fold_over_the_signature_line_is_no_signature() -> None:
    page = filled_form(signed=False)
    cv2.line(page, (300, 0), (306, 1649), 165, 10)
    here = upright(page)
    match = match_form(here, [SHEET])
    assert isinstance(match, FormMatch)

    found = registered_fields(here, (), match)

    assert [one.field.present for one in found.fields if one.field.name == "signature"] == [False]
    assert [one.field.name for one in found.fields if one.region is None] == []


def test_a_tail_beside_its_box_is_read_with_what_is_in_it() -> None:
    page = blank_form()
    wiggle(page, 110, 624, 700, 3)
    drawn = [replace(one, box=(0.06, 0.322, 0.45, 0.056)) if one.field == "drug" else one
             for one in REGION_TUPLE]  # fmt: skip
    here = upright(page)
    match = match_form(here, [FormSheet("narrow", 1, FORM, tuple(drawn))])
    assert isinstance(match, FormMatch)
    hand = np.zeros((825, 638), np.float32)
    hand[294:310, 55:405] = 0.9

    found = registered_fields(
        here, (), match, segmenter=lambda _: LineMaps(hand, np.zeros_like(hand), 0.5)
    )

    drug = next(one.field for one in found.fields if one.field.name == "drug")
    assert drug.named_by is NamedBy.FORM
    assert drug.box_px.x < 130
    assert drug.box_px.x + drug.box_px.width > 760


def test_a_hard_pencil_on_a_known_form_is_read_all_the_same() -> None:
    """Pale writing that the mask of the page lost left every field of the form empty."""
    page = blank_form()
    text = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX
    cv2.putText(page, "Amoxicillin", (130, 605), text, 1.8, 212, 2, cv2.LINE_AA)
    noise = np.random.default_rng(2).normal(0, 2, page.shape)
    here = upright(np.clip(page + noise, 0, 255).astype(np.uint8))
    match = match_form(here, [SHEET])
    assert isinstance(match, FormMatch)
    hand = np.zeros((825, 638), np.float32)
    hand[290:303, 65:210] = 0.9

    found = registered_fields(
        here, (), match, segmenter=lambda _: LineMaps(hand, np.zeros_like(hand), 0.5)
    )

    assert not (here.mask[560:614, 135:400] > 0).mean() > 0.01
    drug = [one.field for one in found.fields if one.field.name == "drug"]
    assert len(drug) == 1
    assert drug[0].box_px.x < 160 and drug[0].box_px.x + drug[0].box_px.width > 360
