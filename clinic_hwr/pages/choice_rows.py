"""Rows of printed choices: which label asks, which words answer, and where their boxes stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .areas import centre, same_row
from .checkboxes import Checkbox
from .choice_words import REFILLS, UNASKED, options_of
from .label_vocabulary import normalised
from .labels import Label, Placement, field_of_phrase, union
from .number_scale import NumberScale
from .survey import PageSurvey
from .types import Box, PrintedWord

_PLAIN = 1.3  # a choice this much higher than others has its circle in the box that OCR drew
_GAP = 9.0  # heights between a label and its first choice, or one choice and the next
_UNDER = 4.0  # label heights from a label to the bottom of choices under it
_LETTER_WIDE = 0.8  # of a capital's height: no label has letters as wide on the whole
_BOX_REACH = 2.5  # sides between a box and its choice
_TICK_INK = 0.12  # of where a box should be: a tick and what is left of the box
_TICKED = ("substitution", "signature")  # fields whose labels have a box of their own
_REFILL_LIKE = re.compile(r"re\w{1,4}", re.IGNORECASE)
_FEWEST_ON_SCALE = 3  # numbers
_TOKEN = re.compile(r"[^\W\d_]+|\d+")


@dataclass(frozen=True, slots=True)
class Option:
    """One printed choice: what it means, where it stands, and how surely OCR read it."""

    value: str
    box_px: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """A row of choices, the label that asks for them (None without one), and its field's name."""

    field: str
    label: Label | None
    options: tuple[Option, ...]
    words: Mapping[str, str]
    boxes: tuple[Checkbox, ...]
    unit_px: float

    @property
    def plain(self) -> tuple[Option, ...]:
        """The choices whose box holds nothing but their letters."""
        least = min((one.box_px.height for one in self.options), default=0)
        most = min(_PLAIN * self.unit_px, _PLAIN * max(least, 0.6 * self.unit_px))
        return tuple(one for one in self.options if one.box_px.height <= most)


def choice_rows(survey: PageSurvey, words: Sequence[PrintedWord]) -> Iterator[ChoiceRow]:
    answered: list[Box] = []
    for label in (*survey.labels, *_missed_labels(survey, words)):
        known = options_of(label.field)
        if not known:
            continue
        label = _trimmed(survey, label, known) if label.word_indexes else label
        unit = survey.unit_px
        for box in (beside_label(survey, label), _under(survey, label)):
            row = _row(survey, words, label.field, label, box, known, unit)
            if row.options or row.boxes:
                answered.append(box)
                yield row
                break
        else:
            free = within_rules(survey, beside_label(survey, label))
            yield _row(survey, (), label.field, label, free, known, unit)
    for field, known in UNASKED.items():
        for box in _word_rows(words, known):
            if not any(inside(box, other, survey.unit_px) for other in answered):
                row = _row(survey, words, field, None, box, known, survey.unit_px)
                if len(row.options) >= 2:
                    yield row


def _missed_labels(survey: PageSurvey, words: Sequence[PrintedWord]) -> list[Label]:
    """Words that ask for a choice and were taken for a sentence: OCR drew them up to a circle."""
    found = []
    for word in words:
        field = field_of_phrase(normalised(word.text))
        if field is None and _asks_for_numbers(survey, word, words):
            field = "refills"
        if field not in ("refills", "patient_sex"):
            continue
        if not any(same_row(word.box_px, one.box_px) and overlap_x(word.box_px, one.box_px)
                   for one in survey.labels):  # fmt: skip
            box = _not_wider(word, survey.unit_px).box_px
            found.append(Label(field, word.text, box, Placement.BESIDE, ()))
    return found


def _asks_for_numbers(survey: PageSurvey, word: PrintedWord, words: Sequence[PrintedWord]) -> bool:
    """Whether a badly read word stands before a scale of numbers and begins as refills do.

    "Refit 0 1 2 3 4 5": so they begin in English, French and Spanish, and few other scales do.
    """
    if not _REFILL_LIKE.match(word.text):
        return False
    label = Label("refills", word.text, word.box_px, Placement.BESIDE, ())
    row = _row(
        survey, words, "refills", label, beside_label(survey, label), REFILLS, survey.unit_px
    )
    scale = scale_of(row.options)
    if scale is None or len(set(scale.numbers)) < _FEWEST_ON_SCALE:
        return False
    return scale.place(word.box_px.x + word.box_px.width) < min(scale.numbers)


def scale_of(options: Sequence[Option]) -> NumberScale | None:
    """The scale that the numbers among some choices stand on."""
    known = [(int(o.value), centre(o.box_px)[0]) for o in options if o.value.isdigit()]
    return NumberScale.of(known)


def _trimmed(survey: PageSurvey, label: Label, known: Mapping[str, str]) -> Label:
    """The label without a choice at its end: OCR reads "Refills NR", and a label may be misread."""
    words = [_not_wider(survey.words[index], survey.unit_px) for index in label.word_indexes]
    for count in range(1, len(words)):
        rest = [normalised(word.text) for word in words[count:]]
        short = all(len(text.replace(" ", "")) <= 3 or text in known for text in rest)
        phrase = normalised(" ".join(word.text for word in words[:count]))
        if short and field_of_phrase(phrase) == label.field:
            return replace(label, box_px=union([word.box_px for word in words[:count]]))
    return replace(label, box_px=union([word.box_px for word in words]))


def _not_wider(word: PrintedWord, unit: float) -> PrintedWord:
    """A word without the circle behind it that OCR took into its box."""
    most = round(_LETTER_WIDE * unit * len(word.text))
    box = word.box_px
    if box.width <= most:
        return word
    return replace(word, box_px=Box(box.x, box.y, most, box.height))


def beside_label(survey: PageSurvey, label: Label) -> Box:
    """The space right of a label up to the next one, a row high."""
    box = label.box_px
    end = int(survey.gray.shape[1])
    for other in survey.labels:
        if other.box_px.x > box.x + box.width / 2 and same_row(box, other.box_px):
            end = min(end, other.box_px.x)
    left = box.x + box.width
    return Box(left, box.y - round(0.4 * box.height), max(1, end - left), round(1.8 * box.height))


def within_rules(survey: PageSurvey, box: Box) -> Box:
    """A space up to the first upright rule in it: what stands behind one answers nothing here."""
    middle = box.y + box.height / 2
    sides = [
        rule.x for rule in survey.rules.vertical
        if box.x <= rule.x < box.x + box.width and rule.y < middle < rule.y + rule.height
    ]  # fmt: skip
    end = min(sides, default=box.x + box.width)
    return Box(box.x, box.y, max(1, end - box.x), box.height)


def _under(survey: PageSurvey, label: Label) -> Box:
    box = label.box_px
    right = int(survey.gray.shape[1])
    for other in survey.labels:
        if other.box_px.x > box.x + box.width and same_row(box, other.box_px):
            right = min(right, other.box_px.x)
    top = box.y + round(1.1 * box.height)
    left = max(0, box.x - 2 * box.height)
    return Box(left, top, right - left, round((_UNDER - 1.1) * box.height))


def _word_rows(words: Sequence[PrintedWord], known: Mapping[str, str]) -> list[Box]:
    """Boxes around words of a set that stand beside each other."""
    hits = [one for one in words if normalised(one.text) in known]
    rows = []
    for one in hits:
        near = [
            other.box_px for other in hits
            if same_row(one.box_px, other.box_px)
            and 0 < other.box_px.x - one.box_px.x < _GAP * one.box_px.height
        ]  # fmt: skip
        if near:
            whole = union([one.box_px, *near])
            height = whole.height
            rows.append(Box(whole.x - height, whole.y - height // 3, whole.width + 2 * height,
                            round(1.7 * height)))  # fmt: skip
    return rows


def _row(
    survey: PageSurvey, words: Sequence[PrintedWord], field: str, label: Label | None, box: Box,
    known: Mapping[str, str], unit: float,
) -> ChoiceRow:  # fmt: skip
    """Collect choices and boxes from the left, up to the first wide gap."""
    boxes = [
        one for one in survey.checkboxes
        if _centred(one.box_px, box) and not _is_of_another(survey, one.box_px, field)
    ]  # fmt: skip
    options = [
        one for word in words if _centred(word.box_px, box)
        for one in options_in(word, known, boxes)
        # A printed box is read as an O now and then.
        if not any(overlap_x(b.box_px, one.box_px) > 0.5 * one.box_px.width for b in boxes)
    ]  # fmt: skip
    end = box.x
    kept: list[Option] = []
    kept_boxes: list[Checkbox] = []
    both: list[Option | Checkbox] = [*options, *boxes]
    for item in sorted(both, key=lambda one: one.box_px.x):
        if item.box_px.x - end > _GAP * unit:
            break
        end = max(end, item.box_px.x + item.box_px.width)
        if isinstance(item, Checkbox):
            kept_boxes.append(item)
        else:
            kept.append(item)
    kept_boxes += hidden_boxes(survey, kept, kept_boxes)
    return ChoiceRow(field, label, tuple(kept), known, tuple(kept_boxes), unit)


def _is_of_another(survey: PageSurvey, box: Box, field: str) -> bool:
    """Whether a box stands before a label that it answers by itself: ``[] Dispense as written``."""
    return any(
        label.field in _TICKED and label.field != field and same_row(box, label.box_px)
        and gap_to(box, label.box_px, before=True) is not None
        for label in survey.labels
    )  # fmt: skip


def hidden_boxes(
    survey: PageSurvey, options: Sequence[Option], boxes: Sequence[Checkbox]
) -> list[Checkbox]:
    """Boxes that a tick hides: where the other choices of the row have theirs there is ink."""
    if not boxes or survey.all_ink is None:
        return []
    before = stand_before(options, boxes)
    offsets = []
    for option in options:
        for one in boxes:
            if gap_to(one.box_px, option.box_px, before) is not None:
                offsets.append(one.box_px.x - _edge(option.box_px, before))
    if not offsets:
        return []
    side, level = boxes[0].box_px, boxes[0].box_px.y
    found = []
    for option in options:
        if any(gap_to(one.box_px, option.box_px, before) is not None for one in boxes):
            continue
        box = Box(_edge(option.box_px, before) + round(float(np.median(offsets))), level,
                  side.width, side.height)  # fmt: skip
        cut = round(0.2 * box.width)
        inner = survey.all_ink[max(0, box.y + cut) : box.y + box.height - cut,
                               max(0, box.x + cut) : box.x + box.width - cut]  # fmt: skip
        if inner.size and (inner > 0).mean() > _TICK_INK:
            found.append(Checkbox(box, True))
    return found


def stand_before(options: Sequence[Option], boxes: Sequence[Checkbox]) -> bool:
    """Whether the boxes of a row stand before their choices, by which side is nearer."""
    sides = [0.0, 0.0]
    for one in boxes:
        for number, before in enumerate((False, True)):
            gaps = [gap_to(one.box_px, option.box_px, before) for option in options]
            known = [gap for gap in gaps if gap is not None]
            sides[number] += min(known, default=2 * one.box_px.width)
    return sides[1] <= sides[0]


def _edge(option: Box, before: bool) -> int:
    return option.x if before else option.x + option.width


def options_in(
    word: PrintedWord, known: Mapping[str, str], boxes: Sequence[Checkbox]
) -> Iterator[Option]:
    """The choices in one word of OCR: ``M/F`` holds two, ``OM`` one behind a box read as O."""
    text, box = word.text, word.box_px
    whole = known.get(normalised(text)) or _nearly(normalised(text), known)
    if whole is not None:
        yield Option(whole, box, word.confidence)
        return
    tokens = [(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]
    over = any(overlap_x(one.box_px, box) > 0.3 * one.box_px.width for one in boxes)
    if over and len(text) > 1:
        tokens += [(text[n:], n, len(text)) for n in (1, 2) if len(text) > n]
        tokens += [(text[:-n], 0, len(text) - n) for n in (1, 2) if len(text) > n]
    seen: set[str] = set()
    for token, start, stop in tokens:
        value = known.get(normalised(token))
        if value is None or value in seen:
            continue
        seen.add(value)
        x0 = box.x + round(box.width * start / len(text))
        x1 = box.x + round(box.width * stop / len(text))
        yield Option(value, Box(x0, box.y, max(1, x1 - x0), box.height), 0.8 * word.confidence)


def _nearly(text: str, known: Mapping[str, str]) -> str | None:
    """The choice that a word of OCR is but for one letter; None where two are as near."""
    if len(text) < 2 or not text.isalpha() or known is REFILLS:
        return None
    near = {
        value for word, value in known.items()
        if len(word) == len(text) and sum(a != b for a, b in zip(word, text, strict=True)) == 1
    }  # fmt: skip
    return near.pop() if len(near) == 1 else None


def gap_to(box: Box, option: Box, before: bool) -> int | None:
    gap = option.x - (box.x + box.width) if before else box.x - (option.x + option.width)
    return abs(gap) if -box.width < gap < _BOX_REACH * box.width else None


def _centred(box: Box, area: Box) -> bool:
    x, y = centre(box)
    return area.x - 2 <= x < area.x + area.width and area.y <= y < area.y + area.height


def overlap_x(one: Box, other: Box) -> int:
    return max(0, min(one.x + one.width, other.x + other.width) - max(one.x, other.x))


def inside(box: Box, area: Box, margin: float) -> bool:
    x, y = centre(box)
    return (
        area.x - margin <= x < area.x + area.width + margin
        and area.y - margin <= y < area.y + area.height + margin
    )
