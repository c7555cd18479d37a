"""The recurrence of ``stages.mdlstm`` compiled for a CPU by Numba; float32, without peepholes.

Torch's own operations go through a map diagonal by diagonal, a dozen calls each, and a small
network waits for the calls. Compiled code can walk cell by cell: what a cell hears is still in the
cache. Features lie innermost, so that loops over them become vector instructions; a block of
items shares each weight that is loaded. The number of cells is a constant of the compiled code.

One core does the work. Results do not depend on how a batch is cut, and are those of
``mdlstm.DiagonalScan`` to the rounding of float32.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.autograd.function import once_differentiable

Sums = tuple[Tensor, Tensor, Tensor]  # content, place and location of ``CompiledLocatedScan``

BLOCK = 16  # items that share a weight in the cache
TILE = 8  # weights that one pass over the features takes

# No flag that lets the compiler think away NaN: a training that fails has to show it.
OPTIONS = {
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


def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    """Machine code, kept between runs beside this file or else in the user's cache folder."""
    try:
        return njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # neither folder can be written
        return njit(**OPTIONS)(function)


@cache
def _forward(hidden: int, located: bool) -> Callable[..., None]:
    """The way there, for one number of cells; ``located``: with content and location."""
    gates_size = 5 * hidden
    heard_size = _rounded(2 * hidden)

    def forward(
        projected, content, place, location, weights, mask, gates, outputs, states, heard, total
    ):  # fmt: skip
        directions, columns, rows, batch, _ = projected.shape
        for block in range((batch + BLOCK - 1) // BLOCK):
            first = block * BLOCK
            count = min(BLOCK, batch - first)
            for d in range(directions):
                for j in range(columns):
                    for i in range(rows):
                        for n in range(count):
                            for q in range(gates_size):
                                total[n, q] = projected[d, j, i, first + n, q]
                            if located:
                                here = place[d, j, i, first + n]
                                for q in range(gates_size):
                                    total[n, q] += content[d, first + n, q] + here * location[d, q]
                            if i > 0:
                                for u in range(hidden):
                                    heard[n, u] = outputs[d, j, i - 1, first + n, u]
                            else:
                                for u in range(hidden):
                                    heard[n, u] = NONE
                            if j > 0:
                                for u in range(hidden):
                                    heard[n, hidden + u] = outputs[d, j - 1, i, first + n, u]
                            else:
                                for u in range(hidden):
                                    heard[n, hidden + u] = NONE
                        for k in range(0, heard_size, TILE):
                            for n in range(count):
                                x0, x1 = heard[n, k], heard[n, k + 1]
                                x2, x3 = heard[n, k + 2], heard[n, k + 3]
                                x4, x5 = heard[n, k + 4], heard[n, k + 5]
                                x6, x7 = heard[n, k + 6], heard[n, k + 7]
                                for q in range(gates_size):
                                    total[n, q] += (
                                        x0 * weights[d, k, q] + x1 * weights[d, k + 1, q]
                                        + x2 * weights[d, k + 2, q] + x3 * weights[d, k + 3, q]
                                        + x4 * weights[d, k + 4, q] + x5 * weights[d, k + 5, q]
                                        + x6 * weights[d, k + 6, q] + x7 * weights[d, k + 7, q]
                                    )
                        for n in range(count):
                            b = first + n
                            inside = mask[d, j, i, b, 0]
                            for u in range(hidden):
                                total[n, 3 * hidden + u] *= TWO
                            for q in range(gates_size):
                                total[n, q] = _sigmoid(total[n, q])
                            for u in range(hidden):
                                value = TWO * total[n, 3 * hidden + u] - ONE
                                total[n, 3 * hidden + u] = value
                                state = inside * (
                                    total[n, u] * value
                                    + total[n, hidden + u] * states[d, j + 1, i, b, u]
                                    + total[n, 2 * hidden + u] * states[d, j, i + 1, b, u]
                                )
                                states[d, j + 1, i + 1, b, u] = state
                                outputs[d, j, i, b, u] = total[n, 4 * hidden + u] * _tanh(state)
                            for q in range(gates_size):
                                gates[d, j, i, b, q] = total[n, q]

    return _compiled(forward)


@cache
def _backward(hidden: int, located: bool) -> Callable[..., None]:
    """The way back; see ``_forward``."""
    gates_size = 5 * hidden
    delta_size = _rounded(gates_size)
    both = 2 * hidden

    def backward(
        grads, gates, place, location, turned, mask, states, deltas, to_content, to_place,
        to_location, delta, given, beside, kept,
    ):  # fmt: skip
        directions, columns, rows, batch, _ = gates.shape
        for block in range((batch + BLOCK - 1) // BLOCK):
            first = block * BLOCK
            count = min(BLOCK, batch - first)
            for d in range(directions):
                beside[:] = NONE
                for back_j in range(columns):
                    j = columns - 1 - back_j
                    for n in range(count):
                        for u in range(hidden):
                            given[n, u] = NONE
                            kept[n, u] = NONE
                    for back_i in range(rows):
                        i = rows - 1 - back_i
                        for n in range(count):
                            b = first + n
                            inside = mask[d, j, i, b, 0]
                            for u in range(hidden):
                                grad = grads[d, j, i, b, u] + given[n, u] + beside[i, n, u]
                                enter = gates[d, j, i, b, u]
                                keep_up = gates[d, j, i, b, hidden + u]
                                keep_side = gates[d, j, i, b, 2 * hidden + u]
                                value = gates[d, j, i, b, 3 * hidden + u]
                                leave = gates[d, j, i, b, 4 * hidden + u]
                                bent = _tanh(states[d, j + 1, i + 1, b, u])
                                grad_state = inside * (
                                    kept[n, u] + beside[i, n, hidden + u]
                                    + grad * leave * (ONE - bent * bent)
                                )
                                kept[n, u] = grad_state * keep_up
                                beside[i, n, hidden + u] = grad_state * keep_side
                                delta[n, u] = grad_state * value * enter * (ONE - enter)
                                delta[n, hidden + u] = (
                                    grad_state * states[d, j + 1, i, b, u]
                                    * keep_up * (ONE - keep_up)
                                )
                                delta[n, 2 * hidden + u] = (
                                    grad_state * states[d, j, i + 1, b, u]
                                    * keep_side * (ONE - keep_side)
                                )
                                delta[n, 3 * hidden + u] = (
                                    grad_state * enter * (ONE - value * value)
                                )
                                delta[n, 4 * hidden + u] = grad * bent * leave * (ONE - leave)
                            for q in range(gates_size):
                                deltas[d, j, i, b, q] = delta[n, q]
                            if located:
                                here, there = place[d, j, i, b], NONE
                                for q in range(gates_size):
                                    there += delta[n, q] * location[d, q]
                                    to_content[d, b, q] += delta[n, q]
                                    to_location[d, q] += delta[n, q] * here
                                to_place[d, j, i, b] = there
                            for c in range(both):
                                given[n, c] = NONE
                        for k in range(0, delta_size, TILE):
                            for n in range(count):
                                x0, x1 = delta[n, k], delta[n, k + 1]
                                x2, x3 = delta[n, k + 2], delta[n, k + 3]
                                x4, x5 = delta[n, k + 4], delta[n, k + 5]
                                x6, x7 = delta[n, k + 6], delta[n, k + 7]
                                for c in range(both):
                                    given[n, c] += (
                                        x0 * turned[d, k, c] + x1 * turned[d, k + 1, c]
                                        + x2 * turned[d, k + 2, c] + x3 * turned[d, k + 3, c]
                                        + x4 * turned[d, k + 4, c] + x5 * turned[d, k + 5, c]
                                        + x6 * turned[d, k + 6, c] + x7 * turned[d, k + 7, c]
                                    )
                        for n in range(count):
                            for u in range(hidden):
                                beside[i, n, u] = given[n, hidden + u]

    return _compiled(backward)


def _rounded(size: int) -> int:
    """The next multiple of ``TILE``."""
    return -(-size // TILE) * TILE


def _padded(weights: Tensor) -> Tensor:
    """Rows up to a multiple of ``TILE``, the last ones zero."""
    missing = _rounded(weights.shape[1]) - weights.shape[1]
    return torch.nn.functional.pad(weights, (0, 0, 0, missing)).contiguous()


class CompiledScan(torch.autograd.Function):
    """All directions' recurrence; see ``mdlstm.DiagonalScan``, without peepholes."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, above: Tensor, left: Tensor, mask: Tensor) -> Tensor:
        """Scan; float32 on a CPU.

        Args:
            ctx: of autograd.
            projected: (directions, columns, rows, batch, 5 * hidden).
            above, left: (directions, hidden, 5 * hidden).
            mask: (directions, columns, rows, batch, 1).

        Returns:
            (directions, columns, rows, batch, hidden).
        """
        kept = _scan(projected, None, above, left, mask)
        ctx.save_for_backward(above, left, mask, *kept)
        return kept[1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Return the gradients of all inputs but the mask."""
        deltas, to_above, to_left = _scan_back(grad, None, *ctx.saved_tensors)[:3]
        return deltas, to_above, to_left, None


class CompiledLocatedScan(torch.autograd.Function):
    """A scan that adds up the input of each cell by itself; see ``MdLstm.scan_located``."""

    @staticmethod
    def forward(
        ctx: Any, gates: Tensor, content: Tensor, place: Tensor, location: Tensor,
        above: Tensor, left: Tensor, mask: Tensor,
    ) -> Tensor:  # fmt: skip
        """Scan; float32 on a CPU.

        Args:
            ctx: of autograd.
            gates: (directions, columns, rows, batch, 5 * hidden).
            content: (directions, batch, 5 * hidden), the same for all cells.
            place: (directions, columns, rows, batch).
            location: (directions, 5 * hidden), what one unit of ``place`` is to the gates.
            above, left, mask, and the result: see ``CompiledScan``.
        """
        sums = content.contiguous(), place.contiguous(), location.contiguous()
        kept = _scan(gates, sums, above, left, mask)
        ctx.save_for_backward(*sums, above, left, mask, *kept)
        return kept[1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of all inputs but the mask."""
        content, place, location, *kept = ctx.saved_tensors
        sums = content, place, location
        deltas, to_above, to_left, *to_sums = _scan_back(grad, sums, *kept)
        return deltas, *to_sums, to_above, to_left, None


def _scan(
    projected: Tensor, sums: Sums | None, above: Tensor, left: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Open gates, outputs, and states with a border of zeros above and to the left."""
    directions, columns, rows, batch, gates_size = projected.shape
    hidden = above.shape[1]
    projected = projected.contiguous()
    gates = torch.empty_like(projected)
    outputs = projected.new_empty(directions, columns, rows, batch, hidden)
    states = projected.new_zeros(directions, columns + 1, rows + 1, batch, hidden)
    heard = projected.new_zeros(BLOCK, _rounded(2 * hidden))
    total = projected.new_empty(BLOCK, gates_size)
    _run(
        _forward(hidden, sums is not None), projected, *(sums or _no_sums(projected)),
        _padded(torch.cat([above, left], dim=1)), mask.contiguous(), gates, outputs, states,
        heard, total,
    )  # fmt: skip
    return gates, outputs, states


def _scan_back(
    grad: Tensor, sums: Sums | None, above: Tensor, left: Tensor, mask: Tensor, gates: Tensor,
    outputs: Tensor, states: Tensor,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Gradients of the gates' inputs, of ``above`` and ``left``, and of the sums."""
    rows, gates_size = gates.shape[2], gates.shape[4]
    hidden = above.shape[1]
    deltas = torch.empty_like(gates)
    delta = gates.new_zeros(BLOCK, _rounded(gates_size))
    given = gates.new_empty(BLOCK, 2 * hidden)
    beside = gates.new_empty(rows, BLOCK, 2 * hidden)
    kept = gates.new_empty(BLOCK, hidden)
    content, place, location = sums or _no_sums(gates)
    to_sums = [torch.zeros_like(one) for one in (content, place, location)]
    _run(
        _backward(hidden, sums is not None), grad.contiguous(), gates, place, location,
        _padded(torch.cat([above, left], dim=1).transpose(1, 2)), mask.contiguous(), states,
        deltas, *to_sums, delta, given, beside, kept,
    )  # fmt: skip
    return deltas, *_weight_gradients(outputs, deltas), *to_sums


def _no_sums(like: Tensor) -> Sums:
    return like.new_empty(0, 0, 0), like.new_empty(0, 0, 0, 0), like.new_empty(0, 0)


def _run(kernel: Callable[..., None], *tensors: Tensor) -> None:
    kernel(*(tensor.detach().numpy() for tensor in tensors))


def _weight_gradients(outputs: Tensor, deltas: Tensor) -> tuple[Tensor, Tensor]:
    """Of ``above`` and ``left``: one product each over all pairs of neighbours."""
    return (
        torch.bmm(
            outputs[:, :, :-1].flatten(1, 3).transpose(1, 2), deltas[:, :, 1:].flatten(1, 3)
        ),
        torch.bmm(
            outputs[:, :-1].flatten(1, 3).transpose(1, 2), deltas[:, 1:].flatten(1, 3)
        ),
    )
