"""Several opinions on one string, and their weighted sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fusion:
    """Weights of a log-linear combination of opinions (fitted, see ``training.fitting``).

    Attributes:
        ctc: weight of each network's CTC log probability, in the order of the networks that
            have a CTC layer.
        attention: of the attention decoder's log probability.
        language: of the language model's log probability.
        bonus: added for each character; balances the language model's taste for short text.
    """

    ctc: tuple[float, ...]
    attention: float
    language: float = 0.0
    bonus: float = 0.0


@dataclass(frozen=True)
class Opinions:
    """What every judge says of one string, in natural log probabilities.

    Attributes:
        text: the string.
        ctc: of each network that has a CTC layer, summed over alignments.
        attention: of each character, then of the end symbol; () without a decoder.
        language: of the whole string.
    """

    text: str
    ctc: tuple[float, ...]
    attention: tuple[float, ...]
    language: float = 0.0

    def joint(self, fusion: Fusion) -> float:
        """Weighted sum of the opinions."""
        return (
            sum(w * p for w, p in zip(fusion.ctc, self.ctc, strict=True))
            + fusion.attention * sum(self.attention)
            + fusion.language * self.language
            + fusion.bonus * len(self.text)
        )


def equal_weights(ctc_layers: int, has_decoder: bool) -> Fusion:
    """Weights before anything was fitted: every judge counts the same, no language model."""
    judges = ctc_layers + int(has_decoder)
    return Fusion((1.0 / judges,) * ctc_layers, 1.0 / judges if has_decoder else 0.0)


def fusion_from_json(values: Mapping[str, float | Sequence[float]]) -> Fusion:
    """Rebuild weights from what ``dataclasses.asdict`` gave."""
    ctc = values["ctc"]
    if not isinstance(ctc, Sequence):
        raise ValueError("ctc must be a list of weights.")
    rest = {k: float(v) for k, v in values.items() if not isinstance(v, Sequence)}
    return Fusion(tuple(float(w) for w in ctc), **rest)
