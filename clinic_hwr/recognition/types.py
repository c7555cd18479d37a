"""What the recognition room hands on: readings with honest probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CharConfidence:
    """One character of a reading and the probability (0..1) that it is right."""

    char: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the n-best strings and its share of the probability (0..1)."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model says of one crop.

    Attributes:
        text: the best string; "" when the crop holds no ink that can be read.
        p_correct: calibrated probability (0..1) that ``text`` is exactly right.
        chars: per-character confidence, aligned with ``text``.
        alternatives: n-best, best first; the first is ``text`` itself.
        model: name and version of the weights, e.g. ``trba-small@3f2a9c1b``.
        scores: raw scores by name (log probabilities, agreement, margin), for audit.
    """

    text: str
    p_correct: float
    chars: tuple[CharConfidence, ...]
    alternatives: tuple[Alternative, ...]
    model: str
    scores: Mapping[str, float] = field(default_factory=dict)


class Reader(Protocol):
    """A loaded recognizer: crops in, readings out. Thread-safe."""

    @property
    def model_version(self) -> str:
        """Name and content hash of the weights in use."""
        ...

    def read(
        self,
        crops: Sequence[NDArray[np.uint8]],
        *,
        kinds: Sequence[str] | None = None,
        lexicon: Sequence[str] | None = None,
        nbest: int = 5,
    ) -> list[Reading]:
        """Read grayscale crops, each (height, width) uint8; one Reading a crop, in order."""
        ...
