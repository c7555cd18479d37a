"""Marks instead of words: the circled refill number and the signature lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .areas import centre, contains, same_row
from .label_vocabulary import normalised
from .labels import Label, Placement, union
from .survey import REFILL_CHOICES, PageSurvey, Stroke
from .types import FIELD_NAMES, Box, FieldRegion, PrintedWord
from .values import Slot, is_writing

_MIN_CHOICES = 3


def circled_refills(
    survey: PageSurvey, slot: Slot, strokes: Sequence[Stroke]
) -> FieldRegion | None:
    """Return the refills field of a row of printed numbers one of which is circled.

    Returns:
        None when this is no such row. Without a circle the field has no text; when OCR missed the
        number inside of the circle, its place in the row tells it.
    """
    choices = _choices(survey, slot)
    unit = survey.unit_px
    middle = slot.label.box_px.y + slot.label.box_px.height / 2
    row = [s for s in strokes if abs(centre(s.box_px)[1] - middle) < unit]
    printed = [s.box_px for s in row if 0.5 * unit < s.box_px.height < 1.4 * unit]
    if len(choices) + len(printed) < _MIN_CHOICES or not choices:
        return None
    kind = FIELD_NAMES["refills"]
    loops = [s.box_px for s in row if 1.4 * unit < min(s.box_px.width, s.box_px.height) < 6 * unit]
    if len(loops) != 1:
        box = union([s.box_px for s in row] + [word.box_px for word in choices])
        return FieldRegion("refills", kind, box, label=slot.label.text)
    loop = loops[0]
    # OCR may stretch the box of a choice over the circle beside it: then its place decides.
    inside = [w for w in choices if contains(loop, *centre(w.box_px))]
    if len(inside) == 1 and inside[0].box_px.height < 1.4 * unit:
        text, confidence = _clean(inside[0].text), inside[0].confidence
    else:
        text, confidence = _by_place(choices, printed, loop, unit)
    return FieldRegion(
        "refills", kind, loop, label=slot.label.text, printed_text=text or None,
        confidence=confidence if text else 0.0,
    )  # fmt: skip


def _choices(survey: PageSurvey, slot: Slot) -> list[PrintedWord]:
    return [
        word for word in survey.words
        if same_row(slot.label.box_px, word.box_px)
        and slot.box_px.x <= word.box_px.x < slot.box_px.x + slot.box_px.width
        and normalised(word.text) in REFILL_CHOICES
    ]  # fmt: skip


def _clean(text: str) -> str:
    value = normalised(text)
    return "0" if value == "o" else value.upper()


def _by_place(
    choices: Sequence[PrintedWord], unread: Sequence[Box], loop: Box, unit_px: float
) -> tuple[str, float]:
    """Read the circled number off its place among the evenly spaced numbers of the row.

    Args:
        choices: the numbers that OCR read.
        unread: letter-sized print of the row that it did not.
        loop: the circle.
        unit_px: height of a printed capital.
    """
    known = [
        (int(_clean(word.text)), centre(word.box_px)[0], word.confidence)
        for word in choices
        if _clean(word.text).isdigit() and word.box_px.height < 1.4 * unit_px
    ]
    if not known:
        return "", 0.0
    places = [x for _, x, _ in known] + [centre(box)[0] for box in unread]
    steps = np.diff(np.sort([*places, centre(loop)[0]]))
    steps = steps[steps > 0.9 * unit_px]
    if len(steps) < 2:
        return "", 0.0
    step = float(np.median(steps))
    number, x, _ = min(known, key=lambda one: abs(one[1] - centre(loop)[0]))
    place = number + (centre(loop)[0] - x) / step
    if place < -0.3 or abs(place - round(place)) > 0.3 or round(place) > 9:
        return "", 0.0
    return str(round(place)), min(confidence for _, _, confidence in known)


def signature_fields(
    survey: PageSurvey, strokes: Sequence[Stroke], labels: Sequence[Label]
) -> tuple[list[FieldRegion], set[Stroke]]:
    """Return the signature field, and the substitution field where the pad has two lines.

    The signature is present when any of the lines is signed. A pad with "Substitution permitted"
    and "Dispense as written" is signed on the line that is meant.
    """
    signed: list[tuple[Label, Box, list[Stroke]]] = []
    for label in labels:
        if label.field not in ("signature", "substitution"):
            continue
        area = _signing_area(survey, label)
        inside = [s for s in strokes if contains(area, *centre(s.box_px))]
        if not inside or not _is_signature(survey, inside):
            inside = []
        signed.append((label, area, inside))
    if not signed:
        return [], set()
    fields = []
    taken = {stroke for _, _, inside in signed for stroke in inside}
    marked = [(label, inside) for label, _, inside in signed if inside]
    label, box = signed[0][0], signed[0][1]
    if marked:
        label, box = marked[0][0], union([s.box_px for s in marked[0][1]])
    fields.append(
        FieldRegion(
            "signature", FIELD_NAMES["signature"], box, label=label.text, present=bool(marked)
        )
    )
    for label, area, inside in signed:
        if label.field == "substitution":
            box = union([s.box_px for s in inside]) if inside else area
            fields.append(
                FieldRegion(
                    "substitution",
                    FIELD_NAMES["substitution"],
                    box,
                    label=label.text,
                    present=bool(inside),
                )
            )
            break
    return fields, taken


def _signing_area(survey: PageSurvey, label: Label) -> Box:
    """Where a label is signed: over the rule above it, or along the row beside it."""
    box = label.box_px
    height = box.height
    if label.placement is Placement.ABOVE:
        for rule in sorted(survey.rules.horizontal, key=lambda rule: -rule.width):
            over = box.y - (rule.y + rule.height)
            shared = min(rule.x + rule.width, box.x + box.width) - max(rule.x, box.x)
            if -0.5 * height < over < 2.5 * height and shared > 0.5 * box.width:
                top = _clear_of_rows(survey, rule, rule.y - round(5.0 * height))
                return Box(rule.x, top, rule.width, rule.y + height - top)
        top = max(0, box.y - round(5.0 * height))
        return Box(max(0, box.x - 2 * height), top, box.width + 4 * height, box.y - top)
    left = box.x + box.width
    right = survey.gray.shape[1]
    for other in survey.labels:
        if other.box_px.x > left and same_row(box, other.box_px):
            right = min(right, other.box_px.x)
    top = max(0, box.y - round(3.5 * height))
    return Box(left, top, max(1, right - left), box.y + 2 * height - top)


def _clear_of_rows(survey: PageSurvey, rule: Box, top: int) -> int:
    """Lower the top of a signing area below the rows of labels that reach into it."""
    for other in survey.labels:
        bottom = other.box_px.y + other.box_px.height
        if top < bottom < rule.y - 1.5 * survey.unit_px:
            top = bottom + round(0.3 * survey.unit_px)
    return max(0, top)


def _is_signature(survey: PageSurvey, strokes: Sequence[Stroke]) -> bool:
    box = union([stroke.box_px for stroke in strokes])
    return is_writing(survey, box) and box.width > 2.0 * survey.unit_px
