"""Machine code of the recurrence of ``stages.mdlstm``, made by Numba; see ``stages.mdlstm_numba``.

Features lie innermost, so that loops over them become vector instructions; a block of items shares
each weight that is loaded. The number of cells is a constant of the code. Within ``work`` the parts
of a cell are a constant apart, which the compiler needs to be sure that they do not overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit

BLOCK = 16  # items that share a weight in the cache
TILE = 4  # weights and items that one pass over the features takes

# No flag that lets the compiler think away NaN: a training that fails has to show it.
OPTIONS: dict[str, Any] = {
    "nogil": True,
    "boundscheck": False,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "nsz"},
}

LOG2_E = np.float32(1.4426950408889634)
LEAST = np.float32(-125.0)  # of the exponent: 2 ** -125 is a normal number
SHIFT = np.float32(128.5)
ONE = np.float32(1.0)
TWO = np.float32(2.0)
NONE = np.float32(0.0)
# Taylor's series of 2 ** f for |f| <= 0.5; what is left out is below 2e-9.
C1, C2, C3, C4, C5, C6, C7 = (
    np.float32(np.log(2.0) ** n / np.prod(np.arange(1.0, n + 1))) for n in range(1, 8)
)


@njit(nogil=True, boundscheck=False, error_model="numpy", fastmath={"contract"})
def _sigmoid(x):
    """Vector instructions where libm would be called number by number; error below 2e-7."""
    power = -LOG2_E * x
    power = LEAST if power < LEAST else power
    power = -LEAST if power > -LEAST else power
    shifted = np.int32(power + SHIFT)
    f = power - np.float32(np.int32(shifted - 128))
    e = ONE + f * (C1 + f * (C2 + f * (C3 + f * (C4 + f * (C5 + f * (C6 + f * C7))))))
    return ONE / (ONE + e * np.int32((shifted - 1) << 23).view(np.float32))


@njit(nogil=True, boundscheck=False, error_model="numpy", fastmath={"contract"})
def _tanh(x):
    return TWO * _sigmoid(TWO * x) - ONE


@njit(forceinline=True, **OPTIONS)
def _add_product(into, read, weights, d, count, width, size):
    """Add read @ weights[d] to ``into``, for ``count`` items.

    Flat arrays whose rows are a constant apart need no check, at every loop, for overlaps.

    Args:
        into: (items * width,).
        read: (items * size,); size is a multiple of ``TILE``.
        weights: (directions, size, width).
        d, count, width, size: numbers.
    """
    tiled = count // TILE * TILE
    for k in range(0, size, TILE):
        for n in range(0, tiled, TILE):
            r, t = n * size + k, n * width
            a0, a1 = read[r], read[r + 1]
            a2, a3 = read[r + 2], read[r + 3]
            b0, b1 = read[r + size], read[r + size + 1]
            b2, b3 = read[r + size + 2], read[r + size + 3]
            c0, c1 = read[r + 2 * size], read[r + 2 * size + 1]
            c2, c3 = read[r + 2 * size + 2], read[r + 2 * size + 3]
            e0, e1 = read[r + 3 * size], read[r + 3 * size + 1]
            e2, e3 = read[r + 3 * size + 2], read[r + 3 * size + 3]
            for q in range(width):
                w0, w1 = weights[d, k, q], weights[d, k + 1, q]
                w2, w3 = weights[d, k + 2, q], weights[d, k + 3, q]
                into[t + q] += a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
                into[t + width + q] += b0 * w0 + b1 * w1 + b2 * w2 + b3 * w3
                into[t + 2 * width + q] += c0 * w0 + c1 * w1 + c2 * w2 + c3 * w3
                into[t + 3 * width + q] += e0 * w0 + e1 * w1 + e2 * w2 + e3 * w3
        for n in range(tiled, count):
            r, t = n * size + k, n * width
            a0, a1, a2, a3 = read[r], read[r + 1], read[r + 2], read[r + 3]
            for q in range(width):
                into[t + q] += (
                    a0 * weights[d, k, q] + a1 * weights[d, k + 1, q]
                    + a2 * weights[d, k + 2, q] + a3 * weights[d, k + 3, q]
                )  # fmt: skip


def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    """Machine code, kept between runs beside this file or else in the user's cache folder."""
    try:
        return njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # neither folder can be written
        return njit(**OPTIONS)(function)


@cache
def forward_kernel(hidden: int, located: bool) -> Callable[..., None]:
    """The way there, for one number of cells; ``located``: with content and location."""
    gates_size = 5 * hidden
    heard_size = rounded(2 * hidden)
    part = BLOCK * hidden
    up, side, inside, state, output = (n * part for n in range(5, 10))

    def forward(
        projected, content, place, location, weights, mask, gates, outputs, states, heard, total,
        work,
    ):  # fmt: skip
        directions, columns, rows, batch, _ = projected.shape
        for block in range((batch + BLOCK - 1) // BLOCK):
            first = block * BLOCK
            count = min(BLOCK, batch - first)
            start, size = first * hidden, count * hidden
            for d in range(directions):
                for j in range(columns):
                    for i in range(rows):
                        for n in range(count):
                            for q in range(gates_size):
                                total[n * gates_size + q] = projected[d, j, i, first + n, q]
                            if located:
                                here = place[d, j, i, first + n]
                                for q in range(gates_size):
                                    total[n * gates_size + q] += (
                                        content[d, first + n, q] + here * location[d, q]
                                    )
                            for u in range(hidden):
                                heard[n * heard_size + u] = outputs[
                                    d, j + 1, i, start + n * hidden + u
                                ]
                            for u in range(hidden):
                                heard[n * heard_size + hidden + u] = outputs[
                                    d, j, i + 1, start + n * hidden + u
                                ]
                            for u in range(hidden):
                                work[inside + n * hidden + u] = mask[d, j, i, first + n, 0]
                        _add_product(total, heard, weights, d, count, gates_size, heard_size)
                        for n in range(count):
                            row, at = n * gates_size, n * hidden
                            for g in range(5):
                                for u in range(hidden):
                                    work[g * part + at + u] = total[row + g * hidden + u]
                        for m in range(size):
                            work[up + m] = states[d, j + 1, i, start + m]
                        for m in range(size):
                            work[side + m] = states[d, j, i + 1, start + m]
                        for m in range(size):
                            enter = _sigmoid(work[m])
                            keep_up = _sigmoid(work[part + m])
                            keep_side = _sigmoid(work[2 * part + m])
                            value = _tanh(work[3 * part + m])
                            leave = _sigmoid(work[4 * part + m])
                            new = work[inside + m] * (
                                enter * value + keep_up * work[up + m] + keep_side * work[side + m]
                            )
                            work[m] = enter
                            work[part + m] = keep_up
                            work[2 * part + m] = keep_side
                            work[3 * part + m] = value
                            work[4 * part + m] = leave
                            work[state + m] = new
                            work[output + m] = leave * _tanh(new)
                        for g in range(5):
                            for m in range(size):
                                gates[d, j, i, g, start + m] = work[g * part + m]
                        for m in range(size):
                            states[d, j + 1, i + 1, start + m] = work[state + m]
                        for m in range(size):
                            outputs[d, j + 1, i + 1, start + m] = work[output + m]

    return _compiled(forward)


@cache
def backward_kernel(hidden: int, located: bool) -> Callable[..., None]:
    """The way back; see ``forward_kernel``."""
    gates_size = 5 * hidden
    delta_size = rounded(gates_size)
    both = 2 * hidden
    part = BLOCK * hidden
    # ``kept``: what the cell below or to the right leaves for the state.
    up, side, inside, state, grad, kept = (n * part for n in range(5, 11))

    def backward(
        grads, gates, place, location, turned, mask, states, deltas, to_content, to_place,
        to_location, delta, given, beside, work,
    ):  # fmt: skip
        directions, columns, rows, batch, _ = deltas.shape
        for block in range((batch + BLOCK - 1) // BLOCK):
            first = block * BLOCK
            count = min(BLOCK, batch - first)
            start, size = first * hidden, count * hidden
            for d in range(directions):
                beside[:] = NONE
                for back_j in range(columns):
                    j = columns - 1 - back_j
                    given[:] = NONE
                    for m in range(size):
                        work[kept + m] = NONE
                    for back_i in range(rows):
                        i = rows - 1 - back_i
                        for n in range(count):
                            for u in range(hidden):
                                work[grad + n * hidden + u] = given[n * both + u]
                            for u in range(hidden):
                                work[inside + n * hidden + u] = mask[d, j, i, first + n, 0]
                        for m in range(size):
                            work[grad + m] += grads[d, j, i, start + m]
                        for m in range(size):
                            work[grad + m] += beside[i, m]
                        for m in range(size):
                            work[kept + m] += beside[i, part + m]
                        for g in range(5):
                            for m in range(size):
                                work[g * part + m] = gates[d, j, i, g, start + m]
                        for m in range(size):
                            work[up + m] = states[d, j + 1, i, start + m]
                        for m in range(size):
                            work[side + m] = states[d, j, i + 1, start + m]
                        for m in range(size):
                            work[state + m] = states[d, j + 1, i + 1, start + m]
                        for m in range(size):
                            enter, keep_up, keep_side = work[m], work[part + m], work[2 * part + m]
                            value, leave = work[3 * part + m], work[4 * part + m]
                            bent, to_output = _tanh(work[state + m]), work[grad + m]
                            to_state = work[inside + m] * (
                                work[kept + m] + to_output * leave * (ONE - bent * bent)
                            )
                            work[m] = to_state * value * enter * (ONE - enter)
                            work[part + m] = to_state * work[up + m] * keep_up * (ONE - keep_up)
                            work[2 * part + m] = (
                                to_state * work[side + m] * keep_side * (ONE - keep_side)
                            )
                            work[3 * part + m] = to_state * enter * (ONE - value * value)
                            work[4 * part + m] = to_output * bent * leave * (ONE - leave)
                            work[kept + m] = to_state * keep_up
                            work[state + m] = to_state * keep_side
                        for m in range(size):
                            beside[i, part + m] = work[state + m]
                        for n in range(count):
                            b = first + n
                            row, at = n * delta_size, n * hidden
                            for g in range(5):
                                for u in range(hidden):
                                    delta[row + g * hidden + u] = work[g * part + at + u]
                            for q in range(gates_size):
                                deltas[d, j, i, b, q] = delta[row + q]
                            if located:
                                here, there = place[d, j, i, b], NONE
                                for q in range(gates_size):
                                    there += delta[row + q] * location[d, q]
                                to_place[d, j, i, b] = there
                                for q in range(gates_size):
                                    to_content[d, b, q] += delta[row + q]
                                for q in range(gates_size):
                                    to_location[d, q] += delta[row + q] * here
                            for c in range(both):
                                given[n * both + c] = NONE
                        _add_product(given, delta, turned, d, count, both, delta_size)
                        for n in range(count):
                            for u in range(hidden):
                                beside[i, n * hidden + u] = given[n * both + hidden + u]

    return _compiled(backward)


def rounded(size: int) -> int:
    """The next multiple of ``TILE``."""
    return -(-size // TILE) * TILE
