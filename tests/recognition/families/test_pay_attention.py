"""What makes the transformer of Kang et al. 2020 that one."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding.attention import beam, string_log_probabilities
from clinic_hwr.recognition.stages.transcriber import HeadedAttention, Transcriber, sinusoids

CHARSET = Charset("abcdefgh")
TINY = preset("pay_attention", "tiny")
OPEN = torch.zeros(5, dtype=torch.bool)


def _model(**changes):
    torch.manual_seed(2)
    return architecture("pay_attention").build(replace(TINY, **changes), CHARSET).eval()


@pytest.fixture(params=[True, False], ids=["norm_first", "norm_last"])
def transcriber(request):
    torch.manual_seed(4)
    made = Transcriber(16, 4, 3, 24, 5, dropout=0.1, norm_first=request.param).eval()
    with torch.no_grad():
        made.output.weight *= 4.0  # fresh weights are all but uniform
    return made


def _columns():
    torch.manual_seed(6)
    mask = torch.ones(3, 7, dtype=torch.bool)
    mask[1, 4:] = False
    return torch.randn(3, 7, 16), mask


TARGETS = torch.tensor([[1, 2, 3, 4], [4, 4, 1, 0], [2, 0, 0, 0]])


def test_steps_give_the_logits_of_the_parallel_pass(transcriber):
    columns, mask = _columns()
    together = transcriber(columns, mask, TARGETS)
    memory = transcriber.memory(columns, mask)
    state = transcriber.initial_state(memory)
    for i in range(5):
        previous = TARGETS[:, i - 1] if i else torch.zeros(3, dtype=torch.long)
        logits, state = transcriber.step(previous, state, memory)
        assert torch.allclose(logits, together[:, i], atol=1e-5)
        # keys and values of three layers, one longer after each step
        assert [part.shape for part in state] == [(3, i + 1, 16)] * 6


def test_the_future_has_no_influence_on_earlier_logits(transcriber):
    columns, mask = _columns()
    changed = TARGETS.clone()
    changed[:, 2] = torch.tensor([1, 2, 3])
    before, after = transcriber(columns, mask, TARGETS), transcriber(columns, mask, changed)
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:], after[:, 3:], atol=1e-3)


def test_masked_columns_are_not_seen(transcriber):
    columns, mask = _columns()
    noisy = columns.masked_fill(~mask.unsqueeze(2), 50.0)
    assert torch.allclose(
        transcriber(columns, mask, TARGETS), transcriber(noisy, mask, TARGETS), atol=1e-5
    )
    noisy[1, 3] += 5.0  # the last column that is seen
    assert not torch.allclose(
        transcriber(columns, mask, TARGETS)[1], transcriber(noisy, mask, TARGETS)[1], atol=1e-3
    )


def test_masked_columns_are_not_seen_by_the_visual_side():
    model = _model()
    torch.manual_seed(7)
    model.features = nn.Identity()
    model.enter = nn.Linear(4, TINY.model)
    columns = torch.rand(1, 16, 4)
    changed = columns.clone()
    changed[:, 10:] += 3.0
    widths = torch.tensor([40])
    first, second = (model.encode_batch(c, widths).columns for c in (columns, changed))
    assert torch.allclose(first[:, :10], second[:, :10], atol=1e-5)
    assert not torch.allclose(first[:, 10:], second[:, 10:], atol=1e-2)


def test_attention_is_that_of_torch():
    torch.manual_seed(1)
    ours, torchs = HeadedAttention(12, 3).eval(), nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        torchs.in_proj_weight.copy_(
            torch.cat([ours.query.weight, ours.key.weight, ours.value.weight])
        )
        torchs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
        torchs.out_proj.load_state_dict(ours.output.state_dict())
    wanting, source = torch.randn(2, 4, 12), torch.randn(2, 6, 12)
    mask = torch.tensor([[True] * 6, [True] * 3 + [False] * 3])
    found = ours(wanting, *ours.remember(source), mask)
    truth, _ = torchs(wanting, source, source, key_padding_mask=~mask)
    assert torch.allclose(found, truth, atol=1e-5)


def test_positions_are_sine_and_cosine_of_falling_frequencies():
    found = sinusoids(3, 2, torch.zeros(1, 4))
    truth = [[math.sin(p), math.cos(p), math.sin(p / 100), math.cos(p / 100)] for p in (3.0, 4.0)]
    assert found.tolist() == [pytest.approx(row, abs=1e-6) for row in truth]


def test_the_order_of_columns_is_known_by_position_alone():
    # Without positions self-attention does not know left from right.
    model = _model()
    model.features = nn.Identity()
    model.enter = nn.Linear(4, TINY.model)
    columns, widths = torch.rand(1, 8, 4), torch.tensor([32])
    forwards = model.encode_batch(columns, widths).columns
    backwards = model.encode_batch(columns.flip(1), widths).columns.flip(1)
    assert not torch.allclose(forwards, backwards, atol=1e-2)


def test_the_score_of_a_string_counts_its_end(transcriber):
    columns, mask = _columns()
    [(string, score)] = [some[0] for some in beam(transcriber, columns, mask, 50, 3, OPEN)][:1]
    [[chars]] = string_log_probabilities(transcriber, columns[:1], mask[:1], [[string]])
    assert len(chars) == len(string) + 1
    assert score == pytest.approx(sum(chars), abs=1e-5)
    fed = torch.tensor([list(string)], dtype=torch.long).reshape(1, -1)
    steps = transcriber(columns[:1], mask[:1], fed)[0].detach().log_softmax(-1)
    assert chars[-1] == pytest.approx(float(steps[len(string), 0]), abs=1e-5)
    assert chars[-1] < -1e-4  # leaving the end out would be noticed


def test_a_beam_keeps_the_past_of_each_string(transcriber):
    # A beam reorders rows of the state; a lost row would give a score of another string.
    columns, mask = _columns()
    for b, some in enumerate(beam(transcriber, columns, mask, 60, 4, OPEN)):
        [truth] = string_log_probabilities(
            transcriber, columns[b : b + 1], mask[b : b + 1], [[s for s, _ in some]]
        )
        assert [p for _, p in some] == pytest.approx([sum(t) for t in truth], abs=1e-4)


def test_there_is_no_ctc_layer_without_its_weight():
    model = _model()
    assert not model.has_ctc
    assert not any(name.startswith("ctc") for name, _ in model.named_parameters())
    hybrid = _model(ctc_weight=0.5)
    assert hybrid.has_ctc
    assert hybrid.encode(torch.rand(1, 1, 32, 40), torch.tensor([40])).ctc_logits.shape == (
        1,
        10,
        9,
    )
    with pytest.raises(ValueError, match="below 1"):
        _model(ctc_weight=1.0)


def test_the_paper_preset_is_that_of_the_paper():
    paper = preset("pay_attention", "paper")
    with torch.device("meta"):
        model = architecture("pay_attention").build(paper, Charset()).eval()
        features = model.features(torch.zeros(1, 1, 64, 256))
    assert (paper.heads, paper.visual_layers, paper.text_layers, paper.dropout) == (8, 4, 4, 0.1)
    assert (paper.label_smoothing, paper.ctc_weight) == (0.4, 0.0)
    assert features.shape == (1, 8, 2 * 2048)  # two rows of 2048 channels, folded
    assert model.enter.weight.shape == (1024, 4096)


def test_height_is_folded_so_that_a_column_keeps_its_rows_apart():
    with torch.device("meta"):
        model = architecture("pay_attention").build(preset("pay_attention", "paper"), CHARSET)
    folded = model.features
    rows = torch.arange(2048 * 2 * 3.0).view(1, 2048, 2, 3)
    folded.net = nn.Module()
    folded.net.forward_features = lambda images: rows
    column = folded(torch.zeros(1))[0, 1]
    assert torch.equal(column, torch.cat([rows[0, :, 0, 1], rows[0, :, 1, 1]]))


def test_the_small_preset_has_its_documented_size_and_mild_smoothing():
    small = preset("pay_attention", "small")
    with torch.device("meta"):
        model = architecture("pay_attention").build(small, Charset())
    assert sum(p.numel() for p in model.parameters()) == 1_859_324
    assert small.label_smoothing <= 0.05


def test_the_loss_is_that_of_teacher_forcing():
    model = _model(label_smoothing=0.0)
    images, widths = torch.rand(2, 1, 32, 48), torch.tensor([48, 48])
    targets, lengths = torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1])
    encoded = model.encode_batch(images, widths)
    steps = model.decoder(encoded.columns, encoded.mask, targets)
    truth = F.cross_entropy(torch.cat([steps[0], steps[1, :2]]), torch.tensor([1, 2, 0, 3, 0]))
    found = model.loss(images, widths, targets, lengths)["loss"].detach()
    assert float(found) == pytest.approx(float(truth.detach()), abs=1e-5)
