"""The reading of a long line from the readings of its pieces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from .calibration import Calibrator
from .types import Alternative, CharConfidence, Reading

# What the calibrator of joined lines goes by.
PIECES_FEATURES = ("pieces", "pieces_log_p", "pieces_least_log_p")
LEAST_P = 1e-6


def join_pieces(
    parts: Sequence[Reading], nbest: int, calibrator: Calibrator | None = None
) -> Reading:
    """Join the readings of pieces with blanks.

    The line is right when every piece is and every cut was: probabilities multiply, and a
    calibrator corrects for what pieces of one hand share. An alternative of the line differs
    from the best in one piece.

    Args:
        parts: readings in order, at least one.
        nbest: most alternatives of the result.
        calibrator: of joined lines, on ``PIECES_FEATURES``; without one the product stands.
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
    p_correct = math.prod(part.p_correct for part in parts)
    logs = [math.log(max(part.p_correct, LEAST_P)) for part in parts]
    known = {
        "pieces": float(len(parts)),
        "pieces_log_p": sum(logs),
        "pieces_least_log_p": min(logs),
    }
    # A piece that nobody can have read keeps the line where it is.
    if calibrator is not None and p_correct > 0.0:
        p_correct = calibrator.probability(known)
    return replace(
        inked[0],
        text=" ".join(part.text for part in inked),
        p_correct=p_correct,
        chars=tuple(chars),
        alternatives=_alternatives(inked, nbest),
        scores={
            **known,
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
