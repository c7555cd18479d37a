"""Lines that no printed label names, named by what they say: a drug, directions, a quantity.

Place alone cannot tell a sig from a second drug. Once the lines are read, the drug lexicon and the
sig grammar can; the name is then marked as a guess, and a person confirms it. Lines that a label or
a form names keep their names, and what says nothing keeps the name its place gave it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from clinic_hwr.pages.types import Box
from clinic_hwr.prescriptions.drug_line import read_drug_line, take_quantity
from clinic_hwr.prescriptions.lexicon import DrugLexicon, load_lexicon
from clinic_hwr.prescriptions.sig import parse_sig

# A name this near to one of the lexicon may be it; below, a line is no drug because of its name.
_NEAR_NAME = 0.72
# A strength behind a name, or a form before it, makes a drug of a name that is less near.
_NEAR_NAME_WITH_STRENGTH = 0.6
# Share of a line's words that the sig grammar must place.
_MOSTLY = 0.6
_SHORTEST_NAME = 4
_GUESSABLE = frozenset({"unnamed", "drug", "sig", "quantity", "refills", "strength"})
_NUMBER_ONLY = re.compile(r"^\s*#\s*[\dOoIl|]{1,4}\b")
_SIG_LABEL = re.compile(r"^\s*(?:s[il1][gq]|s|dir(?:ections)?)\s*[:.]\s*\S", re.IGNORECASE)
_REFILLS = re.compile(
    r"^\s*(?:refills?|rf|rpts?|repeats?|renouv\w*|ren|wdh)\b\W*(?:x\s*)?(?:\d{1,2}|no|none|zero|nr|prn)?\W*$"
    r"|^\s*no\s+refills?\W*$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\s*\(?\d{1,2}\s*[).:](?!\d)")


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One field with what was read in it.

    Attributes:
        name, group: as the page gave them.
        named_by: what the name was taken from, a ``pages.types.NamedBy``.
        text: the best reading, "" when nothing was read.
        alternatives: other readings, best first.
        box_px: where it stands.
    """

    name: str
    group: int
    named_by: str
    text: str
    alternatives: tuple[str, ...] = ()
    box_px: Box = Box(0, 0, 0, 0)  # noqa: RUF009 - frozen


def name_by_reading(
    lines: Sequence[ReadLine], *, lexicon: DrugLexicon | None = None, country: str | None = None
) -> list[ReadLine]:
    """Name the lines without a label by what they say.

    Args:
        lines: all fields of a page in reading order.
        lexicon: the drug lexicon; the packaged one when None.
        country: whose abbreviations directions are written in.

    Returns:
        The same lines in the same order; where name or group differ from what came in, the reading
        named them. Every drug begins a medication; sig, quantity and refills belong to the drug
        before them. A page whose drugs a label or a table names keeps its groups.
    """
    lexicon = lexicon or load_lexicon()
    said = [_said(line, lexicon, country) if _is_open(line) else "" for line in lines]
    if not any(said):
        return list(lines)
    named = [
        replace(line, name=name) if name and name != line.name else line
        for line, name in zip(lines, said, strict=True)
    ]
    return _grouped(lines, named)


def _is_open(line: ReadLine) -> bool:
    """Whether the reading may name a line: nobody, or only its place, has named it."""
    return line.named_by in ("nobody", "place") and line.name in _GUESSABLE


def _said(line: ReadLine, lexicon: DrugLexicon, country: str | None) -> str:
    """Return the name that a line's words give it, "" when they give none."""
    text = line.text.strip()
    if len(re.findall(r"[A-Za-z#]", text)) < 1:
        return ""  # a date or a number alone may be anything
    if _REFILLS.match(text):
        return "refills"
    quantity, refills, rest = take_quantity(text)
    if (quantity or _NUMBER_ONLY.match(text)) and not re.search(r"[A-Za-z]{3,}", rest):
        return "quantity"
    if refills and not rest.strip(" ,;.-"):
        return "refills"
    if _SIG_LABEL.match(text):
        return "sig"
    drug = max((_drug_likeness(one, lexicon) for one in (text, *line.alternatives[:2])), default=0)
    directions = _sig_likeness(text, country)
    if drug == 0 and directions == 0:
        return ""
    # Directions may hold a word near to a drug's name; a drug line may have directions behind it.
    if directions >= _MOSTLY and directions > drug:
        return "sig"
    return "drug" if drug > 0 else "sig" if directions >= _MOSTLY else ""


def _drug_likeness(text: str, lexicon: DrugLexicon) -> float:
    """How near a line's beginning is to a drug's name, 0..1.2; 0 for none."""
    line = read_drug_line(text, lexicon)
    letters = sum(char.isalpha() for char in line.name)
    if letters < _SHORTEST_NAME:
        return 0.0
    matches = lexicon.match([(line.name, 1.0)], limit=1)
    if not matches:
        return 0.0
    backed = line.strength is not None or line.form is not None or bool(_NUMBERED.match(text))
    floor = _NEAR_NAME_WITH_STRENGTH if backed else _NEAR_NAME
    score = matches[0].score
    if score < floor:
        return 0.0
    return score + (0.2 if backed else 0.0)


def _sig_likeness(text: str, country: str | None) -> float:
    """Share of a line's words that are directions, 0..1; 0 when they say no dose and no time."""
    sig = parse_sig(text, country=country)
    words = re.findall(r"\w+", text)
    if not sig.dosages or not words:
        return 0.0
    tells = any(
        one.dose is not None or one.frequency or one.period or one.when or one.as_needed
        or one.route is not None or one.timing_code
        for one in sig.dosages
    )  # fmt: skip
    left = sum(len(re.findall(r"\w+", piece)) for piece in sig.leftover)
    return max(0.0, 1.0 - left / len(words)) if tells else 0.0


def _grouped(before: Sequence[ReadLine], named: Sequence[ReadLine]) -> list[ReadLine]:
    """Number the medications anew where the reading changed what is a drug."""
    fixed = [
        line for line in named
        if line.named_by not in ("nobody", "place") and line.name == "drug" and line.group
    ]  # fmt: skip
    if fixed:
        return _joined_to(fixed, before, named)
    current = 0
    result = []
    for line in named:
        if not _is_open(line) or line.name == "unnamed":
            result.append(line)
            continue
        if line.name == "drug":
            current += 1
        result.append(replace(line, group=max(current, 1)))
    return result


def _joined_to(
    drugs: Sequence[ReadLine], before: Sequence[ReadLine], named: Sequence[ReadLine]
) -> list[ReadLine]:
    """Give lines to the labelled drug above them; a drug that was read is one more medication."""
    most = max(line.group for line in drugs)
    current = 0
    result = []
    for old, line in zip(before, named, strict=True):
        if line.name == "drug" and line.group and line in drugs:
            current = line.group
        if not _is_open(line) or line.name == "unnamed":
            result.append(line)
        elif line.name == "drug" and old.name != "drug":
            most += 1
            current = most
            result.append(replace(line, group=current))
        elif old.name != line.name:
            result.append(replace(line, group=current or drugs[0].group))
        else:
            result.append(line)
    return result
