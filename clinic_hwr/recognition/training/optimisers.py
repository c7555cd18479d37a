"""The optimisers a run can use: AdamW, or Muon for matrices with AdamW for the rest.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) orthogonalises the
momentum of every matrix. It needed about half the crops of AdamW here (docs/recognition.md),
for a third more time a crop.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

OptimiserName = Literal["adamw", "muon"]
ADAMW_SHARE = 0.5  # of Muon's rate: what the vectors beside the matrices were measured with


class MuonAndAdamW:
    """``torch.optim.Muon`` on hidden matrices and kernels, AdamW on everything else.

    Torch's Muon takes matrices only: kernels (out, in, h, w) are given to it as (out, in h w)
    views of the same memory. Vectors, embeddings, the first convolution and the layers
    that write classes are AdamW's, as Muon's author advises.

    Args:
        model: built, on its device and in its final memory format.
        weight_decay: of the matrices.
    """

    def __init__(self, model: nn.Module, weight_decay: float):
        matrices, rest = _split(model)
        self._kernels = matrices
        self._views = [nn.Parameter(_as_matrix(p.detach(), p)) for p in matrices]
        if any(v.data_ptr() != p.data_ptr() for v, p in zip(self._views, matrices, strict=True)):
            raise ValueError("A kernel of this model cannot be seen as a matrix without a copy.")
        self._muon = torch.optim.Muon(
            self._views, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
        )
        self._adamw = torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=0.0)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next step."""
        for group in self._muon.param_groups:
            group["lr"] = rate
        for group in self._adamw.param_groups:
            group["lr"] = ADAMW_SHARE * rate

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for kernel in self._kernels:
            kernel.grad = None
        self._adamw.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Move the weights along their gradients."""
        for view, kernel in zip(self._views, self._kernels, strict=True):
            view.grad = None if kernel.grad is None else _as_matrix(kernel.grad, kernel)
        self._muon.step()
        self._adamw.step()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"muon": self._muon.state_dict(), "adamw": self._adamw.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._muon.load_state_dict(state["muon"])
        self._adamw.load_state_dict(state["adamw"])


class AdamW:
    """AdamW; weight decay on matrices and kernels only."""

    def __init__(self, model: nn.Module, weight_decay: float):
        groups = [
            {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": weight_decay},
            {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self._adamw = torch.optim.AdamW(groups, betas=(0.9, 0.98))

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next step."""
        for group in self._adamw.param_groups:
            group["lr"] = rate

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self._adamw.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Move the weights along their gradients."""
        self._adamw.step()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return self._adamw.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._adamw.load_state_dict(state)


def make_optimiser(
    name: OptimiserName, model: nn.Module, weight_decay: float
) -> AdamW | MuonAndAdamW:
    """Build an optimiser for a model; ``ValueError`` for an unknown name."""
    if name == "adamw":
        return AdamW(model, weight_decay)
    if name == "muon":
        return MuonAndAdamW(model, weight_decay)
    raise ValueError(f"There is no optimiser {name!r}. Choose from: adamw, muon.")


def _split(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Hidden matrices, and everything else."""
    classes = getattr(getattr(model, "charset", None), "size", None)
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for p in model.parameters():
        edge = id(p) in embeddings or p.shape[0] == classes or (p.ndim > 2 and p.shape[1] == 1)
        (rest if p.ndim < 2 or edge else matrices).append(p)
    return matrices, rest


def _as_matrix(tensor: Tensor, kernel: Tensor) -> Tensor:
    """(out, ...) -> (out, rest), its columns in the order in which ``kernel`` is stored."""
    if kernel.ndim == 4 and not kernel.is_contiguous():
        return tensor.permute(0, 2, 3, 1).flatten(1)
    return tensor.flatten(1)
