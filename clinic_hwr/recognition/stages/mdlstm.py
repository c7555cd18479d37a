"""Multidimensional LSTM over a 2-D map (Graves & Schmidhuber 2008), computed by anti-diagonals.

A cell at (row i, column j) hears the cells at (i - 1, j) and (i, j - 1). All cells of one
anti-diagonal are independent, so a map of H x W takes H + W - 1 steps instead of H * W (Graves
2012, section 4; Voigtlaender et al. 2016). Four scans, one from each corner and each with
weights of its own, run as one recurrence.

Maps are laid out (columns, rows, batch, features): neighbouring rows of a diagonal then lie one
behind the other in memory, and a step needs no copy. Behind the right edge of a crop all states
are zero, so that a scan from the right starts as if the map ended there.

The gradient is written by hand: derivatives of the gates are taken for the whole map at once,
and the weights' gradient is one product, as in fused LSTM kernels.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

DIRECTIONS = 4
# On a CPU: 3.5 times as fast compiled at 8 cells, 1.4 times at 64; not measured beyond.
MOST_COMPILED = 64
GATES = 5  # input gate, forget gates above and left, cell input, output gate: in this order


def skew(cells: Tensor) -> Tensor:
    """Move row i of a map i columns to the right, so that columns become anti-diagonals.

    Args:
        cells: (directions, columns, rows, batch, features).

    Returns:
        (directions, columns + rows - 1, rows, batch, features), 0 where there is no cell.
    """
    directions, columns, rows = cells.shape[:3]
    diagonals = cells.new_zeros(directions, columns + rows - 1, *cells.shape[2:])
    _slanted(diagonals, columns).copy_(cells)
    return diagonals


def unskew(diagonals: Tensor) -> Tensor:
    """Undo ``skew``; a view of ``diagonals``."""
    return _slanted(diagonals, diagonals.shape[1] - diagonals.shape[2] + 1)


def _slanted(diagonals: Tensor, columns: int) -> Tensor:
    """Cell (., j, i) of this view is cell (., i + j, i) of ``diagonals``."""
    direction, step, row, item, feature = diagonals.stride()
    shape = (len(diagonals), columns, *diagonals.shape[2:])
    return diagonals.as_strided(
        shape, (direction, step, row + step, item, feature), diagonals.storage_offset()
    )


class DiagonalScan(torch.autograd.Function):
    """The recurrence of all directions, from projected inputs to outputs."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, above: Tensor, left: Tensor, peepholes: Tensor, mask: Tensor
    ) -> Tensor:
        """Scan from the upper left corner in every direction's own map.

        Args:
            ctx: of autograd.
            projected: (directions, columns, rows, batch, 5 * hidden), input and bias to the gates.
            above, left: (directions, hidden, 5 * hidden) weights of the neighbours' outputs.
            peepholes: (directions, 4, hidden) from the cell states to the input gate (both
                neighbours share it), the two forget gates and the output gate; or none of
                them, (directions, 0, hidden).
            mask: (directions, columns, rows, batch, 1), 1 where the map holds image.

        Returns:
            (directions, columns, rows, batch, hidden).
        """
        gates, inside = skew(projected), skew(mask)
        directions, steps, rows, batch, _ = gates.shape
        hidden, cells = above.shape[1], rows * batch
        # States of diagonal d are entry d + 1, those of row i entry i + 1: outside is zero.
        outputs = gates.new_zeros(directions, steps + 1, rows + 1, batch, hidden)
        states = torch.zeros_like(outputs)
        peep = peepholes.view(directions, -1, 1, 1, hidden)
        for d in range(steps):
            gate, before, state = gates[:, d], outputs[:, d], states[:, d]
            flat = gate.view(directions, cells, -1)
            flat.baddbmm_(before[:, :-1].view(directions, cells, hidden), above)
            flat.baddbmm_(before[:, 1:].view(directions, cells, hidden), left)
            state_above, state_left = state[:, :-1], state[:, 1:]
            enter, keep_above, keep_left, value, leave = gate.split(hidden, -1)
            if peepholes.shape[1]:
                enter.addcmul_(state_above + state_left, peep[:, 0])
                keep_above.addcmul_(state_above, peep[:, 1])
                keep_left.addcmul_(state_left, peep[:, 2])
            gate[..., : 3 * hidden].sigmoid_()
            value.tanh_()
            new = states[:, d + 1, 1:]
            torch.mul(enter, value, out=new)
            new.addcmul_(keep_above, state_above).addcmul_(keep_left, state_left)
            new.mul_(inside[:, d])
            if peepholes.shape[1]:
                leave.addcmul_(new, peep[:, 3])
            torch.mul(leave.sigmoid_(), new.tanh(), out=outputs[:, d + 1, 1:])
        ctx.save_for_backward(gates, inside, outputs, states, above, left, peepholes)
        return unskew(outputs[:, 1:, 1:]).contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        """Return the gradients of all inputs but the mask."""
        gates, inside, outputs, states, above, left, peepholes = ctx.saved_tensors
        directions, steps, rows, batch, _ = gates.shape
        hidden, cells = above.shape[1], rows * batch
        state_above, state_left = states[:, :-1, :-1], states[:, :-1, 1:]
        enter, keep_above, keep_left, value, leave = gates.split(hidden, -1)
        bent = states[:, 1:, 1:].tanh()
        # What one unit of the state's (for the output gate: the output's) gradient is to each
        # gate's input; multiplied by that gradient on the way back.
        deltas = torch.empty_like(gates)
        to_enter, to_above, to_left, to_value, to_leave = deltas.split(hidden, -1)
        torch.mul(enter * (1 - enter), value, out=to_enter)
        torch.mul(keep_above * (1 - keep_above), state_above, out=to_above)
        torch.mul(keep_left * (1 - keep_left), state_left, out=to_left)
        torch.mul(1 - value.square(), enter, out=to_value)
        torch.mul(leave * (1 - leave), bent, out=to_leave)
        through = leave * (1 - bent.square())
        grad_outputs = torch.zeros_like(outputs)
        grad_states = torch.zeros_like(states)
        _slanted(grad_outputs[:, 1:, 1:], grad.shape[1]).copy_(grad)
        back_above, back_left = above.transpose(1, 2), left.transpose(1, 2)
        peep = peepholes.view(directions, -1, 1, 1, hidden)
        for d in range(steps - 1, -1, -1):
            delta, grad_output = deltas[:, d], grad_outputs[:, d + 1, 1:]
            grad_state = grad_states[:, d + 1, 1:]
            delta[..., 4 * hidden :].mul_(grad_output)
            grad_state.addcmul_(grad_output, through[:, d])
            if peepholes.shape[1]:
                grad_state.addcmul_(to_leave[:, d], peep[:, 3])
            grad_state.mul_(inside[:, d])
            delta[..., : 4 * hidden].unflatten(-1, (4, hidden)).mul_(grad_state.unsqueeze(-2))
            up, side = grad_states[:, d, :-1], grad_states[:, d, 1:]
            up.addcmul_(grad_state, keep_above[:, d])
            side.addcmul_(grad_state, keep_left[:, d])
            if peepholes.shape[1]:
                shared = to_enter[:, d] * peep[:, 0]
                up.add_(shared).addcmul_(to_above[:, d], peep[:, 1])
                side.add_(shared).addcmul_(to_left[:, d], peep[:, 2])
            flat = delta.view(directions, cells, -1)
            before = grad_outputs[:, d]
            before[:, :-1].view(directions, cells, hidden).baddbmm_(flat, back_above)
            before[:, 1:].view(directions, cells, hidden).baddbmm_(flat, back_left)
        flat = deltas.view(directions, -1, GATES * hidden)
        heard_above = outputs[:, :-1, :-1].reshape(directions, -1, hidden)
        heard_left = outputs[:, :-1, 1:].reshape(directions, -1, hidden)
        grad_peepholes = torch.zeros_like(peepholes)
        if peepholes.shape[1]:
            terms = (
                to_enter * (state_above + state_left), to_above * state_above,
                to_left * state_left, to_leave * states[:, 1:, 1:],
            )  # fmt: skip
            for k, term in enumerate(terms):
                grad_peepholes[:, k] = term.sum((1, 2, 3))
        return (
            unskew(deltas).contiguous(),
            torch.bmm(heard_above.transpose(1, 2), flat),
            torch.bmm(heard_left.transpose(1, 2), flat),
            grad_peepholes,
            None,
        )


@cache
def _fused_scan() -> type[torch.autograd.Function] | None:
    """The recurrence as one kernel, where Triton is installed."""
    try:
        from .mdlstm_triton import FusedScan
    except ImportError:
        return None
    return FusedScan


@cache
def _compiled_scan() -> type[torch.autograd.Function] | None:
    """The recurrence as one loop on a CPU, where Numba is installed."""
    try:
        from .mdlstm_numba import CompiledScan
    except ImportError:
        return None
    return CompiledScan


def four_corners(cells: Tensor) -> Tensor:
    """Turn a map so that each corner in turn is its upper left one.

    Args:
        cells: (columns, rows, batch, features).

    Returns:
        (4, columns, rows, batch, features): as it is, mirrored left to right, upside down, both.
    """
    return torch.stack([cells, cells.flip(0), cells.flip(1), cells.flip(0, 1)])


class MdLstm(nn.Module):
    """Four scans with weights of their own; (columns, rows, batch, in) -> (..., 4 * hidden).

    Args:
        in_features: of the map.
        hidden: cells of each direction.
        peepholes: whether the gates see the cell states, as in the paper.
    """

    def __init__(self, in_features: int, hidden: int, peepholes: bool = True):
        super().__init__()
        self.hidden = hidden
        self.out_features = DIRECTIONS * hidden
        # One matrix a direction and vectors for the rest: optimisers tell the two apart.
        self.weight = _matrices(in_features, hidden, in_features)
        self.above = _matrices(hidden, hidden, 2 * hidden)
        self.left = _matrices(hidden, hidden, 2 * hidden)
        # The forget gates start half open: two gates that are nearly open would make the
        # state grow with every diagonal.
        self.bias = _zeros(GATES * hidden)
        self.peepholes = _zeros(4 * hidden) if peepholes else None

    def forward(self, cells: Tensor, mask: Tensor) -> Tensor:
        """Scan a map.

        Args:
            cells: (columns, rows, batch, in).
            mask: (batch, columns), True where a column holds image.

        Returns:
            (columns, rows, batch, 4 * hidden), the directions side by side; 0 behind the mask.
        """
        turned = four_corners(cells)
        projected = torch.baddbmm(
            torch.stack([*self.bias]).unsqueeze(1), turned.flatten(1, 3), _stack(self.weight)
        )  # (4, columns * rows * batch, 5 * hidden)
        return self.scan(projected.view(*turned.shape[:4], -1), mask)

    def scan(self, projected: Tensor, mask: Tensor) -> Tensor:
        """Scan a map whose inputs are projected to the gates already.

        Args:
            projected: (4, columns, rows, batch, 5 * hidden), each direction's turned map.
            mask, and the result: see ``forward``.
        """
        real = self.bias[0].dtype
        inside = mask.T.to(real).view(projected.shape[1], 1, -1, 1)
        inside = four_corners(inside.expand(-1, projected.shape[2], -1, -1))
        peepholes = self.bias[0].new_zeros(DIRECTIONS, 0, self.hidden)
        if self.peepholes is not None:
            peepholes = torch.stack([*self.peepholes]).view(DIRECTIONS, 4, self.hidden)
        weights = _stack(self.above), _stack(self.left)
        fused = None
        if self.peepholes is None and real == torch.float32:
            if projected.is_cuda:
                fused = _fused_scan()
            elif self.hidden <= MOST_COMPILED:
                fused = _compiled_scan()
        with torch.autocast(projected.device.type, enabled=False):
            if fused is not None:
                found = fused.apply(projected.to(real), *weights, inside)
            else:
                found = DiagonalScan.apply(projected.to(real), *weights, peepholes, inside)
        a, b, c, d = found.unbind(0)  # (columns, rows, batch, hidden) each, still turned
        return torch.cat([a, b.flip(0), c.flip(1), d.flip(0, 1)], dim=-1)


def _matrices(in_features: int, hidden: int, fan_in: int) -> nn.ParameterList:
    """A (5 * hidden, in) matrix a direction, in Glorot's uniform start for one gate.

    Voigtlaender et al. 2016 found that deep networks need it instead of a fixed deviation.
    """
    bound = math.sqrt(6.0 / (fan_in + hidden))
    return nn.ParameterList(
        nn.Parameter(torch.empty(GATES * hidden, in_features).uniform_(-bound, bound))
        for _ in range(DIRECTIONS)
    )


def _zeros(size: int) -> nn.ParameterList:
    return nn.ParameterList(nn.Parameter(torch.zeros(size)) for _ in range(DIRECTIONS))


def _stack(matrices: nn.ParameterList) -> Tensor:
    """(4, in, 5 * hidden) of the directions' (5 * hidden, in)."""
    return torch.stack([*matrices]).transpose(1, 2)


def gather_blocks(cells: Tensor, rows: int, columns: int) -> Tensor:
    """Collect blocks of cells; the last ones are filled up with zeros.

    Args:
        cells: (columns, rows, batch, features).
        rows, columns: of a block.

    Returns:
        (columns / block's, rows / block's, batch, columns * rows of a block * features); within
        a block column after column.
    """
    width, height, batch, features = cells.shape
    cells = nn.functional.pad(cells, (0, 0, 0, 0, 0, -height % rows, 0, -width % columns))
    blocks = cells.view(-(-width // columns), columns, -(-height // rows), rows, batch, features)
    return blocks.permute(0, 2, 4, 1, 3, 5).flatten(3)


class MdLstmLevels(nn.Module):
    """Images to a map: blocks, scans, and tanh layers over blocks of all four directions.

    Args:
        block_rows, block_columns: of the input block and of those between the levels.
        hidden: cells of each direction, one number a level.
        features: of the tanh layers between the levels, one fewer.
        peepholes: see ``MdLstm``.
        dropout: on what the tanh layers read (Pham et al. 2014), not in the recurrence.

    Attributes:
        pixel_rows, pixel_columns: of the image in one cell of the map.
        out_features: of a cell.
    """

    def __init__(
        self,
        block_rows: tuple[int, ...],
        block_columns: tuple[int, ...],
        hidden: tuple[int, ...],
        features: tuple[int, ...],
        peepholes: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        if not len(block_rows) == len(block_columns) == len(hidden) == len(features) + 1:
            raise ValueError("Each level has a block and a size; one tanh layer lies between two.")
        self.blocks = tuple(zip(block_rows, block_columns, strict=True))
        self.pixel_rows, self.pixel_columns = math.prod(block_rows), math.prod(block_columns)
        sizes = [block_rows[0] * block_columns[0], *features]
        self.scans = nn.ModuleList(
            MdLstm(size, cells, peepholes) for size, cells in zip(sizes, hidden, strict=True)
        )
        # Without bias, as in Graves' own network: see ``architectures.mdlstm_ctc``.
        self.joins = nn.ModuleList(
            nn.Linear(DIRECTIONS * cells * high * wide, size, bias=False)
            for cells, size, (high, wide) in zip(
                hidden[:-1], features, self.blocks[1:], strict=True
            )
        )
        self.dropout = nn.Dropout(dropout)
        self.out_features = DIRECTIONS * hidden[-1]

    def forward(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode images.

        Args:
            images: (batch, 1, height, width); widths: (batch,) true widths in pixels.

        Returns:
            map (columns, rows, batch, out_features) and mask (batch, columns).
        """
        cells = gather_blocks(images.permute(3, 2, 0, 1), *self.blocks[0])
        covered = self.blocks[0][1]
        mask = _mask(widths, covered, len(cells))
        cells = self.scans[0](cells, mask)
        for scan, join, (rows, columns) in zip(
            self.scans[1:], self.joins, self.blocks[1:], strict=True
        ):
            blocks = self.dropout(gather_blocks(cells, rows, columns))
            covered *= columns
            mask = _mask(widths, covered, len(blocks))
            cells = scan(torch.tanh(join(blocks)), mask)
        return cells, mask


def _mask(widths: Tensor, pixels: int, columns: int) -> Tensor:
    """(batch, columns), True where a column holds image; a column covers ``pixels``."""
    return torch.arange(columns, device=widths.device) < (-(-widths // pixels)).unsqueeze(1)
