"""Draws papers of no fixed layout: every page puts a form together at random from its parts.

Weights and rules that see a dozen layouts learn the dozen. Here paper, type, head, rows or cells
for the patient, the place for drugs, marks, signature and small print are all drawn by chance, each
in several manners that real pads, order sheets and letters have, so no two pages share a form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .composed_drugs import DRUG_PARTS
from .composed_style import Style, random_style
from .composed_wards import WARD_PARTS
from .hands import Hand
from .pages_content import PageContent
from .pages_layouts import layout
from .pages_marks import check_box, choices, rubber_stamp
from .pages_paper import Paper
from .pages_rows import free_hand, sign

_SIZES_IN = (
    (4.25, 5.5), (5.5, 8.5), (5.5, 4.25), (5.0, 7.0), (5.83, 8.27), (8.27, 5.83), (8.27, 11.69),
    (8.5, 11.0), (4.0, 8.25), (7.0, 9.0),
)  # fmt: skip
_WARD_SIZES_IN = ((8.27, 11.69), (8.5, 11.0), (11.0, 8.5), (8.27, 5.83), (11.69, 8.27))
_MAY = {
    "en": ("Substitution permitted", "Generic allowed", "May substitute"),
    "de": ("aut idem",), "fr": ("Substituable",), "es": ("Se permite sustituir",),
}  # fmt: skip
_MAY_NOT = {
    "en": ("Dispense as written", "Brand only", "Do not substitute", "DAW"),
    "de": ("nec aut idem",), "fr": ("Non substituable",), "es": ("No sustituir",),
}  # fmt: skip


@dataclass(frozen=True)
class _Value:
    """One thing that is written or printed beside its label.

    Attributes:
        name: of the field.
        kind: of the field.
        text: what is written.
        share: of the width of a row that it wants.
    """

    name: str
    kind: str
    text: str
    share: float


@dataclass
class _Page:
    """A page being composed from the top down."""

    paper: Paper
    content: PageContent
    style: Style
    left: float = 0.0
    right: float = 0.0
    y: float = 0.0
    bottom: float = 0.0
    head_says: set[str] = field(default_factory=set)
    ward: bool = False


def _compose(
    content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int, language: str,
    *, ward: bool = False,
) -> Paper:  # fmt: skip
    sizes = _WARD_SIZES_IN if ward else _SIZES_IN
    width, height = sizes[int(rng.integers(len(sizes)))]
    if not ward and len(content.medications) > 2 and height < 6:
        width, height = 5.5, 8.5
    paper = free_hand(Paper(width, height, dpi, hand, rng))
    style = random_style(rng, language, width)
    margin = float(rng.uniform(0.18, 0.35)) * (1.0 if width < 6 else 1.7)
    page = _Page(paper, content, style, margin, width - margin, float(rng.uniform(0.3, 0.5)),
                 ward=ward)  # fmt: skip
    foot = float(rng.uniform(0.1, 0.3))
    page.bottom = height - foot
    _head(page)
    _small_print(page)
    patient_first = rng.random() < 0.85
    signing = _plan_signature(page)
    if patient_first:
        _patient(page)
        _drugs(page)
    else:
        reserve = page.bottom
        page.bottom -= 1.0
        _drugs(page)
        page.bottom = reserve
        _patient(page)
    signing()
    if rng.random() < 0.2:
        lines = (("RECEIVED", content.date_written), ("PAID",), ("COPY",))[int(rng.integers(3))]
        at = rng.uniform(0.2, 0.8) * width, rng.uniform(0.3, 0.95) * height
        rubber_stamp(paper, float(at[0]), float(at[1]), lines, round_rim=bool(rng.random() < 0.2))
    return paper


def _head(page: _Page) -> None:
    """Practice and prescriber: in the middle, at the left, at both sides, on a bar, or none."""
    paper, content, style, rng = page.paper, page.content, page.style, page.paper.rng
    manner = int(rng.integers(5))
    if manner == 4:
        if rng.random() < 0.5:
            paper.text(page.left, page.y, style.word("title"), points=1.5 * style.points,
                       face=style.strong)  # fmt: skip
        page.y += 0.15
        return
    big, small = style.points * float(rng.uniform(1.3, 1.9)), style.points
    step = small / 72 * float(rng.uniform(1.25, 1.6))
    at = {0: (page.left + page.right) / 2, 1: page.left, 2: page.left, 3: page.left}[manner]
    align = "middle" if manner == 0 else "left"
    y = page.y + big / 72 * 0.6
    name = content.prescriber_name.removesuffix(", M.D.")
    title = {"de": f"Dr. med. {name}", "fr": f"Dr {name}", "es": f"Dr. {name}"}.get(
        style.language, (f"{name}, M.D.", f"Dr. {name}", f"{name} MD")[int(rng.integers(3))]
    )
    if manner == 3:
        style.bar(paper, page.left, y - big / 72 * 1.1, page.right, y + big / 72 * 0.45)
    paper.printed_field("practice_name", "text", content.practice_name, at, y, points=big,
                        face=style.strong, align=align)  # fmt: skip
    page.head_says.add("practice_name")
    y += step * 1.15
    if rng.random() < 0.75:
        where, how = (page.right, "right") if manner == 2 else (at, align)
        paper.printed_field("prescriber_name", "name", title, where, page.y + big / 72 * 0.6
                            if manner == 2 and page.right - page.left > 5 else y,
                            points=small * 1.1, face=style.strong, align=how)  # fmt: skip
        page.head_says.add("prescriber_name")
        y += step
    if rng.random() < 0.6:
        paper.text(at, y, content.practice_address, points=small * 0.9, face=style.face,
                   align=align)  # fmt: skip
        y += step
    if align == "left":
        x = page.left
        for who, value in (("prescriber_phone", content.prescriber_phone),
                           ("prescriber_npi", content.prescriber_npi),
                           ("prescriber_dea", content.prescriber_dea)):  # fmt: skip
            if rng.random() < 0.5 or not style.has(who):
                continue
            right = paper.text(x, y, style.word(who), points=small * 0.9, face=style.face)[2]
            x = 0.25 + paper.printed_field(who, "digits", value, right + 0.07, y,
                                           points=small * 0.9, face=style.face)  # fmt: skip
            page.head_says.add(who)
            if x > page.right - 1.3:
                break
        y += step if x > page.left else 0.0
    if rng.random() < 0.6:
        paper.rule(page.left, y - step * 0.4, page.right, y - step * 0.4,
                   points=float(rng.uniform(0.5, 1.8)))  # fmt: skip
    page.y = y + 0.05


def _small_print(page: _Page) -> None:
    paper, style, rng = page.paper, page.style, page.paper.rng
    for _ in range(int(rng.integers(0, 3))):
        paper.text(page.left, page.bottom, style.small_print(rng), points=style.points * 0.8,
                   face=style.face)  # fmt: skip
        page.bottom -= style.points * 0.8 / 72 * 1.5
    page.bottom -= 0.05


def _patient_values(page: _Page) -> list[_Value]:
    content, rng = page.content, page.paper.rng
    values = [_Value("patient_name", "name", content.patient_name, 3.0)]
    may = (
        (0.6, _Value("patient_dob", "date", content.patient_dob, 1.6)),
        (0.3, _Value("patient_age", "text", content.patient_age, 0.9)),
        (0.3, _Value("patient_sex", "text", content.patient_sex, 0.9)),
        (0.3, _Value("patient_weight", "text", content.patient_weight, 1.3)),
        (0.5, _Value("patient_address", "text", content.patient_address, 3.6)),
        (0.25, _Value("patient_mrn", "digits", content.patient_mrn, 1.7)),
        (0.3, _Value("allergies", "text", content.allergies, 2.0)),
        (0.85, _Value("date_written", "date", content.date_written, 1.6)),
    )
    values += [one for share, one in may if rng.random() < share]
    if rng.random() < 0.5:
        rng.shuffle(values)
    return values


def _patient(page: _Page) -> None:
    """Rows of labelled values, or cells."""
    style, rng = page.style, page.paper.rng
    width = page.right - page.left
    rows: list[list[_Value]] = []
    for one in _patient_values(page):
        used = sum(other.share for other in rows[-1]) if rows else 99.0
        if used + one.share > width * style.density:
            rows.append([])
        rows[-1].append(one)
    pitch = style.row_in
    if style.framed:
        page.paper.rule(page.left, page.y, page.right, page.y)
    for row in rows:
        total = sum(one.share for one in row)
        x = page.left
        for one in row:
            wide = width * one.share / max(total, 0.6 * width * style.density)
            style.value(page.paper, one.name, one.kind, one.text, x, x + wide, page.y)
            x += wide
        if style.manner == "cell":
            page.paper.rule(x, page.y, page.right, page.y)
            page.paper.rule(x, page.y + pitch, page.right, page.y + pitch)
        page.y += pitch
    page.y += float(rng.uniform(0.1, 0.25))


def _drugs(page: _Page) -> None:
    """The place for drugs in one of its manners, then what goes for all of them."""
    style, rng = page.style, page.paper.rng
    if page.ward:
        part = WARD_PARTS["orders" if rng.random() < 0.6 else "blocks"]
    else:
        part = list(DRUG_PARTS.values())[int(rng.choice(5, p=[0.3, 0.14, 0.2, 0.2, 0.16]))]
    # Two of everything below fit on the smallest pad.
    room = page.bottom - page.y - (0.3 if rng.random() < 0.5 else 0.1)
    bottom = page.y + room * (1.0 if room < 3.5 else float(rng.uniform(0.55, 1.0)))
    page.y = part(page.paper, page.content, style, page.left, page.right, page.y, bottom) + float(
        rng.uniform(0.08, 0.2)
    )


def _plan_signature(page: _Page) -> Callable[[], None]:
    """Keep room at the foot for marks, prescriber and signature; returns what draws them."""
    paper, content, style, rng = page.paper, page.content, page.style, page.paper.rng
    base = page.bottom - (0.16 if style.manner == "below" else 0.08)
    middle = page.left + (page.right - page.left) * float(rng.uniform(0.35, 0.55))
    two = rng.random() < 0.12
    marks = not two and rng.random() < 0.6
    top = base - 0.45
    page.bottom = top - (0.28 if marks else 0.0)

    def draw() -> None:
        if two:
            words = _MAY_NOT[style.language], _MAY[style.language]
            ends = (page.left, middle - 0.1), (middle + 0.1, page.right)
            for (x0, x1), some in zip(ends, words, strict=True):
                paper.rule(x0, base, x1, base)
                paper.text(x0 + 0.05, base + 0.13, some[int(rng.integers(len(some)))],
                           points=style.points * 0.85, face=style.face)  # fmt: skip
            x0, x1 = ends[int(rng.integers(2))]
            sign(paper, content, x0 + 0.1, base - 0.01, min(1.6, x1 - x0 - 0.3))
            return
        if marks:
            _marks(page, top)
        x = middle
        if rng.random() < 0.4 and "prescriber_name" not in page.head_says:
            style.value(paper, "prescriber_name", "name", content.prescriber_name.split(",")[0],
                        page.left, middle - 0.15, base - style.row_in + 0.05)  # fmt: skip
        if page.ward and rng.random() < 0.15:
            end = page.right - 0.45
            paper.rule(x, base, end, base)
            paper.text(end + 0.06, base, ("M.D.", "MD")[int(rng.integers(2))], points=style.points,
                       face=style.face)  # fmt: skip
            sign(paper, content, x + 0.15, base - 0.01, max(0.7, min(1.7, end - x - 0.3)))
            return
        label = style.word("signature")
        if rng.random() < 0.55:
            paper.rule(x, base, page.right, base)
            paper.text(x + float(rng.uniform(0.0, 0.5)), base + 0.02 + style.points / 72, label,
                       points=style.points * 0.9, face=style.face)  # fmt: skip
            start = x + 0.1
        else:
            start = 0.1 + paper.text(x, base, style.with_colon(label), points=style.points,
                                     face=style.label_face)[2]  # fmt: skip
            paper.rule(start - 0.05, base + 0.02, page.right, base + 0.02)
        sign(paper, content, start, base - 0.01, max(0.7, min(1.7, page.right - start - 0.25)))

    return draw


def _marks(page: _Page, y: float) -> None:
    """Refills as choices or on a rule, and a box for substitution."""
    paper, content, style, rng = page.paper, page.content, page.style, page.paper.rng
    x = page.left
    if "refills" not in page.head_says and not any(f.name == "refills" for f in paper.fields):
        x = paper.text(x, y, style.with_colon(style.word("refills")), points=style.points,
                       face=style.label_face)[2] + 0.14  # fmt: skip
        if rng.random() < 0.5:
            found = choices(paper, x, y, ("0", "1", "2", "3", "4", "5"), content.refills,
                            points=style.points)  # fmt: skip
            if found is not None:
                paper.mark("refills", "refills", found, content.refills)
            x += 1.7
        else:
            paper.rule(x - 0.06, y + 0.02, x + 0.5, y + 0.02)
            paper.field("refills", "refills", content.refills, x + 0.08, y, scale=1.1)
            x += 0.75
    words = _MAY[style.language] if rng.random() < 0.5 else _MAY_NOT[style.language]
    if x < page.right - 1.7:
        check_box(paper, x, y, words[int(rng.integers(len(words)))],
                  checked=bool(rng.random() < 0.5), points=style.points)  # fmt: skip


def _register(language: str) -> None:
    @layout(f"composed_{language}")
    def composed(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
        return _compose(content, hand, rng, dpi, language)

    composed.__doc__ = f"A form put together at random, its words in {language}."

    @layout(f"ward_{language}")
    def ward(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
        return _compose(content, hand, rng, dpi, language, ward=True)

    ward.__doc__ = f"An order sheet or ward chart put together at random, its words in {language}."


for _language in ("en", "de", "fr", "es"):
    _register(_language)
