"""A worker process that stops dead in a given stage, to be killed there.

``python -m tests.killable_worker page|read|none``: says "reached" on stdout when it hangs, and
"settled" when nothing waits any more. The rooms are the scripted ones, so no weights are needed.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_hwr.settings")
django.setup()

from django.conf import settings  # noqa: E402

from clinic_hwr import pipeline, stage_page  # noqa: E402
from clinic_hwr.intake.models import Scan  # noqa: E402
from clinic_hwr.pages.types import Gray, UprightPage  # noqa: E402
from clinic_hwr.recognition.types import Reading  # noqa: E402
from clinic_hwr.worker import Worker  # noqa: E402
from tests import pipeline_fakes  # noqa: E402

CLAIM_S = 0.5


def hang() -> None:
    """Say so and wait for the kill."""
    print("reached", flush=True)
    threading.Event().wait()


class HangingReader(pipeline_fakes.ScriptedReader):
    """Stops dead in the middle of the read stage."""

    def read(self, crops: Sequence[Gray], **options: Any) -> list[Reading]:
        """Hang."""
        hang()
        return []


def hang_upright(gray: Gray) -> UprightPage:
    """Stop dead in the middle of the page stage, with the file decoded."""
    hang()
    raise AssertionError("never reached")


def main(stage: str) -> None:
    """Work until everything is settled, or hang in ``stage``."""
    settings.CLINIC_HWR_CLAIM_S = CLAIM_S
    pipeline_fakes.install(setattr, HangingReader() if stage == "read" else None)
    if stage == "page":
        stage_page.make_upright = hang_upright
    worker = Worker(name=f"killable-{stage}")
    stop = threading.Event()
    pause = threading.Event()
    while Scan.objects.filter(state__in=pipeline.STATES).exists():
        if not worker.scans_once(stop):
            pause.wait(CLAIM_S / 5)
    print("settled", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
