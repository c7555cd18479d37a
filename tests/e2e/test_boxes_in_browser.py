"""Boxes drawn anew on the page, and what is read in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from clinic_hwr import stage_box
from clinic_hwr.recognition.types import Alternative, CharConfidence, Reading
from clinic_hwr.review.models import BoxReading, Decision, FieldBox
from clinic_hwr.stage_box import boxes_read
from tests.review.scripted import ReadScan

from .conftest import Watched
from .workstation import choose, saved

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

READ = "1 tab PO TID"


class OneReader:
    """Reads the same everywhere, and is not sure of the last letter."""

    model_version = "scripted@2"

    def read(self, crops: Sequence[Any], **options: Any) -> list[Reading]:
        """Return one reading a crop."""
        chars = tuple(CharConfidence(char, 0.99) for char in READ[:-1])
        alternatives = (Alternative(READ, 0.7), Alternative("1 tab PO TIW", 0.2))
        chars += (CharConfidence(READ[-1], 0.5),)
        return [Reading(READ, 0.7, chars, alternatives, self.model_version) for _ in crops]


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return ``worker()``: read every box that waits, as a worker process does."""
    monkeypatch.setattr(stage_box, "reader_load", OneReader)
    return lambda: boxes_read(worker="e2e")


def move_box(page: Page) -> None:
    page.keyboard.press("b")
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.locator(".card-hint")).to_contain_text("The box is drawn anew")


def test_a_new_box_is_read_and_undone(
    desk: Page, watched: Watched, read: ReadScan, worker: Callable[[], int]
) -> None:
    choose(desk, "Directions 1")
    before = read["sig"].box_px
    move_box(desk)
    read["sig"].refresh_from_db()
    moved = read["sig"].box_px
    assert moved[0] < before[0] and moved[1] < before[1] and moved[2] > before[2]
    assert moved[3] == before[3]
    expect(desk.locator("#card-value")).to_have_text("Being read …")

    assert worker() == 1

    expect(desk.locator("#card-value")).to_contain_text(READ)
    expect(desk.locator("#card-value mark")).to_have_text("D")
    expect(desk.locator(".candidate")).to_have_count(2)
    expect(desk.locator(".card-hint")).to_contain_text("This ink is read now")
    desk.keyboard.press("u")
    expect(desk.locator("#card-value")).to_contain_text("1 tab PO BID")
    read["sig"].refresh_from_db()
    assert read["sig"].box_px == before
    assert not Decision.objects.exists()
    assert watched.complaints == []


def test_a_reading_that_comes_while_somebody_types_takes_nothing_away(
    desk: Page, read: ReadScan, worker: Callable[[], int]
) -> None:
    choose(desk, "Directions 1")
    move_box(desk)
    desk.keyboard.press("e")
    desk.keyboard.type("1 tab PO da")

    worker()

    line = desk.locator(".field-line", has_text="Directions 1")
    expect(line).to_contain_text(READ)  # the page knows of it
    expect(desk.locator("#card-input")).to_be_focused()
    expect(desk.locator("#card-input")).to_have_value("1 tab PO da")
    desk.keyboard.type("ily")
    desk.keyboard.press("Enter")
    saved(desk)
    decision = Decision.objects.get()
    assert (decision.kind, decision.value) == ("corrected", "1 tab PO daily")


def test_a_decision_made_before_the_reading_comes_stands(
    desk: Page, read: ReadScan, worker: Callable[[], int]
) -> None:
    choose(desk, "Directions 1")
    move_box(desk)
    desk.keyboard.press("e")
    desk.keyboard.type("1 tab PO daily")
    desk.keyboard.press("Enter")
    saved(desk)

    worker()

    assert FieldBox.objects.get(version=1).reading == BoxReading.LATE
    choose(desk, "Directions 1")
    expect(desk.locator("#card-value")).to_have_text("1 tab PO daily")
    assert not read["sig"].readings.filter(box_version=1).exists()


def test_a_key_that_was_not_meant_for_a_reading_accepts_nothing(
    desk: Page, read: ReadScan, worker: Callable[[], int]
) -> None:
    choose(desk, "Directions 1")
    move_box(desk)
    desk.evaluate(
        """() => new MutationObserver(() => {
          if (!/TID/.test(document.getElementById("card-value")?.textContent)) return;
          document.querySelector("[data-card]").dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
        }).observe(document.querySelector("[data-card]"), { childList: true })"""
    )

    worker()

    expect(desk.locator("#card-value")).to_contain_text(READ)
    desk.wait_for_timeout(200)
    assert not Decision.objects.exists()


def test_a_box_is_drawn_with_the_mouse(desk: Page, watched: Watched, read: ReadScan) -> None:
    choose(desk, "Directions 1")
    before = read["sig"].box_px
    desk.keyboard.press("b")
    frame = desk.locator("[data-sheet]").bounding_box()
    assert frame is not None
    desk.mouse.move(frame["x"] + 200, frame["y"] + 200)
    desk.mouse.down()
    desk.mouse.move(frame["x"] + 400, frame["y"] + 260, steps=3)
    desk.mouse.up()
    desk.get_by_role("button", name="This box").click()

    expect(desk.locator("[data-rebox]")).to_be_hidden()
    read["sig"].refresh_from_db()
    assert read["sig"].box_px != before
    assert watched.complaints == []
