"""The reading of a long line from the readings of its pieces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from .types import Alternative, CharConfidence, Reading


def join_pieces(parts: Sequence[Reading], nbest: int) -> Reading:
    """Join the readings of pieces with blanks.

    The line is right when every piece is: probabilities multiply. An alternative of the line
    differs from the best in one piece.

    Args:
        parts: readings in order, at least one.
        nbest: most alternatives of the result.
    """
    if len(parts) == 1:
        return parts[0]
    inked = [part for part in parts if part.text]
    if not inked:
        return parts[0]
    chars: list[CharConfidence] = []
    for part in inked:
        if chars:
            chars.append(CharConfidence(" ", min(chars[-1].confidence, part.chars[0].confidence)))
        chars += part.chars
    return replace(
        inked[0],
        text=" ".join(part.text for part in inked),
        p_correct=math.prod(part.p_correct for part in parts),
        chars=tuple(chars),
        alternatives=_alternatives(inked, nbest),
        scores={
            "pieces": float(len(parts)),
            "weakest": min(part.scores.get("weakest", 0.0) for part in inked),
            "ctc": sum(part.scores.get("ctc", 0.0) for part in inked),
            "attention": sum(part.scores.get("attention", 0.0) for part in inked),
        },
    )


def _alternatives(parts: Sequence[Reading], nbest: int) -> tuple[Alternative, ...]:
    best = [part.alternatives[0] for part in parts]
    whole = math.prod(a.confidence for a in best)
    found = [Alternative(" ".join(a.text for a in best), whole)]
    for i, part in enumerate(parts):
        for other in part.alternatives[1:]:
            texts = [a.text for a in best]
            texts[i] = other.text
            share = whole / max(best[i].confidence, 1e-9) * other.confidence
            found.append(Alternative(" ".join(t for t in texts if t), share))
    return (found[0], *sorted(found[1:], key=lambda a: -a.confidence)[: nbest - 1])
