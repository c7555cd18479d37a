"""What the letters of a sex choice stand for: M is a man in English, and a woman beside an H.

Forms print M F (English, French now and then), H M (Spanish: hombre, mujer), H F (French: homme,
femme) or M W D (German: männlich, weiblich, divers). A letter that the row and its label do not
settle has no value: a wrong sex changes doses and reference ranges.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from .choice_rows import Option
from .label_vocabulary import normalised

_SPANISH = frozenset({"sexo", "genero"})
_FRENCH = frozenset({"sexe", "genre"})
_GERMAN = frozenset({"geschlecht"})
_LETTERS = frozenset("mfhw")
_GLUED = 3  # letters of a choice with what OCR made of its box


def in_their_language(options: Sequence[Option], label: str) -> tuple[Option, ...]:
    """Give the letters H, M, W and D of a row of sexes their meaning, "" where it is not sure.

    Args:
        options: of the row; values of more than a letter, and F, are left as they are.
        label: what asks for them; "" for none.
    """
    asks = set(normalised(label).split())
    read = {one.value for one in options}
    spanish, french, german = (bool(asks & of) for of in (_SPANISH, _FRENCH, _GERMAN))
    meaning = {"H": "", "W": "", "D": ""}
    if spanish or french or "F" in read:  # beside F an H is homme, or an M that was misread
        meaning["H"] = "Male"
    if german:
        meaning |= {"W": "Female", "D": "Other"}
    if "H" in read and "F" not in read:
        # F may have been read as H: only a Spanish label makes a woman of M.
        meaning["M"] = "Female" if spanish else ""
    elif spanish and "F" not in read:
        meaning["M"] = ""  # which of the two the other letter is was not read
    return tuple(replace(one, value=meaning.get(one.value, one.value)) for one in options)


def may_have_a_third(label: str) -> bool:
    """Whether a row of this label has more than two choices: then one says nothing of the other."""
    return bool(set(normalised(label).split()) & _GERMAN)


def are_glued(texts: Sequence[str]) -> bool:
    """Whether printed words are choices with their boxes read as letters: "WF OM" of "[x]F [ ]M".

    Such a row is a question with its answers, not a value, whatever box was ticked.
    """
    tokens = [one for text in texts for one in re.findall(r"[a-z]+", normalised(text))]
    # A box stands before its choice or behind it.
    letters = [{one[0], one[-1]} & _LETTERS for one in tokens]
    short = all(len(one) <= _GLUED for one in tokens)
    return short and sum(bool(some) for some in letters) >= 2 and len(set().union(*letters)) >= 2
