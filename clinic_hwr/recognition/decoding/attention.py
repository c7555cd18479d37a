"""Scoring and searching with the attention decoder; the end symbol is part of every score."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from clinic_hwr.recognition.stages.prediction import Decoder


@torch.inference_mode()
def greedy(
    decoder: Decoder, columns: Tensor, mask: Tensor, max_length: int, forbidden: Tensor
) -> list[tuple[int, ...]]:
    """Write the most probable character at each step until the end symbol.

    Args:
        decoder: the fourth stage.
        columns: (batch, T, features); mask: (batch, T).
        max_length: stop here at the latest.
        forbidden: (classes,) or (batch, classes), True where a class may not be written.

    Returns:
        class sequences, without the end symbol.
    """
    memory = decoder.memory(columns, mask)
    state = decoder.initial_state(memory)
    previous = torch.zeros(len(columns), dtype=torch.long, device=columns.device)
    done = torch.zeros(len(columns), dtype=torch.bool, device=columns.device)
    written = []
    for _ in range(max_length):
        logits, state = decoder.step(previous, state, memory)
        previous = logits.masked_fill(forbidden, float("-inf")).argmax(-1).masked_fill(done, 0)
        done = done | (previous == 0)
        written.append(previous)
        if bool(done.all()):
            break
    rows = torch.stack(written, dim=1).tolist()
    return [tuple(row[: row.index(0)] if 0 in row else row) for row in rows]


@torch.inference_mode()
def beam(
    decoder: Decoder,
    columns: Tensor,
    mask: Tensor,
    width: int,
    max_length: int,
    forbidden: Tensor,
) -> list[list[tuple[tuple[int, ...], float]]]:
    """Search for the strings of the highest probability (Sutskever et al. 2014).

    A score is the sum of the log probabilities of the characters and the end symbol, as in
    ``string_log_probabilities``, and is not divided by the length: it stays the logarithm of a
    probability and can be compared with that of CTC. A string that has ended keeps its place in
    the beam, so ``width`` 1 is ``greedy``.

    Args:
        decoder: the fourth stage.
        columns: (batch, T, features); mask: (batch, T).
        width: strings kept after each step.
        max_length: steps at most; a string that ends has fewer characters.
        forbidden: (classes,) or (batch, classes), True where a class may not be written.

    Returns:
        for each crop at most ``width`` strings that ended, best first, without the end symbol;
        if none did, the best one that did not, with its score so far.
    """
    batch, classes = len(columns), decoder.classes
    rows = torch.arange(batch, device=columns.device)
    firsts = (rows * width).unsqueeze(1)  # (batch, 1) each crop's first place in the beam
    columns = columns.repeat_interleave(width, dim=0)
    mask = mask.repeat_interleave(width, dim=0)
    closed = forbidden.expand(batch, classes).unsqueeze(1)
    memory = decoder.memory(columns, mask)
    state = decoder.initial_state(memory)
    scores = columns.new_full((batch, width), float("-inf"), dtype=torch.float32)
    scores[:, 0] = 0.0
    done = torch.zeros(batch, width, dtype=torch.bool, device=columns.device)
    written = torch.zeros(batch, width, 0, dtype=torch.long, device=columns.device)
    previous = torch.zeros(batch * width, dtype=torch.long, device=columns.device)
    only_end = torch.full((classes,), float("-inf"), device=columns.device)
    only_end[0] = 0.0
    for _ in range(max_length):
        logits, state = decoder.step(previous, state, memory)
        log_probs = logits.float().log_softmax(-1).view(batch, width, classes)
        log_probs = log_probs.masked_fill(closed, float("-inf"))
        log_probs = torch.where(done.unsqueeze(2), only_end, log_probs)
        scores, chosen = (scores.unsqueeze(2) + log_probs).view(batch, -1).topk(width)
        parents, new = chosen // classes, chosen % classes  # (batch, width)
        written = torch.cat(
            [written.gather(1, parents.unsqueeze(2).expand_as(written)), new.unsqueeze(2)], dim=2
        )
        done = new == 0
        if bool((done | scores.isneginf()).all()):
            break
        order = (firsts + parents).flatten()
        state = tuple(part[order] for part in state)
        previous = new.flatten()
    return [
        _ended(*crop) for crop in zip(written.tolist(), scores.tolist(), done.tolist(), strict=True)
    ]


def _ended(
    rows: list[list[int]], scores: list[float], done: list[bool]
) -> list[tuple[tuple[int, ...], float]]:
    """The strings of one beam, sorted already, that ended; else the best."""
    found = [
        (tuple(c for c in row if c != 0), score)
        for row, score, ended in zip(rows, scores, done, strict=True)
        if ended and score > float("-inf")
    ]
    return found or [(tuple(rows[0]), scores[0])]


@torch.inference_mode()
def string_log_probabilities(
    decoder: Decoder,
    columns: Tensor,
    mask: Tensor,
    strings: Sequence[Sequence[Sequence[int]]],
) -> list[list[list[float]]]:
    """Log probability of every character of given strings, several for each crop.

    Args:
        decoder: the fourth stage.
        columns: (batch, T, features); mask: (batch, T).
        strings: for each crop its class sequences; at least one in all.

    Returns:
        for each crop and string the characters' log probabilities, then the end symbol's.
    """
    batch, most = len(columns), max(len(some) for some in strings)
    longest = max(len(string) for some in strings for string in some)
    targets = torch.zeros(batch, most, longest + 1, dtype=torch.long, device=columns.device)
    for b, some in enumerate(strings):
        for k, string in enumerate(some):
            targets[b, k, : len(string)] = torch.tensor(list(string), dtype=torch.long)
    picked = decoder.score_strings(columns, mask, targets).tolist()
    return [
        [row[: len(string) + 1] for row, string in zip(rows, some, strict=False)]
        for rows, some in zip(picked, strings, strict=True)
    ]
