"""Marks on a known form: boxes and circled choices that mean values, and which signature counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .areas import centre, contains
from .form_template import RegionKind, TemplateRegion
from .labels import union
from .pen_strokes import Stroke
from .types import Box, FieldRegion, MarkDoubt


@dataclass(frozen=True, slots=True)
class FormField:
    """A field and the region it was written in; ``region`` is its number, None outside of all."""

    field: FieldRegion
    region: int | None
    doubtful: bool = False  # print of the form is missing near the region


def covering_two(
    regions: Sequence[TemplateRegion], boxes: Sequence[Box], shared: dict[int, list[Stroke]]
) -> set[int]:
    """Choices in the middle of which a stroke lies that was given to another choice of the field.

    A loop around two choices belongs to one region only, and chooses neither.
    """
    covered = set()
    for number, region in enumerate(regions):
        if region.kind is not RegionKind.CHECKBOX or not region.value:
            continue
        x, y = centre(boxes[number])
        for other, strokes in shared.items():
            same = (regions[other].field, regions[other].group) == (region.field, region.group)
            if other != number and same and any(contains(s.box_px, x, y) for s in strokes):
                covered.add(number)
    return covered


def ticked(
    fields: Sequence[FormField], regions: Sequence[TemplateRegion], covered: set[int]
) -> list[FormField]:
    """Checkboxes that mean values of one field become that field with the ticked value.

    One tick gives its value; several, or an unclear one, give the field without a text: a person
    decides. None gives no field.
    """
    kept: list[FormField] = []
    choices: dict[tuple[str, int], list[FormField]] = {}
    for one in fields:
        region = regions[one.region] if one.region is not None else None
        if region is not None and region.kind is RegionKind.CHECKBOX and region.value:
            choices.setdefault((region.field, region.group), []).append(one)
        else:
            kept.append(one)
    for members in choices.values():
        marked = [one for one in members if one.field.present is not False or one.region in covered]
        if not marked:
            continue
        first = regions[marked[0].region or 0]
        sure = len(marked) == 1 and marked[0].field.present is True
        doubt = MarkDoubt.SEVERAL if len(marked) > 1 else MarkDoubt.UNREAD
        box = union([one.field.box_px for one in marked])
        field = FieldRegion(
            first.field, first.field_kind, box, group=first.group, label=first.label,
            printed_text=first.value if sure else None, confidence=0.9 if sure else 0.0,
            present=None, mark_doubt=MarkDoubt.NO if sure else doubt,
            options=tuple(regions[one.region or 0].value for one in marked),
        )  # fmt: skip
        kept.append(FormField(field, marked[0].region, any(one.doubtful for one in members)))
    return kept


def one_mark(fields: Sequence[FormField], regions: Sequence[TemplateRegion]) -> list[FormField]:
    """Of several signing lines the signed one counts: a form with two has one signature."""
    marks = [one for one in fields if one.field.name == "signature"]
    if len(marks) < 2:
        return list(fields)
    kept = next((one for one in marks if one.field.present), marks[0])
    return [one for one in fields if one.field.name != "signature" or one is kept]


def is_choice(one: FormField, regions: Sequence[TemplateRegion]) -> bool:
    """Whether a field is a tick or a circle: a stroke through print by nature."""
    return one.region is not None and regions[one.region].kind is RegionKind.CHECKBOX
