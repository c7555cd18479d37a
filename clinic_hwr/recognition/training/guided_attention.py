"""Telling an attention where to look, by the alignment that CTC finds.

An attention over a map that starts everywhere at once learns where to look from the characters
alone only after very many blocks. The encoder's own CTC layer knows already where in a line each
character lies. That CTC helps an attention on the same encoder is known from speech (Watanabe et
al. 2017, who train both losses and guide nothing).
"""

from __future__ import annotations

import torch
from torch import Tensor

from clinic_hwr.recognition.decoding.ctc import forced_alignment

REACH = 2  # columns on either side of a letter's peak, in which looking is right


@torch.no_grad()
def align(log_probs: Tensor, mask: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """Find the column of each character; see ``decoding.ctc.forced_alignment``.

    Args:
        log_probs: (batch, T, classes), blank is class 0.
        mask: (batch, T), True where a column holds image.
        targets: (batch, L) classes; lengths: (batch,).

    Returns:
        (batch, L) columns at which the characters peak; -1 behind the end, and everywhere for
        a text that does not fit.
    """
    columns = torch.full_like(targets, -1)
    widths = mask.sum(1).tolist()
    for item, (width, length) in enumerate(zip(widths, lengths.tolist(), strict=True)):
        string = targets[item, :length].tolist()
        found = forced_alignment(log_probs[item, :width].float().cpu().numpy(), string)
        if found is not None:
            columns[item, :length] = columns.new_tensor(found[0])
    return columns


def guide_loss(attention: Tensor, columns: Tensor, rows: Tensor, height: int) -> Tensor:
    """How little of the attention lies where the characters are.

    Args:
        attention: (batch, steps, columns * height), steps at least L.
        columns: (batch, L) of ``align``; -1 = unknown.
        rows: (batch, L, height), 1 where the character's line lies, else 0.
        height: rows of the map.

    Returns:
        mean of -log(share of the attention within ``REACH`` columns), in nats a character.
    """
    known = columns >= 0
    if not bool(known.any()):
        return attention.sum() * 0
    map_ = attention[:, : columns.shape[1]].unflatten(2, (-1, height))  # (B, L, columns, height)
    mass = (map_ * rows.unsqueeze(2)).sum(3)
    place = torch.arange(mass.shape[2], device=mass.device)
    near = (place - columns.unsqueeze(2)).abs() <= REACH
    share = (mass * near).sum(2)[known]
    return -share.clamp_min(1e-6).log().mean()


def places(columns: Tensor, rows: Tensor, width: int) -> Tensor:
    """Attention that lies evenly on each character and its neighbouring columns.

    Args:
        columns, rows: see ``guide_loss``; width: columns of the map.

    Returns:
        (batch, L, width * height), each sums to 1, or to 0 where nothing is known.
    """
    near = (torch.arange(width, device=columns.device) - columns.unsqueeze(2)).abs() <= 1
    near = near & (columns >= 0).unsqueeze(2)
    cells = (near.unsqueeze(3) * rows.unsqueeze(2)).flatten(2)
    return cells / cells.sum(2, keepdim=True).clamp_min(1.0)
