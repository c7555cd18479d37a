"""Blocks of printed cells that repeat, one a drug: what is read of one block names all of them.

A ward chart prints the same small labels into the corners of the same cells for every drug. Pen
runs over them, so that each is read in some blocks only; the blocks are alike, and vote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process

from .areas import centre, contains
from .cell_strips import (
    Strip,
    around,
    blocks_of_strips,
    cell_strips,
    kinds_of_strips,
    with_lost_blocks,
)
from .label_vocabulary import DOSE, LabelVocabulary, label_vocabulary, normalised
from .labels import union, word_rows
from .pen_strokes import Stroke
from .survey import PageSurvey
from .text_lines import text_lines
from .types import FIELD_NAMES, Box, FieldRegion, PrintedWord
from .value_runs import near_marked
from .values import is_writing, printed_region, rows_of_writing

PER_BLOCK = ("drug", "strength", "sig", "quantity", "refills")
_LABEL_PART = 0.4  # of a cell's height: its label
# Words this near to a label may be it, in percent; cells must say so much together to tell one.
_NEAR, _SURE, _AHEAD = 60.0, 0.7, 1.3
_LETTERS = 3
# A piece that so many blocks have, at one place of the upper part of a cell and as large (heights
# of a capital), is printed.
_ALIKE_BLOCKS, _UPPER, _SAME_PLACE, _SAME_SIZE = 3, 0.5, 0.25, 0.15
_SHORT, _LONGEST = 4, 4  # letters that must all be right; words of a label


@dataclass(frozen=True, slots=True)
class BlockCell:
    """A cell of a block.

    Attributes:
        field: that it holds, one of ``PER_BLOCK``, "" for what has no name.
        label: as it is printed in the block where it was read best.
        group: number of the block on the page, from 1.
        box_px: the cell.
        label_px: where the label stands in it, whether it was read there or not; None: unknown.
    """

    field: str
    label: str
    group: int
    box_px: Box
    label_px: Box | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """The words a cell begins with, compared with a label.

    Attributes:
        score: how alike they are, 0 to 1.
        text: as it was read.
        box_px: of the words, from the cell's upper left corner.
    """

    score: float
    text: str
    box_px: Box


def repeated_cells(
    survey: PageSurvey, vocabulary: LabelVocabulary | None = None
) -> tuple[tuple[BlockCell, ...], tuple[Box, ...]]:
    """Find blocks of cells that repeat and what their cells hold.

    Args:
        survey: of the page.
        vocabulary: words of the languages enabled; None: of all that are known.

    Returns:
        All cells, and the areas of the blocks; both empty where fewer than two blocks are alike,
        or none has a cell for a drug.
    """
    strips, kinds = kinds_of_strips(cell_strips(survey.rules, survey.unit_px), survey.unit_px)
    numbers = blocks_of_strips(strips, kinds, survey.labels)
    blocks = with_lost_blocks(
        [[strips[n] for n in block] for block in numbers], survey.rules, survey.labels,
        survey.unit_px,
    )  # fmt: skip
    if len(blocks) < 2:
        return (), ()
    meaning = _meanings(survey, blocks, vocabulary or label_vocabulary())
    if "drug" not in {field for field, _ in meaning.values()}:
        return (), ()
    cells = []
    for group, block in enumerate(blocks, start=1):
        for place, box in _places(block):
            field, seen = meaning.get(place, ("", None))
            at = None
            if seen is not None:
                own = seen.box_px
                at = Box(box.x + own.x, box.y + own.y, own.width, own.height)
            cells.append(BlockCell(field, seen.text if seen else "", group, box, at))
    return tuple(cells), tuple(around(block) for block in blocks)


def _meanings(
    survey: PageSurvey, blocks: Sequence[Sequence[Strip]], vocabulary: LabelVocabulary
) -> dict[tuple[int, int], tuple[str, _Seen]]:
    """What the cells hold, and their label as it reads best, by row and column in a block.

    The words in a cell of every block are compared with all labels there are. One that is read
    badly five times over is told by all five together.
    """
    columns = vocabulary.columns
    fields = {one: f for one, f in vocabulary.fields.items() if columns.get(one) != DOSE}
    known = {**columns, **fields}
    packed = {phrase.replace(" ", ""): phrase for phrase in known}
    votes: dict[tuple[int, int], dict[str, list[_Seen]]] = {}
    for block in blocks:
        for place, cell in _places(block):
            for role, seen in _likely(survey, cell, packed, known).items():
                votes.setdefault(place, {}).setdefault(role, []).append(seen)
    told: dict[tuple[int, int], tuple[str, _Seen]] = {}
    for place, by_role in votes.items():
        sums = {role: sum(one.score for one in some) for role, some in by_role.items()}
        role, *others = sorted(sums, key=lambda one: sums[one], reverse=True)
        if sums[role] >= max(_SURE, _AHEAD * max((sums[one] for one in others), default=0.0)):
            told[place] = role, max(by_role[role], key=lambda one: one.score)
    said = {role for role, _ in told.values()}
    # A dose with a cell of its own beside how often, or beside directions, is the strength.
    dose = "strength" if "sig" in said and "strength" not in said else "sig"
    meant = {place: (dose if role == DOSE else role, seen) for place, (role, seen) in told.items()}
    return {
        place: (field if field in PER_BLOCK else "", seen) for place, (field, seen) in meant.items()
    }


def _likely(
    survey: PageSurvey, cell: Box, packed: Mapping[str, str], known: Mapping[str, str]
) -> dict[str, _Seen]:
    """What the words of a cell may begin with, by what it names."""
    every = (*survey.words, *survey.doubtful)
    words = [one for one in every if contains(cell, *centre(one.box_px))]
    rows = word_rows(words)
    if not rows:
        return {}
    row = [words[index] for index in rows[0]]
    found: dict[str, _Seen] = {}
    for count in range(1, min(_LONGEST, len(row)) + 1):
        text = " ".join(one.text for one in row[:count])
        box = union([one.box_px for one in row[:count]])
        box = Box(box.x - cell.x, box.y - cell.y, box.width, box.height)
        phrase = normalised(text).replace(" ", "")
        if len(phrase) < _SHORT:
            role = known.get(packed.get(phrase, ""))
            near = [] if role is None else [(phrase, 100.0)]
        else:
            near = [
                (one, ratio) for one, ratio, _ in process.extract(
                    phrase, packed.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR, limit=8
                )
            ]  # fmt: skip
        for one, ratio in near:
            role, score = known[packed[one]], (ratio - _NEAR) / (100.0 - _NEAR)
            if role not in found or score > found[role].score:
                found[role] = _Seen(score, text, box)
    if any(one.score == 1.0 for one in found.values()):  # "Medicine" is no "médecin" read badly
        found = {role: one for role, one in found.items() if one.score == 1.0}
    for label in survey.labels:  # what was sure enough to be one is so in a cell
        phrase = normalised(label.text)
        role = known.get(phrase, label.field)
        if label.field and contains(cell, *centre(label.box_px)):
            box = label.box_px
            box = Box(box.x - cell.x, box.y - cell.y, box.width, box.height)
            score = max(_SURE, found[role].score) if role in found else _SURE
            found[role] = _Seen(score, label.text, box)
    return found


def block_fields(
    survey: PageSurvey, pile: Sequence[Stroke]
) -> tuple[list[FieldRegion], set[Stroke], tuple[Box, ...]]:
    """Return what is written in the cells of repeated blocks.

    Args:
        survey: of the page.
        pile: strokes that nobody has claimed yet.

    Returns:
        A field for each cell that is written in, its group the number of its block among those with
        a drug; the strokes they took; the areas of the blocks.
    """
    cells, areas = repeated_cells(survey)
    labelled = {i for label in survey.labels for i in label.word_indexes}
    fields, taken = [], set[Stroke]()
    held = [
        [
            one for one in pile
            if contains(cell.box_px, *centre(one.box_px))
            and not _is_side(one.box_px, cell.box_px, survey.unit_px)
        ]
        for cell in cells
    ]  # fmt: skip
    again = _printed_again(cells, held, len(areas), survey.unit_px)
    for cell, there in zip(cells, held, strict=True):
        letters = _label_letters(cell, there) | (again & set(there))
        taken.update(letters)
        found = near_marked(survey, [one for one in there if one not in letters])
        if not found or not is_writing(survey, union([one.box_px for one in found])):
            typed = _typed_in(survey, cell, labelled) if cell.field else []
            if typed:
                fields.append(printed_region(cell.field, typed, label=cell.label, group=cell.group))
            continue
        taken.update(found)
        whole = union([one.box_px for one in found])
        if not cell.field:
            lines = [one.box_px for one in text_lines(survey, found)
                     if is_writing(survey, one.box_px)]  # fmt: skip
            fields += [
                FieldRegion("unnamed", FIELD_NAMES["unnamed"], one)
                for one in lines or [whole]  # what nobody can name is shown, never dropped
            ]
            continue
        fields.append(
            FieldRegion(
                cell.field, FIELD_NAMES[cell.field], whole, group=cell.group, label=cell.label,
                lines_px=rows_of_writing(survey, found),
            )
        )  # fmt: skip
    written = sorted({one.group for one in fields if one.group})
    fields = [
        replace(one, group=written.index(one.group) + 1) if one.group else one for one in fields
    ]
    return fields, taken, areas


def _printed_again(
    cells: Sequence[BlockCell], held: Sequence[Sequence[Stroke]], blocks: int, unit_px: float
) -> set[Stroke]:
    """Pieces in the upper part of a cell that most blocks have at the same place, as large.

    They are letters of a label that neither OCR nor the segmenter has read: no pen does so.
    """
    if blocks < _ALIKE_BLOCKS:
        return set()
    off, bigger = _SAME_PLACE * unit_px, _SAME_SIZE * unit_px
    row = len(cells) // blocks  # all blocks have equal cells
    found = set[Stroke]()
    for place in range(row):
        pieces = [
            (
                number,
                one,
                one.box_px.x - cells[number].box_px.x,
                one.box_px.y - cells[number].box_px.y,
            )
            for number in range(place, len(cells), row)
            for one in held[number]
            if one.box_px.y + one.box_px.height
            < cells[number].box_px.y + _UPPER * cells[number].box_px.height
        ]
        for number, one, x, y in pieces:
            alike = {
                other for other, two, left, top in pieces
                if other != number and abs(left - x) <= off and abs(top - y) <= off
                and abs(two.box_px.width - one.box_px.width) <= bigger
                and abs(two.box_px.height - one.box_px.height) <= bigger
            }  # fmt: skip
            if 1 + len(alike) >= max(_ALIKE_BLOCKS, blocks / 2):
                found.add(one)
    return found


def _label_letters(cell: BlockCell, strokes: Sequence[Stroke]) -> set[Stroke]:
    """Letters of the label where it was not read in this cell: what stands where it stands.

    Single pieces there may be pen: a word has three letters.
    """
    if cell.label_px is None:
        return set()
    box, rim = cell.label_px, 0.25 * cell.label_px.height
    area = Box(round(box.x - rim), round(box.y - rim), round(box.width + 2 * rim),
               round(box.height + 2 * rim))  # fmt: skip
    letters = {
        one for one in strokes
        if contains(area, one.box_px.x, one.box_px.y)
        and contains(area, one.box_px.x + one.box_px.width, one.box_px.y + one.box_px.height)
    }  # fmt: skip
    return letters if len(letters) >= _LETTERS else set()


def _is_side(stroke: Box, cell: Box, unit_px: float) -> bool:
    """Whether a stroke is a piece of the cell's side, on a sheet so bent that it was no rule."""
    thin = stroke.width < 0.5 * unit_px and stroke.height > 0.6 * cell.height
    middle = stroke.x + stroke.width / 2
    return thin and min(middle - cell.x, cell.x + cell.width - middle) < unit_px


def _typed_in(survey: PageSurvey, cell: BlockCell, labelled: Set[int]) -> list[PrintedWord]:
    """Words in a cell under its label: typed, or written so neatly that they were read as print."""
    box = cell.box_px
    low = Box(box.x, box.y + round(_LABEL_PART * box.height), box.width,
              round((1 - _LABEL_PART) * box.height))  # fmt: skip
    return [
        word for index, word in enumerate(survey.words)
        if index not in labelled and contains(low, *centre(word.box_px))
        and any(char.isalnum() for char in word.text)
    ]  # fmt: skip


def _places(block: Sequence[Strip]) -> Iterator[tuple[tuple[int, int], Box]]:
    for row, strip in enumerate(block):
        for column, cell in enumerate(strip.cells()):
            yield (row, column), cell
