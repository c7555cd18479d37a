"""Split a drug line into form prefix, name, strength, form, quantity and directions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clinic_hwr.prescriptions.forms import RELEASE, form_of
from clinic_hwr.prescriptions.lexicon import DrugLexicon
from clinic_hwr.prescriptions.strengths import find_strengths
from clinic_hwr.prescriptions.types import Strength

_MARKER = re.compile(
    r"^\s*(?:(?:rx|\u211e)\s*[:.]?\s+|\u211e|\d{1,2}\s*[).:](?!\d)|[-*\u2022])\s*", re.I
)
_PREFIX = re.compile(r"^\s*([A-Za-z]+)(\.?)\s*(?=[A-Za-z])")
_WORD = re.compile(r"\S+")
_GRID = re.compile(r"^\d(?:[.\u00bd]\d?)?(?:\s*-\s*[\d\u00bd]){2,3}(?!\d)")
_QUANTITY = re.compile(
    r"(?:#\s*\d[\d,]*|(?<![a-z])(?:disp(?:ense)?|qty|quantity|mitte)\b[ :.]*#?\s*\w+)"
    r"(?:\s*\([^)]{1,30}\))?(?:\s*(?:tab|cap|tablet|capsule)s?\b|\s*ml\b)?",
    re.IGNORECASE,
)
_REFILLS = re.compile(
    r"(?<![a-z])(?:(?:refills?|rf|rpt|repeats?)\s*[:.x]?\s*\d{1,2}|no\s+refills?|nr)(?![a-z0-9])",
    re.I,
)
_QUALIFIERS = {"eye", "ear", "nasal", "oral", "ophthalmic", "ophth", "oph", "otic", "topical"}

# A bare number up to this, with more behind it, counts doses ("1 tab bid"); above it is a strength.
_LARGEST_COUNT = 10
_LONGEST_NAME_WORDS = 8
_LONGEST_KNOWN_NAME = 60  # words of a combination in the lexicon
# A line that begins with a known name is another, longer name only when it is this near to it.
_WHOLE_SURE = 0.85
_MORE_LETTERS = 3
# No drug line is longer; what is behind is kept with the directions, and reported.
_LONGEST_LINE = 600


@dataclass(frozen=True, slots=True)
class DrugLine:
    """The parts of a drug line. Texts are verbatim pieces of ``text``; absent parts are "".

    Attributes:
        text: the whole line.
        name: the drug name as written.
        strength: the strength, or None; its unit is "" when none was written.
        form: form name from ``forms.BY_NAME``, or None.
        release: "Extended Release", "Delayed Release", "Immediate Release" or "".
        sig_text: directions on the same line.
        quantity_text: quantity on the same line.
        refills_text: refills on the same line.
    """

    text: str
    name: str
    strength: Strength | None = None
    form: str | None = None
    release: str = ""
    sig_text: str = ""
    quantity_text: str = ""
    refills_text: str = ""


def split_drug_line(text: str, lexicon: DrugLexicon | None = None) -> DrugLine:
    """Split a drug line; with a lexicon, a name that stands in it is kept whole ("Humulin 70/30").

    Never raises; what is no name, strength or form goes to the quantity, refill or sig text.
    """
    rest_of_text = text[_LONGEST_LINE:]
    quantity_text, refills_text, body = take_quantity(text[:_LONGEST_LINE])
    body = _MARKER.sub("", body, count=1)
    form, body = _take_prefix(body)
    name, rest = _take_name(body, lexicon)
    strength, form_behind, release, rest = _take_strength(rest)
    return DrugLine(
        text=text,
        name=name,
        strength=strength,
        form=form_behind or form,
        release=release,
        sig_text=" ".join((rest + rest_of_text).split()).strip(" ,;-"),
        quantity_text=quantity_text,
        refills_text=refills_text,
    )


def read_drug_line(text: str, lexicon: DrugLexicon) -> DrugLine:
    """Split a drug line that a machine read: its name may be long and misread at once.

    "betaine / folic acid / pgridoxine" begins with a name letter by letter and is, as a whole,
    near to another; "Clinimix E 4.2S/5" holds what looks like a strength. Where the line as a
    whole is nearer to a name, the whole line is the name.
    """
    line = split_drug_line(text, lexicon)
    known = bool(line.name) and lexicon.find(line.name) is not None
    if known and not line.sig_text:
        return line
    quantity, refills, body = take_quantity(text[:_LONGEST_LINE])
    whole_text = " ".join(_MARKER.sub("", body, count=1).split()).strip(" ,;:")
    whole = lexicon.match([(whole_text, 1.0)], limit=1)
    if not whole or whole_text == line.name:
        return line
    if known:
        longer = len(whole[0].name) > len(line.name) + _MORE_LETTERS
        nearer = longer and whole[0].score >= _WHOLE_SURE
    else:
        part = lexicon.match([(line.name, 1.0)], limit=1) if line.name else ()
        nearer = not part or whole[0].score > part[0].score
    if not nearer:
        return line
    return DrugLine(text, whole_text, quantity_text=quantity, refills_text=refills)


def take_quantity(text: str) -> tuple[str, str, str]:
    """Return the quantity ("#30") and refills ("RF 2") in a line, "" when absent, and the rest."""
    quantity = _QUANTITY.search(text)
    if quantity:
        text = text[: quantity.start()] + " " + text[quantity.end() :]
    refills = _REFILLS.search(text)
    if refills:
        text = text[: refills.start()] + " " + text[refills.end() :]
    return quantity[0] if quantity else "", refills[0] if refills else "", text


def _take_prefix(body: str) -> tuple[str | None, str]:
    """Take "Tab", "T.", "Syp." from the front."""
    match = _PREFIX.match(body)
    if match is None:
        return None, body
    word, dot = match.groups()
    form = form_of(word)
    # A single letter needs its dot, or "C diff" would lose its C.
    if form is None or (len(word) == 1 and not dot):
        return None, body
    if not dot and match.end() == match.end(1):  # no dot and no blank: part of a longer word
        return None, body
    return form, body[match.end() :]


def _take_name(body: str, lexicon: DrugLexicon | None) -> tuple[str, str]:
    words = list(_WORD.finditer(body))
    if lexicon is not None:
        for last in range(min(len(words), _LONGEST_KNOWN_NAME), 0, -1):
            end = words[last - 1].end()
            piece = body[words[0].start() : end].rstrip(",;:")
            if lexicon.find(piece) is not None:
                return piece, body[end:]
    words = words[:_LONGEST_NAME_WORDS]
    for index, word in enumerate(words):
        if not _is_name_word(word[0], first=index == 0):
            return body[: word.start()].strip(" ,;:-"), body[word.start() :]
        glued = re.match(r"([A-Za-z][A-Za-z/-]{3,})(\d.*)$", word[0])
        if glued and find_strengths(glued[2]):  # "Amoxicillin500mg"
            end = word.start() + len(glued[1])
            return body[:end].strip(" ,;:-"), body[end:]
    if not words:
        return "", ""
    return body[: words[-1].end()].strip(" ,;:-"), body[words[-1].end() :]


def _is_name_word(word: str, *, first: bool) -> bool:
    if re.match(r"[\d.#(\u00bd]", word):
        return False
    bare = word.strip(".,;:").lower()
    if not any(letter.isalpha() for letter in bare):
        return bare in {"/", "+", "&"} and not first
    if first:
        return True
    return form_of(bare) is None and bare not in RELEASE and bare not in _SIG_STARTERS


_SIG_STARTERS = frozenset(
    str.split(
        "take sig give use apply inject inhale instill instil insert po bid tid qid bd "
        "tds qds od qd prn daily once twice one two half every x for sos stat hs qhs"
    )
)


def _take_strength(rest: str) -> tuple[Strength | None, str | None, str, str]:
    """Take strength, form and release words from the front of what follows the name."""
    strength: Strength | None = None
    form: str | None = None
    release = ""
    while True:
        rest = rest.lstrip(" ,;:-(") if strength is None else rest.lstrip(" ,;:)")
        found = None
        if strength is None and not _GRID.match(rest):
            found = next((f for f in find_strengths(rest[:60]) if f.start == 0), None)
        if found is not None and _is_strength(found.strength, rest[found.end :]):
            strength = found.strength
            rest = rest[found.end :]
            continue
        word = re.match(r"([A-Za-z]+)\.?(?![A-Za-z/])", rest)
        if word is None:
            break
        bare = word[1].lower()
        if not release and bare in RELEASE:
            release = RELEASE[bare]
        elif bare in _QUALIFIERS and re.match(r"\s+([A-Za-z]+)", rest[word.end() :]):
            following = re.match(r"\s+([A-Za-z]+)", rest[word.end() :])
            if following is None or form_of(following[1]) is None:
                break
        elif form is None and len(bare) > 1 and form_of(bare) is not None:
            form = form_of(bare)
        else:
            break
        rest = rest[word.end() :]
    return strength, form, release, rest


def _is_strength(strength: Strength, behind: str) -> bool:
    """Whether a number behind a name is its strength, or already the dose ("1 tab bid")."""
    if strength.unit or strength.others:
        return True
    return not behind.strip(" ,;.-") or strength.value > _LARGEST_COUNT
