"""Tolerant tokenizer of directions: case, dots and missing blanks do not matter, nothing is lost.

Every token keeps where it stands in the text, so that leftover words and the text of each step can
be given back verbatim.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal

from clinic_hwr.prescriptions.numbers import FRACTIONS, NUMBER, decimal_of
from clinic_hwr.prescriptions.sig.vocabulary import (
    FRENCH_PHRASES,
    HARD_WORDS,
    LONGEST_PHRASE,
    NOISE,
    NOISE_MARKS,
    PHRASES,
)
from clinic_hwr.prescriptions.units import MICRO_SIGNS

# Longer texts are no directions; they are left over as a whole rather than searched.
MAX_ATOMS = 160
MAX_CHARS = 2000

_HALVES = "".join(FRACTIONS)
_CELL = rf"(?:1/2|\d(?:\.\d)?[{_HALVES}]?|[{_HALVES}]|[oO](?![A-Za-z]))"
_ATOM = re.compile(
    rf"""
    (?P<grid>(?<![\w.])(?:{_CELL})(?:\s*(?:--?|[+\u2013\u2014])\s*{_CELL}){{2,3}}
      (?![\w%]|\.\d|\s*[-/]\s*\d))
  | (?P<clock>(?<![\d.])(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?!\d)(?::00)?
      \s*(?P<half1>[ap]\.?m\b\.?)?)
  | (?P<ampm>(?<![\d./:-])(?P<hour2>\d{{1,2}})(?P<gap>\s*)(?P<half2>[ap]\.?m\b\.?))
  | (?P<slash>(?<![\d/])(?P<count>\d{{1,2}})\s*/\s*(?P<of>7|52|12)(?![\d/]))
  | (?P<fraction>(?<![\d/.])(?:(?P<whole>\d{{1,2}})[ ]+(?:and[ ]+)?)?
      (?P<over>1/2|1/4|3/4|[{_HALVES}])(?![\d/]))
  | (?P<mixed>(?<![\d/.])(?P<whole2>\d{{1,2}})(?P<over2>[{_HALVES}]))
  | (?P<m2>m2(?!\d))
  | (?P<afterdot>(?<=[A-Za-z])\.(?=\d))
  | (?P<number>{NUMBER})
  | (?P<dotted>[A-Za-z](?:\.[A-Za-z])+\.?(?![A-Za-z]))
  | (?P<glued>[A-Za-z]+?(?=[xX]\d))
  | (?P<word>[^\W\d_][^\W\d_\u0300-\u036f]*[\u0300-\u036f]?[^\W\d_]*)
  | (?P<mark>\S)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FRACTION_VALUE = {"1/2": Decimal("0.5"), "1/4": Decimal("0.25"), "3/4": Decimal("0.75")}
_FRACTION_VALUE.update(FRACTIONS)
_ROMAN = {"i": Decimal(1), "ii": Decimal(2), "iii": Decimal(3)}
_SEMIS = {"ss": Decimal("0.5"), "iss": Decimal("1.5"), "iiss": Decimal("2.5")}
_SLASH_UNIT = {"7": "d", "52": "wk", "12": "mo"}

# "1 am" may be one o'clock or one in the morning; from five on it is a time of day.
_FIRST_SURE_HOUR = 5


@dataclass(frozen=True, slots=True)
class SigToken:
    """One token: grammar type, value and place in the text (``text[start:end]``).

    Types beyond the grammar: NOISE (may be dropped), HARD (must be reported), OD (ambiguous), THEN.
    """

    kind: str
    value: object
    start: int
    end: int


def tokenize(text: str, country: str | None = None) -> list[SigToken] | None:
    """Split directions into tokens; None when the text is too long to be directions.

    Args:
        text: the directions.
        country: where they were written (US, UK, IN, FR); it chooses language and abbreviations.
    """
    phrases = FRENCH_PHRASES if country == "FR" else PHRASES
    if len(text) > MAX_CHARS:
        return None
    # "tablet(s)" is one word; blanks keep every position.
    body = re.sub(r"\(s\)", "   ", text, flags=re.IGNORECASE)
    atoms = list(_ATOM.finditer(body))
    if len(atoms) > MAX_ATOMS:
        return None
    words = [_plain(atom) for atom in atoms]
    tokens: list[SigToken] = []
    index = 0
    while index < len(atoms):
        special = _special(atoms[index], tokens)
        if special:
            tokens.extend(special)
            index += 1
            continue
        for length in range(min(LONGEST_PHRASE, len(atoms) - index), 0, -1):
            phrase = tuple(words[index : index + length])
            hit = phrases.get(phrase)
            if hit is None:
                continue
            kind, value = hit
            if country != "FR":
                kind, value = _in_context(hit, phrase, atoms[index][0])
            tokens.append(
                SigToken(kind, value, atoms[index].start(), atoms[index + length - 1].end())
            )
            index += length
            break
        else:
            tokens.append(_unknown(words[index], atoms[index]))
            index += 1
    return _merge(tokens, text, country)


def _plain(atom: re.Match[str]) -> str:
    word = atom[0].lower()
    if atom["dotted"]:
        return word.replace(".", "")
    if word.isascii() or not atom["word"] or word in {"\u00ba", "\u00aa"}:
        return word
    letters = unicodedata.normalize("NFKD", word.replace("\u0153", "oe")).translate(MICRO_SIGNS)
    return re.sub("[\u0300-\u036f]", "", letters)


def _special(atom: re.Match[str], before: list[SigToken]) -> list[SigToken]:
    """Tokens of numbers, fractions, grids, times of day and "5/7"; empty for words."""
    start, end = atom.span()
    if atom["grid"]:
        cells = re.findall(_CELL, atom[0], re.IGNORECASE)
        return [SigToken("GRID", tuple(_cell(cell) for cell in cells), start, end)]
    if atom["clock"]:
        time = _time(int(atom["hour"]), int(atom["minute"]), atom["half1"])
        return [SigToken("CLOCK" if time else "HARD", time, start, end)]
    if atom["ampm"]:
        return _am_pm(atom, before)
    if atom["slash"]:
        value = (Decimal(atom["count"]), _SLASH_UNIT[atom["of"]])
        return [SigToken("DUR" if value[0] else "HARD", value, start, end)]
    if atom["fraction"] or atom["mixed"]:
        whole = Decimal(atom["whole"] or atom["whole2"] or 0)
        part = _FRACTION_VALUE[atom["over"] or atom["over2"]]
        return [SigToken("NUM", whole + part, start, end)]
    if atom["number"]:
        number = decimal_of(atom[0])
        return [SigToken("NUM" if number is not None else "HARD", number, start, end)]
    return []


def _cell(cell: str) -> Decimal:
    """One cell of a dose pattern; a letter o is a written zero."""
    if cell in "oO":
        return Decimal(0)
    if cell in _FRACTION_VALUE:
        return _FRACTION_VALUE[cell]
    if cell[-1] in FRACTIONS:
        return Decimal(cell[:-1]) + FRACTIONS[cell[-1]]
    return Decimal(cell)


def _am_pm(atom: re.Match[str], before: list[SigToken]) -> list[SigToken]:
    start, end = atom.span()
    hour = int(atom["hour2"])
    kinds = [token.kind for token in before if token.kind != "NOISE"][-2:]
    follows_time = kinds[-1:] == ["AT"] or kinds == ["CLOCK", "AND"] or kinds[-1:] == ["CLOCK"]
    time = _time(hour, 0, atom["half2"])
    if time and (not atom["gap"] or hour >= _FIRST_SURE_HOUR or follows_time):
        return [SigToken("CLOCK", time, start, end)]
    return [SigToken("HARD", None, start, end)]


def _time(hour: int, minute: int, half: str | None) -> str | None:
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0].lower() == "p" else 0)
    return f"{hour:02d}:{minute:02d}:00" if hour < 24 and minute < 60 else None


def _in_context(
    hit: tuple[str, object], phrase: tuple[str, ...], written: str
) -> tuple[str, object]:
    """Two-letter codes that are also English words count only in capitals."""
    if len(phrase) == 1 and phrase[0] in {"re", "le", "be", "ad"} and not written.isupper():
        return "HARD", None
    if phrase == ("aa",) and not written.isupper():
        return "HARD", None
    return hit


def _unknown(word: str, atom: re.Match[str]) -> SigToken:
    start, end = atom.span()
    if word == "t":
        return SigToken("T", None, start, end)
    if word == "od":
        return SigToken("OD", None, start, end)
    if word == "as" and (atom["dotted"] or atom[0].isupper()):
        return SigToken("AS", None, start, end)
    if word in _SEMIS:
        return SigToken("SEMIS", _SEMIS[word], start, end)
    if word in _ROMAN:
        return SigToken("ROMAN", _ROMAN[word], start, end)
    if word in NOISE or word in NOISE_MARKS:
        return SigToken("NOISE", None, start, end)
    if len(word) > 1 and word.isalpha() and word not in HARD_WORDS:
        return SigToken("WORD", word, start, end)
    return SigToken("HARD", None, start, end)


def _merge(tokens: list[SigToken], text: str, country: str | None) -> list[SigToken]:
    """Join numbers over several tokens, times of day and lists of meals; settle UK and Latin."""
    merged: list[SigToken] = []
    index = 0
    while index < len(tokens):
        token = _settled(tokens, index, merged, text, country)
        following = tokens[index + 1 : index + 6]
        joined = _joined(token, following, merged, country)
        if joined is None:
            joined = token, 1
        merged.append(joined[0])
        index += joined[1]
    return merged


def _settled(
    tokens: list[SigToken], index: int, merged: list[SigToken], text: str, country: str | None
) -> SigToken:
    """Decide what a token is that has two meanings, from its neighbours."""
    token = tokens[index]
    behind = tokens[index + 1].kind if index + 1 < len(tokens) else None
    first = all(item.kind == "NOISE" for item in merged)
    if token.kind == "ROMAN":  # "ii tabs", "gtt ii", "i po bid"; elsewhere it may be anything
        counts = behind == "FORM" or (first and behind in _AFTER_ROMAN)
        counts = counts or (bool(merged) and merged[-1].kind == "FORM")
        return replace(token, kind="NUM" if counts else "HARD")
    if token.kind == "SEMIS":  # anything else may be a sliding scale, or 55 misread
        return replace(token, kind="NUM" if behind == "FORM" else "HARD")
    if text[token.start : token.end] == "TD" and merged and merged[-1].value == "{patch}":
        return replace(token, kind="ROUTE", value="45890007")  # elsewhere TID or BD misread
    strength = bool(merged) and merged[-1].kind == "UNIT"
    if strength and token.value == "{nebule}" and text[token.start : token.end].lower() == "neb":
        return replace(token, kind="ADD", value="by nebulizer")  # "2.5 mg neb q4h"
    if token.kind == "ON" and country in {"UK", "IN"} and behind in _AFTER_AT_NIGHT and not first:
        return replace(token, kind="WHEN", value=("NIGHT",))  # o.n., omni nocte
    word = token.kind in {"ROUTE", "NOISE"} and text[token.start : token.end].lower()
    if word == "ng" and merged and merged[-1].kind == "NUM":
        return replace(token, kind="HARD")  # a unit, or mg misread; no tube
    if word == "im" and behind == "NOISE":
        return replace(token, kind="HARD")  # "im the morning"
    if word == "of" and behind in _NOT_OF:
        return replace(token, kind="HARD")  # OS or OD misread
    if word == "." and text[token.start + 1 : token.start + 2] == ".":
        return replace(token, kind="HARD")  # a letter may be lost between two dots
    comma = behind == "NOISE" and text[tokens[index + 1].start] == ","
    if token.kind == "ON" and comma:
        return replace(token, kind="HARD")  # "on, Wed, Fri": MON misread
    if token.kind == "PM":
        morning = any(item.kind == "WHEN" and item.value == ("MORN",) for item in tokens)
        return replace(token, kind="WHEN" if morning else "PM_ALONE")
    if token.kind == "T" and first and behind == "NUM":
        return replace(token, kind="NOISE")  # T with a bar: "take"
    if token.kind == "TO" and country == "FR" and merged and merged[-1].kind != "NUM":
        return replace(token, kind="AT")  # "à 8 h"
    return token


_NOT_OF = frozenset({None, "FREQ", "WHEN", "ADV", "ROUTE", "PRN", "X", "FOR", "DUR", "REL"})
_AFTER_ROMAN = frozenset({"ROUTE", "FREQ", "ADV", "WHEN", "REL", "EVERY", "GRID"})
_AFTER_AT_NIGHT = frozenset({None, "AND", "THEN", "FOR", "X", "DUR", "PRN", "REL"})


def _joined(
    token: SigToken, following: list[SigToken], merged: list[SigToken], country: str | None
) -> tuple[SigToken, int] | None:
    """Return one token for this one and those behind it, and how many it stands for."""
    kinds = [item.kind for item in following]
    if token.kind == "NUM" and isinstance(token.value, Decimal):
        number = _join_number(token, token.value, following, kinds)
        if number is not None:
            return number
        if country == "FR":
            if kinds[:3] in (["PERIOD", "ONEOF", "NUM"], ["PERIOD", "PER", "NUM"]):
                every = token.value == 1 and following[0].value == "d"
                if every:  # "1 jour sur 2"
                    value = (1, following[2].value, "d")
                    return SigToken("FREQ", value, token.start, following[2].end), 4
            clock = _french_clock(token, merged, following)
            if clock is not None:
                return clock
        time = _four_digits(token, merged, following)
        if time is not None:
            return time, 2 if kinds[:1] == ["PERIOD"] else 1
    if token.kind in {"REL", "WHEN"} and kinds:
        return _more_meals(token, following)
    return None


def _more_meals(token: SigToken, following: list[SigToken]) -> tuple[SigToken, int] | None:
    """Join "before breakfast, lunch and dinner": what is said once holds for every meal."""
    codes = token.value
    if not isinstance(codes, tuple) or len(codes) != 1 or codes[0][-1:] not in "MDV":
        return None
    stem, used, found = codes[0][:-1], 0, list(codes)
    if stem not in {"AC", "PC", "C"}:
        return None
    for offset, item in enumerate(following):
        if item.kind == "MEAL":
            used = offset + 1
            found.append(stem + str(item.value))
        elif item.kind not in {"AND", "NOISE", "A"}:
            break
    if not used:
        return None
    distinct = tuple(dict.fromkeys(found))
    return replace(token, value=distinct, end=following[used - 1].end), used + 1


def _join_number(
    token: SigToken, value: Decimal, following: list[SigToken], kinds: list[str]
) -> tuple[SigToken, int] | None:
    if kinds[:3] == ["LPAR", "NUM", "RPAR"] and following[1].value == value:
        return replace(token, end=following[2].end), 4  # "one (1)": figures and words agree
    for pattern in (["AND", "A", "HALF"], ["AND", "HALF"], ["AND", "NUM"]):
        if kinds[: len(pattern)] == pattern:
            part = following[len(pattern) - 1]
            if isinstance(part.value, Decimal) and 0 < part.value < 1:
                joined = replace(token, value=value + part.value, end=part.end)
                return joined, len(pattern) + 1
    if kinds[:1] == ["HUNDRED"] and 1 <= value <= 9 and value % 1 == 0:
        return replace(token, value=value * 100, end=following[0].end), 2
    at = 1 if kinds[:1] == ["DASH"] else 0  # "twenty-five" and "twenty five"
    if kinds[at : at + 1] == ["NUM"] and value in _TENS:
        part = following[at]
        if isinstance(part.value, Decimal) and 1 <= part.value <= 9 and part.value % 1 == 0:
            words = token.end - token.start > 4 and part.end - part.start > 2  # spelled out, both
            if words:
                return replace(token, value=value + part.value, end=part.end), at + 2
    return None


def _french_clock(
    token: SigToken, before: list[SigToken], following: list[SigToken]
) -> tuple[SigToken, int] | None:
    """Read "à 8h", "à 8 h 30" and "et 20h" behind a time as a time of day."""
    kinds = [item.kind for item in before if item.kind != "NOISE"][-2:]
    after_time = kinds[-1:] == ["AT"] or kinds[-1:] == ["CLOCK"] or kinds == ["CLOCK", "AND"]
    hours = following[:1] and following[0].kind == "PERIOD" and following[0].value == "h"
    if not after_time or not hours or not isinstance(token.value, Decimal) or token.value % 1:
        return None
    minute, used = 0, 2
    if len(following) > 1 and following[1].kind == "NUM":
        part = following[1].value
        if isinstance(part, Decimal) and following[1].end - following[1].start == 2:
            minute, used = int(part), 3
    time = _time(int(token.value), minute, None)
    if time is None:
        return None
    return SigToken("CLOCK", time, token.start, following[used - 2].end), used


_TENS = frozenset(Decimal(tens) for tens in range(20, 100, 10))


def _four_digits(
    token: SigToken, before: list[SigToken], following: list[SigToken]
) -> SigToken | None:
    """Read "at 0800" and "2200 hours" as a time of day."""
    if token.end - token.start != 4 or not isinstance(token.value, Decimal) or token.value % 1:
        return None
    kinds = [item.kind for item in before if item.kind != "NOISE"][-2:]
    after_at = kinds[-1:] == ["AT"] or kinds[-1:] == ["CLOCK"] or kinds == ["CLOCK", "AND"]
    hours = bool(following) and following[0].kind == "PERIOD" and following[0].value == "h"
    if not (after_at or (hours and token.value >= 100 and token.value % 100 < 60)):
        return None
    number = int(token.value)
    time = _time(number // 100, number % 100, None)
    if time is None:
        return None
    return SigToken("CLOCK", time, token.start, following[0].end if hours else token.end)
