"""Signature lines: signed or not, and which of two."""

from __future__ import annotations

from collections.abc import Sequence

from .areas import centre, contains, same_row
from .label_vocabulary import normalised
from .labels import Label, Placement, union
from .pen_strokes import Stroke
from .survey import PageSurvey
from .types import FIELD_NAMES, Box, FieldRegion
from .values import cell_around, is_writing, rule_beside

_DEGREES = frozenset({"md", "do", "dds", "dmd", "dpm", "dvm", "od", "np", "pac", "mbbs"})
_SIGNED_ON = 8.0  # heights of the degree: a rule that is signed on
_ROOM = 1.0  # heights of the label that a signature needs
_SIDE = 0.75  # of the height where one signs: a line as long as that is the side of a cell


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
        places = [_within_lines(survey, one, label.box_px) for one in _signing_areas(survey, label)]
        if not places:
            continue
        area, inside = places[0], []
        for place in places:
            there = [s for s in strokes if contains(place, *centre(s.box_px))]
            if there and _is_signature(survey, there):
                area, inside = place, there
                break
        signed.append((label, area, inside))
    if not any(inside for _, _, inside in signed):
        signed += _over_degrees(survey, strokes)
    if not signed:
        return [], set()
    fields = []
    taken = {stroke for _, _, inside in signed for stroke in inside}
    marked = [(label, inside) for label, _, inside in signed if inside]
    # Of several the one that asks for a signature; on a pad with two lines either is one.
    marked.sort(key=lambda one: one[0].field != "signature")
    label, box = signed[0][0], signed[0][1]
    if marked:
        label, box = marked[0][0], _pen_of(survey, marked[0][1])
    fields.append(
        FieldRegion(
            "signature", FIELD_NAMES["signature"], box, label=label.text, present=bool(marked)
        )
    )
    # A question of its own ("Substitution allowed?") says nothing by not being signed: only a pad
    # with two lines, one of which is signed, does.
    for label, area, inside in signed:
        pair = any(same_row(label.box_px, other.box_px) for other, _ in marked)
        if label.field == "substitution" and (pair or inside):
            box = _pen_of(survey, inside) if inside else area
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


def _over_degrees(
    survey: PageSurvey, strokes: Sequence[Stroke]
) -> list[tuple[Label, Box, list[Stroke]]]:
    """What is written on rules that end in "M.D." or the like: that is where one signs."""
    found = []
    for number, word in enumerate(survey.words):
        if normalised(word.text).replace(" ", "") not in _DEGREES:
            continue
        box = word.box_px
        for rule in survey.rules.horizontal:
            gap = box.x - (rule.x + rule.width)
            level = abs(rule.y + rule.height / 2 - (box.y + box.height))
            near = -0.5 * box.height < gap < 2.0 * box.height and level < box.height
            if not near or rule.width < _SIGNED_ON * box.height:
                continue
            top = _clear_of_rows(survey, rule, rule.y - round(4.0 * box.height))
            area = _within_lines(
                survey, Box(rule.x, top, rule.width, rule.y + box.height - top), box
            )
            inside = [one for one in strokes if contains(area, *centre(one.box_px))]
            if inside and _is_signature(survey, inside):
                label = Label("signature", word.text, box, Placement.BESIDE, (number,))
                found.append((label, area, inside))
    return found


def _signing_areas(survey: PageSurvey, label: Label) -> list[Box]:
    """Where a label may be signed, the likeliest first: over a rule above it, or on its row.

    A rule that begins right of the label is signed there, whether a colon was read or not.
    """
    box = label.box_px
    beside = _along_the_row(survey, label)
    if label.placement is not Placement.ABOVE:
        return [beside]
    if rule_beside(survey, box) is not None:
        return [beside, _over(survey, label) or _room_over(label)]
    over = _over(survey, label)
    # What stands beside "May substitute" is no signature, nor a tick over "aut idem", unless it is
    # on a rule.
    if label.field != "signature":
        return [] if over is None else [over]
    return [over or _room_over(label), beside, *_under(survey, label)]


def _under(survey: PageSurvey, label: Label) -> list[Box]:
    """The cell that a label heads, if it does: what stands under a label elsewhere is no answer."""
    cell = cell_around(survey, label.box_px)
    if cell is None:
        return []
    top = label.box_px.y + label.box_px.height
    return [Box(cell.x, top, cell.width, max(1, cell.y + cell.height - top))]


def _over(survey: PageSurvey, label: Label) -> Box | None:
    """Over the rule that a label stands under; None without one."""
    box, height = label.box_px, label.box_px.height
    for rule in sorted(survey.rules.horizontal, key=lambda rule: -rule.width):
        above = box.y - (rule.y + rule.height)
        shared = min(rule.x + rule.width, box.x + box.width) - max(rule.x, box.x)
        if -0.5 * height < above < 2.5 * height and shared > 0.5 * box.width:
            top = _clear_of_rows(survey, rule, rule.y - round(5.0 * height))
            return Box(rule.x, top, rule.width, rule.y + height - top)
    return None


def _room_over(label: Label) -> Box:
    box, height = label.box_px, label.box_px.height
    top = max(0, box.y - round(5.0 * height))
    return Box(max(0, box.x - 2 * height), top, box.width + 4 * height, box.y - top)


def _along_the_row(survey: PageSurvey, label: Label) -> Box:
    box, height = label.box_px, label.box_px.height
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


def _within_lines(survey: PageSurvey, area: Box, label: Box) -> Box:
    """Keep to the row of a signature, and to its cell: other rows hold orders.

    Args:
        survey: of the page.
        area: where the signature may stand.
        label: what asks for it, beside the area or under it.
    """
    top, right = area.y, area.x + area.width
    low = min(label.y, area.y + area.height - label.height)
    for rule in survey.rules.horizontal:
        under = rule.y + rule.height
        shared = min(rule.x + rule.width, right) - max(rule.x, area.x)
        if top < under <= low - _ROOM * label.height and shared > 0.5 * area.width:
            top = under
    left, bottom = area.x, area.y + area.height
    for rule in survey.rules.vertical:
        shared = min(rule.y + rule.height, bottom) - max(rule.y, top)
        if shared < _SIDE * (bottom - top):
            continue
        if left < rule.x <= label.x:
            left = rule.x
        elif label.x + label.width < rule.x < right:
            right = rule.x
    return Box(left, top, max(1, right - left), max(1, bottom - top))


def _pen_of(survey: PageSurvey, strokes: Sequence[Stroke]) -> Box:
    """Around what is written: a stamp over a signature is none of it, where a segmenter says so."""
    cores = survey.cores
    seen = [one for one in strokes if cores and cores.holding(survey.ink, one.box_px)]
    return union([one.box_px for one in seen or strokes])


def _is_signature(survey: PageSurvey, strokes: Sequence[Stroke]) -> bool:
    box = union([stroke.box_px for stroke in strokes])
    return is_writing(survey, box) and box.width > 2.0 * survey.unit_px
