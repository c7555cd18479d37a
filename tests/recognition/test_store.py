"""Drawn samples on disk: the same for every reader, drawn once, varied when used."""

import numpy as np
import pytest

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.training.datasets import MixtureDataset, vary_ink
from clinic_hwr.recognition.training.sources import Sample
from clinic_hwr.recognition.training.store import STORED_HEIGHT_PX, SampleStore

drawn: list[int] = []


def _sample(index: int) -> Sample:
    drawn.append(index)
    image = np.full((40, 80 + index), 240, np.uint8)
    image[8:34, 10 : 60 + index] = 15
    return Sample(image, f"t{index}", "w")


def test_a_chunk_is_drawn_once_and_comes_back_modulo_the_size(tmp_path):
    drawn.clear()
    store = SampleStore(tmp_path / "s", 2)
    first = store.chunk(1, _sample, 3)
    assert drawn == [3, 4, 5]
    again = store.chunk(5, _sample, 3)
    assert drawn == [3, 4, 5]
    assert [text for _, text in again] == ["t3", "t4", "t5"]
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(first, again, strict=True))
    assert {ink.shape[0] for ink, _ in first} == {STORED_HEIGHT_PX}


def test_several_processes_fill_a_store(tmp_path):
    store = SampleStore(tmp_path / "s", 5)
    store.fill(_sample, 2, 2)
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == [f"{i:05d}.npz" for i in range(5)]


def test_a_failing_process_is_heard(tmp_path):
    def broken(index: int) -> Sample:
        raise SystemExit(3)

    with pytest.raises(RuntimeError, match="failed"):
        SampleStore(tmp_path / "s", 1).fill(broken, 2, 1)


def test_a_store_needs_a_chunk(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        SampleStore(tmp_path, 0)


class _Bars:
    def draw(self, rng: np.random.Generator) -> Sample:
        image = np.full((40, 90), 240, np.uint8)
        image[8:34, 10 : 20 + int(rng.integers(5, 60))] = 15
        return Sample(image, "ab", "w")


def test_a_dataset_with_a_store_repeats_its_samples_but_not_their_look(tmp_path):
    store = SampleStore(tmp_path / "s", 1)
    data = MixtureDataset(
        [(_Bars(), 1.0)], Charset("ab"), 32, 640, 2048, 0, chunk_samples=64, store=store
    )
    first, again, later = (list(data.chunk(n)) for n in (0, 0, 1))
    assert all(np.array_equal(a.images, b.images) for a, b in zip(first, again, strict=True))
    assert sum(len(b.texts) for b in later) > 32
    assert not np.array_equal(first[0].images, later[0].images)


def test_varied_ink_keeps_height_range_and_roughly_its_place():
    ink = np.zeros((48, 96), np.uint8)
    ink[10:38, 20:70] = 255
    for seed in range(20):
        out = vary_ink(ink, np.random.default_rng(seed), 32, 640)
        assert out.shape[0] == 32
        assert out.shape[1] % 16 == 0
        assert out.min() >= 0.0
        assert 0.7 < out.max() <= 1.0
        share = (out > 0.4).sum() / ((ink > 100).sum() * (32 / 48) ** 2)
        assert 0.6 < share < 1.5


def test_a_store_that_is_being_filled_gives_what_is_there_and_waits_for_the_rest(tmp_path):
    store = SampleStore(tmp_path / "s", 3)
    workers = store.start(_sample, 2, 1)
    last = store.drawn(2, seconds=30)
    for worker in workers:
        worker.join()
    assert last.texts == ("t4", "t5")
    assert last.inks.shape == (STORED_HEIGHT_PX, int(last.widths.sum()))
    assert last.places.tolist() == [0, 0]
