"""Looking at crops: pieces of long lines, what the networks say of them, how clear they are."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .charset import Charset
from .images import Ink, cut_pieces, fit_ink, ink_map, ink_quality
from .network import Frames, Network

# Running text more than 8 times as wide as high is read in pieces about 5 times as wide. On lines
# of the fitting halves (106 scanned, 120 of UNIPEN, 120 composed directions) pieces of 3 and 5
# read alike (CER 10.7 and 10.8%, 24.5 and 24.4%, 6.7 and 6.0%), and 5 got 3 more points of them
# exactly; pieces of 6 from 12 on: 12.4, 27.9, 6.5%. With the first weights cutting narrower ink
# already (from 3 on) cost 500 words of the fitting half 10 points of exact match.
# Names, dates and numbers are written wide: they are cut later, and into longer pieces.
RUNNING_TEXT = frozenset({"line", "sig", "text"})
LINE_RATIO, PIECE_RATIO = 8.0, 5.0
OTHER_RATIO = 10.0
# Kinds whose value is a number or an identifier: they are read with these characters only
# and no lexicon ever touches them.
DIGIT_CHARS = "0123456789./-+()# "
CLOSED_CHARSETS = {"digits": DIGIT_CHARS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@dataclass(frozen=True)
class Look:
    """One ink map with what the networks say of it.

    Attributes:
        frames: of each network.
        kind: of the field.
        whole: the ink is not a piece of a long line.
        contrast, height: see ``images.ink_quality``.
    """

    frames: tuple[Frames, ...]
    kind: str
    whole: bool
    contrast: float
    height: float

    @property
    def ctc(self) -> tuple[NDArray[np.float64], ...]:
        """CTC log probabilities (T, classes) of every network that has a CTC layer."""
        return tuple(f.log_probs for f in self.frames if f.log_probs is not None)


class Looker:
    """Several networks that look at the same crops, one caller at a time.

    Args:
        networks: at least one; all with the same charset. The first one's decoder is used.
    """

    def __init__(self, networks: Sequence[Network]):
        self.networks = tuple(networks)
        self.charset: Charset = networks[0].charset
        if any(n.charset != self.charset for n in networks):
            raise ValueError("All networks of a reader must share one charset.")
        self._lock = threading.Lock()

    def look(
        self, crops: Sequence[NDArray[np.uint8]], kinds: Sequence[str]
    ) -> list[list[Look | None]]:
        """Run the networks on the pieces of each crop; None for a piece without ink."""
        inks = [ink_map(crop) for crop in crops]
        quality = [ink_quality(crop, ink) for crop, ink in zip(crops, inks, strict=True)]
        pieces = [_cut(ink, kind) for ink, kind in zip(inks, kinds, strict=True)]
        owner = [i for i, parts in enumerate(pieces) for _ in parts]
        flat = [piece for parts in pieces for piece in parts]
        fitted = [[fit_ink(p, n.height_px, n.max_width_px) for p in flat] for n in self.networks]
        inked = [k for k in range(len(flat)) if fitted[0][k].any()]
        forbidden = torch.stack(
            [self._forbidden(kinds[owner[k]]) for k in inked] or [torch.empty(0)]
        )
        with self._lock:
            by_network = [
                network.frames([some[k] for k in inked], forbidden)
                for network, some in zip(self.networks, fitted, strict=True)
            ]
        looks: dict[int, Look] = {}
        for position, k in enumerate(inked):
            i = owner[k]
            frames = tuple(found[position] for found in by_network)
            looks[k] = Look(frames, kinds[i], len(pieces[i]) == 1, *quality[i])
        numbers = iter(range(len(flat)))
        return [[looks.get(next(numbers)) for _ in parts] for parts in pieces]

    def _forbidden(self, kind: str) -> Tensor:
        """Classes that may not be written for a kind, (classes,) bool."""
        allowed = CLOSED_CHARSETS.get(kind)
        mask = torch.zeros(self.charset.size, dtype=torch.bool)
        if allowed is not None:
            mask[1:] = torch.tensor([c not in allowed for c in self.charset.characters])
        return mask

    def attention(
        self, looks: Sequence[Look], strings: Sequence[Sequence[tuple[int, ...]]]
    ) -> list[list[tuple[float, ...]]]:
        """The decoder's log probabilities of given strings; see ``Network.attention_scores``.

        Without a decoder every string gets ().
        """
        network = self.networks[0]
        if network.decoder is None or not looks:
            return [[() for _ in some] for some in strings]
        with self._lock:
            return network.attention_scores([look.frames[0] for look in looks], strings)


def _cut(ink: Ink, kind: str) -> list[Ink]:
    """Cut the ink of a field into pieces that the networks can read."""
    if kind in RUNNING_TEXT:
        return cut_pieces(ink, LINE_RATIO, PIECE_RATIO)
    return cut_pieces(ink, OTHER_RATIO, OTHER_RATIO)
