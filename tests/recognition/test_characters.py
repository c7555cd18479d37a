"""The split of the characters, their endless batches, and what is counted as right."""

import numpy as np
import pytest
import torch

from clinic_hwr.recognition.architectures import preset
from clinic_hwr.recognition.architectures.contract import Encoded, Recognizer
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.training.characters import (
    CHARACTERS,
    HELD_OUT_PER_CLASS,
    SHIFT_ONLY,
    CharacterDataset,
    Characters,
    fold_character,
    held_out_characters,
    load_characters,
    measure_characters,
    reconstruction_sheet,
    vary_character,
)
from clinic_hwr.recognition.training.datasets import collate
from clinic_hwr.recognition.training.loop import TrainConfig, train

CHARSET = Charset("17a")


def _write(folder, order):
    """85 images of each of 1, 7, a and b; the corner pixels hold the image's number."""
    (folder / "chars").mkdir(parents=True)
    count = 4 * 85
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(count), 256)
    np.savez(
        folder / "chars" / "some_train.npz",
        images=images[order],
        labels=(np.arange(count) % 4)[order],
        classes=np.array(list("17ab")),
        source_index=np.arange(count)[order],
    )
    return folder


def _numbers(characters):
    high, low = characters.images[:, 0, 0].astype(int), characters.images[:, 0, 1].astype(int)
    return set((256 * high + low).tolist())


def _some(per_class=3):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (3 * per_class, 28, 28)).astype(np.uint8)
    return Characters(images, tuple("17a" * per_class))


def test_the_split_is_balanced_disjoint_and_does_not_depend_on_the_order(tmp_path):
    order = np.arange(340)
    training, held_out = load_characters(_write(tmp_path / "a", order), CHARSET)
    again, held_out_again = load_characters(_write(tmp_path / "b", order[::-1]), CHARSET)
    assert [held_out.texts.count(c) for c in "17a"] == [HELD_OUT_PER_CLASS] * 3
    assert [training.texts.count(c) for c in "17a"] == [5] * 3
    assert _numbers(training).isdisjoint(_numbers(held_out))
    assert _numbers(held_out) == _numbers(held_out_again)
    assert _numbers(training) == _numbers(again)


def test_a_folder_without_characters_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train.*npz"):
        load_characters(tmp_path, CHARSET)


def test_held_out_characters_come_as_they_are(tmp_path):
    batches = held_out_characters(_write(tmp_path, np.arange(340)), CHARSET)
    _, held_out = load_characters(tmp_path, CHARSET)
    assert tuple(text for batch in batches for text in batch.texts) == held_out.texts
    first = batches[0]
    assert first.images.shape[1:] == (1, 28, 28)
    assert first.widths.unique().tolist() == [28]
    assert torch.equal(first.images[0, 0] * 255, torch.from_numpy(held_out.images[0]).float())


def test_a_run_resumes_at_a_chunk():
    def batches(first):
        return iter(CharacterDataset(_some(), CHARSET, 3, first, 4, chunk_batches=2))

    whole = batches(0)
    skipped = [next(whole) for _ in range(4)]
    resumed = batches(2)
    for expected, found in zip(
        [next(whole) for _ in range(3)], [next(resumed) for _ in range(3)], strict=True
    ):
        assert torch.equal(expected.images, found.images)
        assert expected.texts == found.texts
        assert expected.chunk == found.chunk
    assert [batch.chunk for batch in skipped] == [0, 0, 1, 1]


def test_rare_classes_are_drawn_as_often_as_frequent_ones():
    images = np.zeros((100, 28, 28), np.uint8)
    dataset = CharacterDataset(Characters(images, ("1",) * 98 + ("7", "a")), CHARSET)
    drawn = [dataset.sample(i)[1] for i in range(300)]
    assert all(70 <= drawn.count(c) <= 130 for c in "17a")


def test_the_papers_augmentation_only_shifts_by_whole_pixels():
    image = np.zeros((28, 28), np.uint8)
    image[10:18, 12:15] = 255
    seen = set()
    for seed in range(60):
        ink = vary_character(image, np.random.default_rng(seed), SHIFT_ONLY)
        ys, xs = np.nonzero(ink)
        assert np.unique(ink).tolist() == [0.0, 1.0]
        assert (np.ptp(ys), np.ptp(xs)) == (7, 2)
        seen.add((int(ys.min()) - 10, int(xs.min()) - 12))
    assert {y for y, _ in seen} == {x for _, x in seen} == {-2, -1, 0, 1, 2}


def test_the_folding_is_by_merge():
    assert len({fold_character(c) for c in CHARACTERS}) == 47
    assert [fold_character(c) for c in "cCaA0oO"] == ["C", "C", "a", "A", "0", "O", "O"]


class _Scripted(Recognizer):
    """Ranks the classes of image i in the order written at row i."""

    def __init__(self, charset, rankings):
        super().__init__(None, charset)
        self.rankings = rankings
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def encode_batch(self, images, widths):
        logits = torch.full((len(images), 1, self.charset.size), -30.0)
        for row, ranking in enumerate(self.rankings):
            for place, char in enumerate(ranking):
                logits[row, 0, self.charset.characters.index(char) + 1] = -float(place)
        return Encoded(logits, torch.ones(len(images), 1, dtype=torch.bool), logits)

    def loss(self, images, widths, targets, lengths):
        raise NotImplementedError


def test_cases_that_look_alike_are_folded_and_digits_are_judged_among_digits():
    charset = Charset("01coCO")
    batch = collate([np.zeros((28, 28), np.float32)] * 4, "0c1C", charset)
    model = _Scripted(charset, ["O01", "Cc0", "c01", "C"])
    report = measure_characters(model.eval(), [batch])
    assert (report.classes.right, report.classes.n) == (1, 4)  # C
    assert (report.folded.right, report.folded.n) == (2, 4)  # c read as C, and C
    assert (report.digits.right, report.digits.n) == (1, 2)  # 0 before 1; 1 behind 0
    assert str(report.digits) == "50.0% of 2 (9.5% to 90.5%)"


def test_the_sheet_shows_what_was_drawn_below_its_input():
    images = np.zeros((3, 2, 2), np.float32)
    drawn = np.ones((3, 2, 2), np.float32)
    sheet = reconstruction_sheet(images, drawn, columns=2)
    assert sheet.shape == (8, 4)
    assert sheet[[0, 2, 4, 6], 0].tolist() == [255, 0, 255, 0]
    assert sheet[4:, 2:].min() == 255  # the fourth place is empty


def test_the_training_loop_takes_characters(tmp_path):
    config = TrainConfig(samples=16, warmup_samples=4, loader_workers=0, check_samples=8)
    held_out = [next(iter(CharacterDataset(_some(), CHARSET, 9, 0, 4)))]
    weights = train(
        "capsnet",
        preset("capsnet", "tiny"),
        CHARSET,
        lambda chunk: CharacterDataset(_some(), CHARSET, 1, chunk, 8),
        config,
        tmp_path,
        held_out=held_out,
    )
    assert weights.exists()
