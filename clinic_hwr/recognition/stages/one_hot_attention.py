"""The attention decoder of Baek et al. 2019 as published; ``prediction`` has a richer one."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from .prediction import AttentionDecoder


class OneHotAttentionDecoder(AttentionDecoder):
    """Smaller at both ends than ``AttentionDecoder``.

    The character before is fed one-hot, and the next one is predicted from the state alone.
    """

    def __init__(self, in_features: int, hidden: int, classes: int):
        super().__init__(in_features, hidden, classes, embedding=classes)
        self.embed = _OneHot(classes)
        self.output = nn.Linear(hidden, classes)

    def logits(self, hidden: Tensor, context: Tensor) -> Tensor:
        """Logits (batch, classes) of the state."""
        logits: Tensor = self.output(hidden)
        return logits


class _OneHot(nn.Module):
    """Classes as vectors of one 1."""

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes

    def forward(self, classes: Tensor) -> Tensor:
        return F.one_hot(classes, self.classes).float()
