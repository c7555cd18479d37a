"""Which way up letters stand: a small network looks at every letter, and all of them vote.

The network scores how upright one letter with its surroundings looks; a page is turned the way
that most letters agree on (equivariant by construction: turning the page turns the votes). It
knows nothing of words or languages, so it votes on print and handwriting alike. Fitted by
``scripts/build_orientation.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import connected_pieces

Patches = NDArray[np.float32]
PATCH_SIDE = 24
_WINDOW = 4.0  # side of a patch in typical letters: the neighbours show the row
_MAX_LETTERS = 400
_MIN_LETTERS = 8
_WEIGHTS = "orientation.npz"


@dataclass(frozen=True, slots=True)
class TurnVotes:
    """How the letters of a page voted.

    Attributes:
        scores: mean log probability of 0, 1, 2 and 3 clockwise quarter turns.
        letters: how many voted.
    """

    scores: tuple[float, float, float, float]
    letters: int

    @property
    def best(self) -> int:
        """The clockwise quarter turns that most letters see."""
        return int(np.argmax(self.scores))

    @property
    def margin(self) -> float:
        """By how much the best is ahead of the second, in nats over all letters."""
        second, first = sorted(self.scores)[-2:]
        return (first - second) * self.letters


def letter_patches(ink: NDArray[np.uint8]) -> Patches:
    """Cut out the letters of a page with what is around them.

    Args:
        ink: (height, width) uint8, 255 = ink.

    Returns:
        (n, 24, 24) float32, 0..1; n may be 0.
    """
    _, _, stats, centroids = connected_pieces(ink)
    stats, centroids = stats[1:], centroids[1:]
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    long, short = np.maximum(wide, high), np.minimum(wide, high)
    fit = (long >= 5) & (stats[:, cv2.CC_STAT_AREA] >= 8) & (long <= 6 * short)
    fit &= long < max(ink.shape) / 12
    if int(fit.sum()) < _MIN_LETTERS:
        return np.zeros((0, PATCH_SIDE, PATCH_SIDE), np.float32)
    # Specks pull the plain median down: every component counts as much as its ink.
    order = np.argsort(long[fit])
    mass = np.cumsum(stats[fit][order, cv2.CC_STAT_AREA].astype(float))
    typical = float(long[fit][order][np.searchsorted(mass, 0.4 * mass[-1])])
    chosen = np.flatnonzero(fit & (long >= 0.45 * typical) & (long <= 2.2 * typical))
    if len(chosen) > _MAX_LETTERS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, _MAX_LETTERS).astype(int)]
    half = max(6, round(0.5 * _WINDOW * typical))
    padded = cv2.copyMakeBorder(ink, half, half, half, half, cv2.BORDER_CONSTANT, value=0)
    patches = np.empty((len(chosen), PATCH_SIDE, PATCH_SIDE), np.float32)
    for row, index in enumerate(chosen):
        x, y = np.round(centroids[index]).astype(int)
        window = padded[y : y + 2 * half, x : x + 2 * half]
        patches[row] = cv2.resize(window, (PATCH_SIDE, PATCH_SIDE), interpolation=cv2.INTER_AREA)
    return patches / 255.0


def turn_votes(ink: NDArray[np.uint8]) -> TurnVotes:
    """Let the letters of a page vote on how it was turned; at most 400 are asked."""
    patches = letter_patches(ink)
    if len(patches) < _MIN_LETTERS:
        return TurnVotes((0.0, 0.0, 0.0, 0.0), 0)
    # np.rot90 turns counter-clockwise: it undoes that many clockwise turns.
    upright = np.stack([uprightness(np.rot90(patches, k, (1, 2))) for k in range(4)], 1)  # (n, 4)
    upright -= upright.max(axis=1, keepdims=True)
    log_p = upright - np.log(np.exp(upright).sum(axis=1, keepdims=True))
    # One blot that is sure of itself must not outvote ten letters.
    first, second, third, fourth = (float(one) for one in np.maximum(log_p, -4.0).mean(axis=0))
    return TurnVotes((first, second, third, fourth), len(patches))


def uprightness(patches: Patches) -> Patches:
    """Score (n,) of patches (n, 24, 24): higher looks more upright."""
    w = _weights()
    x = np.ascontiguousarray(patches).reshape(len(patches), -1)
    x = np.maximum(x @ w["w1"] + w["b1"], 0.0)
    x = np.maximum(x @ w["w2"] + w["b2"], 0.0)
    return np.asarray((x @ w["w3"] + w["b3"])[:, 0], np.float32)


@cache
def _weights() -> dict[str, NDArray[np.float32]]:
    with (resources.files(__package__) / _WEIGHTS).open("rb") as file, np.load(file) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}
