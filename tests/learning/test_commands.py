"""manage.py synthesize, train and evaluate on a small scale, with the real data folder."""

import io
import json
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clinic_hwr.recognition.training.checkpoints import load_weights

DATA = Path(os.environ.get("CLINIC_HWR_DATA") or "nowhere")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="CLINIC_HWR_DATA names no data folder")


@pytest.mark.parametrize("command", [("synthesize", "out"), ("train",), ("evaluate",)])
def test_without_data_a_command_says_how_to_name_it(command, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings.CLINIC_HWR_DATA = ""
    with pytest.raises(CommandError, match="--data"):
        call_command(*command)


@needs_data
def test_crops_are_written_with_labels_and_repeat(tmp_path):
    for name in ("a", "b"):
        call_command(
            "synthesize", str(tmp_path / name), data=DATA, count=12, seed=3, cache=tmp_path
        )
    labels = (tmp_path / "a" / "labels.tsv").read_text().splitlines()
    assert len(labels) == 13
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


@needs_data
def test_pages_are_written_with_their_truth(tmp_path):
    call_command("synthesize", str(tmp_path), data=DATA, count=1, pages=True)
    truth = json.loads((tmp_path / "page_00000.json").read_text())
    assert (tmp_path / "page_00000.png").stat().st_size > 10_000
    assert {"drug", "sig"} <= {field["name"] for field in truth["fields"]}


def test_held_out_pages_are_drawn_without_data(settings, tmp_path):
    settings.CLINIC_HWR_DATA = ""
    call_command("synthesize", str(tmp_path), count=1, pages=True, split="held_out",
                 degradation=["phone_on_table"])  # fmt: skip
    truth = json.loads((tmp_path / "page_00000.json").read_text())
    assert (truth["role"], truth["degradation"]) == ("held_out", "phone_on_table")
    assert truth["hand"].startswith("hershey-")
    assert {"text", "printed", "struck", "box_px", "quad_px"} == set(truth["lines"][0])


@needs_data
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_short_run_is_trained_measured_and_calibrated(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "[train]\nwarmup_samples = 100\nloader_workers = 0\nbf16 = false\nstored_chunks = 1\n"
        # What a reader must find in the data first takes ten minutes.
        "[mixture]\ncomposed = 0.0\nline_words = 0.0\n"
    )
    out = io.StringIO()
    call_command(
        "train", preset="tiny", samples=300, data=DATA, config=recipe, out=tmp_path / "run",
        cache=tmp_path / "cache", arch="trba", stdout=out,
    )  # fmt: skip
    weights = Path(out.getvalue().strip())
    assert load_weights(weights)[0] == "trba"
    table = io.StringIO()
    call_command(
        "evaluate", data=DATA, arch="trba", weights=[weights], sets=["copiste_words"], limit=20,
        json=True, stdout=table,
    )  # fmt: skip
    assert json.loads(table.getvalue())["name"] == "copiste_words"


def test_an_unknown_preset_lists_the_valid_ones():
    with pytest.raises(CommandError, match="small"):
        call_command("train", preset="huge")
