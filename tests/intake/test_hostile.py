"""Hostile files through every front door: refused or read, never a server error or a lost worker.

A sample is sent here; ``-m slow`` sends all of them. Memory is measured by the benchmark in a
process of its own: until it starts its program a child counts with its parent, which would be the
whole suite, and the system keeps the peak of all children that ever were.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clinic_hwr import stage_page
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.storage import blob_read
from tests import pipeline_fakes

from . import hostile
from .hostile.doors import DOORS, House, judge

pytestmark = pytest.mark.thorough

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def test_there_are_over_three_hundred_different_files() -> None:
    files = hostile.all_files()

    assert len(files) >= 300
    assert len({file.label for file in files}) == len(files)


def test_files_are_the_same_every_time() -> None:
    for file in hostile.sample()[::7]:
        assert file.make() == file.make()


@pytest.fixture
def quick_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode for real; leave out turning upright and reading print, which see our raster only."""
    monkeypatch.setattr(stage_page, "make_upright", pipeline_fakes.make_upright)
    monkeypatch.setattr(stage_page, "read_print", pipeline_fakes.read_print)


@pytest.mark.usefixtures("db", "quick_pages")
def test_sample_is_refused_or_read_at_the_services(tmp_path: Path) -> None:
    house = House(tmp_path, "services")

    for file in hostile.sample():
        judge(house, file, read=True)

    for scan in Scan.objects.all():
        assert blob_read(scan.sha256) is not None  # kept, whatever it is


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("door", [door for door in DOORS if door != "services"])
def test_sample_is_refused_or_received_at_every_door(tmp_path: Path, door: str) -> None:
    house = House(tmp_path, door)

    for file in hostile.sample()[::6]:
        judge(house, file, read=False)


def test_sample_is_refused_or_read_under_a_gigabyte() -> None:
    _send("services", "--sample")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("door", DOORS)
def test_every_file_is_refused_or_read_under_a_gigabyte(door: str) -> None:
    _send(door)


def _send(door: str, *options: str) -> None:
    """Send the files in a process of its own, which measures what it and its children take."""
    command = [sys.executable, "-m", "benchmarks.hostile_files", "--door", door, *options]
    done = subprocess.run(  # our own module
        command, cwd=REPOSITORY, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
