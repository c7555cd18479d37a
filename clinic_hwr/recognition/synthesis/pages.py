"""Draws whole prescriptions with ground truth: content + layout + handwriting + scanner -> page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Imported for their effect: each registers its layout.
from . import pages_boxed, pages_hospital, pages_letterhead, pages_us_pad
from .hands import Hand
from .pages_content import PageContent, random_content
from .pages_layouts import LAYOUTS, UnknownLayout, layout_drawer
from .pages_paper import FieldTruth, Gray
from .pages_scan import ScanSettings, random_settings, scan_paper

__all__ = [
    "LAYOUTS",
    "DrawnPage",
    "FieldTruth",
    "Hand",
    "PageContent",
    "ScanSettings",
    "UnknownLayout",
    "draw_page",
    "draw_pages",
    "pages_boxed",
    "pages_hospital",
    "pages_letterhead",
    "pages_us_pad",
    "random_content",
    "random_settings",
]


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
    """

    gray: Gray
    layout: str
    hand: str
    dpi: int
    settings: ScanSettings
    fields: tuple[FieldTruth, ...]
    signed: bool

    def to_json(self) -> dict[str, object]:
        """Ground truth as plain JSON types; boxes are [x, y, width, height] in scan pixels."""
        return {
            "layout": self.layout,
            "hand": self.hand,
            "dpi": self.dpi,
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
                    "box_px": list(field.box_px),
                }
                for field in self.fields
            ],
        }


def draw_page(
    layout: str,
    content: PageContent,
    hand: Hand,
    *,
    seed: int,
    dpi: int = 200,
    settings: ScanSettings | None = None,
) -> DrawnPage:
    """Draw one prescription.

    Args:
        layout: a key of ``LAYOUTS``.
        content: what it says.
        hand: who writes it; must be able to write every character of the content.
        seed: the same seed (with the same hand and content) gives the same bytes.
        dpi: resolution in pixels per inch.
        settings: the scanner; None draws a clean page.

    Raises:
        UnknownLayout: no such layout.
    """
    rng = np.random.default_rng(seed)
    paper = layout_drawer(layout)(content, hand, rng, dpi)
    scanner = settings or ScanSettings()
    gray, fields = scan_paper(paper.ink, tuple(paper.fields), scanner, rng)
    return DrawnPage(gray, layout, hand.name, dpi, scanner, fields, content.signed)


def draw_pages(
    hands: Sequence[Hand], *, count: int, seed: int, layouts: Sequence[str] | None = None
) -> Iterator[DrawnPage]:
    """Draw ``count`` random degraded prescriptions, layouts in turn, hands at random.

    Raises:
        ValueError: no hand can write the content.
    """
    names = list(layouts or sorted(LAYOUTS))
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        name = names[number % len(names)]
        content = random_content(rng)
        hand = _able_hand(hands, content, rng)
        dpi = int(rng.choice((150, 200, 300))) if name == "us_pad" else int(rng.choice((150, 200)))
        yield draw_page(
            name,
            content,
            hand,
            seed=int(rng.integers(2**31)),
            dpi=dpi,
            settings=random_settings(rng),
        )


def _able_hand(hands: Sequence[Hand], content: PageContent, rng: np.random.Generator) -> Hand:
    """Choose a hand that can write all of the content."""
    texts = content.written_texts()
    for index in rng.permutation(len(hands)):
        if all(hands[int(index)].can_write(text) for text in texts):
            return hands[int(index)]
    raise ValueError("none of the hands can write every character of the page")
