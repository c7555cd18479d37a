"""How one composed form looks: its type, its words, and how it sets a value beside a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .composed_words import LABELS, SMALL_PRINT
from .pages_paper import Paper

Manner = Literal["rule", "dotted", "bare", "below", "cell", "cell_inline"]
_MANNERS: tuple[Manner, ...] = ("rule", "dotted", "bare", "below", "cell", "cell_inline")
_FACES = (("sans", "bold"), ("serif", "serif-bold"), ("narrow", "bold"))


@dataclass(frozen=True)
class Style:
    """What all parts of a form share.

    Attributes:
        language: of its words.
        face, strong, label_face: of text, of headings and of labels.
        points: size of a label.
        manner: how a value is set: on a rule or dots behind its label, on nothing, above its
            label, or in a printed cell with the label in its corner or in its row.
        colon: whether a colon ends a label.
        upper: whether labels are capitals.
        row_in: from row to row in inches.
        scale: of the writing.
        density: inches of wanted width that one inch takes.
        framed: whether a rule begins the rows of the patient.
        words: the chosen word of each field.
    """

    language: str
    face: str
    strong: str
    label_face: str
    points: float
    manner: Manner
    colon: bool
    upper: bool
    row_in: float
    scale: float
    density: float
    framed: bool
    words: dict[str, str]

    def has(self, name: str) -> bool:
        """Whether the language has a word for a field."""
        return name in self.words

    def word(self, name: str) -> str:
        """The word that this form prints beside a field."""
        word = self.words[name]
        return word.upper() if self.upper else word

    def with_colon(self, label: str) -> str:
        """A label as it stands before its value."""
        return f"{label}:" if self.colon and not label.endswith(("#", ".")) else label

    def small_print(self, rng: np.random.Generator) -> str:
        """A sentence that a form carries at its foot."""
        some = SMALL_PRINT[self.language]
        return some[int(rng.integers(len(some)))]

    def bar(self, paper: Paper, x0: float, y0: float, x1: float, y1: float) -> None:
        """Tint a bar under print, light enough for black letters."""
        rows = slice(paper.px(y0), paper.px(y1))
        columns = slice(paper.px(x0), paper.px(x1))
        gray = int(paper.rng.integers(200, 240))
        paper.ink[rows, columns] = np.minimum(paper.ink[rows, columns], gray)

    def value(
        self, paper: Paper, name: str, kind: str, text: str, x0: float, x1: float, top: float,
        *, group: int = 0, manner: Manner | None = None, height: float | None = None,
    ) -> None:  # fmt: skip
        """Print a label and write its value between ``x0`` and ``x1`` in the row below ``top``."""
        how, tall = manner or self.manner, height or self.row_in
        label, small = self.word(name), self.points
        rng = paper.rng
        wide = x1 - x0 - 0.08
        if how in ("cell", "cell_inline"):
            paper.box(x0, top, x1, top + tall)
            if how == "cell":
                paper.text(x0 + 0.04, top + 0.03 + small * 0.8 / 72, label, points=small * 0.8,
                           face=self.label_face)  # fmt: skip
                base = top + tall - 0.09
                paper.field(name, kind, text, x0 + 0.08, base, group=group, scale=self.scale,
                            max_width=wide - 0.05)  # fmt: skip
                return
            base = top + tall * 0.68
            start = 0.08 + paper.text(x0 + 0.05, base, self.with_colon(label), points=small,
                                      face=self.label_face)[2]  # fmt: skip
            paper.field(name, kind, text, start, base, group=group, scale=self.scale,
                        max_width=max(0.2, x1 - start - 0.05))  # fmt: skip
            return
        base = top + tall - 0.08
        if how == "below":
            base -= small / 72 * 0.9
            paper.rule(x0, base + 0.02, x1 - 0.1, base + 0.02)
            paper.text(x0 + float(rng.choice((0.0, 0.25 * wide))), base + 0.04 + small / 72 * 0.85,
                       label, points=small * 0.85, face=self.label_face)  # fmt: skip
            paper.field(name, kind, text, x0 + 0.08, base, group=group, scale=self.scale,
                        max_width=wide - 0.1)  # fmt: skip
            return
        start = 0.1 + paper.text(x0, base, self.with_colon(label), points=small,
                                 face=self.label_face)[2]  # fmt: skip
        if how == "rule":
            paper.rule(start - 0.05, base + 0.025, x1 - 0.1, base + 0.025)
        elif how == "dotted":
            dots(paper, start - 0.04, x1 - 0.1, base + 0.02)
        paper.field(name, kind, text, start + float(rng.uniform(0.0, 0.15)), base, group=group,
                    scale=self.scale, max_width=max(0.2, x1 - start - 0.2))  # fmt: skip


def dots(paper: Paper, x0: float, x1: float, y: float) -> None:
    """Draw a dotted or dashed rule."""
    dash = float(paper.rng.choice((0.012, 0.05)))
    x = x0
    while x < x1:
        paper.rule(x, y, min(x + dash, x1), y, points=0.8, gray=60)
        x += dash + (0.03 if dash < 0.02 else 0.04)


def random_style(rng: np.random.Generator, language: str, width_in: float) -> Style:
    """Draw the looks of one form.

    Args:
        rng: source of all choices.
        language: a key of ``LABELS``.
        width_in: of the paper; large paper is set and written more generously.
    """
    face, strong = _FACES[int(rng.integers(len(_FACES)))]
    large = width_in > 6
    words = {name: some[int(rng.integers(len(some)))] for name, some in LABELS[language].items()}
    manner = _MANNERS[int(rng.choice(len(_MANNERS), p=(0.35, 0.1, 0.12, 0.15, 0.18, 0.1)))]
    return Style(
        language=language,
        face=face,
        strong=strong,
        label_face=strong if rng.random() < 0.4 else face,
        points=float(rng.uniform(8.5, 11.0) if large else rng.uniform(6.5, 9.0)),
        manner=manner,
        colon=bool(rng.random() < 0.55),
        upper=bool(rng.random() < 0.2),
        row_in=float(rng.uniform(0.36, 0.52) if large else rng.uniform(0.29, 0.4)),
        scale=float(rng.uniform(1.0, 1.35) if large else rng.uniform(0.85, 1.15)),
        density=float(rng.uniform(0.9, 1.3)),
        framed=bool(rng.random() < 0.3),
        words=words,
    )
