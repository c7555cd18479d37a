"""What makes the speller of Kang et al. 2018 that one."""

from dataclasses import replace

import pytest
import torch

from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.architectures.convolve_attend_spell import (
    FoldedVggFeatures,
    SummedBiGru,
)
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding.attention import beam, string_log_probabilities
from clinic_hwr.recognition.stages.spelling import LocationAttention, Speller

CHARSET = Charset("abcdefgh")
TINY = preset("convolve_attend_spell", "tiny")
OPEN = torch.zeros(5, dtype=torch.bool)
TARGETS = torch.tensor([[1, 2, 3, 4], [4, 4, 1, 0], [2, 0, 0, 0]])


def _model(**changes):
    torch.manual_seed(2)
    return architecture("convolve_attend_spell").build(replace(TINY, **changes), CHARSET).eval()


@pytest.fixture(params=[True, False], ids=["smoothed", "softmax"])
def speller(request):
    torch.manual_seed(4)
    made = Speller(12, 5, 6, 3, 5, smoothed=request.param, dropout=0.5).eval()
    with torch.no_grad():
        made.output.weight *= 4.0  # fresh weights are all but uniform
    return made


def _columns():
    torch.manual_seed(6)
    mask = torch.ones(3, 7, dtype=torch.bool)
    mask[1, 4:] = False
    return torch.randn(3, 7, 12), mask


def test_steps_give_the_logits_of_teacher_forcing(speller):
    columns, mask = _columns()
    together = speller(columns, mask, TARGETS)
    memory = speller.memory(columns, mask)
    state = speller.initial_state(memory)
    for i in range(5):
        previous = TARGETS[:, i - 1] if i else torch.zeros(3, dtype=torch.long)
        logits, state = speller.step(previous, state, memory)
        assert torch.allclose(logits, together[:, i], atol=1e-6)


def test_the_future_has_no_influence_on_earlier_logits(speller):
    columns, mask = _columns()
    changed = TARGETS.clone()
    changed[:, 2] = torch.tensor([1, 2, 3])
    before, after = speller(columns, mask, TARGETS), speller(columns, mask, changed)
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:], after[:, 3:], atol=1e-3)


def test_attention_sums_to_one_and_is_nothing_behind_the_true_width(speller):
    columns, mask = _columns()
    memory = speller.memory(columns, mask)
    state = speller.initial_state(memory)
    for character in (0, 3, 1):
        _, state = speller.step(torch.full((3,), character), state, memory)
        weights = state[2]
        assert torch.equal(weights[1, 4:], torch.zeros(3))
        assert (weights[mask] > 0).all()
        assert torch.allclose(weights.sum(1), torch.ones(3))


def test_masked_columns_are_not_seen(speller):
    columns, mask = _columns()
    noisy = columns.masked_fill(~mask.unsqueeze(2), 50.0)
    assert torch.allclose(speller(columns, mask, TARGETS), speller(noisy, mask, TARGETS), atol=1e-6)


def test_smoothed_attention_shares_sigmoids():
    torch.manual_seed(3)
    attention = LocationAttention(4, 4, 2, 3, smoothed=True)
    state, projected, previous = torch.randn(1, 4), torch.randn(1, 3, 4), torch.zeros(1, 3)
    mask = torch.tensor([[True, True, False]])
    shares = attention.energies(state, projected, previous)[0].sigmoid()[:2]
    found = attention(state, projected, previous, mask)[0, :2]
    assert torch.allclose(found, shares / shares.sum())


def test_the_place_looked_at_last_changes_the_energies_within_the_window_only():
    torch.manual_seed(3)
    attention = LocationAttention(4, 6, 8, window=5, smoothed=False)
    state, projected = torch.randn(1, 6), torch.randn(1, 9, 6)
    before = attention.energies(state, projected, torch.zeros(1, 9))
    previous = torch.zeros(1, 9)
    previous[0, 4] = 1.0
    moved = (attention.energies(state, projected, previous) - before).abs()[0]
    assert (moved[2:7] > 1e-4).all()
    assert torch.equal(moved[:2], torch.zeros(2))
    assert torch.equal(moved[7:], torch.zeros(2))


def test_the_place_is_added_inside_of_the_tanh():
    torch.manual_seed(3)
    attention = LocationAttention(4, 6, 8, window=3, smoothed=False)
    state, projected, previous = torch.randn(1, 6), torch.randn(1, 5, 6), torch.rand(1, 5)
    place = attention.project_location(attention.location(previous.unsqueeze(1)).transpose(1, 2))
    inner = projected + attention.project_state(state).unsqueeze(1) + place
    truth = torch.tanh(inner) @ attention.score.weight[0] + attention.score.bias
    assert torch.allclose(attention.energies(state, projected, previous), truth, atol=1e-6)
    # a convolution with nonlinearity outside would let energies leave this bound
    bound = attention.score.weight.abs().sum() + attention.score.bias.abs()
    far = attention.energies(state, projected, 1e4 * previous)
    assert (far.abs() <= bound + 1e-5).all()


def test_the_state_carries_the_attention_on():
    speller = Speller(12, 5, 6, 3, 5, smoothed=False, dropout=0.0).eval()
    columns, mask = _columns()
    memory = speller.memory(columns, mask)
    lower, upper, weights = speller.initial_state(memory)
    assert torch.equal(weights, torch.zeros(3, 7))
    elsewhere = torch.nn.functional.one_hot(torch.tensor([0, 1, 6]), 7).float()
    fed = torch.ones(3, dtype=torch.long)
    _, (_, _, first) = speller.step(fed, (lower, upper, weights), memory)
    _, (_, _, second) = speller.step(fed, (lower, upper, elsewhere), memory)
    assert not torch.allclose(first, second, atol=1e-4)


def test_directions_are_summed_and_not_laid_side_by_side():
    torch.manual_seed(3)
    encoder = SummedBiGru(6, 5, 2, 0.5).eval()
    columns = torch.randn(2, 4, 6)
    both, _ = encoder.gru(columns)
    found = encoder(columns, torch.ones(2, 4, dtype=torch.bool))
    assert found.shape == (2, 4, 5)
    assert torch.equal(found, both[..., :5] + both[..., 5:])


def test_the_backward_direction_begins_at_the_true_width():
    torch.manual_seed(3)
    encoder = SummedBiGru(6, 5, 2, 0.5).eval()
    columns, mask = torch.randn(2, 6, 6), torch.ones(2, 6, dtype=torch.bool)
    mask[1, 4:] = False
    found = encoder(columns, mask)
    alone = encoder(columns[1:, :4], mask[1:, :4])
    assert torch.allclose(found[1:, :4], alone, atol=1e-6)
    assert torch.equal(found[1, 4:], torch.zeros(2, 5))
    assert not torch.allclose(encoder(columns[1:], mask[:1])[:, :4], alone, atol=1e-3)


def test_own_characters_are_fed_back(speller):
    columns, mask = _columns()
    free = speller(columns, mask, TARGETS, "own")
    # then teacher forcing with what it said itself is the same
    said = free.argmax(2)[:, :4]
    assert torch.allclose(free, speller(columns, mask, said), atol=1e-6)
    assert not torch.equal(said, TARGETS)


def test_drawn_characters_follow_the_seed_and_differ_from_the_truth(speller):
    columns, mask = _columns()
    torch.manual_seed(8)
    first = speller(columns, mask, TARGETS, "multinomial")
    torch.manual_seed(8)
    again = speller(columns, mask, TARGETS, "multinomial")
    other = speller(columns, mask, TARGETS, "multinomial")
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    # nothing is fed before the first character, everything after it
    truth = speller(columns, mask, TARGETS)
    assert torch.equal(first[:, 0], truth[:, 0])
    assert not torch.allclose(first[:, 1:], truth[:, 1:], atol=1e-3)


def test_characters_are_drawn_from_probabilities_and_not_from_logits(speller):
    # The raw scores may be negative; of two classes the better one is drawn as often as it says.
    with torch.no_grad():
        speller.output.weight.zero_()
        speller.output.bias.copy_(torch.tensor([0.1, 0.2, 0.7, 1e-12, 1e-12]).log())
    torch.manual_seed(9)
    drawn = speller._prediction(torch.zeros(4000, 12), "multinomial").bincount(minlength=5)
    assert drawn.tolist() == pytest.approx([400, 800, 2800, 0, 0], abs=90)


@pytest.mark.parametrize("feed", ["teacher", "own", "multinomial"])
def test_training_feeds_as_configured(feed):
    model = _model(feed=feed, label_smoothing=0.0)
    images, widths = torch.rand(3, 1, 32, 48), torch.full((3,), 48)
    lengths = torch.tensor([4, 3, 1])
    encoded = model.encode_batch(images, widths)
    torch.manual_seed(8)
    logits = model.decoder(encoded.columns, encoded.mask, TARGETS, feed).detach().log_softmax(2)
    truth = [
        -float(logits[b, i, TARGETS[b, i] if i < lengths[b] else 0])
        for b in range(3)
        for i in range(int(lengths[b]) + 1)
    ]
    torch.manual_seed(8)
    found = model.loss(images, widths, TARGETS, lengths)["loss"].detach()
    assert float(found) == pytest.approx(sum(truth) / len(truth), abs=1e-5)


def test_an_unknown_feed_is_refused():
    with pytest.raises(ValueError, match="multinomial"):
        _model(feed="guess")


def test_the_score_of_a_string_counts_its_end(speller):
    columns, mask = _columns()
    for b, some in enumerate(beam(speller, columns, mask, 60, 4, OPEN)):
        [truth] = string_log_probabilities(
            speller, columns[b : b + 1], mask[b : b + 1], [[s for s, _ in some]]
        )
        assert [len(t) for t in truth] == [len(s) + 1 for s, _ in some]
        assert [p for _, p in some] == pytest.approx([sum(t) for t in truth], abs=1e-4)
        assert all(t[-1] < -1e-4 for t in truth)  # leaving the end out would be noticed


def test_pools_lie_between_blocks_and_height_is_folded():
    vgg = FoldedVggFeatures(32, (4, 6, 8), (1, 2, 1), (2, 1)).eval()
    assert (vgg.pixels_per_column, vgg.out_features) == (2, 8 * 8)
    images = torch.rand(1, 1, 32, 21)
    found = vgg(images)
    assert found.shape == (1, 11, 64)  # the odd pixel has its column
    rows = vgg.net(images)
    assert rows.shape == (1, 8, 8, 11)
    assert torch.equal(found[0, 3], torch.cat([rows[0, :, y, 3] for y in range(8)]))


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


def test_the_paper_preset_is_that_of_the_paper():
    paper = preset("convolve_attend_spell", "paper")
    with torch.device("meta"):
        model = architecture("convolve_attend_spell").build(paper, Charset()).eval()
        features = model.features(torch.zeros(1, 1, 64, 160))
    convolutions = [m for m in model.features.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 16  # VGG-19 without its three linear layers
    assert features.shape == (1, 10, 4 * 512)
    assert (paper.hidden, paper.gru_layers, paper.embedding) == (512, 2, 60)
    assert (paper.filters, paper.window, paper.dropout) == (128, 7, 0.5)
    assert (paper.label_smoothing, paper.feed, paper.ctc_weight) == (0.4, "multinomial", 0.0)
    # the authors' program has 36.5 million
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 1) == 36.5


def test_the_small_preset_has_its_documented_size_and_mild_smoothing():
    small = preset("convolve_attend_spell", "small")
    with torch.device("meta"):
        model = architecture("convolve_attend_spell").build(small, Charset())
    assert sum(p.numel() for p in model.parameters()) == 1_744_193
    assert small.label_smoothing <= 0.05
