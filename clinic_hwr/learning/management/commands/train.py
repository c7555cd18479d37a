"""manage.py train: train a recognizer, or go on with a run that was interrupted."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clinic_hwr.learning.data_folder import data_folder
from clinic_hwr.recognition.training.command import (
    RecipeRefused,
    add_arguments,
    read_recipe,
    run,
)


class Command(BaseCommand):
    """Train one architecture on the data folder."""

    help = "Train a recognizer; run again with the same --out to go on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--data", type=Path, help="Data folder (default: CLINIC_HWR_DATA).")
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Train with a progress bar; prints the path of the weights."""
        try:
            recipe = read_recipe(options)
        except RecipeRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(run(recipe, options, data_folder(options["data"]))))
