"""Batches put together on the device: right texts under right ink, varied, repeatable."""

from itertools import islice

import numpy as np
import pytest
import torch

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.images import WIDTH_STEP_PX
from clinic_hwr.recognition.training.device_batches import (
    TOGETHER,
    DeviceMixture,
    _draw_matrices,
    _gathered,
    vary_images,
)
from clinic_hwr.recognition.training.sources import Sample
from clinic_hwr.recognition.training.store import STORED_HEIGHT_PX, NotDrawn, SampleStore

CPU = torch.device("cpu")
SIZE = 16


def _bars(index: int) -> Sample:
    """``index % 5 + 1`` tall bars, written as so many letters; every second from source 1."""
    count = index % 5 + 1
    image = np.full((40, 20 + 40 * count), 240, np.uint8)
    for k in range(count):
        image[4:36, 18 + 40 * k : 30 + 40 * k] = 10
    return Sample(image, "ab"[index % 2] * count, "nobody", place=index % 2)


@pytest.fixture
def store(tmp_path) -> SampleStore:
    store = SampleStore(tmp_path / "s", 2 * TOGETHER)
    store.fill(_bars, SIZE, 1)
    return store


def _mixture(store: SampleStore, **changes) -> DeviceMixture:
    options = {"pixels_per_batch": 1024, "seed": 3} | changes
    return DeviceMixture(store, Charset("ab"), 32, 640, CPU, **options)


def test_ink_and_text_belong_together(store, monkeypatch):
    for name in ("NOISY", "COARSER", "CUT", "MASKED", "BENT"):
        monkeypatch.setattr(f"clinic_hwr.recognition.training.device_batches.{name}", 0.0)
    seen = 0
    for batch in _mixture(store).chunk(0):
        assert batch.images.shape[2] == 32
        assert batch.images.shape[3] >= int(batch.widths.max())
        assert (batch.widths % WIDTH_STEP_PX == 0).all()
        for image, text, length, target in zip(
            batch.images, batch.texts, batch.lengths, batch.targets, strict=True
        ):
            middle = (image[0, 12:20].amax(0) > 0.35).int()
            bars = int((middle.diff() == 1).sum() + middle[0])
            assert bars == len(text) == int(length)
            assert target.tolist()[: len(text)] == Charset("ab").encode(text)
            seen += 1
    assert seen > 0.5 * TOGETHER * SIZE


def test_a_chunk_is_the_same_each_time_and_another_number_looks_different(store):
    mixture = _mixture(store)
    first, again = list(mixture.chunk(1)), list(mixture.chunk(1))
    assert [b.texts for b in first] == [b.texts for b in again]
    assert all(torch.equal(a.images, b.images) for a, b in zip(first, again, strict=True))
    other = list(mixture.chunk(5))
    assert not torch.equal(first[0].images, other[0].images)


def test_a_run_that_is_taken_up_sees_what_it_would_have_seen(store):
    chunk = len(list(_mixture(store).chunk(0)))
    whole = list(islice(_mixture(store), chunk + 3))
    rest = list(islice(_mixture(store, first_chunk=1), 3))
    assert {b.chunk for b in whole[:chunk]} == {0}
    assert all(torch.equal(a.images, b.images) for a, b in zip(whole[chunk:], rest, strict=True))


def test_only_the_wanted_sources_are_used(store):
    batches = list(_mixture(store, places=frozenset({1})).chunk(0))
    assert {text[0] for batch in batches for text in batch.texts} == {"b"}


def test_drawn_chunks_are_met_again_before_new_ones_come(store):
    mixture = _mixture(store, reuse=2)
    first = list(range(TOGETHER))
    second = list(range(TOGETHER, 2 * TOGETHER))
    assert mixture.stored_chunks(0) == mixture.stored_chunks(1) == first
    assert mixture.stored_chunks(2) == second
    assert all(mixture.stored_chunks(n) in (first, second) for n in range(3, 20))


def test_a_chunk_that_nobody_draws_is_an_error(tmp_path):
    empty = SampleStore(tmp_path / "none", TOGETHER)
    with pytest.raises(NotDrawn, match="draw-workers"):
        empty.drawn(0)
    with pytest.raises(ValueError, match="at least"):
        DeviceMixture(SampleStore(tmp_path, 2), Charset("ab"), 32, 640, CPU)


def test_matrices_put_the_whole_sample_into_its_width():
    stored = np.array([100, 300, 2000, 1])
    for seed in range(5):
        rng = np.random.default_rng(seed)
        matrices, widths = _draw_matrices(stored, rng, 32, 640)
        assert (widths % WIDTH_STEP_PX == 0).all()
        assert widths.max() <= 640
        a, b, c, _, e, f = matrices.T.astype(float)
        y = 16 * e + f  # of the stored map, at half the height of the input
        assert (np.abs(y - STORED_HEIGHT_PX / 2) < 0.25 * STORED_HEIGHT_PX).all()
        assert (a * 0 + b * 16 + c < 0.5 * STORED_HEIGHT_PX).all()  # left edge is inside
        right = a * widths + b * 16 + c
        assert (right > stored - 0.5 * STORED_HEIGHT_PX).all()


def test_gathering_cuts_samples_apart():
    inks = torch.arange(1, 7, dtype=torch.uint8).repeat(STORED_HEIGHT_PX, 1) * 40
    found = _gathered(inks, torch.tensor([0, 4]), torch.tensor([4, 2]))
    assert found.shape == (2, 1, STORED_HEIGHT_PX, 4)
    assert torch.allclose(found[1, 0, 0] * 255, torch.tensor([200.0, 240.0, 0.0, 0.0]))


def test_varied_images_stay_in_range_and_keep_their_ink():
    images = torch.zeros(64, 1, 32, 96)
    images[:, :, 8:24, 20:70] = 1.0
    noise = torch.Generator().manual_seed(1)
    out = vary_images(images, noise)
    assert out.shape == images.shape
    assert out.min() >= 0.0
    assert out.max() <= 1.0
    kept = (out[:, :, 10:22, 22:68] > 0.4).float().mean((1, 2, 3))
    assert (kept > 0.7).float().mean() > 0.9
    assert not torch.equal(out[0], out[1])
