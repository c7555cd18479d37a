"""The recurrence of ``stages.mdlstm`` compiled for a CPU by Numba; float32, without peepholes.

Torch's own operations go through a map diagonal by diagonal, a dozen calls each, and a small
network waits for the calls. Compiled code walks cell by cell: what a cell hears is still in the
cache.

One core does the work. Results do not depend on how a batch is cut, and are those of
``mdlstm.DiagonalScan`` to the rounding of float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .mdlstm_numba_kernels import BLOCK, backward_kernel, forward_kernel, rounded

Sums = tuple[Tensor, Tensor, Tensor]  # content, place and location of ``CompiledLocatedScan``


def _padded(weights: Tensor) -> Tensor:
    """Rows up to a multiple of ``TILE``, the last ones zero."""
    missing = rounded(weights.shape[1]) - weights.shape[1]
    return torch.nn.functional.pad(weights, (0, 0, 0, missing)).contiguous()


class CompiledScan(torch.autograd.Function):
    """All directions' recurrence; see ``mdlstm.DiagonalScan``, without peepholes."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, above: Tensor, left: Tensor, mask: Tensor) -> Tensor:
        """Scan; float32 on a CPU. Arguments and result as of ``mdlstm.DiagonalScan``."""
        kept = _scan(projected, None, above, left, mask)
        ctx.save_for_backward(above, left, mask, *kept)
        return _inner(kept[1], above.shape[1])

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
        return _inner(kept[1], above.shape[1])

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
    """Open gates (directions, columns, rows, 5, batch * hidden), outputs and states.

    The last two, (directions, columns + 1, rows + 1, batch * hidden), begin with a column and a
    row of zeros.
    """
    directions, columns, rows, batch, gates_size = projected.shape
    hidden = above.shape[1]
    units = batch * hidden
    gates = projected.new_empty(directions, columns, rows, 5, units)
    outputs = projected.new_zeros(directions, columns + 1, rows + 1, units)
    states = torch.zeros_like(outputs)
    heard = projected.new_zeros(BLOCK * rounded(2 * hidden))
    total = projected.new_empty(BLOCK * gates_size)
    work = projected.new_empty(10 * BLOCK * hidden)
    projected = projected.contiguous()
    _run(
        forward_kernel(hidden, sums is not None), projected, *(sums or _no_sums(projected)),
        _padded(torch.cat([above, left], dim=1)), mask.contiguous(), gates, outputs, states,
        heard, total, work,
    )  # fmt: skip
    return gates, outputs, states


def _inner(outputs: Tensor, hidden: int) -> Tensor:
    """Outputs without their border, (directions, columns, rows, batch, hidden)."""
    return outputs[:, 1:, 1:].unflatten(-1, (-1, hidden)).contiguous()


def _scan_back(
    grad: Tensor, sums: Sums | None, above: Tensor, left: Tensor, mask: Tensor, gates: Tensor,
    outputs: Tensor, states: Tensor,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Gradients of the gates' inputs, of ``above`` and ``left``, and of the sums."""
    rows, hidden = grad.shape[2], grad.shape[4]
    gates_size = 5 * hidden
    deltas = grad.new_empty(*grad.shape[:4], gates_size)
    delta = grad.new_zeros(BLOCK * rounded(gates_size))
    given = grad.new_empty(BLOCK * 2 * hidden)
    beside = grad.new_empty(rows, 2 * BLOCK * hidden)
    work = grad.new_empty(11 * BLOCK * hidden)
    content, place, location = sums or _no_sums(grad)
    to_sums = [torch.zeros_like(one) for one in (content, place, location)]
    _run(
        backward_kernel(hidden, sums is not None),
        grad.contiguous().flatten(3), gates, place, location,
        _padded(torch.cat([above, left], dim=1).transpose(1, 2)), mask.contiguous(), states,
        deltas, *to_sums, delta, given, beside, work,
    )  # fmt: skip
    flat = deltas.flatten(1, 3)
    heard_above = outputs[:, 1:, :-1].reshape(len(grad), -1, hidden)
    heard_left = outputs[:, :-1, 1:].reshape(len(grad), -1, hidden)
    return (
        deltas,
        torch.bmm(heard_above.transpose(1, 2), flat),
        torch.bmm(heard_left.transpose(1, 2), flat),
        *to_sums,
    )


def _no_sums(like: Tensor) -> Sums:
    return like.new_empty(0, 0, 0), like.new_empty(0, 0, 0, 0), like.new_empty(0, 0)


def _run(kernel: Callable[..., None], *tensors: Tensor) -> None:
    kernel(*(tensor.detach().numpy() for tensor in tensors))
