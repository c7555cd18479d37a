"""Every shipped weights file comes with its card, its recipe and fitted settings."""

import json

import pytest

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.runtime import (
    SHIPPED,
    WEIGHTS_DIR,
    load_reader,
    settings_path,
    weights_paths,
)
from clinic_hwr.recognition.training.checkpoints import load_weights
from clinic_hwr.recognition.training.recipe import make_recipe

SHIPPED_FILES = sorted(WEIGHTS_DIR.glob("*.safetensors"))


@pytest.mark.parametrize("path", SHIPPED_FILES, ids=lambda p: p.stem)
def test_a_weights_file_is_small_and_comes_with_card_and_recipe(path):
    assert path.stat().st_size <= 16 * 2**20
    arch, model = load_weights(path)
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert f"{sum(p.numel() for p in model.parameters()):,}" in card
    assert f"--config clinic_hwr/recognition/weights/{path.stem}.toml" in card
    recipe = make_recipe(arch, "small", path.with_suffix(".toml"))
    assert recipe.model == model.config
    assert model.charset == Charset()


def test_the_shipped_readers_have_settings_that_were_fitted_for_these_very_files():
    reader = load_reader()
    path = settings_path(weights_paths(SHIPPED))
    assert json.loads(path.read_text(encoding="utf-8"))["model"] == reader.model_version
    assert {"word", "line", "lexicon", "strength", "date", "sig", "name", "digits"} <= set(
        reader.settings.calibrators
    )
