"""Without Tesseract a page goes on, says so, and goes to a person."""

from __future__ import annotations

import logging
import stat
from pathlib import Path
from typing import Any

import pytesseract
import pytest

from clinic_hwr import pipeline, stage_read
from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.models import Page
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.review.presentation import workstation_payload

from . import pipeline_fakes
from .intake import samples


def _program(folder: Path, body: str) -> str:
    path = folder / "tesseract"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("body", "problem"), [("", "missing"), ("exit 3", "failed"), ("sleep 5", "failed")],
    ids=["absent", "crashes", "hangs"],
)  # fmt: skip
def test_page_goes_on_without_print_and_says_so(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    caplog: Any,
    tmp_path: Path,
    body: str,
    problem: str,
) -> None:
    command = _program(tmp_path, body) if body else str(tmp_path / "absent")
    monkeypatch.setattr(pytesseract.pytesseract, "tesseract_cmd", command)
    monkeypatch.setattr("clinic_hwr.pages.print_words._TIMEOUT_S", 0.3)
    monkeypatch.setattr("clinic_hwr.pages.print_words._PROBE_S", 0.3)
    reader = pipeline_fakes.ScriptedReader()
    monkeypatch.setattr(stage_read, "reader_load", lambda: reader)
    scan = scan_receive(site=site, data=samples.png(), original_name="rx.png", source="cli")

    with caplog.at_level(logging.ERROR):
        result = pipeline.process(scan.pk, worker="w")

    scan.refresh_from_db()
    assert result.result in ("done", "idle")
    assert scan.state == "in_review"
    assert Page.objects.get().print_problem == problem
    shown = workstation_payload(scan)
    assert shown["pages"][0]["print_problem"] == problem
    assert any("could not be read" in note["message"] for note in shown["notes"])
    assert any(f"page.print_{problem}" in message for message in caplog.messages)
