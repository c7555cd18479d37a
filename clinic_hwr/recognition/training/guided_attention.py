"""Telling an attention where to look, by the alignment that CTC finds.

An attention over a map that starts everywhere at once learns where to look from the characters
alone only after very many blocks. The encoder's own CTC layer knows already where in a line each
character lies; attention guided so is known from speech (Watanabe et al. 2017 train both losses,
Zhang et al. 2018 align by force).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

NEVER = -1e9
REACH = 2  # columns on either side of a letter's peak, in which looking is right


@torch.no_grad()
def align(log_probs: Tensor, mask: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """Find the column of each character (Viterbi over the CTC states of a batch).

    Args:
        log_probs: (batch, T, classes), blank is class 0.
        mask: (batch, T), True where a column holds image.
        targets: (batch, L) classes; lengths: (batch,).

    Returns:
        (batch, L) columns at which the characters peak; -1 behind the end, and everywhere for
        a text that does not fit.
    """
    batch, times, _ = log_probs.shape
    most = targets.shape[1]
    labels = targets.new_zeros(batch, 2 * most + 1)
    labels[:, 1::2] = targets
    skip = torch.zeros_like(labels, dtype=torch.bool)
    skip[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    emit = log_probs.float().gather(2, labels.unsqueeze(1).expand(-1, times, -1))
    score = emit.new_full(labels.shape, NEVER)
    score[:, :2] = emit[:, 0, :2]
    back = []
    for t in range(1, times):
        one, two = F.pad(score, (1, 0), value=NEVER)[:, :-1], F.pad(score, (2, 0), value=NEVER)
        choices = torch.stack([score, one, two[:, :-2].masked_fill(~skip, NEVER)])
        best, step = choices.max(0)
        inside = mask[:, t, None]
        score = torch.where(inside, best + emit[:, t], score)
        back.append(step.masked_fill(~inside, 0))
    ends = torch.stack([2 * lengths - 1, 2 * lengths], dim=1).clamp_min(0)
    final, which = score.gather(1, ends).max(1)
    state = ends.gather(1, which.unsqueeze(1)).squeeze(1)
    peaks = emit.new_full((batch, most + 1), NEVER)
    columns = targets.new_full((batch, most + 1), -1)
    everyone = torch.arange(batch, device=targets.device)
    for t in range(times - 1, -1, -1):
        character = torch.where(state % 2 == 1, state // 2, most)  # blanks go to the spare one
        here = emit[everyone, t, state]
        better = (here > peaks[everyone, character]) & mask[:, t]
        peaks[everyone, character] = torch.where(better, here, peaks[everyone, character])
        columns[everyone, character] = torch.where(better, t, columns[everyone, character])
        if t:
            state = state - back[t - 1][everyone, state]
    beyond = torch.arange(most, device=targets.device) >= lengths.unsqueeze(1)
    return columns[:, :most].masked_fill(beyond | (final < NEVER / 2).unsqueeze(1), -1)


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
