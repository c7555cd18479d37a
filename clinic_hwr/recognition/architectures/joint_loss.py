"""Losses of the families that spell: smoothed characters, beside CTC where a preset wants it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .contract import Encoded, ctc_loss


def smoothed_kl(logits: Tensor, targets: Tensor, lengths: Tensor, label_smoothing: float) -> Tensor:
    """Mean Kullback-Leibler divergence a character, end symbol included; in float32.

    The wanted distribution gives the true class ``1 - label_smoothing`` and shares the rest
    among all others, as Kang et al. 2018 do. It differs from smoothed cross entropy by its
    entropy: the smallest value is 0. The end symbol is a class like any other; what lies
    behind it counts nothing.

    Args:
        logits: (batch, L + 1, classes); see ``Decoder``.
        targets: (batch, L) classes, 0 behind the end; lengths: (batch,).
        label_smoothing: in 0..1, what the wrong classes share.
    """
    log_probs = logits.float().log_softmax(-1)
    wanted = F.pad(targets, (0, 1)).unsqueeze(2)  # (B, L + 1, 1)
    truth = torch.full_like(log_probs, label_smoothing / (log_probs.shape[2] - 1))
    truth = truth.scatter(2, wanted, 1 - label_smoothing)
    divergence = F.kl_div(log_probs, truth, reduction="none").sum(2)
    steps = torch.arange(logits.shape[1], device=logits.device)
    return divergence[steps <= lengths.unsqueeze(1)].mean()


def joint_loss(
    encoded: Encoded,
    logits: Tensor,
    targets: Tensor,
    lengths: Tensor,
    ctc_weight: float,
    label_smoothing: float,
) -> dict[str, Tensor]:
    """Characters' loss and CTC's, weighted (Kim et al. 2017; Barrere et al. 2022 for handwriting).

    Args:
        encoded: with CTC logits unless ``ctc_weight`` is 0.
        logits: (batch, L + 1, classes); see ``Decoder``.
        targets: (batch, L) classes, 0 behind the end; lengths: (batch,).
        ctc_weight: share of CTC, from 0 to below 1.
        label_smoothing: see ``smoothed_kl``.

    Returns:
        ``loss`` and its parts ``attention`` and, if it counts, ``ctc``.
    """
    spelling = smoothed_kl(logits, targets, lengths, label_smoothing)
    if encoded.ctc_logits is None:
        return {"loss": spelling, "attention": spelling.detach()}
    ctc = ctc_loss(encoded.ctc_logits, encoded.mask, targets, lengths)
    total = ctc_weight * ctc + (1 - ctc_weight) * spelling
    return {"loss": total, "ctc": ctc.detach(), "attention": spelling.detach()}
