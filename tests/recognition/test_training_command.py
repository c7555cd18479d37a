"""Training by name without Django: options, refusals, stopping in time and going on."""

import subprocess
import sys
from argparse import ArgumentParser

import pytest

from clinic_hwr.recognition.architectures import preset
from clinic_hwr.recognition.training import command
from clinic_hwr.recognition.training.checkpoints import load_checkpoint
from clinic_hwr.recognition.training.loop import TrainConfig, train

from .test_training import CHARSET, _dataset

pytestmark = pytest.mark.thorough


def _options(*words: str) -> dict:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return vars(parser.parse_args(words))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--arch", "nobody"), "trba"),
        (("--preset", "huge"), "small"),
        (("--config", "no_such_file.toml"), "2"),
    ],
)
def test_a_wrong_recipe_is_refused_with_what_would_be_right(words, message):
    with pytest.raises(command.RecipeRefused, match=message):
        command.read_recipe(_options(*words))


def test_the_module_runs_without_django():
    code = (
        "import sys, clinic_hwr.recognition.training.command; "
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'celery')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_that_is_out_of_time_is_saved_and_goes_on_where_it_was(tmp_path):
    config = TrainConfig(
        samples=1500, warmup_samples=100, bf16=False, loader_workers=0, checkpoint_seconds=1e9
    )
    train("trba", preset("trba", "tiny"), CHARSET, _dataset, config, tmp_path, seconds=0.0)
    stopped = load_checkpoint(tmp_path / "checkpoint.pt")["numbers"]
    assert 0 < stopped["samples"] < 1500
    assert stopped["chunk"] == 1  # of 256 samples, some of which fill no batch
    seen = []
    train(
        "trba", preset("trba", "tiny"), CHARSET, _dataset, config, tmp_path,
        lambda progress: seen.append(progress.samples),
    )  # fmt: skip
    assert stopped["samples"] < seen[0] < stopped["samples"] + 256
    assert seen[-1] >= 1500
