"""Values beside or below their labels, written or printed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from .areas import centre, contains, same_row
from .labels import Label, Placement, union
from .pen_strokes import Stroke
from .survey import PageSurvey
from .text_lines import text_lines
from .types import FIELD_NAMES, Box, FieldRegion, PrintedWord
from .value_runs import Slot, near_marked

# Reach of a row around its label, in label heights: people write tall and above the line.
_ABOVE, _BELOW = 2.2, 1.3
# A printed value ends at a gap of this many label heights.
_WORD_GAP = 3.5
# A label under its rule stands this near to it; what is written on the rule is so tall.
_UNDER, _OVER = 1.0, 4.0
# The label of a cell stands in its upper part, and a cell is no page: both in label heights.
_CELL_TOP, _CELL_HEIGHT = 2.0, 14.0
# Pieces of one rule: the gap between them in label heights, and how far off its height, in gaps.
_PARTED, _PARTED_OFF = 3.0, 0.15
# What is no higher, or in both directions together no larger, is no writing: in heights of a
# printed capital, for all ink and for what the segmenter marks.
_HIGH, _LARGE = 0.45, 1.1
_SEEN_HIGH, _SEEN_LARGE = 0.35, 0.75
_BESIDE = 2.5  # label heights that labels beside each other may be higher or lower
_LEFT_PART = 0.35  # of a cell's width: a label further right has its value under it


def value_slots(survey: PageSurvey, labels: Sequence[Label]) -> list[Slot]:
    """Return the space right of each label, up to the next label, the box or the page edge."""
    slots = []
    under = labels_under_rules(survey)
    for label in labels:
        if label.placement is not Placement.BESIDE or label in under:
            continue
        box = label.box_px
        left = box.x + box.width
        right = _right_end(survey, box)
        top = box.y - round(_ABOVE * box.height)
        bottom = box.y + round((1 + _BELOW) * box.height)
        slots.append(
            Slot(label, Box(left, max(0, top), max(0, right - left), bottom - max(0, top)))
        )
    return slots


def _right_end(survey: PageSurvey, box: Box) -> int:
    """x where a value right of ``box`` must end: the next label of the row, or a box border."""
    end = int(survey.gray.shape[1])
    for other in survey.labels:
        behind = other.box_px != box and other.box_px.x > box.x + box.width / 2
        if behind and same_row(box, other.box_px):
            end = min(end, other.box_px.x)
    middle = box.y + box.height / 2
    for rule in survey.rules.vertical:
        if rule.y < middle < rule.y + rule.height and rule.x > box.x + box.width:
            end = min(end, rule.x)
    underline = rule_beside(survey, box)
    if underline is not None:
        end = min(end, underline.x + underline.width + 2 * box.height)
    return end


def share_strokes(slots: Sequence[Slot], strokes: Sequence[Stroke]) -> dict[int, list[Stroke]]:
    """Give each stroke to the slot it lies in; where slots overlap, to the nearest row."""
    shared: dict[int, list[Stroke]] = {}
    for stroke in strokes:
        x, y = centre(stroke.box_px)
        inside = [n for n, slot in enumerate(slots) if contains(slot.box_px, x, y)]
        if not inside:
            continue

        def distance(number: int, y: float = y) -> float:
            box = slots[number].label.box_px
            # Writing sits a little higher than the print it answers.
            return abs(y - (box.y + 0.3 * box.height))

        shared.setdefault(min(inside, key=distance), []).append(stroke)
    return shared


def beside(survey: PageSurvey, slot: Slot, strokes: Sequence[Stroke]) -> FieldRegion | None:
    """Return the value right of a label: handwriting when there is enough of it, else print."""
    label = slot.label
    kind = FIELD_NAMES[label.field]
    words = printed_value(survey, slot)
    ink = union([stroke.box_px for stroke in strokes]) if strokes else None
    if ink is not None and is_writing(survey, ink):
        print_width = sum(word.box_px.width for word in words)
        if ink.width > 0.5 * print_width:
            return FieldRegion(label.field, kind, ink, label=label.text)
    if words:
        return printed_region(label.field, words, label=label.text)
    return None


def printed_value(survey: PageSurvey, slot: Slot) -> list[PrintedWord]:
    """Printed words that follow a label on its row without a wide gap."""
    box = slot.label.box_px
    taken = {i for label in survey.labels for i in label.word_indexes}
    row = sorted(
        (
            word
            for index, word in enumerate(survey.words)
            if index not in taken
            and same_row(box, word.box_px)
            and slot.box_px.x - box.height / 2 <= word.box_px.x
            and word.box_px.x + word.box_px.width <= slot.box_px.x + slot.box_px.width + box.height
        ),
        key=lambda word: word.box_px.x,
    )
    value: list[PrintedWord] = []
    for word in row:
        end = value[-1].box_px.x + value[-1].box_px.width if value else None
        if end is not None and word.box_px.x - end > _WORD_GAP * box.height:
            break
        if end is None and word.text.startswith("(") and word.text[1:2].isalpha():
            break  # "(MM DD YYYY)" says how to fill in, "(555) 010-0199" is a value
        if any(char.isalnum() for char in word.text):
            value.append(word)
    return value


def over(survey: PageSurvey, label: Label, strokes: Sequence[Stroke]) -> list[Stroke]:
    """Return the strokes on the rule that a label stands under, for forms that print it there."""
    rule = _rule_over(survey, label)
    if rule is None or label not in labels_under_rules(survey):
        return []
    height = label.box_px.height
    top = rule.y - round(_OVER * height)
    for other in survey.rules.horizontal:
        low = other.y + other.height
        shared = min(other.x + other.width, rule.x + rule.width) - max(other.x, rule.x)
        if low < rule.y - height and shared > 0.3 * rule.width:
            top = max(top, low)
    for one in survey.labels:
        under = one.box_px.y + one.box_px.height
        over_it = one.box_px.x < rule.x + rule.width and one.box_px.x + one.box_px.width > rule.x
        if top < under < rule.y - 0.5 * height and over_it:
            top = under
    area = Box(rule.x - height, top, rule.width + 2 * height, rule.y + round(0.6 * height) - top)
    return near_marked(survey, [s for s in strokes if contains(area, *centre(s.box_px))])


def labels_under_rules(survey: PageSurvey) -> tuple[Label, ...]:
    """Return the labels that stand under the rule they name, on a form that sets them so.

    One label under a rule may stand there by chance; a form with more underlines beside its
    labels is set the other way.
    """
    named = [one for one in survey.labels if one.placement is Placement.BESIDE and one.field]
    under = tuple(one for one in named if _rule_over(survey, one) is not None)
    beside_rule = sum(rule_beside(survey, one.box_px) is not None for one in named)
    return under if len(under) > max(1, beside_rule) else ()


def _rule_over(survey: PageSurvey, label: Label) -> Box | None:
    """Return the rule whose only label stands right under it, or None.

    The upper border of a cell, a rule that parts the page, and the underline of the row above are
    no such rule.
    """
    box = label.box_px
    if label.text.rstrip().endswith(":") or rule_beside(survey, box) is not None:
        return None
    for rule in survey.rules.horizontal:
        gap = box.y - (rule.y + rule.height)
        if not -0.3 * box.height <= gap <= _UNDER * box.height:
            continue
        if not rule.x - box.height <= box.x <= rule.x + rule.width - 0.7 * box.width:
            continue
        sharing = [
            one for one in survey.labels
            if rule.x - box.height <= one.box_px.x < rule.x + rule.width
            and same_row(one.box_px, box)
        ]  # fmt: skip
        if len(sharing) == 1 and cell_around(survey, box) is None:
            return rule
    return None


def below(survey: PageSurvey, label: Label, strokes: Sequence[Stroke]) -> list[Stroke]:
    """Return the strokes right under a label, for forms that write the value below.

    In a printed cell that is all that is written in it, up to the next label.
    """
    area = _area_below(survey, label)
    if area is None:
        return []
    return near_marked(survey, [s for s in strokes if contains(area, *centre(s.box_px))])


def printed_in_cell(survey: PageSurvey, label: Label) -> list[list[PrintedWord]]:
    """Return the rows of print that begin under the label of a printed cell, from top to bottom.

    Outside of a cell the next row of print answers another question, and so does what begins behind
    the label's end; other labels are none.
    """
    area = _area_below(survey, label)
    if area is None or _share_of_cell(survey, label.box_px) is None:
        return []
    taken = {i for one in survey.labels for i in one.word_indexes}
    left = _left_of_value(area, label.box_px)
    words = [
        word for index, word in enumerate(survey.words)
        if index not in taken and contains(area, *centre(word.box_px))
        and word.box_px.x >= left and any(char.isalnum() for char in word.text)
    ]  # fmt: skip
    rows = []
    while words:
        first = min(words, key=lambda word: word.box_px.y)
        row = [one for one in words if one is first or same_row(first.box_px, one.box_px)]
        row.sort(key=lambda word: word.box_px.x)
        words = [word for word in words if word not in row]
        value = row[:1]
        for word in row[1:]:
            end = value[-1].box_px.x + value[-1].box_px.width
            if word.box_px.x - end > _WORD_GAP * label.box_px.height:
                break
            value.append(word)
        if value[0].box_px.x < label.box_px.x + label.box_px.width:
            rows.append(value)
    return rows


def _area_below(survey: PageSurvey, label: Label) -> Box | None:
    """Where a value under its label stands; None for the label of an empty underlined row."""
    box = label.box_px
    cell = _share_of_cell(survey, box)
    if cell is None and rule_beside(survey, box) is not None:
        return None  # nothing was written, and below is another field
    right = _right_end(survey, box)
    area = cell or Box(
        box.x - round(0.5 * box.height), box.y + round(0.8 * box.height),
        right - box.x, round(3.2 * box.height),
    )  # fmt: skip
    top = box.y + round(0.5 * box.height)
    under = [
        other.box_px.y for other in survey.labels
        if other.box_px.y > box.y + box.height and other.box_px.x < area.x + area.width
        and other.box_px.x + other.box_px.width > area.x
    ]  # fmt: skip
    bottom = min([area.y + area.height, *under])
    return Box(area.x, top, area.width, max(0, bottom - top))


def cell_around(survey: PageSurvey, label: Box) -> Box | None:
    """Return the printed cell in whose upper part a label stands alone on its row, or None."""
    cell = _cell_of(survey, label)
    if cell is None or label.y - cell.y > _CELL_TOP * label.height:
        return None
    others = [one for one in survey.labels if one.box_px != label]
    if any(same_row(label, one.box_px) and contains(cell, *centre(one.box_px)) for one in others):
        return None
    return cell


def _share_of_cell(survey: PageSurvey, label: Box) -> Box | None:
    """What of a printed cell is a label's in its upper part: up to labels beside it.

    None where the label is in no cell, or values stand on rules beside its labels.
    """
    cell = _cell_of(survey, label)
    if cell is None:
        return None
    beside = [
        one.box_px for one in survey.labels
        if one.box_px != label and contains(cell, *centre(one.box_px))
        and abs(centre(one.box_px)[1] - centre(label)[1]) < _BESIDE * label.height
    ]  # fmt: skip
    low = min(one.y for one in (label, *beside)) - cell.y > _CELL_TOP * label.height
    if low or (beside and rule_beside(survey, label) is not None):
        return None
    left = label.x - label.height if any(one.x < label.x for one in beside) else cell.x
    behind = [one.x for one in beside if one.x >= label.x + label.width]
    right = min(behind) - label.height if behind else cell.x + cell.width
    return Box(left, cell.y, max(0, right - left), cell.height)


def written_in_cell(survey: PageSurvey, label: Label, strokes: Sequence[Stroke]) -> list[Stroke]:
    """Return all that is written in the cell whose only label this is."""
    cell = _cell_of(survey, label.box_px)
    if cell is None:
        return []
    inside = [one for one in survey.labels if contains(cell, *centre(one.box_px))]
    if len(inside) != 1:
        return []
    left = _left_of_value(cell, label.box_px)
    held = [s for s in strokes if contains(cell, *centre(s.box_px)) and s.box_px.x >= left]
    return near_marked(survey, held)


def _left_of_value(cell: Box, label: Box) -> float:
    """x from which a cell's value may begin: left of a label in its middle is another's value."""
    if label.x > cell.x + _LEFT_PART * cell.width:
        return label.x - 2.0 * label.height
    return cell.x


def _cell_of(survey: PageSurvey, label: Box) -> Box | None:
    """The rules around a label, if they close a cell that is no page.

    A side that cannot be seen is where the rules above and below the label end together.
    """
    x = label.x + label.width / 2
    across = [r for r in survey.rules.horizontal if r.x < x < r.x + r.width]
    over = [r for r in across if r.y < label.y]
    under = [r for r in across if r.y > label.y + 0.5 * label.height]
    if not over or not under:
        return None
    top, bottom = max(over, key=lambda r: r.y), min(under, key=lambda r: r.y)
    if bottom.y - top.y > _CELL_HEIGHT * label.height:
        return None
    reach = 0.5 * (bottom.y - top.y)
    lines = [
        r for r in survey.rules.vertical
        if min(r.y + r.height, bottom.y) - max(r.y, top.y) > reach
    ]  # fmt: skip
    left = max((r.x + r.width for r in lines if r.x < label.x), default=None)
    right = min((r.x for r in lines if r.x > label.x + label.width), default=None)
    near = 2 * label.height
    starts, ends = (top.x, bottom.x), (top.x + top.width, bottom.x + bottom.width)
    if left is None and right is not None and max(abs(right - end) for end in ends) < near:
        left = max(starts) if abs(top.x - bottom.x) < near else None
    elif right is None and left is not None and max(abs(left - start) for start in starts) < near:
        right = min(ends)
    if left is None or right is None or right <= left:
        return None
    return Box(left, top.y + top.height, right - left, bottom.y - top.y - top.height)


def rule_beside(survey: PageSurvey, box: Box) -> Box | None:
    """Return the underline for a value that begins right of a label, or None.

    A fold or a faint scan parts a rule: pieces that go on at its height belong to it.
    """
    right = box.x + box.width
    for rule in survey.rules.horizontal:
        if (
            right - box.height < rule.x < right + 3 * box.height
            and box.y < rule.y < box.y + 2.2 * box.height
        ):
            return _gone_on(survey, rule, _PARTED * box.height)
    return None


def _gone_on(survey: PageSurvey, rule: Box, gap_px: float) -> Box:
    """A rule with the pieces that follow it on its row within ``gap_px``, no label between."""
    whole = rule
    for other in sorted(survey.rules.horizontal, key=lambda one: one.x):
        end = whole.x + whole.width
        off = abs(other.y + other.height / 2 - whole.y - whole.height / 2)
        if 0 < other.x - end < gap_px and off < _PARTED_OFF * gap_px:
            between = any(
                end - gap_px < one.box_px.x < other.x + gap_px
                and one.box_px.y < whole.y < one.box_px.y + 3 * one.box_px.height
                for one in survey.labels
            )
            if not between:
                whole = union([whole, other])
    return whole


def printed_region(
    name: str, words: Sequence[PrintedWord], *, label: str = "", group: int = 0
) -> FieldRegion:
    """Return a printed value as a field; its confidence is that of its least certain word."""
    return FieldRegion(
        name,
        FIELD_NAMES[name],
        union([word.box_px for word in words]),
        group=group,
        label=label,
        printed_text=" ".join(word.text for word in words),
        confidence=min(word.confidence for word in words),
    )


def is_writing(survey: PageSurvey, box: Box) -> bool:
    """Whether ink of this extent can be writing rather than a speck or a left-over of print.

    A single letter ("M", "1") beside large print is no larger than that: there the segmenter says.
    """
    unit = survey.unit_px
    if box.height > _HIGH * unit and box.width + box.height > _LARGE * unit:
        return True
    small = box.height <= _SEEN_HIGH * unit or box.width + box.height <= _SEEN_LARGE * unit
    return not small and survey.cores is not None and bool(survey.cores.holding(survey.ink, box))


def rows_of_writing(survey: PageSurvey, strokes: Sequence[Stroke]) -> tuple[Box, ...]:
    """The lines of a value that stands on several rows; () when it stands on one."""
    lines = [one.box_px for one in text_lines(survey, strokes) if is_writing(survey, one.box_px)]
    rows = any(two.y > one.y + 0.6 * one.height for one, two in itertools.pairwise(lines))
    return tuple(lines) if rows else ()
