"""Blocks of text: how they are stacked, prepared and read."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.images import prepare_block
from clinic_hwr.recognition.paragraphs import read_block
from clinic_hwr.recognition.training.checkpoints import export_weights, load_weights
from clinic_hwr.recognition.training.loop import TrainConfig, train
from clinic_hwr.recognition.training.paragraphs import (
    CURRICULUM,
    NoLines,
    ParagraphDataset,
    ParagraphSource,
    Stage,
    line_height,
    sources_by_writer,
    stack_lines,
)
from clinic_hwr.recognition.training.sources import Sample, ScannedLine, ScannedSource

CHARSET = Charset("abx ")


class Bars:
    """One writer, who writes a bar."""

    def __init__(self, name: str, text: str = "ab"):
        self.name = name
        self.text = text

    def draw(self, rng: np.random.Generator) -> Sample:
        image = np.full((40, 80), 240, np.uint8)
        image[8:32, 10:70] = 20
        return Sample(image, self.text, self.name)


def _bars(rows, height=240, width=200):
    """A page with a bar 24 px high at each of some rows."""
    gray = np.full((height, width), 240, np.uint8)
    for row in rows:
        gray[row : row + 24, 20:180] = 20
    return gray


def _lines_of(ink):
    """How many runs of rows hold ink."""
    rows = (ink > 0.5).any(axis=1).astype(int)
    return int((np.diff(np.concatenate([[0], rows])) == 1).sum())


def test_letters_have_one_size_whatever_the_number_of_lines():
    one = prepare_block(_bars([20]), 96, 640, 32)
    three = prepare_block(_bars([20, 54, 88]), 96, 640, 32)
    assert one.shape == three.shape == (96, 160)
    assert (_lines_of(one), _lines_of(three)) == (1, 3)
    assert (one[:, 50] > 0.5).sum() == 24
    assert (three[:32, 50] > 0.5).sum() == 24
    assert not one[32:].any()


def test_a_block_that_is_too_high_or_too_wide_is_scaled_down_to_the_canvas():
    high = prepare_block(_bars(range(10, 230, 44)), 96, 640, 32)
    assert _lines_of(high) == 5
    assert high.shape[0] == 96
    wide = prepare_block(_bars([20]), 96, 64, 32)
    assert wide.shape == (96, 64)


def test_paper_without_ink_is_an_empty_canvas():
    blank = prepare_block(np.full((50, 90), 230, np.uint8), 96, 640, 32)
    assert blank.shape == (96, 32)
    assert not blank.any()


@pytest.mark.parametrize(
    ("text", "height"), [("nose", 0.55), ("bone", 0.8), ("gap", 0.75), ("bag", 1.0), ("Rx", 0.8)]
)
def test_a_line_is_as_high_as_its_letters(text, height):
    assert line_height(text) == pytest.approx(height)


def test_stacked_lines_stand_below_each_other_and_none_is_lost():
    ink = np.ones((20, 100), np.float32)
    for seed in range(5):
        block = stack_lines([(ink, "aaa")] * 3, np.random.default_rng(seed))
        columns = block[:, block.shape[1] // 2]
        starts = np.diff(np.concatenate([[0], (columns > 0.5).astype(int)])) == 1
        assert starts.sum() == 3


@pytest.mark.parametrize("stage", [Stage(1, 1), Stage(2, 2), Stage(3, 3)])
def test_a_stage_says_how_many_lines_there_are(stage):
    source = ParagraphSource([Bars("w")], stage)
    sample = source.draw(np.random.default_rng(3))
    assert sample.text == " ".join(["ab"] * stage.most_lines)
    assert sample.image.dtype == np.uint8
    assert _lines_of((sample.image < 120).astype(float)) == stage.most_lines


def test_a_paragraph_is_of_one_writer():
    source = ParagraphSource([Bars("v", "a"), Bars("w", "b")], Stage(3, 3))
    found = {(s.writer, s.text) for s in (source.draw(np.random.default_rng(i)) for i in range(12))}
    assert found == {("v", "a a a"), ("w", "b b b")}


def test_a_sample_is_fixed_by_its_seed():
    source = ParagraphSource([Bars("v"), Bars("w")], Stage(1, 3))
    first, again, other = (source.draw(np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)


def test_no_line_is_added_beyond_the_longest_text():
    sample = ParagraphSource([Bars("w", "abab")], Stage(1, 3, 9)).draw(
        np.random.default_rng([0, 1])
    )
    assert len(sample.text) <= 9
    with pytest.raises(NoLines):
        ParagraphSource([Bars("w", "")], Stage(1, 1)).draw(np.random.default_rng(0))


def test_impossible_stages_and_no_writers_are_refused():
    with pytest.raises(ValueError, match="at least one line"):
        ParagraphSource([Bars("w")], Stage(2, 1))
    with pytest.raises(ValueError, match="at least one writer"):
        ParagraphSource([], Stage(1, 1))


def test_scanned_lines_are_grouped_by_writer(tmp_path):
    lines = [
        ScannedLine(tmp_path / f"{n}.png", "a", "line", writer)
        for n, writer in enumerate(["v", "w", "v", "u"])
    ]
    sources = sources_by_writer(ScannedSource(lines), least=2)
    assert [[line.path.stem for line in source.lines] for source in sources] == [["0", "2"]]


def test_a_run_grows_harder_from_stage_to_stage():
    data = ParagraphDataset(
        [Bars("w")], CHARSET, 96, 640, 32, [Stage(1, 1), Stage(2, 2), Stage(3, 3)], 10,
        pixels_per_batch=1024, chunk_samples=10,
    )  # fmt: skip
    texts = [
        {text for batch in data.chunk(number) for text in batch.texts} for number in (0, 1, 2, 7)
    ]
    assert texts == [{"ab"}, {"ab ab"}, {"ab ab ab"}, {"ab ab ab"}]
    batch = next(data.chunk(2))
    assert batch.images.shape[1:3] == (1, 96)
    assert batch.lengths.tolist() == [8] * len(batch.texts)


def test_writers_without_short_lines_are_passed_over():
    source = ParagraphSource([Bars("v", "ab ab ab"), Bars("w", "ab")], Stage(1, 1, 4))
    assert {source.draw(np.random.default_rng(i)).writer for i in range(12)} == {"w"}


def _small_run(arch, config, tmp_path, init):
    schedule = TrainConfig(samples=4, warmup_samples=2, learning_rate=0.0, loader_workers=0)

    def dataset(first_chunk):
        return ParagraphDataset(
            [Bars("w")], CHARSET, 32, 640, 32, [Stage(1, 1)], pixels_per_batch=512,
            first_chunk=first_chunk, chunk_samples=4,
        )  # fmt: skip

    return train(arch, config, CHARSET, dataset, schedule, tmp_path / arch, init=init)


def test_a_reader_of_paragraphs_starts_from_an_encoder_that_learnt_lines_by_ctc(tmp_path):
    config = preset("scan_attend_read", "tiny")
    same = {f: getattr(config, f) for f in ("block_rows", "block_columns", "hidden", "features")}
    encoder = replace(preset("mdlstm_ctc", "tiny"), **same)
    torch.manual_seed(9)
    model = architecture("mdlstm_ctc").build(encoder, CHARSET)
    learnt = model.state_dict()
    export_weights(tmp_path / "e.safetensors", "mdlstm_ctc", encoder, CHARSET, learnt)
    weights = _small_run("scan_attend_read", config, tmp_path, tmp_path / "e.safetensors")
    _, started = load_weights(weights)
    found = started.state_dict()
    assert {k.split(".")[0] for k in learnt} == {"levels", "ctc"}
    assert all(torch.allclose(found[k], learnt[k], atol=1e-3) for k in learnt)


def test_an_encoder_of_other_sizes_is_refused(tmp_path):
    other = preset("mdlstm_ctc", "small")
    model = architecture("mdlstm_ctc").build(other, CHARSET)
    export_weights(tmp_path / "e.safetensors", "mdlstm_ctc", other, CHARSET, model.state_dict())
    with pytest.raises(ValueError, match=r"holds mdlstm_ctc, not scan_attend_read, and has no"):
        _small_run(
            "scan_attend_read", preset("scan_attend_read", "tiny"), tmp_path,
            tmp_path / "e.safetensors",
        )  # fmt: skip


def test_the_curriculum_begins_with_single_words_and_ends_with_paragraphs():
    assert CURRICULUM[:2] == (Stage(1, 1, 10), Stage(1, 1))
    most = [stage.most_lines for stage in CURRICULUM]
    assert most == sorted(most)
    assert most[-1] == 3


def _reader(name="scan_attend_read"):
    torch.manual_seed(2)
    return architecture(name).build(preset(name, "tiny"), CHARSET).eval()


def test_a_block_is_read_as_strings_with_their_probability():
    found = read_block(_reader(), _bars([20, 60]), width=3)
    texts, scores = zip(*found, strict=True)
    assert len(set(texts)) == len(texts)
    assert list(scores) == sorted(scores, reverse=True)
    assert all(p < 0 for p in scores)


def test_a_block_without_ink_is_the_empty_text():
    assert read_block(_reader(), np.full((50, 90), 230, np.uint8)) == [("", 0.0)]


def test_a_reader_of_lines_is_refused():
    with pytest.raises(ValueError, match="reads no paragraphs"):
        read_block(_reader("mdlstm_ctc"), _bars([20]))


def test_a_batch_says_where_each_line_lies():
    dataset = ParagraphDataset(
        [Bars("w")], CHARSET, 96, 640, 32, stages=[Stage(2, 2)], chunk_samples=4
    )
    batch = next(iter(dataset))
    assert [(b.item, b.start, b.length) for b in batch.bands[:2]] == [(0, 0, 2), (0, 3, 2)]
    assert len(batch.bands) == 2 * len(batch.texts)
    for band in batch.bands:
        rows = (batch.images[band.item, 0] > 0.5).any(1)
        middle = int((band.top + band.bottom) / 2)
        assert rows[middle]
        assert int(rows[int(band.top) + 2 : int(band.bottom) - 1].sum()) > 0.7 * (
            band.bottom - band.top - 4
        )
