"""Fields of a known form: whatever is written inside of its regions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from .areas import centre, contains
from .blocks import block_region
from .comb_fields import is_boxed_writing
from .known_forms import FormFit, FormRegion
from .labels import union
from .pen_strokes import Stroke
from .survey import PageSurvey
from .types import FIELD_NAMES, Box, CombRun, FieldKind, FieldRegion
from .values import is_writing, printed_region


def form_fields(survey: PageSurvey, fit: FormFit) -> tuple[list[FieldRegion], set[Stroke]]:
    """Return the fields of a form's value, choice and mark regions, and the strokes they took.

    Free lines (``medications``) are named by the caller, as on any other paper.
    """
    fields: list[FieldRegion] = []
    taken: set[Stroke] = set()
    marks: list[tuple[FormRegion, Box, bool]] = []
    declared = iter(survey.declared)
    for region in fit.form.regions:
        area = fit.box(region.box_in)
        runs = tuple(islice(declared, len(region.runs)))
        if runs:
            area = union([run.box_px for run in runs])
        strokes = [s for s in survey.strokes if contains(area, *centre(s.box_px))]
        box = union([s.box_px for s in strokes]) if strokes else None
        written = box is not None and is_writing(survey, box)
        field: FieldRegion | None
        if region.mode == "value":
            if written and FIELD_NAMES[region.field] is FieldKind.PARAGRAPH:
                field = block_region(survey, region.field, strokes)
            else:
                field = _value(survey, region, area, box if written else None)
        elif region.mode == "comb":
            field = _comb(region, runs, area, [s.box_px for s in strokes])
        elif region.mode == "choice":
            field = _choice(survey, fit, region, strokes)
        elif region.mode == "mark":
            marks.append((region, box if box and written else area, written))
            field = None
        else:
            continue
        if field is not None:
            fields.append(field)
        taken.update(strokes)
    return fields + _marks(marks), taken


def declared_runs(fit: FormFit) -> list[CombRun]:
    """The cells of a form's combs on the page, in the order of its regions."""
    return [
        CombRun(fit.box(box_in), cells)
        for region in fit.form.regions
        for box_in, cells in region.runs
    ]


def _comb(
    region: FormRegion, runs: tuple[CombRun, ...], area: Box, strokes: Sequence[Box]
) -> FieldRegion | None:
    """Cells with writing in them; None for an empty comb."""
    if not is_boxed_writing(area, strokes):
        return None
    box = union([area, *strokes])
    return FieldRegion(region.field, FIELD_NAMES[region.field], box, comb=runs)


def _value(
    survey: PageSurvey, region: FormRegion, area: Box, ink: Box | None
) -> FieldRegion | None:
    """Handwriting in the region, else print in it."""
    if ink is not None:
        return FieldRegion(region.field, FIELD_NAMES[region.field], ink)
    words = [word for word in survey.words if contains(area, *centre(word.box_px))]
    return printed_region(region.field, words) if words else None


def _choice(
    survey: PageSurvey, fit: FormFit, region: FormRegion, strokes: Sequence[Stroke]
) -> FieldRegion | None:
    """The printed choice that a pen circle is around; without one circle no text."""
    if not strokes:
        return None
    kind = FIELD_NAMES[region.field]
    unit = survey.unit_px
    loops = [s.box_px for s in strokes if min(s.box_px.width, s.box_px.height) > 1.4 * unit]
    if len(loops) != 1 or loops[0].width > 6 * unit:
        return FieldRegion(region.field, kind, union([s.box_px for s in strokes]))
    loop = loops[0]
    y_in = region.box_in[1] + region.box_in[3] / 2
    places = sorted(
        (abs(fit.x_px(x_in, y_in) - centre(loop)[0]), text) for text, x_in in region.choices
    )
    distance, text = places[0]
    # The circle's middle must be well nearer to its choice than to the next one.
    if distance > 0.5 * (places[1][0] if len(places) > 1 else loop.width):
        return FieldRegion(region.field, kind, loop)
    confidence = 1.0 - distance / max(1.0, places[1][0] if len(places) > 1 else loop.width)
    return FieldRegion(region.field, kind, loop, printed_text=text, confidence=confidence)


def _marks(marks: Sequence[tuple[FormRegion, Box, bool]]) -> list[FieldRegion]:
    """One signature for all signing lines, and the substitution line by itself."""
    if not marks:
        return []
    _, box, _ = next((one for one in marks if one[2]), marks[0])
    present = any(written for _, _, written in marks)
    fields = [FieldRegion("signature", FIELD_NAMES["signature"], box, present=present)]
    for region, place, written in marks:
        if region.field == "substitution":
            kind = FIELD_NAMES["substitution"]
            fields.append(FieldRegion("substitution", kind, place, present=written))
    return fields
