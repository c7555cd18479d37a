"""Batches: one scan a prescription, nothing lost, order kept, each with its own pages only."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pikepdf
import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clinic_hwr import pipeline, stage_page
from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake.batches import (
    SEPARATOR_CODE,
    BadRule,
    PageFacts,
    SplitRule,
    check_rule,
    group_pages,
    parse_rule,
)
from clinic_hwr.intake.decoding import decode_pages, iterate_pages
from clinic_hwr.intake.models import Page, PageKind, Scan, SiteIntake
from clinic_hwr.intake.separator import PAPERS, separator_pdf
from clinic_hwr.intake.services import scan_receive, scan_transition
from clinic_hwr.intake.splitting import scan_pdf
from clinic_hwr.intake.states import ScanState
from clinic_hwr.routing.models import Field
from tests import pipeline_fakes

from .samples import encoded, marked_page

pytestmark = pytest.mark.thorough

P, SEP, BLANK = PageFacts(), PageFacts((SEPARATOR_CODE,)), PageFacts(blank=True)


@pytest.mark.parametrize(
    ("pages", "rule", "groups"),
    [
        ([P, P, P], "", [[1, 2, 3]]),
        ([P, SEP, P, P], "", [[1], [3, 4]]),
        ([SEP, P, SEP, SEP, P, SEP], "none", [[2], [5]]),
        ([SEP, SEP], "", []),
        ([P, P, P, P, P], "every:2", [[1, 2], [3, 4], [5]]),
        ([P, BLANK, P, BLANK], "every:1", [[1, 2], [3, 4]]),
        ([P, BLANK, P], "", [[1, 2, 3]]),
        ([P, BLANK, P, P], "blank", [[1], [3, 4]]),
        ([BLANK, BLANK], "blank", [[1, 2]]),
        ([BLANK, P], "every:1", [[1, 2]]),
        ([P, SEP, BLANK], "", [[1, 3]]),
        ([P, PageFacts(("RX1",)), P, PageFacts(("RX2",))], "barcode", [[1], [2, 3], [4]]),
        ([PageFacts(("RX1",)), PageFacts(("MRN",)), P], "barcode:RX", [[1, 2, 3]]),
    ],
)
def test_pages_are_grouped(pages: list[PageFacts], rule: str, groups: list[list[int]]) -> None:
    assert group_pages(pages, parse_rule(rule)) == groups


_pages = st.lists(st.sampled_from([P, SEP, BLANK, PageFacts(("RX1",))]), max_size=50)
_rules = st.sampled_from(["", "every:1", "every:3", "blank", "barcode", "barcode:RX"])


@given(_pages, _rules)
def test_no_page_is_lost_or_doubled_and_the_order_stays(pages: list[PageFacts], rule: str) -> None:
    groups = group_pages(pages, parse_rule(rule))

    numbers = [number for group in groups for number in group]
    assert numbers == sorted(set(numbers))
    assert all(groups)
    left_out = set(range(1, len(pages) + 1)) - set(numbers)
    assert all(pages[n - 1].is_separator or pages[n - 1].blank for n in left_out)
    if rule != "blank":
        assert all(pages[n - 1].is_separator for n in left_out)


@pytest.mark.parametrize("text", ["every:0", "every:100", "every", "each", "barcode:", "blank:1"])
def test_unknown_rule_is_refused_with_those_that_exist(text: str) -> None:
    with pytest.raises(BadRule, match="every:N"):
        parse_rule(text)
    with pytest.raises(ValidationError):
        check_rule(text)


def test_rules_are_read() -> None:
    assert parse_rule(" every:12 ") == SplitRule(every=12)
    assert parse_rule("barcode:RX-") == SplitRule(barcode=True, prefix="RX-")


def sheet(paper: str = "letter") -> np.ndarray[Any, Any]:
    (page,) = decode_pages(separator_pdf(paper))
    return page


def degraded(page: np.ndarray[Any, Any], how: str) -> np.ndarray[Any, Any]:
    height, width = page.shape
    if how == "fax":
        small = cv2.resize(page, (1728, round(1728 * height / width * 98 / 204)))
        return np.asarray(cv2.threshold(small, 150, 255, cv2.THRESH_BINARY)[1], np.uint8)
    if how == "upside down":
        return np.ascontiguousarray(np.rot90(page, 2))
    if how == "sideways":
        return np.ascontiguousarray(np.rot90(page))
    if how == "askew":
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), 7, 1)
        return np.asarray(cv2.warpAffine(page, turn, (width, height), borderValue=255), np.uint8)
    if how == "noise":
        chance = np.random.default_rng(3).normal(0, 40, page.shape)
        return np.clip(page * 0.8 + chance, 0, 255).astype(np.uint8)
    return np.asarray(page[: height // 2], np.uint8)  # torn in two


@pytest.mark.parametrize("how", ["fax", "upside down", "sideways", "askew", "noise", "torn"])
def test_printed_sheet_is_known_again_however_it_comes_back(how: str) -> None:
    dpi = {"dpi": (204, 98)} if how == "fax" else {}
    data = encoded(Image.fromarray(degraded(sheet(), how)), "TIFF", **dpi)

    (page,) = iterate_pages(data, codes="separators")

    assert page.codes == (SEPARATOR_CODE,)


@pytest.mark.parametrize("paper", PAPERS)
def test_sheet_has_the_size_of_its_paper_and_is_the_same_every_time(paper: str) -> None:
    with pikepdf.open(io.BytesIO(separator_pdf(paper))) as document:
        (box,) = [page.mediabox for page in document.pages]

    assert [float(side) / 72 for side in box[2:]] == pytest.approx(PAPERS[paper], abs=0.02)
    assert separator_pdf(paper) == separator_pdf(paper)


def test_command_writes_the_sheet(tmp_path: Any) -> None:
    call_command("separator_sheet", str(tmp_path / "s.pdf"), paper="a4", stdout=io.StringIO())

    assert (tmp_path / "s.pdf").read_bytes() == separator_pdf("a4")


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripted page and recognition rooms; decoding, barcodes and blank pages are real."""
    pipeline_fakes.install(monkeypatch.setattr)


def batch(*pages: str) -> bytes:
    """A TIFF of prescriptions (their block darker each time), separator sheets and blanks."""
    pictures, level = [], 100
    for kind in pages:
        if kind == "sep":
            pictures.append(Image.fromarray(sheet()))
        elif kind == "blank":
            pictures.append(Image.new("L", (240, 320), 255))
        else:
            level -= 10
            pictures.append(marked_page(level=level))
    return encoded(pictures[0], "TIFF", save_all=True, append_images=pictures[1:])


def receive(site: Site, data: bytes, **more: Any) -> Scan:
    return scan_receive(site=site, data=data, original_name="b.tif", source="folder", **more)


def block_levels(scan: Scan) -> list[int]:
    """The darkness of the blocks on the pages of a scan's PDF."""
    return [round(int(page[page.shape[0] // 8, page.shape[1] // 4]), -1) for page in
            decode_pages(scan_pdf(scan))]  # fmt: skip


@pytest.mark.usefixtures("rooms")
def test_batch_becomes_one_scan_a_prescription(site: Site, clinician: Any) -> None:
    parent = receive(site, batch("rx", "sep", "rx", "blank", "sep", "rx"), user=clinician)

    assert pipeline.advance(parent.pk, worker="w").result == "done"

    parent.refresh_from_db()
    parts = list(parent.parts.order_by("received_at"))
    assert (parent.state, parent.problem_code) == (ScanState.SPLIT, "split")
    assert [part.parent_pages for part in parts] == [[1], [3, 4], [6]]
    assert {part.state for part in parts} == {ScanState.PAGED}
    assert {part.sha256 for part in parts} == {parent.sha256}
    assert {(part.source, part.uploaded_by) for part in parts} == {("folder", clinician)}
    assert parts[0].received_at == parent.received_at
    kinds = list(Page.objects.filter(scan=parent).values_list("kind", flat=True))
    assert kinds == ["content", "separator", "content", "blank", "separator", "content"]
    assert [page.kind for page in parts[1].pages.all()] == ["content", "blank"]
    assert [page.number for page in parts[1].pages.all()] == [1, 2]


@pytest.mark.usefixtures("rooms")
def test_parts_are_read_on_their_own_and_the_batch_is_not(site: Site) -> None:
    parent = receive(site, batch("rx", "sep", "rx"))

    pipeline.process(parent.pk, worker="w")
    for part in parent.parts.all():
        pipeline.process(part.pk, worker="w")

    assert {part.state for part in parent.parts.all()} == {ScanState.IN_REVIEW}
    assert not Field.objects.filter(page__scan=parent).exists()
    assert AuditEvent.objects.filter(action="scan.split").get().data["parts"] == 2


@pytest.mark.usefixtures("rooms")
def test_what_leaves_the_house_is_the_prescriptions_own_pages(site: Site) -> None:
    parent = receive(site, batch("rx", "sep", "rx", "rx"))
    pipeline.advance(parent.pk, worker="w")
    first, second = parent.parts.order_by("received_at")

    assert block_levels(first) == [90]
    assert block_levels(second) == [80, 70]


@pytest.mark.usefixtures("rooms")
def test_separator_in_front_of_one_prescription_is_marked_and_left_out(site: Site) -> None:
    scan = receive(site, batch("sep", "rx", "blank"))

    pipeline.advance(scan.pk, worker="w")
    pipeline.advance(scan.pk, worker="w")

    scan.refresh_from_db()
    assert (scan.state, scan.parts.count()) == (ScanState.READ, 0)
    assert {field.page.number for field in Field.objects.filter(page__scan=scan)} == {2}
    assert len(decode_pages(scan_pdf(scan))) == 2


@pytest.mark.usefixtures("rooms")
def test_file_of_separator_sheets_alone_waits_for_nobody(site: Site) -> None:
    scan = receive(site, batch("sep", "sep"))

    pipeline.process(scan.pk, worker="w")

    scan.refresh_from_db()
    assert (scan.state, scan.parts.count()) == (ScanState.SPLIT, 0)
    assert scan.problem == "There are only separator sheets in this file: nothing to read."


@pytest.mark.usefixtures("rooms")
def test_site_rule_counts_unless_the_upload_has_its_own(site: Site, other_site: Site) -> None:
    SiteIntake.objects.create(site=site, split_rule="every:1")
    by_site = receive(site, batch("rx", "rx"))
    by_upload = receive(site, batch("rx", "rx", "rx"), split_rule="none")
    elsewhere = receive(other_site, batch("rx", "rx"))

    for scan in (by_site, by_upload, elsewhere):
        pipeline.advance(scan.pk, worker="w")

    assert [s.parts.count() for s in (by_site, by_upload, elsewhere)] == [2, 0, 0]


@pytest.mark.usefixtures("rooms")
def test_blank_sheets_separate_where_the_rule_says_so(site: Site) -> None:
    scan = receive(site, batch("rx", "blank", "rx"), split_rule="blank")

    pipeline.advance(scan.pk, worker="w")

    assert [part.parent_pages for part in scan.parts.order_by("received_at")] == [[1], [3]]
    assert Page.objects.filter(scan=scan, kind=PageKind.BLANK).get().number == 2


@pytest.mark.usefixtures("rooms")
def test_batch_split_at_the_wrong_places_can_be_sent_again(site: Site) -> None:
    data = batch("rx", "rx")
    wrong = receive(site, data, split_rule="every:1")
    pipeline.advance(wrong.pk, worker="w")
    again = receive(site, data, split_rule="none")
    wrong.refresh_from_db()
    assert (again.duplicate_of, wrong.state) == (wrong, ScanState.SPLIT)

    for part in wrong.parts.all():
        scan_transition(scan=part, to=ScanState.REJECTED)
    receive(site, data, split_rule="none")
    pipeline.advance(wrong.pk, worker="w")

    wrong.refresh_from_db()
    assert (wrong.state, wrong.split_rule) == (ScanState.PAGED, "none")


@pytest.mark.usefixtures("rooms")
def test_split_that_fails_half_way_leaves_no_part(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = receive(site, batch("rx", "sep", "rx"))
    monkeypatch.setattr(pipeline, "hint_on_commit", lambda pk: 1 / 0)

    assert pipeline.advance(scan.pk, worker="w").result == "failed"

    scan.refresh_from_db()
    assert (scan.state, Scan.objects.count(), Page.objects.count()) == ("received", 1, 0)


def test_faint_word_is_not_blank_and_specks_are() -> None:
    from clinic_hwr.pages.blank import is_blank

    page = np.full((2200, 1700), 250, np.uint8)
    specks = page.copy()
    chance = np.random.default_rng(5)
    for y, x in zip(chance.integers(0, 2200, 40), chance.integers(0, 1700, 40), strict=True):
        specks[y : y + 2, x : x + 2] = 60
    word = page.copy()
    cv2.putText(word, "po", (800, 1000), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 175, 3)

    assert is_blank(page)
    assert is_blank(specks)
    assert not is_blank(word)
    assert stage_page.is_blank is is_blank
