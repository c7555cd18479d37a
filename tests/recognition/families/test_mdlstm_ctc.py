"""The multidimensional LSTM against its definition, and the network against the paper's size."""

from dataclasses import replace

import pytest
import torch

from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.mdlstm import (
    MdLstm,
    MdLstmLevels,
    gather_blocks,
    skew,
    unskew,
)

MIRRORS = [(False, False), (True, False), (False, True), (True, True)]  # (columns, rows)


def _layer(in_features=3, hidden=4, peepholes=True):
    torch.manual_seed(0)
    layer = MdLstm(in_features, hidden, peepholes).double()
    for p in layer.parameters():  # biases and peepholes start at zero: nothing would be tested
        torch.nn.init.normal_(p, std=0.7)
    return layer


def _cells(columns=5, rows=3, batch=2, features=3):
    torch.manual_seed(1)
    return torch.randn(columns, rows, batch, features, dtype=torch.double, requires_grad=True)


def _defined(layer, cells, mask):
    """Cell by cell, gate by gate, direction by direction: equations of the paper."""
    columns, rows, batch, _ = cells.shape
    nothing = cells.new_zeros(batch, layer.hidden)
    found = []
    for k, (from_right, from_below) in enumerate(MIRRORS):
        state, output = {}, {}
        for j in reversed(range(columns)) if from_right else range(columns):
            for i in reversed(range(rows)) if from_below else range(rows):
                above = (j, i + 1 if from_below else i - 1)
                left = (j + 1 if from_right else j - 1, i)
                s_above, s_left = state.get(above, nothing), state.get(left, nothing)
                gates = (
                    cells[j, i] @ layer.weight[k].T
                    + layer.bias[k]
                    + output.get(above, nothing) @ layer.above[k].T
                    + output.get(left, nothing) @ layer.left[k].T
                )
                enter, keep_above, keep_left, value, leave = gates.split(layer.hidden, -1)
                if layer.peepholes is not None:
                    peep = layer.peepholes[k].view(4, layer.hidden)
                    enter = enter + peep[0] * s_above + peep[0] * s_left
                    keep_above = keep_above + peep[1] * s_above
                    keep_left = keep_left + peep[2] * s_left
                s = (
                    enter.sigmoid() * value.tanh()
                    + keep_above.sigmoid() * s_above
                    + keep_left.sigmoid() * s_left
                ) * mask[:, j, None]
                if layer.peepholes is not None:
                    leave = leave + peep[3] * s
                state[j, i], output[j, i] = s, leave.sigmoid() * s.tanh()
        found.append(
            torch.stack([torch.stack([output[j, i] for i in range(rows)]) for j in range(columns)])
        )
    return torch.cat(found, dim=-1)


@pytest.mark.parametrize("peepholes", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (2, 4), (1, 3), (4, 1)])
def test_diagonals_compute_what_a_double_loop_computes_and_so_do_their_gradients(shape, peepholes):
    layer, cells = _layer(peepholes=peepholes), _cells(*shape)
    mask = torch.arange(shape[0]) < torch.tensor([[shape[0]], [max(1, shape[0] - 2)]])
    fast, slow = layer(cells, mask), _defined(layer, cells, mask)
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-12)
    torch.manual_seed(2)
    weight = torch.randn_like(fast)
    wanted = [cells, *layer.parameters()]
    for a, b in zip(
        torch.autograd.grad((fast * weight).sum(), wanted),
        torch.autograd.grad((slow * weight).sum(), wanted),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11)


def test_each_direction_hears_its_own_quadrant_and_no_other():
    layer, cells = _layer(), _cells(5, 4)
    mask = torch.ones(2, 5, dtype=torch.bool)
    for k, (from_right, from_below) in enumerate(MIRRORS):
        own = layer(cells, mask)[2, 1, 0, 4 * k : 4 * (k + 1)]  # column 2, row 1
        [grad] = torch.autograd.grad(own.sum(), cells)
        columns = slice(2, None) if from_right else slice(None, 3)
        rows = slice(1, None) if from_below else slice(None, 2)
        heard = torch.zeros(5, 4, dtype=torch.bool)
        heard[columns, rows] = True
        assert torch.equal(grad[:, :, 0].abs().sum(-1) > 0, heard)
        assert not grad[:, :, 1].any()  # of its batch mate


def test_each_direction_has_weights_of_its_own():
    layer, cells = _layer(), _cells()
    mask = torch.ones(2, 5, dtype=torch.bool)
    before = layer(cells, mask)
    with torch.no_grad():
        layer.above[2][:] = 0.0
    changed = (layer(cells, mask) != before).flatten(0, 2).any(0).view(4, -1).any(1)
    assert changed.tolist() == [False, False, True, False]


def test_there_is_one_forget_gate_a_dimension():
    layer = MdLstm(1, 1, peepholes=False).double()
    with torch.no_grad():
        for p in layer.parameters():
            p.zero_()
        for bias in layer.bias:  # shut above, open to the left, output open
            bias.copy_(torch.tensor([0.0, -50.0, 50.0, 0.0, 50.0]))
        for weight in layer.weight:
            weight[3] = 1.0  # the cell's input only
    cells = torch.zeros(3, 3, 1, 1, dtype=torch.double)
    cells[0, 0] = 1.0
    found = layer(cells, torch.ones(1, 3, dtype=torch.bool))[..., 0, 0]
    kept = torch.tanh(0.5 * torch.tanh(torch.tensor(1.0, dtype=torch.double)))
    assert found[:, 0].tolist() == pytest.approx([float(kept)] * 3)
    assert found[:, 1:].abs().max() < 1e-12


def test_padding_is_as_if_the_map_ended_there():
    layer, cells = _layer(), _cells(4, 3, 1)
    padded = torch.nn.functional.pad(cells, (0, 0, 0, 0, 0, 0, 0, 3), value=9.0)
    alone = layer(cells, torch.ones(1, 4, dtype=torch.bool))
    beside = layer(padded, torch.arange(7).unsqueeze(0) < 4)
    torch.testing.assert_close(beside[:4], alone, rtol=0, atol=1e-12)
    assert not beside[4:].any()


def test_skewing_puts_anti_diagonals_into_one_step():
    cells = torch.arange(1, 7).view(1, 3, 2, 1, 1)  # columns (1 2), (3 4), (5 6)
    diagonals = skew(cells)
    assert diagonals.flatten().tolist() == [1, 0, 3, 2, 5, 4, 0, 6]
    assert torch.equal(unskew(diagonals), cells)


def test_a_block_holds_its_pixels_column_by_column_and_is_filled_up_with_paper():
    image = torch.arange(1, 16).view(3, 5).float()  # rows 1..5, 6..10, 11..15
    blocks = gather_blocks(image.T[:, :, None, None], rows=2, columns=3)
    assert blocks.shape == (2, 2, 1, 6)
    assert blocks[0, 0, 0].tolist() == [1, 6, 2, 7, 3, 8]
    assert blocks[1, 0, 0].tolist() == [4, 9, 5, 10, 0, 0]
    assert blocks[1, 1, 0].tolist() == [14, 0, 15, 0, 0, 0]


def test_the_mask_counts_blocks_of_blocks():
    levels = MdLstmLevels((4, 4, 4), (3, 3, 2), (1, 1, 1), (2, 2))
    cells, mask = levels(torch.rand(4, 1, 64, 54), torch.tensor([1, 18, 19, 54]))
    assert cells.shape == (3, 1, 4, 4)
    assert mask.sum(1).tolist() == [1, 1, 2, 3]
    assert (levels.pixel_rows, levels.pixel_columns) == (64, 18)


def test_a_crop_reads_the_same_beside_a_wider_one_even_in_training():
    torch.manual_seed(4)
    model = architecture("mdlstm_ctc").build(preset("mdlstm_ctc", "tiny"), Charset("ab")).train()
    image = torch.rand(1, 1, 32, 64)
    batch = torch.cat([torch.nn.functional.pad(image, (0, 32)), torch.rand(1, 1, 32, 96)])
    alone = model.encode_batch(image, torch.tensor([64])).ctc_logits[0]
    beside = model.encode_batch(batch, torch.tensor([64, 96]))
    assert beside.mask.sum(1).tolist() == [16, 24]
    torch.testing.assert_close(beside.ctc_logits[0, :16], alone, rtol=0, atol=1e-5)


def test_the_last_map_is_summed_over_its_height():
    torch.manual_seed(4)
    model = architecture("mdlstm_ctc").build(preset("mdlstm_ctc", "tiny"), Charset("ab")).eval()
    images, widths = torch.rand(2, 1, 32, 64), torch.tensor([64, 64])
    cells, _ = model.levels(images, widths)
    assert cells.shape[1] == 2
    columns = model.encode(images, widths).columns
    torch.testing.assert_close(columns, (cells[:, 0] + cells[:, 1]).transpose(0, 1))


def test_with_the_paper_s_120_labels_the_network_has_the_paper_s_number_of_weights():
    labels = Charset("".join(chr(0x4E00 + i) for i in range(120)))
    with torch.device("meta"):
        model = architecture("mdlstm_ctc").build(preset("mdlstm_ctc", "paper"), labels)
    assert sum(p.numel() for p in model.parameters()) == 159_369


@pytest.mark.parametrize("name", ["small", "tiny"])
def test_ctc_has_a_column_for_every_four_pixels(name):
    config = preset("mdlstm_ctc", name)
    levels = MdLstmLevels(config.block_rows, config.block_columns, config.hidden, config.features)
    assert levels.pixel_columns == 4


def test_levels_that_do_not_fit_together_are_refused():
    config = replace(preset("mdlstm_ctc", "tiny"), features=())
    with pytest.raises(ValueError, match="Each level"):
        architecture("mdlstm_ctc").build(config, Charset("ab"))


def test_the_loss_works_in_mixed_precision():
    torch.manual_seed(4)
    model = architecture("mdlstm_ctc").build(preset("mdlstm_ctc", "tiny"), Charset("ab"))
    data = (torch.rand(2, 1, 32, 64), torch.tensor([64, 48]), torch.tensor([[1, 2], [2, 0]]))
    lengths = torch.tensor([2, 1])
    exact = model.loss(*data, lengths)["loss"]
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model.loss(*data, lengths)["loss"]
    mixed.backward()
    assert mixed.item() == pytest.approx(exact.item(), rel=0.02)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
