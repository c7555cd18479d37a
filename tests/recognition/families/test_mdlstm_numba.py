"""The compiled recurrence gives what the one by anti-diagonals gives."""

from __future__ import annotations

import pytest
import torch

from clinic_hwr.recognition.stages.mdlstm import DIRECTIONS, GATES, DiagonalScan, MdLstm

numba = pytest.importorskip("clinic_hwr.recognition.stages.mdlstm_numba")


@pytest.mark.parametrize(
    ("columns", "rows", "batch", "hidden"),
    [(1, 1, 1, 1), (5, 3, 2, 4), (2, 7, 3, 8), (9, 1, 1, 5), (6, 4, 5, 16), (4, 6, 2, 64)],
)
@pytest.mark.parametrize("masked", [False, True])
def test_the_compiled_scan_is_the_scan(columns, rows, batch, hidden, masked):
    torch.manual_seed(3)
    projected = torch.randn(DIRECTIONS, columns, rows, batch, GATES * hidden)
    above, left = 0.3 * torch.randn(2, DIRECTIONS, hidden, GATES * hidden) / hidden**0.5
    mask = torch.ones(DIRECTIONS, columns, rows, batch, 1)
    if masked:
        mask = (torch.rand(DIRECTIONS, columns, 1, batch, 1) > 0.4).float().expand_as(mask)
    grad = torch.randn(DIRECTIONS, columns, rows, batch, hidden)
    none = torch.zeros(DIRECTIONS, 0, hidden)

    results = []
    for compiled in (False, True):
        inputs = [x.clone().requires_grad_() for x in (projected, above, left)]
        if compiled:
            outputs = numba.CompiledScan.apply(*inputs, mask)
        else:
            outputs = DiagonalScan.apply(*inputs, none, mask)
        results.append([outputs, *torch.autograd.grad(outputs, inputs, grad)])

    for wanted, found in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_extreme_inputs_saturate():
    projected = torch.tensor([-1e9, -100.0, 100.0, 1e9, 50.0]).expand(DIRECTIONS, 1, 1, 1, GATES)
    weights = torch.zeros(DIRECTIONS, 1, GATES)
    mask = torch.ones(DIRECTIONS, 1, 1, 1, 1)

    found = numba.CompiledScan.apply(projected, weights, weights, mask)

    assert found.abs().max() < 1e-5  # the input gate is shut


def test_scans_without_peepholes_are_compiled_on_a_cpu(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "clinic_hwr.recognition.stages.mdlstm._compiled_scan",
        lambda: calls.append(1) or numba.CompiledScan,
    )

    MdLstm(2, 3, peepholes=False)(torch.randn(4, 2, 1, 2), torch.ones(1, 4, dtype=torch.bool))
    MdLstm(2, 3, peepholes=True)(torch.randn(4, 2, 1, 2), torch.ones(1, 4, dtype=torch.bool))

    assert calls == [1]
