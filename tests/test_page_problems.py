"""What could not be done for a page is stored and said; the bend of its rows leads back exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from clinic_hwr import pipeline, stage_page, stage_read
from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.models import Page
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.pages.problem_words import PAGE_PROBLEM_WORDS, page_problem_words
from clinic_hwr.pages.types import Box, PageProblem, PageTransform, RowBend, UprightPage
from clinic_hwr.review.presentation import workstation_payload
from clinic_hwr.scan_report import scan_report

from . import pipeline_fakes
from .intake import samples

BEND = RowBend((850, 1100), tuple(60.0 * n for n in range(1, 13)))
MATRIX = np.array([[0.9, 0.05, 3.0], [-0.05, 0.9, 7.0], [1e-5, 0.0, 1.0]])


@pytest.fixture
def read_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> Page:
    def bent(gray: Any) -> UprightPage:
        problems = (PageProblem.ORIENTATION_UNSURE,)
        return UprightPage(gray, 0, 0.0, MATRIX, BEND, problems)

    monkeypatch.setattr(stage_page, "make_upright", bent)
    monkeypatch.setattr(stage_read, "reader_load", lambda: pipeline_fakes.ScriptedReader())
    scan = scan_receive(site=site, data=samples.png(), original_name="rx.png", source="cli")
    pipeline.process(scan.pk, worker="w")
    return Page.objects.get()


def test_a_box_of_a_stored_page_maps_back_with_its_bend(read_page: Page) -> None:
    box = Box(40, 60, 200, 30)

    stored = read_page.transform().quad_on_original(box)

    assert np.allclose(stored, PageTransform(MATRIX, BEND).quad_on_original(box), atol=1e-9)
    assert np.abs(stored - PageTransform(MATRIX).quad_on_original(box)).max() > 2


def test_problems_are_said_at_the_workstation_and_in_the_report(read_page: Page) -> None:
    assert read_page.problems == ["orientation_unsure"]
    words = PAGE_PROBLEM_WORDS["orientation_unsure"]

    shown = workstation_payload(read_page.scan)
    report = scan_report(read_page.scan, path="")

    assert shown["pages"][0]["problems"] == [{"code": "orientation_unsure", "message": words}]
    assert any(words in note["message"] for note in shown["notes"])
    assert report["page_problems"] == [{"page": 1, "code": "orientation_unsure", "message": words}]


def test_the_scan_page_says_it_beside_the_picture(
    read_page: Page, clinician: Any, signed_in: Callable[[Any], Client]
) -> None:
    client = signed_in(clinician)

    page = client.get(reverse("scan-detail", args=[read_page.scan_id])).content.decode()

    assert PAGE_PROBLEM_WORDS["orientation_unsure"] in page
    assert 'aria-label="What to know about page 1"' in page


def test_every_problem_has_words_and_an_unknown_one_is_named() -> None:
    assert set(PAGE_PROBLEM_WORDS) == {str(one) for one in PageProblem}
    assert "made_up" in page_problem_words("made_up")


def test_straight_rows_take_no_room() -> None:
    assert RowBend().as_json() == {}
    assert RowBend.from_json({}) == RowBend()
    assert RowBend.from_json(BEND.as_json()) == BEND
