"""Near duplicates: warned about with a link, never dropped; other papers of a form are not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest

from clinic_hwr import pipeline, stage_page
from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.models import Likeness, Page, Scan
from clinic_hwr.intake.services import scan_receive, scan_transition
from clinic_hwr.pages.likeness import (
    LOOKS_ALIKE,
    SAME_PAPER,
    looks_alike,
    page_look,
    same_paper_score,
)
from clinic_hwr.pages.types import Gray, UprightPage
from clinic_hwr.review.models import PrescriptionRecord
from clinic_hwr.review.services.refresh import prescription_refresh
from clinic_hwr.routing.models import FieldBlocker
from tests import pipeline_fakes
from tests.intake.samples import encoded

pytestmark = pytest.mark.thorough

PRINT = ("Riverside Family Clinic", "Name", "Date of birth", "Rx", "Sig", "Refills", "Signature")


def paper(seed: int) -> Gray:
    """A printed form with scribbled lines of ink; the form is the same for every seed."""
    page = np.full((1700, 1300), 255, np.uint8)
    for row, text in enumerate(PRINT):
        y = 150 + 210 * row
        cv2.putText(page, text, (80, y), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 0, 3)
        cv2.line(page, (80, y + 110), (1220, y + 110), 120, 2)
    chance = np.random.default_rng(seed)
    for row in range(1, len(PRINT)):
        x, y = 120.0, 245.0 + 210 * row
        points = []
        while x < 700 + 60 * chance.integers(0, 8):
            x += float(chance.uniform(3, 14))
            points.append([x, y + float(chance.uniform(-34, 30))])
        cv2.polylines(page, [np.array(points, np.int32)], False, 30, 4)
    return page


def again(page: Gray) -> Gray:
    """The same paper through another scanner: shifted, a little larger, blurred, noisy."""
    height, width = page.shape
    move = np.array([[1.02, 0.01, 14], [-0.01, 1.02, -9]], np.float64)
    moved = cv2.warpAffine(page, move, (width, height), borderValue=255)
    soft = cv2.GaussianBlur(moved, (0, 0), 1.1).astype(np.float32) * 0.93
    return np.clip(soft + np.random.default_rng(0).normal(0, 5, page.shape), 0, 255).astype(
        np.uint8
    )


def test_one_paper_scores_high_and_two_papers_of_a_form_low() -> None:
    first, second = paper(1), paper(2)

    assert same_paper_score(first, again(first)) >= SAME_PAPER
    assert same_paper_score(first, second) < SAME_PAPER


def test_the_paper_stands_out_among_many_of_its_form() -> None:
    look = page_look(again(paper(1)))
    others = [page_look(paper(seed)) for seed in range(1, 10)]

    scores = looks_alike(look, others)

    assert int(scores.argmax()) == 0
    assert scores[0] >= LOOKS_ALIKE
    assert all(score < LOOKS_ALIKE for score in scores[1:])


def test_pages_without_writing_are_never_one_paper() -> None:
    blank = np.full((1700, 1300), 255, np.uint8)
    first = paper(1)

    assert page_look(blank) == b""
    assert same_paper_score(blank, blank) == 0.0
    assert same_paper_score(first, blank) == 0.0
    assert list(looks_alike(b"", [b"", page_look(first)])) == [0.0, 0.0]


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripted rooms, but the pages are as they were sent."""
    pipeline_fakes.install(monkeypatch.setattr)

    def upright(gray: Gray) -> UprightPage:
        return UprightPage(gray, 0, 0.0, np.eye(3))

    monkeypatch.setattr(stage_page, "make_upright", upright)
    monkeypatch.setattr(stage_page, "read_print", lambda gray, **options: ())
    monkeypatch.setattr(pipeline, "prescription_refresh", prescription_refresh)


def read(site: Site, page: Gray) -> Scan:
    from PIL import Image

    scan = scan_receive(
        site=site,
        data=encoded(Image.fromarray(page), "PNG"),
        original_name="rx.png",
        source="folder",
    )
    assert pipeline.process(scan.pk, worker="w").result == "idle"
    scan.refresh_from_db()
    return scan


def warnings(scan: Scan, code: str) -> list[Any]:
    rows = FieldBlocker.objects.filter(scan=scan, code=code)
    return list(rows.values_list("severity", "other_scan"))


@pytest.mark.usefixtures("rooms")
def test_paper_received_again_is_read_and_carries_a_warning_with_a_link(site: Site) -> None:
    page = paper(1)
    first = read(site, page)
    other = read(site, paper(2))

    second = read(site, again(page))

    assert second.state == "in_review"
    assert warnings(second, "same_paper") == [("warn", first.pk)]
    assert warnings(other, "same_paper") == []
    assert [row.other_id for row in Likeness.objects.filter(scan=second)] == [first.pk]
    blockers = PrescriptionRecord.objects.get(scan=second).content["blockers"]
    assert [b["scan_id"] for b in blockers if b["code"] == "same_paper"] == [str(first.pk)]


@pytest.mark.usefixtures("rooms")
def test_paper_of_another_site_or_long_ago_or_rejected_is_no_warning(
    site: Site, other_site: Site
) -> None:
    page = paper(1)
    read(other_site, page)
    old = read(site, page)
    Scan.objects.filter(pk=old.pk).update(received_at=old.received_at - timedelta(days=61))
    assert warnings(read(site, again(page)), "same_paper") == []

    Scan.objects.filter(pk=old.pk).update(received_at=old.received_at)
    scan_transition(scan=old, to="rejected")
    third = read(site, again(again(page)))
    assert str(old.pk) not in {str(found) for _, found in warnings(third, "same_paper")}


@pytest.mark.usefixtures("rooms")
def test_comparing_can_be_switched_off(site: Site, settings: Any) -> None:
    settings.CLINIC_HWR_ALIKE_DAYS = 0
    page = paper(1)
    read(site, page)

    assert warnings(read(site, again(page)), "same_paper") == []
    assert Page.objects.exclude(look=b"").exists()
