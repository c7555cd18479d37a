"""Held-out generated pages, and known forms made of them, for ``benchmarks/pages.py``."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from clinic_hwr.pages import FieldRegion, PrintedWord, UprightPage, find_fields
from clinic_hwr.pages.known_forms import FormLabel, FormRegion, KnownForm
from clinic_hwr.recognition.runtime import weights_paths
from clinic_hwr.recognition.segmentation.training import ink_of_scan
from clinic_hwr.recognition.synthesis.hands import CannotWrite, Hand, InkTile
from clinic_hwr.recognition.synthesis.pages import (
    DrawnPage,
    PageContent,
    draw_page,
    layouts_with,
    settings_for,
)
from clinic_hwr.recognition.synthesis.pages_hands import CUTS_FILE, page_hands
from clinic_hwr.recognition.synthesis.pages_varied import varied_content
from clinic_hwr.recognition.synthesis.varied_hands import scrap_hands
from clinic_hwr.recognition.training.alignment import prepare_held_out_letters
from clinic_hwr.recognition.training.sources import held_out_writer, read_labels

ROUGH = ("fax_fine", "fax_standard", "phone", "phone_on_table", "phone_curled")
_LANGUAGE = {"spanish_receta": "es"}
_LINES_OF_DRUGS = ("dental_pad", "philippine_pad")  # free writing under an Rx
_NO_FORM = ("choice_sheet",)  # its print differs from page to page
_FORM_DPI, _SEEDS = 150, range(900, 908)
# The clean page has the resolution of the filled-in ones: PIL hints letters to whole pixels, so
# that words drawn at another one are not as wide, as if the form had been set anew.
_PAGE_DPI = 200


class NoHand:
    """Nobody writes: what is left is the printed form."""

    name = "nobody"

    def can_write(self, text: str) -> bool:
        """Anything can be left out."""
        return True

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """One empty pixel."""
        return InkTile(np.zeros((1, 1), np.uint8), 0)


@dataclass(frozen=True)
class DrawnForm:
    """A held-out layout as a known form.

    Attributes:
        layout: its name.
        blank: the clean page without any writing.
        known: as labels and regions in inches.
        boxes: (field, group) -> x, y, width, height as shares of the page.
    """

    layout: str
    blank: DrawnPage
    known: KnownForm
    boxes: dict[tuple[str, int], tuple[float, float, float, float]]


def form_content(layout: str, rng: np.random.Generator) -> PageContent:
    """Content of a form of one practice: its print is the same on every page; two drugs."""
    head = varied_content(np.random.default_rng(4), _LANGUAGE.get(layout, "en"), 2)
    return replace(
        varied_content(rng, _LANGUAGE.get(layout, "en"), 2),
        prescriber_name=head.prescriber_name,
        prescriber_npi=head.prescriber_npi,
        prescriber_dea=head.prescriber_dea,
        prescriber_phone=head.prescriber_phone,
        practice_name=head.practice_name,
        practice_address=head.practice_address,
        specialty=head.specialty,
        patient_mrn=head.patient_mrn,
    )


def drawn_form(layout: str, hands: Sequence[Hand]) -> DrawnForm:
    """Make a form of a layout: its print, and where values stand on some clean pages of it."""
    content = replace(form_content(layout, np.random.default_rng(1)), signed=False)
    blank = _without_ticks(draw_page(layout, content, NoHand(), seed=1, dpi=_PAGE_DPI,
                                     with_pen=True))  # fmt: skip
    height, width = (side * _FORM_DPI / _PAGE_DPI for side in blank.gray.shape)
    around: dict[tuple[str, int], list[float]] = {}
    for page in _clean_pages(layout, hands):
        for field in page.fields:
            if field.printed or field.struck or field.name == "unnamed":
                continue
            drug_line = layout in _LINES_OF_DRUGS and field.group > 0
            key = ("drug", 0) if drug_line else (field.name, field.group)
            x, y, w, h = field.box_px
            box = around.setdefault(key, [x, y, x + w, y + h])
            box[:] = [min(box[0], x), min(box[1], y), max(box[2], x + w), max(box[3], y + h)]
    pad = 0.04 * _FORM_DPI
    boxes = {
        key: (
            (x0 - pad) / width, (y0 - pad) / height,
            (x1 - x0 + 2 * pad) / width, (y1 - y0 + 2 * pad) / height,
        )
        for key, (x0, y0, x1, y1) in around.items()
    }  # fmt: skip
    return DrawnForm(layout, blank, _as_known(layout, blank, boxes), boxes)


def _without_ticks(page: DrawnPage) -> DrawnPage:
    """Take the pen off a page: the layout ticks boxes though nobody writes."""
    if page.pen is None:
        raise ValueError("draw the page with its layer of pen ink")
    return replace(page, gray=np.where(page.pen > 0, 255, page.gray).astype(np.uint8))


def _clean_pages(layout: str, hands: Sequence[Hand]) -> Iterator[DrawnPage]:
    for seed in _SEEDS:
        rng = np.random.default_rng(seed)
        content = replace(form_content(layout, rng), signed=True)
        writers = _writers(hands, content, rng)
        yield _by_the_first_able(
            writers, partial(draw_page, layout, content, seed=seed, dpi=_FORM_DPI)
        )


def _writers(hands: Sequence[Hand], content: PageContent, rng: np.random.Generator) -> list[Hand]:
    """Who can write the content, beginning at random."""
    able = [h for h in hands if all(h.can_write(t) for t in content.written_texts())]
    first = int(rng.integers(len(able)))
    return able[first:] + able[:first]


def _by_the_first_able(writers: Sequence[Hand], draw: Callable[..., DrawnPage]) -> DrawnPage:
    """A page; a layout may add a word that not all of the writers can write."""
    for hand in writers:
        try:
            return draw(hand=hand)
        except CannotWrite:
            continue
    raise CannotWrite("none of the hands can write every character of the page")


def _as_known(
    layout: str, blank: DrawnPage, boxes: dict[tuple[str, int], tuple[float, float, float, float]]
) -> KnownForm:
    height, width = (side / _PAGE_DPI for side in blank.gray.shape)
    labels = tuple(
        FormLabel(line.text, tuple(side / _PAGE_DPI for side in line.box_px))  # type: ignore[arg-type]
        for line in blank.lines
        if line.printed
    )
    regions = []
    for (name, group), (x, y, w, h) in boxes.items():
        mode = "value"
        if name == "signature":
            mode = "mark"
        elif layout in _LINES_OF_DRUGS and name == "drug" and group == 0:
            mode = "medications"
        if group <= 1:  # this sort of form has no numbers of medications
            regions.append(FormRegion(name, mode, (x * width, y * height, w * width, h * height)))
    return KnownForm(layout, (width, height), labels, tuple(regions))


def form_pages(
    form: DrawnForm, hands: Sequence[Hand], ways: Sequence[str], count: int, seed: int
) -> Iterator[DrawnPage]:
    """Filled-in pages of a form, degraded."""
    for way in ways:
        for number in range(count):
            rng = np.random.default_rng([seed, number, *way.encode()])
            content = form_content(form.layout, rng)
            writers = _writers(hands, content, rng)
            draw = partial(
                draw_page, form.layout, content, seed=int(rng.integers(2**31)), dpi=_PAGE_DPI,
                settings=settings_for(way, rng), degradation=way,
            )  # fmt: skip
            yield _by_the_first_able(writers, draw)


def hands_of(
    data: Path | None, role: str, cuts: Path, cutter: Path | None = None
) -> tuple[list[Hand], str]:
    """Who writes pages of a role, and which cuts their joined letters are of.

    Pages that are drawn with one seed and other cuts are other pages. Held-out words are cut where
    ``cuts`` has no such file, by ``cutter`` or the shipped ``trba`` (half a minute).
    """
    part = "val" if role == "held_out" else "train"
    if data is not None and part == "val":
        prepare_held_out_letters(data, cutter or weights_paths("trba")[0], cuts)
    file = cuts / CUTS_FILE[part]
    kind = f"letter cuts {_digest(file)}" if file.exists() else "no joined letters"
    return page_hands(data, role, cuts_dir=cuts), kind


def scanned_hands(data: Path) -> list[Hand]:
    """Writers of ``handwriting/`` that no training saw: pieces of the lines that they wrote.

    What they write is not the text that was asked for, only about as long.
    """
    scans = [
        (one.writer, one.path)
        for one in read_labels(data / "handwriting")
        if one.level == "line" and held_out_writer(one.writer)
    ]
    return scrap_hands(scans, ink_of_scan)


def _digest(cuts: Path) -> str:
    """The first letters of a hash of what a file of cuts holds: the file itself has a date."""
    digest = hashlib.sha256()
    with np.load(cuts, allow_pickle=False) as arrays:
        for name in sorted(arrays.files):
            digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()[:8]


def held_out_layouts() -> tuple[str, ...]:
    """The layouts that no rule and no weight was chosen by."""
    return layouts_with("held_out")


def form_layouts() -> tuple[str, ...]:
    """The held-out layouts whose print is the same on every page."""
    return tuple(name for name in held_out_layouts() if name not in _NO_FORM)


def known_form_fields(
    page: UprightPage, words: Sequence[PrintedWord], form: DrawnForm
) -> tuple[tuple[FieldRegion, ...], np.ndarray]:
    """Fields by a known form, and the page without its print, which is what they are cut from.

    By registration where the package has it, else by its labels.
    """
    modules = _registration()
    if modules is None:
        return find_fields(page, words, forms=[form.known]), page.gray
    registration, template, match, registered = modules
    kinds = {"signature": "signature", "patient_dob": "date", "date_written": "date"}
    regions = tuple(
        template.TemplateRegion(
            name,
            template.RegionKind(
                "medications"
                if form.layout in _LINES_OF_DRUGS and name == "drug" and group == 0
                else kinds.get(name, "drug" if name == "drug" else "text")
            ),
            box,
            group,
        )
        for (name, group), box in form.boxes.items()
    )
    sheet = match.FormSheet("form", 1, registration.FormPrint.of(form.blank.gray), regions)
    here = registration.PagePrint.of(page.gray)
    found = match.match_form(here, [sheet])
    if not isinstance(found, match.FormMatch):
        return find_fields(page, words, **segmenter_argument()), page.gray
    filled = registered.registered_fields(here, words, found, **segmenter_argument())
    return tuple(one.field for one in filled.fields), filled.gray


def taken_for_another(page: UprightPage, forms: Sequence[DrawnForm]) -> bool:
    """Whether a page is registered as one of these forms, none of which it is printed on."""
    modules = _registration()
    if modules is None:
        return False
    registration = modules[0]
    here = registration.PagePrint.of(page.gray)
    return any(
        not isinstance(
            registration.register(registration.FormPrint.of(form.blank.gray), here),
            registration.Misfit,
        )
        for form in forms
    )


def _registration() -> tuple[Any, Any, Any, Any] | None:
    names = ("registration", "form_template", "form_match", "registered_fields")
    try:
        found = [importlib.import_module(f"clinic_hwr.pages.{name}") for name in names]
    except ImportError:
        return None
    return found[0], found[1], found[2], found[3]


def segmenter_argument() -> dict[str, Any]:
    """The trained segmenter as an argument of ``find_fields``, where the package has one."""
    try:
        finder = importlib.import_module("clinic_hwr.recognition.segmentation.finder")
    except ImportError:
        return {}
    return {"segmenter": finder.load_line_marker()}
