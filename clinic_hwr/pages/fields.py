"""Find and name the fields of an upright page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .alleys import parted_at_alleys
from .areas import centre, contains, is_address_under_name, reading_order, rx_area, same_row
from .blocks import block_region, block_strokes
from .checkboxes import checkbox_fields
from .choices import choice_fields
from .comb_fields import comb_region, is_boxed_writing, with_hidden_ends
from .combs import holds
from .form_fields import declared_runs, form_fields
from .halves import with_halves
from .known_forms import FormFit, KnownForm, fit_form, known_forms
from .label_vocabulary import label_vocabulary
from .labels import Label, union, word_rows
from .letterhead import head_fields, is_registration
from .loose_tails import with_loose_tails
from .marked_lines import marked_lines
from .marks import signature_fields
from .medication_groups import PER_MEDICATION, grouped
from .medications import name_lines, without_emblem
from .other_ink import with_other_ink_together
from .pen_strokes import Stroke
from .repeated_cells import block_fields
from .shades import without_shades
from .struck_fields import with_strikes
from .survey import PageSurvey, survey_page
from .tables import find_table, table_fields
from .text_lines import is_seen, letter_height, text_lines
from .types import (
    FIELD_NAMES,
    Box,
    FieldKind,
    FieldRegion,
    LineSegmenter,
    NamedBy,
    PrintedWord,
    UprightPage,
)
from .value_runs import Slot, written_run
from .values import (
    below,
    beside,
    is_writing,
    over,
    printed_in_cell,
    printed_region,
    rows_of_writing,
    share_strokes,
    value_slots,
    written_in_cell,
)

_MIN_SIDE_PX = 32
_TYPED_LETTERS = 4  # of a typed row that may say something


def find_fields(
    page: UprightPage,
    words: Sequence[PrintedWord],
    *,
    forms: Sequence[KnownForm] | None = None,
    languages: Sequence[str] | None = None,
    segmenter: LineSegmenter | None = None,
) -> tuple[FieldRegion, ...]:
    """Name every field of a page.

    On a known form the form's regions say what is where. Otherwise, and for what the form does not
    know, fields come from an order table, from signature lines and refill rows, from the value
    beside or below each printed label, from the free writing area under an Rx (line order names
    drug, directions and quantity), and from the printed head. Ink that nothing names becomes
    ``unnamed``.

    Args:
        page: from ``make_upright``.
        words: from ``read_print`` of the same page.
        forms: the forms to look for; None looks for those of the package.
        languages: of the labels, ISO 639-1 codes (see ``languages()``); None: all that are known.
        segmenter: marks the lines of writing; None: they are told apart the classical way.

    Returns:
        Fields in reading order; empty for a page without ink. Refills that stand once on the page
        have group 0 and go for every medication on it.
    """
    if min(page.gray.shape) < _MIN_SIDE_PX:
        return ()
    fit = fit_form(words, known_forms() if forms is None else forms)
    known_print = [fit.box(label.box_in) for label in fit.form.labels] if fit else []
    survey = survey_page(
        page.gray,
        words,
        known_print,
        declared_runs(fit) if fit else (),
        vocabulary=label_vocabulary(languages),
        maps=segmenter(page.gray) if segmenter is not None else None,
    )
    return reading_order(_FieldSearch(survey, fit, words).run(), survey.unit_px)


class _FieldSearch:
    """One pass over a page; every finder takes its strokes off the pile."""

    def __init__(
        self, survey: PageSurvey, fit: FormFit | None, words: Sequence[PrintedWord]
    ) -> None:
        self.survey = survey
        self.words = words
        self.fit = fit
        self.left = set(survey.strokes)
        self.letter = letter_height(survey.strokes, survey.unit_px)
        self.blocks: set[Box] = set()  # labels of free text that was found
        self.fields: list[FieldRegion] = []
        self.numbered = False  # by the rows of a table, or by blocks

    def run(self) -> list[FieldRegion]:
        if self.fit is not None:
            self._on_known_form(self.fit)
        else:
            self._on_any_paper()
        head = head_fields(self.survey, {field.name for field in self.fields})
        self._take(head, set(), NamedBy.PLACE)
        if self.fit is None and not self.numbered:
            self.fields = grouped(self.fields)
        self._unnamed()
        self.fields += marked_lines(self.survey, self.fields)
        whole = with_loose_tails(self.survey, self.fields, self.letter)
        whole = without_shades(self.survey, with_halves(self.survey, whole, self.letter))
        whole = with_other_ink_together(self.survey, whole, self.letter)
        return with_strikes(self.survey, whole, self.letter)

    def _on_known_form(self, fit: FormFit) -> None:
        """The form's regions first, then the labels of what it does not know."""
        self._take(*form_fields(self.survey, fit), NamedBy.FORM)
        fields = {region.field for region in fit.form.regions}
        self._combs(fields)
        self._blocks(fields)
        for region in fit.form.regions:
            if region.mode == "medications":
                self._free_writing(fit.box(region.box_in))
        known = {region.field for region in fit.form.regions} | {"rx"}
        self._labelled([one for one in self._free_labels() if one.field not in known], None)

    def _on_any_paper(self) -> None:
        survey = self.survey
        self._combs(set())
        self._blocks(set())
        labels: Sequence[Label] = self._free_labels()
        table = find_table(survey)
        self.numbered = table is not None
        if table is not None:
            self._take(*table_fields(survey, table))
            labels = [one for one in labels if not contains(table.box_px, *centre(one.box_px))]
        else:
            found, strokes, blocks = block_fields(survey, self._pile())
            named = [one for one in found if one.name != "unnamed"]
            self._take(named, strokes)
            self._take([one for one in found if one.name == "unnamed"], set(), NamedBy.NOBODY)
            self.numbered = bool(blocks)
            labels = [
                one
                for one in labels
                if not any(contains(block, *centre(one.box_px)) for block in blocks)
            ]
        labels = self._choices(labels)
        ticked, answered = checkbox_fields(survey.checkboxes, labels)
        self._take(ticked, set())
        labels = [one for one in labels if one.box_px not in answered]
        signed, strokes = signature_fields(survey, self._pile(), labels)
        if ticked or any(one.name == "substitution" for one in self.fields):
            signed = [one for one in signed if one.name != "substitution"]
        self._take(signed, strokes)
        height, width = survey.gray.shape
        area = rx_area(labels, survey.words, width, height, survey.unit_px,
                       survey.rules.horizontal)  # fmt: skip
        self._labelled(labels, area)
        if area is not None and not self.numbered:
            self._free_writing(area)
            self._typed(area)

    def _choices(self, labels: Sequence[Label]) -> list[Label]:
        """Answers marked among printed choices; returns the labels they do not answer."""
        answered = set()
        for found in choice_fields(self.survey, self.words):
            label = found.label
            asked = [one for one in labels if label and one.word_indexes == label.word_indexes]
            if label is None or asked or not label.word_indexes:
                self._take([self._numbered(found.field)], set(found.strokes))
                answered.update(asked)
        return [one for one in labels if one not in answered]

    def _combs(self, known: set[str]) -> None:
        """Boxed values, before any line of writing is looked for."""
        for found in self.survey.combs:
            pile = self._pile() + self._pile(printed=True)  # single characters look printed
            named = with_hidden_ends(found, [stroke.box_px for stroke in pile])
            strokes = {stroke for stroke in pile if holds(named.comb.box_px, stroke.box_px)}
            boxes = [stroke.box_px for stroke in strokes]
            if named.field not in known and is_boxed_writing(named.comb.box_px, boxes):
                self._take([self._numbered(comb_region(named, boxes))], strokes)

    def _blocks(self, known: set[str]) -> None:
        """Free text of several lines, before its lines are taken for other values."""
        for label in self.survey.labels:
            kind = FIELD_NAMES.get(label.field)
            if kind is FieldKind.PARAGRAPH and label.field not in known:
                strokes = block_strokes(self.survey, label, self._pile())
                if strokes:
                    self._take([block_region(self.survey, label.field, strokes, label.text)],
                               set(strokes))  # fmt: skip
                    self.blocks.add(label.box_px)

    def _free_labels(self) -> list[Label]:
        """Labels whose value is no comb or block: an empty comb is an empty value."""
        taken = [one.label_px for one in self.survey.combs] + list(self.blocks)
        taken += [one.box_px for one in self.survey.labels if is_registration(self.survey, one)]
        return [label for label in self.survey.labels if label.box_px not in taken]

    def _pile(self, *, printed: bool = False) -> list[Stroke]:
        """Strokes nobody has claimed yet; those of unread print are no one's value."""
        return [s for s in self.survey.strokes if s in self.left and s.printed is printed]

    def _take(
        self,
        fields: Sequence[FieldRegion],
        strokes: set[Stroke],
        named_by: NamedBy = NamedBy.LABEL,
    ) -> None:
        self.fields += [replace(field, named_by=named_by) for field in fields]
        self.left -= strokes

    def _labelled(self, labels: Sequence[Label], area: Box | None) -> None:
        """Values beside their labels first; then, of what is left, values below."""
        wanted = [
            one for one in labels
            if one.field in FIELD_NAMES and one.field not in ("signature", "substitution")
        ]  # fmt: skip
        wanted = [one for one in wanted if not self._in_its_cell(one)]
        slots = value_slots(self.survey, wanted)
        shared = self._shared(slots, area)
        # Block letters may look printed: in a slot where nothing else stands they are its value.
        neat = self._shared(slots, area, printed=True)
        with_slot = {slot.label.box_px for slot in slots}
        empty = [one for one in wanted if one.box_px not in with_slot]
        for number, slot in enumerate(slots):
            strokes = shared.get(number) or neat.get(number, [])
            strokes = self._nearest_row(strokes, slot.label.box_px)
            strokes = written_run(self.survey, slot, strokes, self._outside(area))
            field = beside(self.survey, slot, strokes)
            if field is None:
                empty.append(slot.label)
                continue
            self._take([self._numbered(field)], set(strokes))
        for label in empty:
            own = label.field in PER_MEDICATION
            found = over(self.survey, label, self._outside(None if own else area))
            found = found or below(self.survey, label, self._outside(area))
            written = bool(found) and is_writing(self.survey, union([s.box_px for s in found]))
            if written:
                field = FieldRegion(
                    label.field, FIELD_NAMES[label.field], union([s.box_px for s in found]),
                    label=label.text, lines_px=rows_of_writing(self.survey, found),
                )  # fmt: skip
                self._take([self._numbered(field)], set(found))
            elif rows := printed_in_cell(self.survey, label):
                field = printed_region(label.field, rows[0], label=label.text)
                self._take([self._numbered(field)], set())
                if label.field == "patient_name":
                    self._printed_address(rows)

    def _printed_address(self, rows: Sequence[Sequence[PrintedWord]]) -> None:
        """Take what a practice prints under the name, the first row, where nothing asks for it."""
        asked = any(one.field == "patient_address" for one in self.survey.labels)
        words = [word for row in rows[1:] if _is_set_under(row, rows[0]) for word in row]
        if words and not asked and any(char.isdigit() for word in words for char in word.text):
            self._take([printed_region("patient_address", words)], set(), NamedBy.PLACE)

    def _in_its_cell(self, label: Label) -> bool:
        """Take what is written in the cell of a label; False where there is none."""
        found = written_in_cell(self.survey, label, self._pile())
        if not found or not is_writing(self.survey, union([s.box_px for s in found])):
            return False
        box = union([s.box_px for s in found])
        field = FieldRegion(
            label.field, FIELD_NAMES[label.field], box, label=label.text,
            lines_px=rows_of_writing(self.survey, found),
        )  # fmt: skip
        self._take([self._numbered(field)], set(found))
        return True

    def _shared(
        self, slots: Sequence[Slot], area: Box | None, *, printed: bool = False
    ) -> dict[int, list[Stroke]]:
        """The strokes of each slot. The writing area keeps its own but for labels of drugs."""
        outside = set(self._outside(area, printed=printed))
        shared = share_strokes(slots, self._pile(printed=printed))
        return {
            number: [
                s for s in strokes
                if s in outside or slots[number].label.field in (*PER_MEDICATION, "refills")
            ]
            for number, strokes in shared.items()
        }  # fmt: skip

    def _nearest_row(self, strokes: Sequence[Stroke], label: Box) -> list[Stroke]:
        """Of strokes on several rows those of the row that a label stands on."""
        if self.survey.cores is None or len(strokes) < 2:
            return list(strokes)
        lines = text_lines(self.survey, strokes)
        if not lines:
            return list(strokes)
        # Writing sits a little higher than the print it answers.
        at = label.y + 0.3 * label.height

        def away(box: Box) -> float:
            return abs(centre(box)[1] - at)

        best = min(lines, key=lambda line: away(line.box_px)).box_px
        return [stroke for line in lines if same_row(best, line.box_px) for stroke in line.strokes]

    def _outside(self, area: Box | None, *, printed: bool = False) -> list[Stroke]:
        """Strokes a label may claim: the free writing area keeps its own."""
        pile = self._pile(printed=printed)
        if area is None:
            return pile
        return [s for s in pile if not contains(area, *centre(s.box_px))]

    def _numbered(self, field: FieldRegion) -> FieldRegion:
        """Give a labelled medication field the number of its kind on the page."""
        if field.name not in PER_MEDICATION:
            return field
        before = sum(1 for other in self.fields if other.name == field.name)
        return replace(field, group=before + 1)

    def _free_writing(self, area: Box) -> None:
        """Name the lines written under the Rx."""
        survey = self.survey
        strokes = [s for s in self._pile() if contains(area, *centre(s.box_px))]
        strokes = without_emblem(strokes, survey.unit_px)
        lines = [line for line in text_lines(survey, strokes) if is_writing(survey, line.box_px)]
        # The grain of a shadow is shown, but no drug; without a segmenter all lines are alike.
        lines = [line for line in lines if is_seen(survey, line)] or lines
        first = max((f.group for f in self.fields if f.name == "drug"), default=0)
        letter = letter_height(strokes, survey.unit_px)
        for line, named in zip(
            lines, name_lines([one.box_px for one in lines], letter), strict=True
        ):
            field = FieldRegion(
                named.name, FIELD_NAMES[named.name], line.box_px, group=first + named.group,
                label="Rx",
            )  # fmt: skip
            self._take([field], set(line.strokes), NamedBy.PLACE)

    def _typed(self, area: Box) -> None:
        """Rows of print under the Rx: a typed prescription, or what a form prints there.

        They have no name; what they say may give them one (``prescriptions.naming``), and those
        that say nothing of a prescription are left out by whoever has read them.
        """
        taken = {i for label in self.survey.labels for i in label.word_indexes}
        claimed = [one.box_px for one in self.fields if one.printed_text is not None]
        for row in word_rows(self.survey.words):
            runs: list[list[PrintedWord]] = []
            for index in row:
                word = self.survey.words[index]
                middle = centre(word.box_px)
                if index in taken or not contains(area, *middle):
                    continue
                if any(contains(box, *middle) for box in claimed):
                    continue
                last = runs[-1][-1].box_px if runs else None
                if last is None or word.box_px.x - (last.x + last.width) > 2.5 * word.box_px.height:
                    runs.append([])
                runs[-1].append(word)
            for run in runs:
                if sum(char.isalpha() for word in run for char in word.text) >= _TYPED_LETTERS:
                    self._take([printed_region("unnamed", run)], set(), NamedBy.NOBODY)

    def _unnamed(self) -> None:
        """Ink that nobody could name is shown to the reviewer, never dropped."""
        for strokes in (self._pile(), self._pile(printed=True)):
            lines = text_lines(self.survey, strokes)
            for line in parted_at_alleys(self.survey, lines, self.letter):
                if is_writing(self.survey, line.box_px):
                    address = is_address_under_name(line.box_px, self.fields)
                    name = "patient_address" if address else "unnamed"
                    field = FieldRegion(name, FIELD_NAMES[name], line.box_px)
                    self._take([field], set(), NamedBy.PLACE if address else NamedBy.NOBODY)


def _is_set_under(row: Sequence[PrintedWord], first: Sequence[PrintedWord]) -> bool:
    """Whether a row of print begins where another does."""
    return abs(row[0].box_px.x - first[0].box_px.x) < first[0].box_px.height
