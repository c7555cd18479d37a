"""Attention over a map: a distribution over all cells, moved by location and by content."""

from dataclasses import replace

import pytest
import torch

from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.architectures.scan_attend_read import one_line
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding import attention
from clinic_hwr.recognition.stages.map_attention import MapAttentionDecoder

ROWS, COLUMNS, FEATURES = 3, 4, 5
CHARSET = Charset("abc")


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    made = MapAttentionDecoder(FEATURES, ROWS, 3, 6, 4).eval()
    for p in made.parameters():
        torch.nn.init.normal_(p, std=0.8)
    return made


def _memory(decoder, batch=2):
    torch.manual_seed(1)
    mask = torch.ones(batch, COLUMNS * ROWS, dtype=torch.bool)
    mask[1, 2 * ROWS :] = False
    columns = torch.randn(batch, COLUMNS * ROWS, FEATURES).masked_fill(~mask.unsqueeze(2), 0.0)
    return decoder.memory(columns, mask)


def _model(**changes):
    torch.manual_seed(3)
    config = replace(preset("scan_attend_read", "tiny"), **changes)
    return architecture("scan_attend_read").build(config, CHARSET)


def test_attention_is_a_distribution_over_all_cells_of_the_map(decoder):
    memory = _memory(decoder)
    _, state = decoder.step(torch.zeros(2, dtype=torch.long), decoder.initial_state(memory), memory)
    attention = state[0]
    assert attention.shape == (2, COLUMNS * ROWS)
    assert attention.sum(1).tolist() == pytest.approx([1.0, 1.0])
    assert (attention[memory[2]] > 0).all()
    assert not attention[~memory[2]].any()


def test_the_place_looked_at_last_moves_the_attention(decoder):
    memory = _memory(decoder)
    hidden = torch.zeros(2, 6)
    places = [torch.zeros(2, COLUMNS * ROWS) for _ in range(2)]
    places[0][:, 0] = 1.0
    places[1][:, 4] = 1.0
    first, second = (decoder.attend(place, hidden, memory) for place in places)
    assert (first - second).abs().max() > 0.01


def test_the_decoder_s_state_moves_the_attention(decoder):
    memory = _memory(decoder)
    nowhere = torch.zeros(2, COLUMNS * ROWS)
    first, second = (decoder.attend(nowhere, s * torch.ones(2, 6), memory) for s in (0.0, 1.0))
    assert (first - second).abs().max() > 0.01


def test_energies_come_from_scans_over_the_whole_map_not_from_each_cell_alone(decoder):
    columns, _, mask = _memory(decoder)
    hidden, nowhere = torch.zeros(2, 6), torch.zeros(2, COLUMNS * ROWS)
    moved = columns.clone()
    moved[0, -1] += 2.0  # the lower right corner
    odds = []
    for cells in (columns, moved):
        attention = decoder.attend(nowhere, hidden, decoder.memory(cells, mask))
        odds.append((attention[0, 0] / attention[0, 1]).log())
    assert abs(odds[0] - odds[1]) > 1e-3


def test_scan_inputs_are_features_location_and_content_side_by_side(decoder):
    memory = _memory(decoder)
    columns, _, mask = memory
    torch.manual_seed(5)
    hidden, last = torch.randn(2, 6), torch.rand(2, COLUMNS * ROWS)
    told = torch.cat(
        [columns, last.unsqueeze(2), hidden.unsqueeze(1).expand(-1, COLUMNS * ROWS, -1)], dim=2
    )
    cells = told.view(2, COLUMNS, ROWS, -1).permute(1, 2, 0, 3)
    energy = decoder.score(decoder.scan(cells, mask[:, ::ROWS])).squeeze(-1)
    energy = energy.permute(2, 0, 1).flatten(1).masked_fill(~mask, float("-inf"))
    found = decoder.attend(last, hidden, memory)
    torch.testing.assert_close(found, energy.softmax(1), rtol=0, atol=1e-5)


def test_columns_are_the_map_column_after_column():
    model = _model().eval()
    images, widths = torch.rand(2, 1, 32, 24), torch.tensor([24, 24])
    cells, _ = model.levels(images, widths)
    encoded = model.encode(images, widths)
    assert encoded.columns.shape == (2, 3 * 2, model.levels.out_features)
    assert encoded.ctc_logits is None
    for column in range(3):
        for row in range(2):
            torch.testing.assert_close(
                encoded.columns[:, 2 * column + row], cells[column, row], rtol=0, atol=1e-6
            )


def test_padding_on_the_right_takes_no_attention():
    model = _model().eval()
    images = torch.rand(2, 1, 32, 32)
    images[0, :, :, 16:] = 0.0
    encoded = model.encode_batch(images, torch.tensor([16, 32]))
    assert encoded.mask.sum(1).tolist() == [2 * 2, 4 * 2]
    memory = model.decoder.memory(encoded.columns, encoded.mask)
    state = model.decoder.initial_state(memory)
    for _ in range(2):
        _, state = model.decoder.step(torch.zeros(2, dtype=torch.long), state, memory)
    assert not state[0][0, 4:].any()


def test_only_crops_of_one_line_teach_the_encoder_by_ctc():
    images = torch.zeros(3, 1, 32, 32)
    images[:, :, 4:12, 4:20] = 1.0
    images[1, :, 20:28, 4:20] = 1.0  # a second line
    assert one_line(images, 16).tolist() == [True, False, True]
    model = _model(line_px=16)
    targets, lengths = torch.tensor([[1], [2], [3]]), torch.ones(3, dtype=torch.long)
    widths = torch.tensor([32, 32, 32])
    assert "ctc" in model.loss(images, widths, targets, lengths)
    assert "ctc" not in model.loss(images[1:2], widths[:1], targets[:1], lengths[:1])


def test_without_auxiliary_loss_there_is_no_ctc_layer():
    model = _model(ctc_weight=0.0)
    assert [name for name, _ in model.named_parameters() if name.startswith("ctc")] == []


def test_as_in_the_paper_the_character_written_last_is_not_read():
    for embedding, same in ((0, True), (8, False)):
        model = _model(embedding=embedding).eval()
        encoded = model.encode(torch.rand(1, 1, 32, 32), torch.tensor([32]))
        memory = model.decoder.memory(encoded.columns, encoded.mask)
        state = model.decoder.initial_state(memory)
        a, b = (model.decoder.step(torch.tensor([c]), state, memory)[0] for c in (1, 2))
        assert torch.equal(a, b) is same


def test_the_loss_works_in_mixed_precision():
    model = _model()
    data = (torch.rand(2, 1, 32, 32), torch.tensor([32, 24]), torch.tensor([[1, 2], [2, 0]]))
    lengths = torch.tensor([2, 1])
    exact = model.loss(*data, lengths)["loss"]
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model.loss(*data, lengths)["loss"]
    mixed.backward()
    assert mixed.item() == pytest.approx(exact.item(), rel=0.02)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_the_score_of_a_string_counts_its_end(decoder):
    memory = _memory(decoder)
    columns, mask = memory[0][:1], memory[2][:1]
    open_classes = torch.zeros(4, dtype=torch.bool)
    [found] = attention.beam(decoder, columns, mask, 8, 4, open_classes)
    string, score = found[0]
    [[chars]] = attention.string_log_probabilities(decoder, columns, mask, [[string]])
    assert len(chars) == len(string) + 1
    assert score == pytest.approx(sum(chars), abs=1e-5)
    assert chars[-1] < -1e-4  # leaving the end out would be noticed


def test_the_probabilities_of_all_strings_and_of_going_on_sum_to_one(decoder):
    memory = _memory(decoder)
    columns, mask = memory[0][:1], memory[2][:1]
    strings = [()] + [(a,) for a in range(1, 4)]
    [scores] = attention.string_log_probabilities(decoder, columns, mask, [strings])
    ended = sum(torch.tensor(sum(one)).exp() for one in scores)
    longer = [(a, b) for a in range(1, 4) for b in range(1, 4)]
    [scores] = attention.string_log_probabilities(decoder, columns, mask, [longer])
    going_on = sum(torch.tensor(sum(one[:2])).exp() for one in scores)
    assert float(ended + going_on) == pytest.approx(1.0, abs=1e-5)


def test_a_decoder_says_where_it_looked_and_can_be_told_where_to_look_from():
    torch.manual_seed(0)
    decoder = MapAttentionDecoder(3, 4, 2, 5, 7, peepholes=False).eval()
    columns, mask = torch.randn(2, 6 * 2, 3), torch.ones(2, 6 * 2, dtype=torch.bool)
    targets = torch.tensor([[1, 2, 3], [4, 0, 0]])
    told = torch.zeros(2, 3, 12)
    told[0, 0, 5] = 1.0

    logits, attention = decoder.unroll(columns, mask, targets, 2)
    again, moved = decoder.unroll(columns, mask, targets, 2, told)

    torch.testing.assert_close(attention.sum(2), torch.ones(2, 4))
    assert logits.shape == (2, 4, 7)
    torch.testing.assert_close(moved[:, 0], attention[:, 0])
    assert not torch.allclose(moved[0, 1], attention[0, 1])
    torch.testing.assert_close(again[1], logits[1])


def test_unrolling_a_map_of_the_usual_height_is_teacher_forcing():
    decoder = MapAttentionDecoder(3, 2, 2, 5, 7, peepholes=False).eval()
    columns, mask = torch.randn(2, 6 * 2, 3), torch.ones(2, 6 * 2, dtype=torch.bool)
    targets = torch.tensor([[1, 2, 3], [4, 0, 0]])
    torch.testing.assert_close(
        decoder.unroll(columns, mask, targets, 2)[0], decoder(columns, mask, targets)
    )
