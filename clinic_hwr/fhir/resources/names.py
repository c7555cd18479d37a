"""A written name as HumanName: the text as it stands, and the parts as far as they are clear."""

from __future__ import annotations

from typing import Any

from ..primitives import compact, fhir_string

_PREFIXES = frozenset({"dr", "doctor", "prof", "professor", "mr", "mrs", "ms", "miss", "mx"})
_SUFFIXES = frozenset({
    "md", "do", "mbbs", "mbchb", "np", "pa", "pac", "pa-c", "rn", "aprn", "fnp", "dnp", "dds",
    "dmd", "dpm", "od", "phd", "pharmd", "rph", "jr", "sr", "ii", "iii", "iv", "facp", "faap",
})  # fmt: skip
# A family name starts at its first particle: "Maria de la Cruz", "Jan van der Berg".
_PARTICLES = frozenset({
    "van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "das", "du", "la", "le",
    "bin", "ibn", "al", "el", "st", "ten", "ter",
})  # fmt: skip


def human_name(written: str) -> dict[str, Any] | None:
    """Return a HumanName, or None when nothing is written.

    ``text`` is the name as written. The parts follow the writing conventions of US forms:
    "Family, Given" where there is a comma, else the last word (with its particles) is the
    family name. Titles before and degrees after the name become prefix and suffix.
    """
    text = fhir_string(written)
    if text is None:
        return None
    head, comma, tail = text.partition(",")
    if comma and all(_bare(word) in _SUFFIXES for word in tail.replace(",", " ").split()):
        head, comma, tail = f"{head} {tail.replace(',', ' ')}", "", ""
    words = (tail if comma else head).split()
    prefix, suffix = [], []
    while len(words) > 1 and _bare(words[0]) in _PREFIXES:
        prefix.append(words.pop(0))
    while len(words) > 1 and _bare(words[-1]) in _SUFFIXES:
        suffix.insert(0, words.pop())
    if comma and head.strip():
        family, given = head.strip(), words
    else:
        start = _family_start(words)
        family, given = " ".join(words[start:]), words[:start]
    return compact(
        {"text": text, "family": family, "given": given, "prefix": prefix, "suffix": suffix}
    )


def _family_start(words: list[str]) -> int:
    for index in range(1, len(words) - 1):
        if words[index].lower() in _PARTICLES:
            return index
    return max(len(words) - 1, 0)


def _bare(word: str) -> str:
    return word.replace(".", "").lower()
