"""Training ScrabbleGAN: who learns from what, and that a run goes on where it stopped."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from clinic_hwr.recognition.architectures import preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.synthesis.gan import GanSource, load_generator
from clinic_hwr.recognition.synthesis.hands import CannotWrite
from clinic_hwr.recognition.training.adversarial import GanConfig, train_players
from clinic_hwr.recognition.training.adversarial_data import (
    RealWords,
    UnlabelledFolder,
    WordPool,
    to_length,
    training_sources,
)
from clinic_hwr.recognition.training.adversarial_players import (
    Players,
    balanced_gradient,
    hinge_discriminator,
    hinge_generator,
)
from clinic_hwr.recognition.training.checkpoints import load_checkpoint, load_weights
from clinic_hwr.recognition.training.sources import (
    Sample,
    held_out_stroke_writer,
    held_out_writer,
)

pytestmark = pytest.mark.thorough

CHARSET = Charset("abcd")
TINY = preset("scrabblegan", "tiny")
CONFIG = GanConfig(
    steps=6, batch=4, num_critic=2, longest=3, counted_samples=150, chunk_samples=64,
    checkpoint_seconds=0.0, curve_steps=2, sheet_steps=100,
)  # fmt: skip
WORDS = ["ab", "ba", "aab", "bba", "bab", "aba"] * 10


class Bars:
    """Tall bars are a, short bars are b."""

    def draw(self, rng: np.random.Generator) -> Sample:
        text = "".join("ab"[i] for i in rng.integers(0, 2, rng.integers(1, 4)))
        image = np.full((40, 12 + 24 * len(text)), 240, np.uint8)
        for i, char in enumerate(text):
            image[5 if char == "a" else 25 : 36, 10 + 24 * i : 16 + 24 * i] = 10
        return Sample(image, text, "nobody")


class Rings:
    """Crops without labels that no bar looks like."""

    def draw(self, rng: np.random.Generator) -> Sample:
        image = np.full((40, 120), 240, np.uint8)
        cv2.ellipse(image, (60, 20), (int(rng.integers(8, 45)), 14), 0, 0, 360, 10, 3)
        return Sample(image, "", "")


class Words:
    """A text sampler that knows one text."""

    def __init__(self, text: str):
        self.text = text

    def word(self, rng: np.random.Generator) -> str:
        return self.text


def _real(unlabelled=None, share=0.0) -> RealWords:
    return RealWords([(Bars(), 1.0)], CHARSET, 3, 4, 7, 64, unlabelled, share)


def _players(**changes) -> Players:
    players = Players(replace(CONFIG, **changes), TINY, CHARSET, torch.device("cpu"))
    players.model.seen.fill_(100)
    return players


def _weights(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def _changed(module, before):
    return {name for name, v in module.state_dict().items() if not torch.equal(v, before[name])}


def _batch(**changes):
    return next(_real(**changes).batches(frozenset({3}), (0, 0)))


# --- losses and balance ----------------------------------------------------------------------


def test_hinge_losses_by_hand():
    real, written = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, 0.0, 1.0])
    # real: max(0, 1 - s) = 0, 0.5, 2; written: max(0, 1 + s) = 0, 1, 2
    assert float(hinge_discriminator(real, written)) == pytest.approx(2.5 / 3 + 1.0)
    assert float(hinge_generator(written)) == pytest.approx(2.0 / 3)


def test_the_recognizers_gradient_is_scaled_to_the_spread_of_the_discriminators():
    judged = torch.tensor([1.0, -1.0, 3.0, 1.0])  # mean 1, std sqrt(8 / 3)
    read = torch.tensor([10.0, 30.0, 10.0, -10.0])  # mean 10, std sqrt(800 / 3)
    # The factor is sqrt(8 / 800) = 0.1, the mean is scaled along but not removed.
    assert balanced_gradient(judged, read, 1.0).tolist() == pytest.approx([2, 2, 4, 0], abs=1e-5)
    assert balanced_gradient(judged, read, 0.5).tolist() == pytest.approx(
        [1.5, 0.5, 3.5, 0.5], abs=1e-5
    )


def test_the_balance_does_not_depend_on_the_scale_of_the_recognizers_loss():
    # 1e-20 is far below the epsilon of 1e-8 that a careless division would add.
    torch.manual_seed(2)
    judged, read = torch.randn(3, 1, 32, 48), torch.randn(3, 1, 32, 48)
    once = balanced_gradient(judged, read, 1.0)
    assert torch.allclose(balanced_gradient(judged, 1e-10 * read, 1.0), once, atol=1e-6)
    assert torch.equal(balanced_gradient(judged, torch.zeros_like(read), 1.0), judged)


def test_the_generator_goes_backward_once_and_from_the_balanced_gradient(monkeypatch):
    # Given a step of the generator, without momentum or a step of Adam behind it.
    players, batch, pool = _players(), _batch(), WordPool(WORDS)
    monkeypatch.setattr(players.optimisers["generator"], "step", lambda: None)
    twin = _players()
    players._learn_to_write(batch, pool, np.random.default_rng(8))
    # When the same is done by hand: alpha std(D) / std(R) on the loss of the recognizer.
    classes, z = twin._draw(batch, pool, np.random.default_rng(8))
    written = twin.model.generator(classes, z)
    adversarial = hinge_generator(twin.model.discriminator(written))
    size = torch.full((4,), written.shape[3]), torch.full((4,), classes.shape[1])
    reading = twin.model.recognizer.eval().loss(written, size[0], classes, size[1])["loss"]
    judged, read = (
        torch.autograd.grad(loss, written, retain_graph=True)[0] for loss in (adversarial, reading)
    )
    (adversarial + judged.std() / read.std() * reading).backward()
    # Then the gradients of all its weights are the same; a second backward would double them.
    for (name, found), expected in zip(
        players.model.generator.named_parameters(), twin.model.generator.parameters(), strict=True
    ):
        assert torch.allclose(found.grad, expected.grad, rtol=1e-3, atol=1e-7), name
    assert players.balance == pytest.approx(float(judged.std() / read.std()), rel=1e-4)


# --- who learns from what --------------------------------------------------------------------


def test_gradients_reach_every_parameter_of_each_player():
    players, batch, pool = _players(), _batch(), WordPool(WORDS)
    rng = np.random.default_rng(0)
    players._learn_to_read(batch.labelled)
    players._learn_to_judge(batch, pool, rng)
    players._learn_to_write(batch, pool, rng)
    without = [
        name
        for name, parameter in players.model.named_parameters()
        if parameter.grad is None or not torch.isfinite(parameter.grad).all()
    ]
    assert without == []


def test_what_was_written_teaches_the_recognizer_nothing_nor_the_discriminator():
    players, batch, pool = _players(), _batch(), WordPool(WORDS)
    recognizer, discriminator = players.model.recognizer, players.model.discriminator
    before, judge_before = _weights(recognizer), _weights(discriminator)
    players._learn_to_write(batch, pool, np.random.default_rng(1))
    # Not even a running mean of its batch norms has moved.
    assert _changed(recognizer, before) == set()
    assert all(p.grad is None for p in recognizer.parameters())
    assert all(p.grad is None for p in discriminator.parameters())
    assert all(name.endswith("norm.u") for name in _changed(discriminator, judge_before))
    assert recognizer.training
    players._learn_to_judge(batch, pool, np.random.default_rng(1))
    assert _changed(recognizer, before) == set()


def test_the_generator_learns_in_every_so_manieth_step_and_after_the_head_start():
    pool = WordPool(WORDS)
    players = _players(num_critic=3, recognizer_head_start=2)
    learnt = []
    for batch, _ in zip(_real().batches(frozenset({2, 3}), (0, 0)), range(6), strict=False):
        before = [p.detach().clone() for p in players.model.generator.parameters()]
        judge = [p.detach().clone() for p in players.model.discriminator.parameters()]
        players.learn(batch, pool)
        moved = zip(players.model.generator.parameters(), before, strict=True)
        judged = zip(players.model.discriminator.parameters(), judge, strict=True)
        learnt.append(
            (
                any(not torch.equal(a, b) for a, b in judged),
                any(not torch.equal(a, b) for a, b in moved),
            )
        )
    assert [judge for judge, _ in learnt] == [False, False, True, True, True, True]
    assert [writer for _, writer in learnt] == [False, False, True, False, False, True]


# --- real words ------------------------------------------------------------------------------


def test_real_words_fill_32_by_16_px_a_character():
    for batch, _ in zip(_real().batches(frozenset({1, 2, 3}), (0, 0)), range(8), strict=False):
        length = len(batch.labelled.texts[0])
        assert {len(text) for text in batch.labelled.texts} == {length}
        assert batch.labelled.images.shape == (4, 1, 32, 16 * length)
        assert torch.equal(batch.judged, batch.labelled.images)
        assert float(batch.labelled.images.amax()) > 0.9
    assert to_length(np.ones((64, 10), np.float32), 2).shape == (32, 32)


def test_batches_go_on_from_any_place():
    lengths = frozenset({1, 2, 3})
    all_of = [b for b, _ in zip(_real().batches(lengths, (0, 0)), range(30), strict=False)]
    assert all_of[-1].place[0] >= 1  # the second chunk was reached
    for start in (0, 7, 20):
        again = next(_real().batches(lengths, all_of[start].place))
        assert again.place == all_of[start + 1].place
        assert torch.equal(again.judged, all_of[start + 1].judged)


def test_in_disjoint_mode_only_the_discriminator_sees_unlabelled_crops():
    plain, mixed, apart = _batch(), *(_batch(unlabelled=Rings(), share=s) for s in (0.5, 1.0))
    for batch in (mixed, apart):
        assert batch.labelled.texts == plain.labelled.texts
        assert torch.equal(batch.labelled.images, plain.labelled.images)
        assert batch.judged.shape == plain.judged.shape
    labelled = {crop.numpy().tobytes() for crop in plain.judged}
    for batch, expected in ((mixed, [True, True, False, False]), (apart, [False] * 4)):
        assert [crop.numpy().tobytes() in labelled for crop in batch.judged] == expected
    with pytest.raises(ValueError, match="share"):
        _real(None, 0.5)


def test_unlabelled_crops_come_from_a_folder_that_is_no_measuring_set(tmp_path):
    image = Rings().draw(np.random.default_rng(1)).image
    (tmp_path / "more").mkdir()
    cv2.imwrite(str(tmp_path / "more" / "one.png"), image)
    assert np.array_equal(UnlabelledFolder(tmp_path).draw(np.random.default_rng(0)).image, image)
    (tmp_path / "rx_words_dev").mkdir()
    with pytest.raises(ValueError, match="measuring"):
        UnlabelledFolder(tmp_path / "rx_words_dev")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no PNG"):
        UnlabelledFolder(tmp_path / "empty")


def test_real_words_come_from_training_writers_only(tmp_path):
    # Given two writers of each kind, of whom one is held out.
    stroke_writers = {held_out_stroke_writer(f"w{i}"): f"w{i}" for i in range(200)}
    scan_writers = {held_out_writer(f"s{i}"): f"s{i}" for i in range(200)}
    (tmp_path / "online").mkdir()
    (tmp_path / "handwriting").mkdir()
    np.savez(
        tmp_path / "online" / "unipen_words_train.npz",
        xy=np.array([[0, 0], [9, 9]] * 2, np.int16), new_stroke=np.array([1, 0, 1, 0], np.uint8),
        offset=np.array([0, 2, 4]), label=np.array(["ab", "ba"]),
        writer=np.array([stroke_writers[True], stroke_writers[False]]),
    )  # fmt: skip
    rows = [("word", scan_writers[True]), ("word", scan_writers[False]), ("line", "s0")]
    table = ["path\ttext\tlevel\twriter"] + [f"x.png\tab\t{k}\t{w}" for k, w in rows]
    (tmp_path / "handwriting" / "labels.tsv").write_text("\n".join(table))
    (strokes, most), (scans, rest) = training_sources(tmp_path, 0.25)
    assert (most, rest) == (0.75, 0.25)
    assert set(strokes.by_writer) == {stroke_writers[False]}
    assert [(line.level, line.writer) for line in scans.lines] == [("word", scan_writers[False])]


# --- runs ------------------------------------------------------------------------------------


class Interrupted(Exception):
    """Somebody pulled the plug."""


def _run(folder, stop_at=None, words=WORDS, init=None, **changes):
    def report(progress):
        if progress.step == stop_at:
            raise Interrupted

    return train_players(
        replace(CONFIG, **changes), TINY, CHARSET, _real(Rings(), 0.5), words, folder, report,
        init=init,
    )  # fmt: skip


def test_a_run_that_was_interrupted_ends_with_the_very_same_weights(tmp_path):
    whole = _run(tmp_path / "whole")
    with pytest.raises(Interrupted):
        _run(tmp_path / "cut", stop_at=3)
    assert load_checkpoint(tmp_path / "cut" / "checkpoint.pt")["numbers"]["step"] == 3
    cut = _run(tmp_path / "cut")
    states = [load_checkpoint(p.parent / "checkpoint.pt") for p in (whole, cut)]
    for part in ("model", "average"):
        assert all(torch.equal(v, states[1][part][k]) for k, v in states[0][part].items())
    expected, found = (load_weights(path)[1].state_dict() for path in (whole, cut))
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    rows = (tmp_path / "whole" / "curve.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "2", "4", "6"]


def test_a_run_begins_with_the_players_of_a_weights_file(tmp_path):
    first = _run(tmp_path / "first", steps=2)
    unmoved = _run(tmp_path / "unmoved", steps=0, init=first)
    moved = _run(tmp_path / "moved", steps=1, init=first)
    states = [load_weights(path)[1].state_dict() for path in (first, unmoved, moved)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert any(not torch.equal(value, states[2][name]) for name, value in states[0].items())
    with pytest.raises(ValueError, match="size"):
        train_players(
            CONFIG, replace(TINY, noise_part=2 * TINY.noise_part), CHARSET, _real(None, 0.0), WORDS,
            tmp_path / "other", init=first,
        )  # fmt: skip


def test_a_run_writes_only_what_the_real_crops_can_teach(tmp_path):
    with pytest.raises(ValueError, match="No word"):
        _run(tmp_path, words=["cd", "dcd"] * 50)


def test_a_run_exports_a_generator_that_feeds_training(tmp_path):
    path = _run(tmp_path, steps=2)
    assert (tmp_path / "checkpoint.pt").exists()
    model = load_generator(path)
    assert model.can_write("ab")
    assert not model.can_write("abc")
    source = GanSource(model, Words("aab b"))
    first, second = (source.draw(np.random.default_rng(9)) for _ in range(2))
    assert (first.text, first.writer) == ("aab b", "scrabblegan")
    assert first.image.dtype == np.uint8
    assert np.array_equal(first.image, second.image)
    with pytest.raises(CannotWrite):
        GanSource(model, Words("abc")).draw(np.random.default_rng(9))
