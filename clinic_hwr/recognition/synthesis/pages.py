"""Draws whole prescriptions with ground truth: content + layout + handwriting + scanner -> page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Imported for their effect: each registers its layouts.
from . import (
    pages_asia,
    pages_boxed,
    pages_choices,
    pages_clinic,
    pages_composed,
    pages_europe,
    pages_hospital,
    pages_letterhead,
    pages_us_pad,
)
from .crossed_out import cross_out_more
from .hands import CannotWrite, Hand
from .pages_content import PageContent, random_content
from .pages_degradations import DEGRADATIONS, UnknownDegradation, settings_for
from .pages_layouts import (
    LAYOUT_ROLES,
    LAYOUTS,
    LayoutRole,
    UnknownLayout,
    layout_drawer,
    layouts_with,
)
from .pages_paper import Gray
from .pages_scan import ScanSettings, bands_moved, moved, random_settings, scan_with_moves
from .pages_truth import FieldTruth, LineTruth, MarkTruth
from .pages_varied import varied_content

__all__ = [
    "DEGRADATIONS",
    "LAYOUTS",
    "LAYOUT_ROLES",
    "DrawnPage",
    "FieldTruth",
    "Hand",
    "LayoutRole",
    "LineTruth",
    "MarkTruth",
    "PageContent",
    "ScanSettings",
    "UnknownDegradation",
    "UnknownLayout",
    "content_for",
    "draw_page",
    "draw_pages",
    "layouts_with",
    "pages_asia",
    "pages_boxed",
    "pages_choices",
    "pages_clinic",
    "pages_composed",
    "pages_europe",
    "pages_hospital",
    "pages_letterhead",
    "pages_us_pad",
    "random_content",
    "random_settings",
    "settings_for",
]

_LANGUAGE_OF = {
    "german_rezept": "de",
    "french_ordonnance": "fr",
    "spanish_receta": "es",
    "composed_de": "de",
    "composed_fr": "fr",
    "composed_es": "es",
    "ward_de": "de",
    "ward_fr": "fr",
    "ward_es": "es",
}
# These were drawn before there was varied content, and have room for three drugs.
_ROOM = {"us_pad": 3, "letterhead_note": 3, "dental_pad": 3, "german_rezept": 3, "uk_form": 4}
# Wards order more at once than a prescription holds.
_AT_LEAST, _AT_MOST = 2, 7
# Small paper is scanned finer, or nobody could read it.
_DPI = dict.fromkeys(("german_rezept", "uk_form", "dental_pad", "philippine_pad"), (200, 300))


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A generated scan and everything that is true of it.

    Attributes:
        gray: the scan, (height, width) uint8.
        layout: name of the layout.
        hand: name of the handwriting.
        dpi: resolution the page was drawn at.
        settings: what the scanner did to it.
        fields: every value on the page with its place in ``gray``.
        signed: whether it bears a signature.
        lines: every line of writing and of print with its place in ``gray``.
        marks: every check box, printed choice and line of a stamp.
        degradation: name of the way it reached the clinic, "" when settings were given.
        pen: (height, width) uint8, 255 where ``gray`` shows pen ink; None unless asked for.
    """

    gray: Gray
    layout: str
    hand: str
    dpi: int
    settings: ScanSettings
    fields: tuple[FieldTruth, ...]
    signed: bool
    lines: tuple[LineTruth, ...] = ()
    marks: tuple[MarkTruth, ...] = ()
    degradation: str = ""
    pen: Gray | None = None

    def to_json(self) -> dict[str, object]:
        """Ground truth as plain JSON types; boxes are [x, y, width, height] in scan pixels."""
        return {
            "layout": self.layout,
            "role": str(LAYOUT_ROLES[self.layout]),
            "degradation": self.degradation,
            "hand": self.hand,
            "dpi": self.dpi,
            "fax_dpi": list(self.settings.fax_dpi) if self.settings.fax_dpi else None,
            "size_px": [int(self.gray.shape[1]), int(self.gray.shape[0])],
            "quarter_turns": self.settings.quarter_turns,
            "skew_deg": self.settings.skew_deg,
            "signed": self.signed,
            "fields": [
                {
                    "name": field.name,
                    "kind": field.kind,
                    "group": field.group,
                    "text": field.text,
                    "printed": field.printed,
                    "struck": field.struck,
                    "box_px": list(field.box_px),
                    "quad_px": _rounded(field.quad_px),
                }
                for field in self.fields
            ],
            "lines": [
                {
                    "text": line.text,
                    "printed": line.printed,
                    "struck": line.struck,
                    "box_px": list(line.box_px),
                    "quad_px": _rounded(line.quad_px),
                }
                for line in self.lines
            ],
            "marks": [
                {
                    "kind": mark.kind,
                    "label": mark.label,
                    "marked": mark.marked,
                    "box_px": list(mark.box_px),
                }
                for mark in self.marks
            ],
        }


def _rounded(quad: tuple[tuple[float, float], ...]) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in quad]


def draw_page(
    layout: str,
    content: PageContent,
    hand: Hand,
    *,
    seed: int,
    dpi: int = 200,
    settings: ScanSettings | None = None,
    degradation: str = "",
    with_pen: bool = False,
    crossed_out: float = 0.0,
) -> DrawnPage:
    """Draw one prescription.

    Args:
        layout: a key of ``LAYOUTS``.
        content: what it says.
        hand: who writes it; must be able to write every character of the content.
        seed: the same seed (with the same hand and content) gives the same bytes.
        dpi: resolution in pixels per inch.
        settings: the scanner; None draws a clean page.
        degradation: the name to keep with the page.
        with_pen: keep the layer of pen ink, too.
        crossed_out: share of its lines that are crossed out besides what the layout does; only
            ``lines`` tells which.

    Raises:
        UnknownLayout: no such layout.
    """
    rng = np.random.default_rng(seed)
    paper = layout_drawer(layout)(content, hand, rng, dpi)
    if crossed_out:
        cross_out_more(paper, crossed_out)
    scanner = settings or ScanSettings()
    gray, moves, pen = scan_with_moves(
        paper.ink, scanner, rng, pen=paper.pen if with_pen else None, dpi=dpi
    )
    return DrawnPage(
        gray,
        layout,
        hand.name,
        dpi,
        scanner,
        moved(paper.fields, moves),
        content.signed,
        bands_moved(moved(paper.lines, moves), moves),
        moved(paper.marks, moves),
        degradation,
        pen,
    )


def content_for(layout: str, rng: np.random.Generator) -> PageContent:
    """Draw content in the language of a layout, with as many drugs as it has room for."""
    language = _LANGUAGE_OF.get(layout, "en")
    if layout.startswith("ward_"):
        return varied_content(rng, language, int(rng.integers(_AT_LEAST, _AT_MOST + 1)))
    content = varied_content(rng, language)
    room = _ROOM.get(layout, len(content.medications))
    if len(content.medications) <= room:
        return content
    return varied_content(rng, language, room)


def draw_pages(
    hands: Sequence[Hand],
    *,
    count: int,
    seed: int,
    layouts: Sequence[str] | None = None,
    degradations: Sequence[str] = ("office",),
    with_pen: bool = False,
    settings: ScanSettings | None = None,
    crossed_out: float = 0.0,
) -> Iterator[DrawnPage]:
    """Draw ``count`` random degraded prescriptions, layouts in turn, hands at random.

    Args:
        hands: who writes.
        count: how many.
        seed: page ``n`` depends on it and on ``n`` only, given the same hands.
        layouts: names; None draws all. Weights are fitted on ``layouts_with("train")`` and
            measured on ``layouts_with("held_out")``.
        degradations: names, in turn: every layout meets every one of them.
        with_pen: keep the layer of pen ink, too.
        settings: of the scanner, in place of those drawn for the degradation.
        crossed_out: see ``draw_page``.

    Raises:
        CannotWrite: no hand can write the content.
    """
    names = list(layouts or sorted(LAYOUTS))
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        name = names[number % len(names)]
        way = degradations[number // len(names) % len(degradations)]
        content = content_for(name, rng)
        dpi = int(rng.choice((150, 200, 300) if name == "us_pad" else _DPI.get(name, (150, 200))))
        scanner, page_seed = settings_for(way, rng), int(rng.integers(2**31))
        for hand in _able_hands(hands, content, rng):
            try:
                yield draw_page(
                    name,
                    content,
                    hand,
                    seed=page_seed,
                    dpi=dpi,
                    settings=settings or scanner,
                    degradation=way,
                    with_pen=with_pen,
                    crossed_out=crossed_out,
                )
                break
            except CannotWrite:  # a word that the layout adds to the content
                continue
        else:
            raise CannotWrite("none of the hands can write every character of the page")


def _able_hands(
    hands: Sequence[Hand], content: PageContent, rng: np.random.Generator
) -> Iterator[Hand]:
    """The hands that can write all of the content, in random order."""
    texts = content.written_texts()
    for index in rng.permutation(len(hands)):
        if all(hands[int(index)].can_write(text) for text in texts):
            yield hands[int(index)]
