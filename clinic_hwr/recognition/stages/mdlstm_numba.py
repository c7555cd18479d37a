"""The recurrence of ``mdlstm`` as one compiled loop on a CPU; optional, as Numba is.

PyTorch calls about fifteen kernels a diagonal, which cost more than the sums of small scans; here
each cell is computed at once, column after column. Cells without peepholes, float32.
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

GATES = 5  # in the order of ``mdlstm``


# tanh by a quotient of polynomials, as in Eigen: to 3e-7, and a loop over it is vectorised.
_F = np.float32
_LIMIT, _HALF, _ONE = _F(7.90531), _F(0.5), _F(1.0)
_P1, _P3, _P5, _P7 = _F(4.89352456e-3), _F(6.37261929e-4), _F(1.48572236e-5), _F(5.12229709e-8)
_P9, _P11, _P13 = _F(-8.60467152e-11), _F(2.00018790e-13), _F(-2.76076848e-16)
_Q0, _Q2, _Q4, _Q6 = _F(4.89352519e-3), _F(2.26843463e-3), _F(1.18534706e-4), _F(1.19825839e-6)


@njit(fastmath=True, error_model="numpy", inline="always")
def _tanh(x: Any) -> Any:
    x = min(max(x, -_LIMIT), _LIMIT)
    y = x * x
    top = x * (_P1 + y * (_P3 + y * (_P5 + y * (_P7 + y * (_P9 + y * (_P11 + y * _P13))))))
    return top / (_Q0 + y * (_Q2 + y * (_Q4 + y * _Q6)))


@cache
def _kernels(hidden: int) -> tuple[Callable[..., None], Callable[..., None]]:
    """Forward and backward for one size: loops of a known length are unrolled."""
    size = GATES * hidden
    above_at, left_at, value_at, leave_at = hidden, 2 * hidden, 3 * hidden, 4 * hidden

    @njit(fastmath=True, error_model="numpy", cache=True)
    def forward(gates, above, left, mask, outputs, states, bent):
        """Turn projected inputs into gates, and fill outputs, states and tanh of states."""
        directions, columns, rows, batch, _ = gates.shape
        sums = np.empty(size, np.float32)
        flat_gates = gates.reshape(directions, columns, rows, batch * size)
        flat_bent = bent.reshape(directions, columns, rows, batch * hidden)
        for d in range(directions):
            for c in range(columns):
                for r in range(rows):
                    for b in range(batch):
                        gate = gates[d, c, r, b]
                        up, side = outputs[d, c + 1, r, b], outputs[d, c, r + 1, b]
                        for j in range(size):
                            sums[j] = gate[j]
                        for k in range(hidden):
                            u, s = up[k], side[k]
                            for j in range(size):
                                sums[j] += u * above[d, k, j] + s * left[d, k, j]
                        for j in range(size):
                            gate[j] = sums[j]
                    flat = flat_gates[d, c, r]  # all items at once: long loops are vectorised
                    for i in range(batch * size):
                        flat[i] = _tanh(flat[i])
                    for b in range(batch):
                        gate, curve = gates[d, c, r, b], bent[d, c, r, b]
                        inside = mask[d, c, r, b, 0]
                        up, side = states[d, c + 1, r, b], states[d, c, r + 1, b]
                        for k in range(hidden):
                            gate[k] = _HALF + _HALF * gate[k]
                            gate[above_at + k] = _HALF + _HALF * gate[above_at + k]
                            gate[left_at + k] = _HALF + _HALF * gate[left_at + k]
                            gate[leave_at + k] = _HALF + _HALF * gate[leave_at + k]
                            heard = gate[above_at + k] * up[k] + gate[left_at + k] * side[k]
                            curve[k] = inside * (gate[k] * gate[value_at + k] + heard)
                        state = states[d, c + 1, r + 1, b]
                        for k in range(hidden):
                            state[k] = curve[k]
                    flat = flat_bent[d, c, r]
                    for i in range(batch * hidden):
                        flat[i] = _tanh(flat[i])
                    for b in range(batch):
                        gate, curve = gates[d, c, r, b], bent[d, c, r, b]
                        output = outputs[d, c + 1, r + 1, b]
                        for k in range(hidden):
                            output[k] = gate[leave_at + k] * curve[k]

    @njit(fastmath=True, error_model="numpy", cache=True)
    def backward(grad_outputs, gates, weights, mask, states, bent, grad_states):
        """Turn gates into the gradients of their inputs; the other gradients are summed up."""
        directions, columns, rows, batch, _ = gates.shape
        delta = np.empty(size, np.float32)
        sums = np.empty(2 * hidden, np.float32)
        for d in range(directions):
            for c in range(columns - 1, -1, -1):
                for r in range(rows - 1, -1, -1):
                    for b in range(batch):
                        gate = gates[d, c, r, b]
                        up, side = states[d, c + 1, r, b], states[d, c, r + 1, b]
                        grad, curve = grad_outputs[d, c + 1, r + 1, b], bent[d, c, r, b]
                        known, inside = grad_states[d, c + 1, r + 1, b], mask[d, c, r, b, 0]
                        grad_up = grad_states[d, c + 1, r, b]
                        grad_side = grad_states[d, c, r + 1, b]
                        for k in range(hidden):
                            enter, value = gate[k], gate[value_at + k]
                            keep_up, keep_side = gate[above_at + k], gate[left_at + k]
                            out = gate[leave_at + k]
                            slope = out * (_ONE - curve[k] * curve[k])
                            grad_state = inside * (known[k] + grad[k] * slope)
                            delta[k] = grad_state * value * enter * (_ONE - enter)
                            delta[above_at + k] = grad_state * up[k] * keep_up * (_ONE - keep_up)
                            delta[left_at + k] = (
                                grad_state * side[k] * keep_side * (_ONE - keep_side)
                            )
                            delta[value_at + k] = grad_state * enter * (_ONE - value * value)
                            delta[leave_at + k] = grad[k] * curve[k] * out * (_ONE - out)
                            grad_up[k] += grad_state * keep_up
                            grad_side[k] += grad_state * keep_side
                        for k in range(2 * hidden):
                            sums[k] = _F(0)
                        for j in range(hidden):
                            i, u, s = delta[j], delta[above_at + j], delta[left_at + j]
                            v, o = delta[value_at + j], delta[leave_at + j]
                            for k in range(2 * hidden):
                                sums[k] += (
                                    i * weights[d, j, k]
                                    + u * weights[d, above_at + j, k]
                                    + s * weights[d, left_at + j, k]
                                    + v * weights[d, value_at + j, k]
                                    + o * weights[d, leave_at + j, k]
                                )
                        for j in range(size):
                            gate[j] = delta[j]
                        above, left = grad_outputs[d, c + 1, r, b], grad_outputs[d, c, r + 1, b]
                        for k in range(hidden):
                            above[k] += sums[k]
                            left[k] += sums[hidden + k]

    return forward, backward


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
        directions, columns, rows, batch, _ = projected.shape
        hidden = above.shape[1]
        # sigmoid(x) = (1 + tanh(x / 2)) / 2
        halves = projected.new_full((GATES, hidden), 0.5)
        halves[3] = 1.0  # the cell input is not squashed
        halves = halves.flatten()
        gates = (projected * halves).contiguous()
        mask = mask.contiguous()
        # What column c and row r say is entry (c + 1, r + 1): outside is zero.
        outputs = gates.new_zeros(directions, columns + 1, rows + 1, batch, hidden)
        states = torch.zeros_like(outputs)
        bent = gates.new_empty(directions, columns, rows, batch, hidden)
        halved = (above * halves).contiguous(), (left * halves).contiguous()
        _kernels(hidden)[0](*_arrays(gates, *halved, mask, outputs, states, bent))
        ctx.save_for_backward(gates, above, left, mask, outputs, states, bent)
        return outputs[:, 1:, 1:].contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Return the gradients of all inputs but the mask."""
        gates, above, left, mask, outputs, states, bent = ctx.saved_tensors
        directions, hidden, size = above.shape
        deltas = gates.clone()
        grad_outputs = torch.zeros_like(outputs)
        grad_outputs[:, 1:, 1:] = grad
        weights = torch.cat([above, left], dim=1).transpose(1, 2).contiguous()
        grad_states = torch.zeros_like(states)
        _kernels(hidden)[1](
            *_arrays(grad_outputs, deltas, weights, mask, states, bent, grad_states)
        )
        flat = deltas.view(directions, -1, size)
        heard_above = outputs[:, 1:, :-1].reshape(directions, -1, hidden)
        heard_left = outputs[:, :-1, 1:].reshape(directions, -1, hidden)
        return (
            deltas,
            torch.bmm(heard_above.transpose(1, 2), flat),
            torch.bmm(heard_left.transpose(1, 2), flat),
            None,
        )


def _arrays(*tensors: Tensor) -> list[Any]:
    return [tensor.detach().numpy() for tensor in tensors]
