"""The one-kernel recurrence against the plain one; needs Triton, and a GPU or its interpreter.

CI has neither: the wheel weighs 188 MB. On a CPU: ``pip install triton``, then
``TRITON_INTERPRET=1 pytest`` on this file. With numpy 2.4.6 the interpreter of Triton 3.6
runs once its ``tensor.__index__`` takes ``.item()`` of the array.
"""

from __future__ import annotations

import os

import pytest
import torch

from clinic_hwr.recognition.stages.mdlstm import DIRECTIONS, GATES, DiagonalScan

pytest.importorskip("triton")
if not (torch.cuda.is_available() or os.environ.get("TRITON_INTERPRET")):
    pytest.skip("no GPU, and Triton does not interpret", allow_module_level=True)

from clinic_hwr.recognition.stages.mdlstm_triton import FusedScan

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
TOLERANCE = 1e-5 if DEVICE == "cpu" else 5e-3  # a GPU's products are TF32


@pytest.mark.parametrize("shape", [(5, 3, 2, 4), (4, 6, 2, 8), (7, 2, 1, 16)])
def test_outputs_and_gradients_are_those_of_the_plain_recurrence(
    shape: tuple[int, int, int, int],
) -> None:
    columns, rows, batch, hidden = shape
    torch.manual_seed(0)

    def drawn(*size: int, scale: float = 1.0) -> torch.Tensor:
        return (scale * torch.randn(size, device=DEVICE)).requires_grad_()

    projected = drawn(DIRECTIONS, columns, rows, batch, GATES * hidden)
    above = drawn(DIRECTIONS, hidden, GATES * hidden, scale=0.3)
    left = drawn(DIRECTIONS, hidden, GATES * hidden, scale=0.3)
    mask = torch.ones(DIRECTIONS, columns, rows, batch, 1, device=DEVICE)
    mask[0, columns - 2 :, :, 0] = 0
    mask[1, :2, :, 0] = 0
    inputs = (projected, above, left)
    none = projected.new_zeros(DIRECTIONS, 0, hidden)
    plain = DiagonalScan.apply(*inputs, none, mask)
    fused = FusedScan.apply(*inputs, mask)
    seed = torch.randn_like(plain)
    wanted = torch.autograd.grad(plain, inputs, seed)
    found = torch.autograd.grad(fused, inputs, seed)
    torch.testing.assert_close(fused, plain, rtol=TOLERANCE, atol=TOLERANCE)
    for mine, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(
            mine, theirs, rtol=TOLERANCE, atol=TOLERANCE * float(theirs.abs().max())
        )
