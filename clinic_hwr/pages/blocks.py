"""Free text in a block: everything written beside and below a label such as Notes."""

from __future__ import annotations

from collections.abc import Sequence

from .areas import centre, contains
from .labels import Label, union
from .pen_strokes import Stroke
from .survey import PageSurvey
from .text_lines import text_lines
from .types import FIELD_NAMES, Box, FieldRegion
from .values import is_writing

# A blank of so many letter heights ends a block that no frame ends.
_BLANK = 2.2
# The label of a frame stands at most so many of its heights below the frame's upper side.
_IN_THE_CORNER = 2.5


def block_strokes(survey: PageSurvey, label: Label, strokes: Sequence[Stroke]) -> list[Stroke]:
    """Return the strokes of the block that a label opens.

    Inside of a printed frame that is everything in it; otherwise the lines from the label on,
    up to the next label or a blank.

    Args:
        survey: the page.
        label: of the block.
        strokes: those that may belong to it.
    """
    frame = _frame(survey, label.box_px)
    area = frame or _below(survey, label.box_px)
    inside = [stroke for stroke in strokes if contains(area, *centre(stroke.box_px))]
    lines = [line for line in text_lines(survey, inside) if is_writing(survey, line.box_px)]
    kept: list[Stroke] = []
    end = label.box_px.y + label.box_px.height
    for line in lines:
        height = min(line.box_px.height, 3 * survey.unit_px)
        if frame is None and line.box_px.y - end > _BLANK * height:
            break
        kept += line.strokes
        end = line.box_px.y + line.box_px.height
    return kept


def block_region(
    survey: PageSurvey, name: str, strokes: Sequence[Stroke], label: str = ""
) -> FieldRegion:
    """Return a block as one field that knows its lines, for a reader that needs them."""
    lines = tuple(
        line.box_px for line in text_lines(survey, strokes) if is_writing(survey, line.box_px)
    )
    box = union([stroke.box_px for stroke in strokes])
    return FieldRegion(name, FIELD_NAMES[name], box, label=label, lines_px=lines or (box,))


def _frame(survey: PageSurvey, label: Box) -> Box | None:
    """The printed frame around a label in its upper left corner, or None."""
    x, y = label.x + label.width / 2, label.y + label.height / 2
    sides = [
        rule for rule in survey.rules.vertical
        if rule.y - label.height < y < rule.y + rule.height
    ]  # fmt: skip
    left = max((rule for rule in sides if rule.x < x), key=lambda rule: rule.x, default=None)
    right = min((rule for rule in sides if rule.x > x), key=lambda rule: rule.x, default=None)
    if left is None or right is None:
        return None
    top, inner = min(left.y, right.y), left.x + left.width
    bottom = min(left.y + left.height, right.y + right.height)
    if label.y - top > _IN_THE_CORNER * label.height:
        return None  # a frame around much else
    return Box(inner, top, right.x - inner, bottom - top)


def _below(survey: PageSurvey, label: Box) -> Box:
    """From a letter above the label down to the next label, or the end of the page."""
    left = max(0, round(label.x - survey.unit_px))
    top = max(0, round(label.y - 1.5 * label.height))
    bottom = survey.gray.shape[0]
    for other in survey.labels:
        if other.box_px.y > label.y + 1.5 * label.height:
            bottom = min(bottom, round(other.box_px.y - 1.2 * label.height))
    right = survey.gray.shape[1]
    for other in survey.labels:
        beside = abs(other.box_px.y - label.y) < label.height and other.box_px.x > label.x
        if beside and other.box_px != label:
            right = min(right, other.box_px.x)
    return Box(left, top, right - left, max(0, bottom - top))
