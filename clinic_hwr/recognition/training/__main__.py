"""``python -m clinic_hwr.recognition.training``: ``manage.py train`` without Django."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from .command import RecipeRefused, add_arguments, read_recipe, run

if __name__ == "__main__":
    parser = ArgumentParser(description="Train a recognizer; run again to go on.")
    parser.add_argument("--data", type=Path, required=True, help="Data folder.")
    add_arguments(parser)
    options = vars(parser.parse_args())
    try:
        print(run(read_recipe(options), options, options["data"]))
    except RecipeRefused as error:
        parser.error(str(error))
