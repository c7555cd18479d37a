"""The recurrence of ``stages.mdlstm`` as one GPU kernel a pass, written in Triton.

Launched diagonal by diagonal, a scan costs a dozen kernels a diagonal, and a decoder that scans a
map for every character waits for launches only. Here one program goes through all diagonals of one
direction of one crop. Triton comes with torch's CUDA builds; without it, or on a CPU, or with
peepholes, ``stages.mdlstm`` uses its own recurrence, which this one equals to the precision of
TF32 products (a test compares them where a GPU is).
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

LEAST_TILE = 16  # a matrix product in Triton has at least 16 rows and columns


@triton.jit
def _tanh(x):
    return 2.0 * tl.sigmoid(2.0 * x) - 1.0


@triton.jit
def _heard(gates, at, g: tl.constexpr, up, side, above, left, tile, inside, hidden: tl.constexpr):
    """What one gate hears: its input, and the outputs above and to the left."""
    value = tl.load(gates + at + g * hidden, mask=inside, other=0.0)
    shift = g * hidden
    value += tl.dot(up, tl.load(above + tile + shift, mask=tile >= 0, other=0.0))
    return value + tl.dot(side, tl.load(left + tile + shift, mask=tile >= 0, other=0.0))


@triton.jit
def _scan_forward(
    gates, above, left, mask, outputs, states, columns, rows, batch,
    hidden: tl.constexpr, row_tile: tl.constexpr, unit_tile: tl.constexpr,
):  # fmt: skip
    direction, item = tl.program_id(0), tl.program_id(1)
    row = tl.arange(0, row_tile)
    unit = tl.arange(0, unit_tile)
    enter_tile = unit[:, None] * (5 * hidden) + unit[None, :]
    tile = tl.where((unit[:, None] < hidden) & (unit[None, :] < hidden), enter_tile, -1)
    above += direction * hidden * 5 * hidden
    left += direction * hidden * 5 * hidden
    for step in range(columns + rows - 1):
        column = step - row
        real = (row < rows) & (column >= 0) & (column < columns)
        inside = real[:, None] & (unit[None, :] < hidden)
        cell = ((direction * columns + column) * rows + row) * batch + item
        at = cell[:, None] * (5 * hidden) + unit[None, :]
        first = (direction * (columns + 1) + column + 1) * (rows + 1) + row
        up_at = (first * batch + item)[:, None] * hidden + unit[None, :]
        here_at = up_at + batch * hidden
        side_at = here_at - (rows + 1) * batch * hidden
        up = tl.load(outputs + up_at, mask=inside, other=0.0)
        side = tl.load(outputs + side_at, mask=inside, other=0.0)
        enter = tl.sigmoid(_heard(gates, at, 0, up, side, above, left, tile, inside, hidden))
        keep_up = tl.sigmoid(_heard(gates, at, 1, up, side, above, left, tile, inside, hidden))
        keep_side = tl.sigmoid(_heard(gates, at, 2, up, side, above, left, tile, inside, hidden))
        value = _tanh(_heard(gates, at, 3, up, side, above, left, tile, inside, hidden))
        leave = tl.sigmoid(_heard(gates, at, 4, up, side, above, left, tile, inside, hidden))
        state = enter * value
        state += keep_up * tl.load(states + up_at, mask=inside, other=0.0)
        state += keep_side * tl.load(states + side_at, mask=inside, other=0.0)
        state *= tl.load(mask + cell, mask=real, other=0.0)[:, None]
        tl.store(gates + at, enter, mask=inside)
        tl.store(gates + at + hidden, keep_up, mask=inside)
        tl.store(gates + at + 2 * hidden, keep_side, mask=inside)
        tl.store(gates + at + 3 * hidden, value, mask=inside)
        tl.store(gates + at + 4 * hidden, leave, mask=inside)
        tl.store(states + here_at, state, mask=inside)
        tl.store(outputs + here_at, leave * _tanh(state), mask=inside)
        tl.debug_barrier()  # the next diagonal reads what this one wrote


@triton.jit
def _returned(deltas, at, g: tl.constexpr, weights, tile, inside, hidden: tl.constexpr):
    """What a neighbour's gate gives back to the output it heard."""
    delta = tl.load(deltas + at + g * hidden, mask=inside, other=0.0)
    return tl.dot(delta, tl.load(weights + tile + g * hidden, mask=tile >= 0, other=0.0))


@triton.jit
def _scan_backward(
    grads, gates, above, left, mask, states, grad_states, deltas, columns, rows, batch,
    hidden: tl.constexpr, row_tile: tl.constexpr, unit_tile: tl.constexpr,
):  # fmt: skip
    direction, item = tl.program_id(0), tl.program_id(1)
    row = tl.arange(0, row_tile)
    unit = tl.arange(0, unit_tile)
    turned = unit[None, :] * (5 * hidden) + unit[:, None]
    tile = tl.where((unit[:, None] < hidden) & (unit[None, :] < hidden), turned, -1)
    above += direction * hidden * 5 * hidden
    left += direction * hidden * 5 * hidden
    steps = columns + rows - 1
    for back in range(steps):
        column = steps - 1 - back - row
        real = (row < rows) & (column >= 0) & (column < columns)
        units = unit[None, :] < hidden
        inside = real[:, None] & units
        cell = ((direction * columns + column) * rows + row) * batch + item
        at = cell[:, None] * (5 * hidden) + unit[None, :]
        own = cell[:, None] * hidden + unit[None, :]
        under = (real & (row + 1 < rows))[:, None] & units
        beside = (real & (column + 1 < columns))[:, None] & units
        under_at, under_own = at + batch * 5 * hidden, own + batch * hidden
        beside_at, beside_own = at + rows * batch * 5 * hidden, own + rows * batch * hidden
        grad = tl.load(grads + own, mask=inside, other=0.0)
        for g in tl.static_range(5):
            grad += _returned(deltas, under_at, g, above, tile, under, hidden)
            grad += _returned(deltas, beside_at, g, left, tile, beside, hidden)
        grad_state = tl.load(grad_states + under_own, mask=under, other=0.0) * tl.load(
            gates + under_at + hidden, mask=under, other=0.0
        )
        grad_state += tl.load(grad_states + beside_own, mask=beside, other=0.0) * tl.load(
            gates + beside_at + 2 * hidden, mask=beside, other=0.0
        )
        enter = tl.load(gates + at, mask=inside, other=0.0)
        keep_up = tl.load(gates + at + hidden, mask=inside, other=0.0)
        keep_side = tl.load(gates + at + 2 * hidden, mask=inside, other=0.0)
        value = tl.load(gates + at + 3 * hidden, mask=inside, other=0.0)
        leave = tl.load(gates + at + 4 * hidden, mask=inside, other=0.0)
        first = (direction * (columns + 1) + column + 1) * (rows + 1) + row
        up_at = (first * batch + item)[:, None] * hidden + unit[None, :]
        here_at = up_at + batch * hidden
        side_at = here_at - (rows + 1) * batch * hidden
        bent = _tanh(tl.load(states + here_at, mask=inside, other=0.0))
        grad_state += grad * leave * (1 - bent * bent)
        grad_state *= tl.load(mask + cell, mask=real, other=0.0)[:, None]
        up = tl.load(states + up_at, mask=inside, other=0.0)
        side = tl.load(states + side_at, mask=inside, other=0.0)
        tl.store(grad_states + own, grad_state, mask=inside)
        tl.store(deltas + at, grad_state * value * enter * (1 - enter), mask=inside)
        tl.store(deltas + at + hidden, grad_state * up * keep_up * (1 - keep_up), mask=inside)
        tl.store(
            deltas + at + 2 * hidden, grad_state * side * keep_side * (1 - keep_side), mask=inside
        )
        tl.store(deltas + at + 3 * hidden, grad_state * enter * (1 - value * value), mask=inside)
        tl.store(deltas + at + 4 * hidden, grad * bent * leave * (1 - leave), mask=inside)
        tl.debug_barrier()  # the diagonal before this one reads what was written here


class FusedScan(torch.autograd.Function):
    """All directions' recurrence; see ``mdlstm.DiagonalScan``, without peepholes."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, above: Tensor, left: Tensor, mask: Tensor) -> Tensor:
        """Scan; float32 on one GPU.

        Args:
            ctx: of autograd.
            projected: (directions, columns, rows, batch, 5 * hidden).
            above, left: (directions, hidden, 5 * hidden).
            mask: (directions, columns, rows, batch, 1).

        Returns:
            (directions, columns, rows, batch, hidden).
        """
        directions, columns, rows, batch, _ = projected.shape
        hidden = above.shape[1]
        gates = projected.clone(memory_format=torch.contiguous_format)
        above, left, mask = above.contiguous(), left.contiguous(), mask.contiguous()
        outputs = gates.new_zeros(directions, columns + 1, rows + 1, batch, hidden)
        states = torch.zeros_like(outputs)
        _scan_forward[directions, batch](
            gates, above, left, mask, outputs, states, columns, rows, batch,
            **_tiles(rows, hidden),
        )  # fmt: skip
        ctx.save_for_backward(gates, above, left, mask, outputs, states)
        return outputs[:, 1:, 1:].contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Return the gradients of all inputs but the mask."""
        gates, above, left, mask, outputs, states = ctx.saved_tensors
        directions, columns, rows, batch, _ = gates.shape
        hidden = above.shape[1]
        deltas = torch.empty_like(gates)
        grad_states = gates.new_empty(directions, columns, rows, batch, hidden)
        _scan_backward[directions, batch](
            grad.contiguous(), gates, above, left, mask, states, grad_states, deltas,
            columns, rows, batch, **_tiles(rows, hidden),
        )  # fmt: skip
        flat = deltas.view(directions, -1, gates.shape[-1])
        heard_above = outputs[:, 1:, :-1].reshape(directions, -1, hidden)
        heard_left = outputs[:, :-1, 1:].reshape(directions, -1, hidden)
        return (
            deltas,
            torch.bmm(heard_above.transpose(1, 2), flat),
            torch.bmm(heard_left.transpose(1, 2), flat),
            None,
        )


def _tiles(rows: int, hidden: int) -> dict[str, int]:
    return {
        "hidden": hidden,
        "row_tile": max(LEAST_TILE, triton.next_power_of_2(rows)),
        "unit_tile": max(LEAST_TILE, triton.next_power_of_2(hidden)),
    }
