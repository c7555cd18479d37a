"""Scoring and searching with the attention decoder; the end symbol is part of every score."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from clinic_hwr.recognition.stages.prediction import AttentionDecoder


@torch.inference_mode()
def greedy(
    decoder: AttentionDecoder, columns: Tensor, mask: Tensor, max_length: int, forbidden: Tensor
) -> list[tuple[int, ...]]:
    """Write the most probable character at each step until the end symbol.

    Args:
        decoder: the fourth stage.
        columns: (batch, T, features); mask: (batch, T).
        max_length: stop here at the latest.
        forbidden: (classes,) True where a class may not be written.

    Returns:
        class sequences, without the end symbol.
    """
    projected = decoder.project_columns(columns)
    state = decoder.initial_state(columns)
    previous = torch.zeros(len(columns), dtype=torch.long, device=columns.device)
    done = torch.zeros(len(columns), dtype=torch.bool, device=columns.device)
    written = []
    for _ in range(max_length):
        logits, state = decoder.step(previous, state, columns, projected, mask)
        previous = logits.masked_fill(forbidden, float("-inf")).argmax(-1).masked_fill(done, 0)
        done = done | (previous == 0)
        written.append(previous)
        if bool(done.all()):
            break
    rows = torch.stack(written, dim=1).tolist()
    return [tuple(row[: row.index(0)] if 0 in row else row) for row in rows]


@torch.inference_mode()
def string_log_probabilities(
    decoder: AttentionDecoder,
    columns: Tensor,
    mask: Tensor,
    strings: Sequence[Sequence[int]],
) -> list[list[float]]:
    """Log probability of every character of given strings.

    Args:
        decoder: the fourth stage.
        columns: (n, T, features), one row a string; mask: (n, T).
        strings: n class sequences.

    Returns:
        for each string its characters' log probabilities, then the end symbol's.
    """
    longest = max(1, max(len(s) for s in strings))
    targets = torch.zeros(len(strings), longest, dtype=torch.long, device=columns.device)
    for row, string in enumerate(strings):
        targets[row, : len(string)] = torch.tensor(list(string), dtype=torch.long)
    log_probs = decoder(columns, mask, targets).float().log_softmax(-1)
    wanted = torch.cat([targets, targets.new_zeros(len(strings), 1)], dim=1)
    picked = log_probs.gather(2, wanted.unsqueeze(2)).squeeze(2).tolist()
    return [row[: len(string) + 1] for row, string in zip(picked, strings, strict=True)]
