"""Drug names to choose from while typing: late enough that no first letters pick the wrong one."""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import Any

from clinic_hwr.prescriptions.lexicon import DrugLexicon

from .field_payload import look_alikes, tall_man

# ISMP and NABP: lists that open at two or three letters get the wrong drug chosen ("met...").
LEAST_LETTERS = 5
MOST_NAMES = 8


def drug_names(text: str, lexicon: DrugLexicon) -> list[dict[str, Any]]:
    """Return up to eight names that begin with ``text``, each with its look-alikes beside it.

    Nothing under five letters. Letters are all that is compared; case does not matter.
    """
    begun = " ".join(text.split()).lower()
    if len(begun) < LEAST_LETTERS:
        return []
    names = _sorted_names(lexicon)
    at = bisect_left(names, begun)
    found = [name for name in names[at : at + MOST_NAMES] if name.startswith(begun)]
    return [
        {"name": name, "shown": tall_man(name, lexicon), "alike": look_alikes(name, lexicon)}
        for name in found
    ]


@lru_cache(maxsize=16)
def _sorted_names(lexicon: DrugLexicon) -> list[str]:
    return sorted({name.lower() for name in lexicon.names})
