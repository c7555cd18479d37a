"""Boxed characters and free text on their way from a scanned page to stored readings."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch

from clinic_hwr import pipeline, special_readers, stage_read
from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.claims import InstallationFault
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.prescriptions.identifiers import dea_valid, npi_valid
from clinic_hwr.recognition import runtime
from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.synthesis.pages import ScanSettings, draw_page
from clinic_hwr.recognition.synthesis.pages_samples import US_PAD
from clinic_hwr.recognition.training.checkpoints import export_weights
from clinic_hwr.review.presentation import workstation_payload
from clinic_hwr.review.services.effective import field_states
from clinic_hwr.routing.models import Field

from .pages.plain import PlainHand
from .pipeline_fakes import ScriptedReader

pytestmark = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="the tesseract program is not installed"
)


@pytest.fixture(scope="session")
def form_png() -> bytes:
    """A scanned form with combs and notes."""
    settings = ScanSettings(skew_deg=0.8, noise=3.0)
    page = draw_page("boxed_form", US_PAD, PlainHand(), seed=3, dpi=200, settings=settings)
    _, data = cv2.imencode(".png", page.gray)
    return bytes(data)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> ScriptedReader:
    """A scripted reader of lines; combs and blocks are read by the real ones."""
    reader = ScriptedReader()
    monkeypatch.setattr(stage_read, "reader_load", lambda: reader)
    return reader


@pytest.fixture
def block_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny untrained reader of blocks, installed as if it shipped."""
    torch.manual_seed(5)
    path = tmp_path / "scan_attend_read-small.safetensors"
    config = preset("scan_attend_read", "tiny")
    config = type(config)(**{**vars(config), "height_px": 96})
    model = architecture("scan_attend_read").build(config, Charset())
    export_weights(path, "scan_attend_read", config, Charset(), model.state_dict())
    monkeypatch.setattr(runtime, "WEIGHTS_DIR", tmp_path)
    runtime.load_block_reader.cache_clear()
    yield path
    runtime.load_block_reader.cache_clear()


def read_form(site: Site, form_png: bytes) -> Any:
    scan = scan_receive(site=site, data=form_png, original_name="form.png", source="cli")
    for _ in range(2):
        assert pipeline.advance(scan.pk, worker="w").result == "done"
    return scan


def readings(scan: Any) -> dict[str, Any]:
    fields = Field.objects.filter(page__scan=scan)
    return {field.name: field.readings.get() for field in fields if field.readings.exists()}


def test_boxed_fields_are_read_by_capsules_and_stored(
    site: Site, form_png: bytes, lines: ScriptedReader
) -> None:
    scan = read_form(site, form_png)
    found = readings(scan)
    assert found["prescriber_npi"].text == "1234567893"
    assert found["prescriber_dea"].text == "AB1234563"
    assert found["quantity"].text == "21"
    assert found["patient_dob"].text == "04 12 1988"
    assert npi_valid(found["prescriber_npi"].text) and dea_valid(found["prescriber_dea"].text)
    npi = found["prescriber_npi"]
    assert npi.model.startswith("capsnet-small@")
    # fitted on drawn combs only: no default threshold accepts it without a person
    assert 0.5 < npi.p_correct <= 0.9
    assert [char for char, _ in npi.chars] == list("1234567893")
    assert npi.alternatives[0][0] == "1234567893" and len(npi.alternatives) == 5
    assert found["patient_name"].model == "scripted@1"


def test_a_boxed_field_is_reviewed_and_interpreted_as_any_other(
    site: Site, form_png: bytes, lines: ScriptedReader
) -> None:
    scan = read_form(site, form_png)
    assert pipeline.advance(scan.pk, worker="w").result == "done"
    scan.refresh_from_db()
    assert scan.state == "in_review"
    fields = workstation_payload(scan)["fields"]
    shown = {field["name"]: field for field in fields}
    assert shown["prescriber_npi"]["machine"] == "1234567893"
    assert shown["prescriber_npi"]["band"] == "medium"
    assert shown["prescriber_npi"]["needs_human"] is True
    assert shown["prescriber_npi"]["candidates"][0]["text"] == "1234567893"
    from clinic_hwr.review.models import PrescriptionRecord

    patient = PrescriptionRecord.objects.get(scan=scan).content["patient"]
    assert date.fromisoformat(patient["birth_date"]) == date(1988, 4, 12)
    assert len(field_states(scan)) == len(fields)


def test_a_site_may_read_cells_as_lines(
    site: Site, form_png: bytes, lines: ScriptedReader, settings: Any
) -> None:
    settings.CLINIC_HWR_COMB_ARCH = ""
    found = readings(read_form(site, form_png))
    assert found["prescriber_npi"].model == "scripted@1"


@pytest.mark.parametrize("arch", ["scan_attend_read", "crnn_ctc", "scrabblegan", "nonsense"])
def test_a_family_that_reads_no_cells_is_an_installation_fault(arch: str, settings: Any) -> None:
    settings.CLINIC_HWR_COMB_ARCH = arch
    with pytest.raises(InstallationFault, match="capsnet"):
        special_readers.comb_reader_load()


def test_free_text_is_read_by_lines_and_says_so(
    site: Site, form_png: bytes, lines: ScriptedReader
) -> None:
    notes = readings(read_form(site, form_png))["notes"]
    count = int(notes.scores["lines"])
    assert count in (2, 3)
    assert notes.model == "scripted@1 (lines)"
    assert notes.text == " ".join(["amoxicillin"] * count)
    assert notes.p_correct == pytest.approx(0.8**count)


def test_free_text_is_read_as_a_block_where_the_site_has_a_reader(
    site: Site, form_png: bytes, lines: ScriptedReader, settings: Any, block_weights: Path
) -> None:
    settings.CLINIC_HWR_BLOCK_ARCH = "scan_attend_read"
    settings.CLINIC_HWR_COMB_ARCH = ""  # its weights are not in the folder of this test
    notes = readings(read_form(site, form_png))["notes"]
    assert notes.model.startswith("scan_attend_read-small@")
    assert notes.p_correct < 1e-9  # nothing was fitted for these weights
    assert "".join(char for char, _ in notes.chars) == notes.text
    assert "lines" not in notes.scores
    field = Field.objects.get(name="notes")
    assert (field.kind, field.route) == ("paragraph", "human")


def test_without_its_weights_a_block_is_read_by_lines(
    site: Site, form_png: bytes, lines: ScriptedReader, settings: Any, block_weights: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    block_weights.unlink()
    settings.CLINIC_HWR_BLOCK_ARCH = "scan_attend_read"
    settings.CLINIC_HWR_COMB_ARCH = ""
    special_readers._say_missing.cache_clear()
    notes = readings(read_form(site, form_png))["notes"]
    assert notes.model.endswith("(lines)")
    assert "read.block_weights_missing arch=scan_attend_read" in caplog.text


def test_a_family_that_reads_no_blocks_is_an_installation_fault(settings: Any) -> None:
    settings.CLINIC_HWR_BLOCK_ARCH = "trba"
    with pytest.raises(InstallationFault, match="scan_attend_read"):
        special_readers.block_reader_load()


@pytest.mark.parametrize("arch", ["capsnet", "scan_attend_read", "scrabblegan", "nonsense"])
def test_a_family_that_reads_no_fields_is_an_installation_fault(arch: str, settings: Any) -> None:
    settings.CLINIC_HWR_ARCH = arch
    with pytest.raises(InstallationFault, match=arch):
        stage_read.reader_load()


def test_a_dictionary_that_is_missing_is_an_installation_fault(settings: Any) -> None:
    settings.CLINIC_HWR_DECODER = "word_beam"
    settings.CLINIC_HWR_DICTIONARY = "/nowhere/words.txt"
    with pytest.raises(InstallationFault, match=r"words\.txt"):
        stage_read.reader_load()
