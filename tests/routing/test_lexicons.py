"""Which lexicon a site reads with, and that a broken formulary stops no scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clinic_hwr.accounts.models import Site
from clinic_hwr.prescriptions.formulary import FormularyError
from clinic_hwr.review.services import prescription_refresh
from clinic_hwr.routing.checks import check_formularies
from clinic_hwr.routing.lexicons import site_formulary, site_lexicon, working_lexicon
from tests.review.scripted import read_scan


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.CLINIC_HWR_FORMULARIES = str(tmp_path)
    return tmp_path


def test_a_site_has_its_own_formulary_before_the_default(folder: Path) -> None:
    (folder / "default.csv").write_text("name\nDefaultol\n")
    (folder / "pune.csv").write_text("name\nDolo\n")

    assert site_lexicon("pune").find("Dolo") is not None
    assert site_lexicon("pune").find("Defaultol") is None
    assert site_lexicon("paris").find("Defaultol") is not None
    assert site_formulary("../pune") == folder / "default.csv"


def test_a_changed_file_is_read_again(folder: Path) -> None:
    path = folder / "default.csv"
    path.write_text("name\nDolo\n")
    assert site_lexicon().find("Calpol") is None

    path.write_text("name\nDolo\nCalpol\n")

    assert site_lexicon().find("Calpol") is not None


def test_a_broken_formulary_stops_no_scan_and_is_reported(folder: Path, site: Site) -> None:
    (folder / f"{site.slug}.csv").write_text("name,strength\nDolo,lots\n")

    with pytest.raises(FormularyError):
        site_lexicon(site.slug)
    assert working_lexicon(site.slug).find("lisinopril") is not None
    record = prescription_refresh(scan=read_scan(site).scan)
    assert record.content["medications"]
    (warning,) = check_formularies()
    assert "line 2: the strength “lots” is not understood" in warning.msg


def test_without_folders_the_packaged_lexicon_is_used(settings: Any) -> None:
    del settings.CLINIC_HWR_FORMULARIES
    del settings.CLINIC_HWR_LEXICON

    assert site_formulary("any") is None
    assert site_lexicon("any").find("lisinopril") is not None
    assert check_formularies() == []
