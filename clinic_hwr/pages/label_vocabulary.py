"""The words of printed labels by language, from ``label_words/*.toml``."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process

from .types import FIELD_NAMES

AS_COLUMN = ("drug", "strength", "sig", "quantity", "refills")  # fields that a column may hold
DOSE, PART = "dose", "part"  # columns that say a part of the directions each
_FOLDER = Path(__file__).parent / "label_words"
# A phrase of five letters or more may have one letter in six misread.
_FUZZY_FROM, _FUZZY_RATIO = 5, 83.0
_LONG_RATIOS = ((16, 70.0), (12, 76.0))  # from so many letters on
_SHORT_WORD = 3  # a word of so many letters in a phrase must be read rightly
# With a colon behind it, a word of four letters may have one of them misread: it labels something.
_COLON_FROM, _COLON_RATIO = 4, 75.0
# The same for a label that is all a strip of print says; it must be clearly most like one field's.
_ALONE_RATIOS, _CLEARLY = ((16, 70.0), (12, 76.0), (7, 80.0), (6, 83.0)), 5.0
_LONG_FROM = _ALONE_RATIOS[-1][0]
# The same for a phrase whose words were parted: so long at least, and each of so many letters.
_PARTED_FROM, _PARTED_LETTERS, _PARTED_RATIO = 9, 2, 85.0
_LOOSE_RATIO = 64.0  # where all around it is known
_SURE_OF_ROW = 3  # known headings that make a row of headings
# Digits that Tesseract takes letters for, in words that hold letters too: "D0B", "A1lergies".
_FOR_DIGITS = str.maketrans("01358", "olesb")


class UnknownLanguage(LookupError):
    """No label words are known for a language; the message lists those that exist."""


@dataclass(frozen=True, eq=False)  # one object a choice of languages: hashable as such
class LabelVocabulary:
    """Phrases of some languages.

    Attributes:
        fields: normalised phrase -> field, "rx" for the mark, "" for a mere stop.
        longest: words of the longest phrase.
        squeezed: phrases without blanks, of five letters and more -> field.
        columns: heading of a column -> a field, ``dose`` or ``part`` of the directions, or "" for
            a column that holds nothing we read.
    """

    fields: Mapping[str, str]
    longest: int
    squeezed: Mapping[str, str]
    columns: Mapping[str, str]

    def column_of(self, phrase: str) -> str | None:
        """Return what a column is for by its normalised heading, see ``columns``; None: unknown."""
        found = self.columns.get(phrase)
        if found is None and (field := self.fields.get(phrase)) in AS_COLUMN:
            found = field
        if found is None and len(phrase) >= _FUZZY_FROM:
            near = process.extractOne(
                phrase, _long_headings(self), scorer=fuzz.ratio, score_cutoff=_FUZZY_RATIO
            )
            found = self.columns[near[0]] if near else None
        for text in (phrase, phrase.replace(" ", "")):  # a crease parts a word
            if found is None and (field := self.field_of(text)) in AS_COLUMN:
                found = field
        return found

    def field_of(self, phrase: str, *, colon: bool = False) -> str | None:
        """Return the field a normalised phrase names, "" for a mere stop, None for no label.

        Args:
            phrase: see ``normalised``.
            colon: a colon stands behind it on the paper.
        """
        return _field_of(self, phrase, colon)

    def _looked_up(self, phrase: str, colon: bool) -> str | None:
        found = self.fields.get(phrase)
        if found is None:
            found = self.squeezed.get(phrase.replace(" ", ""))
        if found is None and any(char.isdigit() for char in phrase):
            found = self._without_digits(phrase)
        if found is not None or any(char.isdigit() for char in phrase):
            return found
        if len(phrase) >= _FUZZY_FROM:
            found = _nearest(self, phrase, _FUZZY_FROM, _ratio_for(len(phrase)))
        if found is None and colon and len(phrase) >= _COLON_FROM:
            found = _nearest(self, phrase, _COLON_FROM, _COLON_RATIO)
        if found is None and " " in phrase:
            found = self._with_parted_word(phrase)
        return found

    def _with_parted_word(self, phrase: str) -> str | None:
        """Look a phrase up of which a long word was read as two, badly: "medic ameft"."""
        words, packed = phrase.split(), phrase.replace(" ", "")
        if len(packed) < _PARTED_FROM or min(len(one) for one in words) < _PARTED_LETTERS:
            return None
        found = process.extractOne(
            packed, _packed(self), scorer=fuzz.ratio, score_cutoff=_PARTED_RATIO
        )
        if found is None or abs(len(found[0]) - len(packed)) > 1:
            return None
        parts = found[2].split()
        # "Patient nora" is no "patient no"
        whole = min(len(one) for one in parts) > _SHORT_WORD and len(parts) < len(words)
        return self.fields[found[2]] if whole else None

    def _without_digits(self, phrase: str) -> str | None:
        """Look a phrase up whose letters were read as digits; a number alone is no phrase."""
        if sum(char.isalpha() for char in phrase) < 2:
            return None
        return self.fields.get(phrase.translate(_FOR_DIGITS))

    def nearest_long(self, phrase: str) -> str | None:
        """Return the long label that a badly read phrase is like; None: none, or several fields'.

        Args:
            phrase: normalised; blanks do not count. It is all that is printed there.
        """
        packed = phrase.replace(" ", "")
        least = next((ratio for letters, ratio in _ALONE_RATIOS if len(packed) >= letters), None)
        if least is None:
            return None
        found = process.extract(
            packed, _packed(self), scorer=fuzz.ratio, score_cutoff=least - _CLEARLY, limit=5
        )
        near = [(ratio, known) for one, ratio, known in found if abs(len(one) - len(packed)) <= 2]
        if not near or near[0][0] < least:
            return None
        fields = {self.fields[known] for ratio, known in near if ratio > near[0][0] - _CLEARLY}
        return near[0][1] if len(fields) == 1 else None

    def may_be_part(self, phrase: str) -> bool:
        """Whether a heading between those that are known may say a part of the directions.

        Args:
            phrase: normalised; misread by a third, or with something before or behind it.
        """
        words = phrase.split()
        if any(len(one) >= _COLON_FROM and self.columns.get(one) == PART for one in words):
            return True
        packed = phrase.replace(" ", "")
        parts = (one for one, role in self.columns.items() if role == PART)
        return len(packed) >= _FUZZY_FROM and any(
            fuzz.ratio(packed, one.replace(" ", "")) >= _LOOSE_RATIO for one in parts
        )

    def columns_of(self, phrases: Sequence[str]) -> list[str | None]:
        """Return what the columns of a row of headings are for, see ``column_of``.

        Where three or more are known and none is for drugs, what is most like a heading for drugs
        is one, even if a third of it is misread.

        Args:
            phrases: normalised, left to right.
        """
        roles = [self.column_of(one) for one in phrases]
        known = {role for role in roles if role is not None}
        if "drug" in known or len(known) < _SURE_OF_ROW:
            return roles
        headings = _drug_headings(self)
        likeness = [
            max((fuzz.ratio(one.replace(" ", ""), drug) for drug in headings), default=0.0)
            if role is None and len(one) >= _FUZZY_FROM
            else 0.0
            for one, role in zip(phrases, roles, strict=True)
        ]
        best = max(range(len(roles)), key=likeness.__getitem__, default=None)
        if best is not None and likeness[best] >= _LOOSE_RATIO:
            roles[best] = "drug"
        return roles


@lru_cache(maxsize=16)
def _drug_headings(vocabulary: LabelVocabulary) -> tuple[str, ...]:
    known = (*vocabulary.columns.items(), *vocabulary.fields.items())
    return tuple({one.replace(" ", "") for one, role in known if role == "drug"})


@lru_cache(maxsize=16)
def _long_headings(vocabulary: LabelVocabulary) -> tuple[str, ...]:
    return tuple(known for known in vocabulary.columns if len(known) >= _FUZZY_FROM)


@lru_cache(maxsize=16)
def _packed(vocabulary: LabelVocabulary) -> dict[str, str]:
    """Phrases of so many letters -> the same without blanks."""
    packed = {known: known.replace(" ", "") for known in vocabulary.fields}
    return {known: one for known, one in packed.items() if len(one) >= _LONG_FROM}


def _ratio_for(letters: int) -> float:
    """How near a phrase must be, in percent: long ones are like no other, even badly read."""
    return next((ratio for least, ratio in _LONG_RATIOS if letters >= least), _FUZZY_RATIO)


@lru_cache(maxsize=20_000)  # pages say the same words, and are asked three times each
def _field_of(vocabulary: LabelVocabulary, phrase: str, colon: bool) -> str | None:
    return vocabulary._looked_up(phrase, colon)


def _nearest(vocabulary: LabelVocabulary, phrase: str, shortest: int, ratio: float) -> str | None:
    alike = _of_length(vocabulary, phrase.count(" "), len(phrase), shortest)
    found = process.extract(phrase, alike, scorer=fuzz.ratio, score_cutoff=ratio, limit=5)
    near = (known for known, _, _ in found if _same_short_words(phrase, known))
    known = next(near, None)
    return None if known is None else vocabulary.fields[known]


def _same_short_words(phrase: str, known: str) -> bool:
    """Whether the short words of two phrases are the same: "patient nora" is no "patient no"."""
    return phrase.count(" ") == 0 or all(
        one == other or min(len(one), len(other)) > _SHORT_WORD
        for one, other in zip(phrase.split(), known.split(), strict=True)
    )


@lru_cache(maxsize=1_000)
def _of_length(
    vocabulary: LabelVocabulary, blanks: int, length: int, shortest: int
) -> tuple[str, ...]:
    """Phrases of as many words, up to two letters longer or shorter."""
    return tuple(
        known
        for known in vocabulary.fields
        if len(known) >= shortest and known.count(" ") == blanks and abs(len(known) - length) <= 2
    )


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Return the languages whose labels are known, as ISO 639-1 codes."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def tesseract_pack(language: str) -> str:
    """Return the Tesseract language file of a language, e.g. ``spa`` of ``es``.

    Raises:
        UnknownLanguage: no label words are known for it.
    """
    return str(_words_of(language)["tesseract"])


def label_vocabulary(codes: Sequence[str] | None = None) -> LabelVocabulary:
    """Return the label words of some languages together; None: of all that are known.

    Where languages disagree the first one named decides.

    Raises:
        UnknownLanguage: a code is not among ``languages()``.
    """
    # English first: of the words two languages share it has the commonest meaning.
    every = sorted(languages(), key=lambda code: (code != "en", code))
    return _vocabulary(tuple(every if codes is None else codes))


@lru_cache(maxsize=16)
def _vocabulary(codes: tuple[str, ...]) -> LabelVocabulary:
    fields: dict[str, str] = {}
    columns: dict[str, str] = {}
    for code in codes:
        words = _words_of(code)
        named: dict[str, list[str]] = words["fields"]
        for field, phrases in named.items():
            if field not in FIELD_NAMES and field != "rx":
                raise ValueError(f"label_words/{code}.toml: unknown field {field!r}")
            for phrase in phrases:
                fields.setdefault(normalised(phrase), field)
        for phrase in words["stops"]["words"]:
            fields.setdefault(normalised(phrase), "")
        for role, phrases in words["columns"].items():
            if role not in (*AS_COLUMN, DOSE, PART, "other"):
                raise ValueError(f"label_words/{code}.toml: unknown column {role!r}")
            for phrase in phrases:
                columns.setdefault(normalised(phrase), "" if role == "other" else role)
    squeezed = {
        phrase.replace(" ", ""): field
        for phrase, field in fields.items()
        if " " in phrase and len(phrase) > _FUZZY_FROM
    }
    longest = max((len(phrase.split()) for phrase in fields), default=1)
    return LabelVocabulary(fields, longest, squeezed, columns)


@lru_cache(maxsize=16)
def _words_of(code: str) -> dict[str, Any]:
    path = _FOLDER / f"{code}.toml"
    if code not in languages():
        raise UnknownLanguage(f"no label words for {code!r}; choose of {', '.join(languages())}")
    return tomllib.loads(path.read_text(encoding="utf-8"))


@lru_cache(maxsize=20_000)
def normalised(text: str) -> str:
    """Lower case without accents, letters, digits and # only: ``Refill(s):`` -> ``refill s``."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("°", "o"))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = re.sub(r"['’`]", "", plain)
    return re.sub(r"\s+", " ", re.sub(r"[^a-z0-9#]+", " ", plain)).strip()
