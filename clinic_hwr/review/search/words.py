"""Text as the search index knows it: folded words, the same on both databases."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

# Longer "words" are noise of a reader; PostgreSQL takes none over 2046 bytes.
MAX_WORD_CHARS = 64
# A paper has some hundred words; more is a file that should not grow the index without end.
MAX_WORDS = 8000
MAX_QUERY_WORDS = 12
# One letter would match half of the index; it counts only as a whole word.
MIN_PREFIX_CHARS = 2


def words_of(text: str) -> list[str]:
    """Return the words of ``text``: letters and digits, without case and accents.

    A number that touches letters is both: ``500mg`` gives ``500mg``, ``500`` and ``mg``, so that
    people need not know how it was written.
    """
    words: list[str] = []
    for word in _runs(_fold(text)):
        words.append(word[:MAX_WORD_CHARS])
        parts = list(_parts(word))
        if len(parts) > 1:
            words += [part[:MAX_WORD_CHARS] for part in parts]
    return words[:MAX_WORDS]


def joined(texts: Iterable[str]) -> str:
    """Return the words of all ``texts`` as they are stored: once each, in order, by blanks."""
    found: dict[str, None] = {}
    for text in texts:
        found.update(dict.fromkeys(words_of(text)))
    return " ".join(list(found)[:MAX_WORDS])


def query_words(text: str) -> list[str]:
    """Return the words that all must be found, at most ``MAX_QUERY_WORDS``; [] finds nothing.

    ``500mg`` asks for 500 and for mg, as it may be written ``500 mg``.
    Nothing in a query commands: quotes, stars and operators are no letters, so they only end words.
    """
    parts = [part for word in _runs(_fold(text)) for part in _parts(word)]
    return list(dict.fromkeys(parts))[:MAX_QUERY_WORDS]


def matches(word: str, text: str) -> bool:
    """Whether ``text`` has a word that begins with ``word`` (a whole one for a single letter)."""
    if len(word) < MIN_PREFIX_CHARS:
        return word in words_of(text)
    return any(each.startswith(word) for each in words_of(text))


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text[:200_000]).casefold()
    return "".join(char for char in plain if not unicodedata.combining(char))


def _runs(text: str) -> list[str]:
    spaced = "".join(char if char.isalnum() else " " for char in text)
    return [word[:MAX_WORD_CHARS] for word in spaced.split()]


def _parts(word: str) -> Iterable[str]:
    """Yield the runs of digits and of letters of one word."""
    start = 0
    for index in range(1, len(word) + 1):
        if index == len(word) or word[index].isdigit() != word[start].isdigit():
            yield word[start:index]
            start = index
