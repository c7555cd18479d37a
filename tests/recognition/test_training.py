"""A short run on a source of bars: it writes, resumes and exports what it should."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from clinic_hwr.recognition.architectures import preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.training import loop
from clinic_hwr.recognition.training.checkpoints import load_checkpoint, load_weights
from clinic_hwr.recognition.training.curves import draw_curve
from clinic_hwr.recognition.training.datasets import (
    MixtureConfig,
    MixtureDataset,
    mixture_places,
    width_class,
)
from clinic_hwr.recognition.training.loop import TrainConfig, learning_rate_at, train
from clinic_hwr.recognition.training.material import gather_material
from clinic_hwr.recognition.training.recipe import make_recipe
from clinic_hwr.recognition.training.sources import Sample, held_out_writer

pytestmark = pytest.mark.thorough

CHARSET = Charset("ab")


class Bars:
    """Tall bars are a, short bars are b."""

    def draw(self, rng: np.random.Generator) -> Sample:
        text = "".join("ab"[i] for i in rng.integers(0, 2, rng.integers(1, 4)))
        image = np.full((40, 12 + 24 * len(text)), 240, np.uint8)
        for i, char in enumerate(text):
            image[5 if char == "a" else 25 : 36, 10 + 24 * i : 16 + 24 * i] = 10
        return Sample(image, text, "nobody")


def _dataset(first_chunk: int) -> MixtureDataset:
    return MixtureDataset([(Bars(), 1.0)], CHARSET, 32, 640, 2048, 0, first_chunk, 256)


CONFIG = TrainConfig(
    samples=200, warmup_samples=100, bf16=False, loader_workers=0, checkpoint_seconds=0.0
)


def test_a_run_writes_weights_curve_and_checkpoint_and_goes_on(tmp_path):
    seen = []
    weights = train(
        "trba", preset("trba", "tiny"), CHARSET, _dataset, CONFIG, tmp_path,
        lambda progress: seen.append(progress.samples),
    )  # fmt: skip
    assert load_weights(weights)[0] == "trba"
    assert seen[-1] >= 200
    assert load_checkpoint(tmp_path / "checkpoint.pt")["numbers"]["samples"] == seen[-1]

    more = replace(CONFIG, samples=seen[-1] + 100)
    again = []
    train(
        "trba", preset("trba", "tiny"), CHARSET, _dataset, more, tmp_path,
        lambda progress: again.append(progress.samples),
    )  # fmt: skip
    assert again[0] > seen[-1]
    (tmp_path / "curve.csv").write_text("10,2.0,0.9,,1\n20,1.0,0.5,0.6,2\n")
    draw_curve(tmp_path / "curve.csv", tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes()[:4] == b"\x89PNG"


class Interrupted(Exception):
    """Somebody pulled the plug."""


def test_a_run_that_was_interrupted_ends_with_the_very_same_weights(tmp_path):
    config = replace(CONFIG, samples=900)

    def run(folder, stop_at=None):
        def report(progress):
            if stop_at is not None and progress.samples >= stop_at:
                raise Interrupted

        return train(
            "trba", preset("trba", "tiny"), CHARSET, _dataset, config, tmp_path / folder, report,
            held_out=list(_dataset(0).chunk(50)),
        )  # fmt: skip

    whole = run("whole")
    with pytest.raises(Interrupted):
        run("cut", stop_at=600)
    cut = run("cut")
    assert load_checkpoint(tmp_path / "cut" / "checkpoint.pt")["numbers"]["samples"] >= 900
    expected, found = (load_weights(path)[1].state_dict() for path in (whole, cut))
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_run_stops_early_and_exports_its_best_weights(tmp_path, monkeypatch):
    heard = iter([0.5, 0.4, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9])
    taken = []
    monkeypatch.setattr(loop, "greedy_cer", lambda model, batches, device: next(heard))
    monkeypatch.setattr(loop, "CURVE_STEPS", 10**9)
    remember = loop.Run.check

    def check(self, batches):
        remember(self, batches)
        taken.append({k: v.clone() for k, v in self.average.tensors.items()})

    monkeypatch.setattr(loop.Run, "check", check)
    config = replace(CONFIG, samples=100_000, check_samples=100, patience=2)
    weights = train(
        "trba", preset("trba", "tiny"), CHARSET, _dataset, config, tmp_path,
        held_out=list(_dataset(0).chunk(50))[:1],
    )  # fmt: skip
    _, model = load_weights(weights)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, taken[1][name].half().float()), name
    assert len(taken) < 8


def test_the_same_chunk_is_the_same_batches():
    first, second = list(_dataset(0).chunk(3)), list(_dataset(0).chunk(3))
    assert [b.texts for b in first] == [b.texts for b in second]
    assert all(torch.equal(a.images, b.images) for a, b in zip(first, second, strict=True))
    assert sum(len(b.texts) for b in first) > 0.6 * 256


@pytest.mark.parametrize(("width", "rounded"), [(16, 32), (32, 32), (240, 256), (272, 320)])
def test_widths_fall_into_few_classes(width, rounded):
    assert width_class(width) == rounded


def test_the_learning_rate_rises_then_falls():
    config = TrainConfig(samples=1000, warmup_samples=100, learning_rate=1.0)
    rates = [learning_rate_at(s, config) for s in (0, 50, 100, 550, 1000)]
    assert rates[1] == pytest.approx(0.5)
    assert rates[2] == pytest.approx(1.0)
    assert rates[3] == pytest.approx(0.505)
    assert rates[4] == pytest.approx(0.01)


def test_a_stable_schedule_falls_only_at_the_end():
    config = TrainConfig(samples=1000, warmup_samples=100, learning_rate=1.0, decay_share=0.2)
    rates = [learning_rate_at(s, config) for s in (50, 100, 800, 900, 1000)]
    assert rates == pytest.approx([0.5, 1.0, 1.0, 0.5, 0.01])


def test_a_recipe_is_overridden_by_a_file_and_refuses_unknown_keys(tmp_path):
    file = tmp_path / "r.toml"
    file.write_text('[model]\ntransformation = "none"\n[train]\nsamples = 5\n')
    recipe = make_recipe("trba", "tiny", file)
    assert (recipe.model.transformation, recipe.train.samples) == ("none", 5)
    file.write_text("[train]\nspeed = 9\n")
    with pytest.raises(ValueError, match="speed"):
        make_recipe("trba", "tiny", file)


def test_a_family_that_makes_words_has_a_schedule_of_its_own(tmp_path):
    file = tmp_path / "r.toml"
    file.write_text("[train]\nsteps = 7\n")
    assert make_recipe("scrabblegan", "tiny", file).train.steps == 7
    file.write_text("[mixture]\nreject = 0.1\n")
    with pytest.raises(ValueError, match="mixture"):
        make_recipe("scrabblegan", "tiny", file)
    with pytest.raises(ValueError, match="reads nothing"):
        gather_material(make_recipe("scrabblegan", "tiny"), CHARSET, tmp_path, tmp_path, file, 0)


def test_a_reader_of_characters_learns_from_characters_and_is_not_chosen_by_them(tmp_path):
    (tmp_path / "chars").mkdir()
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "chars" / "some_train.npz",
        images=rng.integers(0, 255, (200, 28, 28), np.uint8), labels=np.arange(200) % 2,
        classes=np.array(["a", "b"]), source_index=np.arange(200),
    )  # fmt: skip
    recipe = make_recipe("capsnet", "tiny")
    recipe = replace(recipe, train=replace(recipe.train, pixels_per_batch=280))
    material = gather_material(recipe, CHARSET, tmp_path, tmp_path, tmp_path, 0)
    assert material.held_out == ()
    first, again = (next(iter(material.make_dataset(3))) for _ in range(2))
    assert first.images.shape == (10, 1, 28, 28)
    assert first.texts == again.texts
    assert torch.equal(first.images, again.images)


def test_held_out_writers_are_a_fixed_share():
    share = np.mean([held_out_writer(f"copiste_{i:04d}") for i in range(2000)])
    assert 0.10 < share < 0.14
    assert held_out_writer("copiste_0001") == held_out_writer("copiste_0001")


def test_sources_are_numbered_as_the_mixture_lists_them():
    config = MixtureConfig(unipen_phrases=0.0, gan_words=0.1)
    places = mixture_places(config)
    assert list(places)[:2] == ["unipen_words", "unipen_lines"]
    assert places["gan_words"] == len(places) - 1
    assert "unipen_phrases" not in places
