"""The compiled recurrence against the plain one; needs Numba, as the extras train and dev bring."""

from __future__ import annotations

import pytest
import torch

from clinic_hwr.recognition.stages import mdlstm
from clinic_hwr.recognition.stages.mdlstm import DIRECTIONS, GATES, DiagonalScan, MdLstm
from clinic_hwr.recognition.stages.mdlstm_kernels import LARGEST_COMPILED, Kernels, kernels

pytest.importorskip("numba")

from clinic_hwr.recognition.stages.mdlstm_numba import CompiledLocatedScan, CompiledScan
from clinic_hwr.recognition.stages.mdlstm_numba_kernels import BLOCK

# columns, rows, batch, hidden: hidden that no vector divides, batches of no whole block
SHAPES = [(5, 3, 2, 5), (4, 6, BLOCK + 3, 8), (7, 1, 1, 5), (1, 4, 3, 5), (1, 1, 1, 5)]


def _inputs(columns, rows, batch, hidden):
    """Projected map, weights from above and from the left, mask with ended crops."""
    torch.manual_seed(0)
    projected = torch.randn(DIRECTIONS, columns, rows, batch, GATES * hidden)
    above, left = 0.3 * torch.randn(2, DIRECTIONS, hidden, GATES * hidden)
    mask = torch.ones(DIRECTIONS, columns, rows, batch, 1)
    if columns > 2:
        mask[0, columns - 2 :, :, 0] = 0
        mask[1, :2, :, -1] = 0
    return tuple(t.requires_grad_() for t in (projected, above, left)), mask


def _plain(inputs, mask):
    return DiagonalScan.apply(*inputs, inputs[0].new_zeros(DIRECTIONS, 0, inputs[1].shape[1]), mask)


def _assert_equal(compiled, plain, inputs):
    """Two scans of the same inputs have the same outputs and gradients."""
    seed = torch.randn_like(plain)
    wanted = torch.autograd.grad(plain, inputs, seed)
    found = torch.autograd.grad(compiled, inputs, seed)
    torch.testing.assert_close(compiled, plain, rtol=0, atol=2e-6)
    for mine, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5 * float(1 + theirs.abs().max()))


@pytest.mark.parametrize("shape", SHAPES)
def test_outputs_and_gradients_are_those_of_the_plain_recurrence(shape):
    inputs, mask = _inputs(*shape)
    plain, compiled = _plain(inputs, mask), CompiledScan.apply(*inputs, mask)
    _assert_equal(compiled, plain, inputs)


def test_gradients_are_the_slopes_of_the_plain_recurrence_in_double_precision():
    inputs, mask = _inputs(4, 3, 2, 5)
    seed = torch.randn(DIRECTIONS, 4, 3, 2, 5)
    found = torch.autograd.grad(CompiledScan.apply(*inputs, mask), inputs, seed)
    exact = [t.detach().double() for t in inputs]
    for k, gradient in enumerate(found):
        step = 1e-4 * torch.randn_like(exact[k])
        up, down = ([*exact[:k], exact[k] + sign * step, *exact[k + 1 :]] for sign in (1, -1))
        rise = ((_plain(up, mask.double()) - _plain(down, mask.double())) * seed).sum() / 2
        assert float((gradient * step).sum()) == pytest.approx(float(rise), rel=1e-4)


def test_an_item_reads_the_same_in_any_batch_and_again():
    inputs, mask = _inputs(5, 3, BLOCK + 1, 8)
    whole = CompiledScan.apply(*inputs, mask)
    assert torch.equal(CompiledScan.apply(*inputs, mask), whole)
    for n in (0, BLOCK):
        alone = CompiledScan.apply(
            inputs[0][:, :, :, n : n + 1], *inputs[1:], mask[:, :, :, n, None]
        )
        assert torch.equal(alone[:, :, :, 0], whole[:, :, :, n])


def test_inputs_need_not_lie_in_order_and_need_no_gradient():
    inputs, mask = _inputs(4, 3, 2, 5)
    wanted = CompiledScan.apply(*inputs, mask)
    with torch.inference_mode():
        scattered = [t.detach().transpose(1, 2).contiguous().transpose(1, 2) for t in inputs]
        assert not scattered[0].is_contiguous()
        assert torch.equal(CompiledScan.apply(*scattered, mask), wanted)
    scanned = CompiledScan.apply(*inputs, mask)
    spread = torch.autograd.grad(scanned.sum(), inputs)  # one number, expanded over the map
    ones = torch.autograd.grad(wanted, inputs, torch.ones_like(wanted))
    assert all(torch.equal(a, b) for a, b in zip(spread, ones, strict=True))


def test_gates_that_are_wide_open_or_shut_saturate_and_what_is_no_number_shows():
    inputs, mask = _inputs(2, 2, 1, 5)
    far = (1e4 * inputs[0].detach(), *inputs[1:])
    torch.testing.assert_close(CompiledScan.apply(*far, mask), _plain(far, mask), rtol=0, atol=1e-6)
    far[0][0, 0, 0, 0, 0] = float("nan")
    assert CompiledScan.apply(*far, mask)[0, 0, 0, 0, 0].isnan()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_scan_that_adds_up_its_inputs_is_a_scan_of_their_sum(shape):
    (gates, above, left), mask = _inputs(*shape)
    columns, rows, batch, hidden = shape
    drawn = (
        torch.randn(DIRECTIONS, batch, GATES * hidden),
        torch.rand(DIRECTIONS, columns, rows, batch),
        torch.randn(DIRECTIONS, GATES * hidden),
    )
    content, place, location = (one.requires_grad_() for one in drawn)
    inputs = gates, content, place, location, above, left
    at = place.unsqueeze(-1) * location[:, None, None, None]
    plain = _plain((gates + content[:, None, None] + at, above, left), mask)
    compiled = CompiledLocatedScan.apply(*inputs, mask)
    _assert_equal(compiled, plain, inputs)


@pytest.mark.parametrize(
    ("peepholes", "dtype", "used"),
    [(False, torch.float32, True), (True, torch.float32, False), (False, torch.float64, False)],
)
def test_a_layer_on_a_cpu_uses_it_where_it_can(monkeypatch, peepholes, dtype, used):
    scans = []

    class Watched(CompiledScan):
        @staticmethod
        def forward(ctx, *inputs):
            scans.append(len(inputs))
            return CompiledScan.forward(ctx, *inputs)

    assert kernels("cpu", 5) == (CompiledScan, CompiledLocatedScan)
    assert kernels("cpu", LARGEST_COMPILED + 1) is None
    monkeypatch.setattr(
        mdlstm, "kernels", lambda *where: {("cpu", 5): Kernels(Watched, None)}[where]
    )
    layer = MdLstm(3, 5, peepholes).to(dtype)
    layer(torch.randn(4, 3, 2, 3, dtype=dtype), torch.ones(2, 4, dtype=torch.bool))
    assert bool(scans) is used


def test_without_numba_a_layer_reads_the_same(monkeypatch):
    torch.manual_seed(0)
    layer, cells = MdLstm(3, 5, peepholes=False), torch.randn(4, 3, 2, 3)
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    gates, place = torch.randn(DIRECTIONS, 4, 3, 2, GATES * 5), torch.rand(4, 3, 2)
    content, location = torch.randn(DIRECTIONS, 2, GATES * 5), torch.randn(DIRECTIONS, GATES * 5)
    wanted = layer(cells, mask)
    located = layer.scan_located(gates, content, place, location, mask)
    monkeypatch.setattr(mdlstm, "kernels", lambda *where: None)
    torch.testing.assert_close(layer(cells, mask), wanted, rtol=0, atol=1e-6)
    torch.testing.assert_close(
        layer.scan_located(gates, content, place, location, mask), located, rtol=0, atol=1e-6
    )
