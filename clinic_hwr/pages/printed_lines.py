"""The printed lines of a page, rules and combs: looked for once, however many ask.

OCR wants them out of the way and the field finders want to know where they are; a worker asks for
both within a second, of the same page.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .broken_rules import with_broken_rules
from .combs import Comb, find_combs
from .rules import DarkParts, FormRules, rules_of, shortest_rule
from .types import Gray

_KEPT = 2  # pages, of about 18 MB each


@dataclass(frozen=True, slots=True)
class PrintedLines:
    """What ``printed_lines`` finds; its masks are shared and read-only.

    Attributes:
        parts: the dark parts of the page.
        rules: its form rules.
        combs: its combs, bold print among them (see ``comb_fields.name_combs``).
    """

    parts: DarkParts
    rules: FormRules
    combs: tuple[Comb, ...]


_kept: tuple[tuple[Gray, PrintedLines], ...] = ()


def printed_lines(gray: Gray) -> PrintedLines:
    """Find the printed lines of an upright page, or remember them: of equal pixels, not of a name.

    Args:
        gray: flattened, upright page, (height, width) uint8.
    """
    global _kept
    for page, lines in _kept:
        if page.shape == gray.shape and np.array_equal(page, gray):
            return lines
    parts = DarkParts.of(gray)
    length = shortest_rule(gray)
    rules = with_broken_rules(parts, rules_of(parts, length), length)
    lines = PrintedLines(parts, rules, find_combs(parts.dark))
    for mask in (parts.ink, parts.level_lines, parts.upright_lines, rules.mask):
        mask.flags.writeable = False
    # One assignment: threads may look for the same page twice, never at half of a result.
    _kept = ((gray.copy(), lines), *_kept)[:_KEPT]
    return lines
