"""Hostile files through every front door: refused or read, never a server error or a lost worker.

The fast suite sends a sample; ``-m slow`` and ``benchmarks/hostile_files.py`` send all of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from clinic_hwr import stage_page
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.storage import blob_read
from tests import pipeline_fakes

from . import hostile
from .hostile.doors import DOORS, House, judge

pytestmark = pytest.mark.thorough

LIMIT_MB = 1024


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
        verdict = judge(house, file, read=True)
        # until it starts its own program a child counts with its parent, here the whole suite
        assert verdict.child_mb < max(LIMIT_MB, verdict.parent_mb + 16), file.label

    for scan in Scan.objects.all():
        assert blob_read(scan.sha256) is not None  # kept, whatever it is


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("door", [door for door in DOORS if door != "services"])
def test_sample_is_refused_or_received_at_every_door(tmp_path: Path, door: str) -> None:
    house = House(tmp_path, door)

    for file in hostile.sample()[::6]:
        judge(house, file, read=False)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.django_db
@pytest.mark.parametrize("door", DOORS)
def test_every_file_is_refused_or_read_under_a_gigabyte(tmp_path: Path, door: str) -> None:
    house = House(tmp_path, door)

    for file in hostile.all_files():
        verdict = judge(house, file, read=door == "services")
        assert verdict.child_mb < LIMIT_MB, file.label
        assert verdict.parent_mb < LIMIT_MB, file.label
