"""The product's Celery app with a reader that knows its lines, for worker processes of tests.

The recognizer has tests of its own; here messages, claims and databases are under test, and a
worker that need not load torch starts in two seconds.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import django

from clinic_hwr.celery import app
from clinic_hwr.pages.types import Gray
from clinic_hwr.recognition.types import Alternative, CharConfidence, Reading

django.setup()

from clinic_hwr import stage_read  # noqa: E402 (models need the apps)

__all__ = ["app"]


class ScriptedReader:
    """Reads the same uncertain word everywhere."""

    name = "scripted"

    def read(self, crops: Sequence[Gray], *, kinds: Sequence[str] = ()) -> list[Reading]:
        """Return one reading for each crop."""
        return [
            Reading(
                text="amox",
                p_correct=0.4,
                chars=tuple(CharConfidence(char, 0.8) for char in "amox"),
                alternatives=(Alternative("amox", 0.4),),
                model="scripted",
            )
            for _ in crops
        ]


def scripted_reader() -> ScriptedReader:
    """Return the reader; while the file SCRIPTED_HANG exists, hang in the middle of the stage."""
    hang = Path(os.environ.get("SCRIPTED_HANG", "no-such-file"))
    if hang.exists():
        hang.with_suffix(".reached").touch()
        signal.pause()
    return ScriptedReader()


stage_read.reader_load = scripted_reader
