"""What the workstation promises of keys, clicks, bytes and milliseconds, in a real browser."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Route, expect

from clinic_hwr.review.models import Decision
from clinic_hwr.review.services import unresolved_fields
from tests.review.scripted import ORDINARY_DRUGS, ReadScan, read_scan

from .conftest import Watched
from .test_workstation import open_workstation, saved, sign_in, signer, title

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

__all__ = ["signer"]

SLOW_NETWORK_S = 1.0
FIRST_LOAD_BYTES = 600 * 1024

# From the press until the next field has the focus and is painted; measured in the page itself.
STOPWATCH = """() => {
  window.presses = [];
  addEventListener("keydown", (event) => {
    const began = performance.now();
    const before = document.getElementById("card-title").textContent;
    setTimeout(() => {
      const moved = document.getElementById("card-title").textContent !== before;
      const focused = document.querySelector("[data-card]").contains(document.activeElement);
      const done = performance.now();
      window.presses.push({ ms: done - began, moved, focused });
    });
  }, { capture: true });
}"""


@pytest.fixture
def read(site: Any) -> ReadScan:
    """A two-drug scan of which no drug is on a list."""
    return read_scan(site, ORDINARY_DRUGS)


def test_the_next_field_waits_for_no_network(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    waiting = len(unresolved_fields(read.scan))

    def slow(route: Route) -> None:
        time.sleep(SLOW_NETWORK_S)
        route.continue_()

    page.route("**/decisions/", slow)
    page.evaluate(STOPWATCH)
    clicks = page.evaluate(
        "() => { window.clicks = 0; addEventListener('click', () => window.clicks++, true); }"
    )
    # pressed inside the page: Playwright's own round trips are not the page's time
    page.evaluate(
        """async (count) => {
          for (let i = 0; i < count; i += 1) {
            const mark = /Signature/.test(document.getElementById("card-title").textContent);
            const key = mark ? "1" : "Enter";
            document.activeElement.dispatchEvent(
              new KeyboardEvent("keydown", { key, code: key, bubbles: true, cancelable: true }));
            await new Promise((resolve) => setTimeout(resolve, 30));
          }
        }""",
        waiting,
    )
    presses = page.evaluate("window.presses")

    assert len(presses) == waiting  # one key a field
    assert [p for p in presses if not (p["moved"] and p["focused"])] == []
    assert page.evaluate("window.clicks") == 0, clicks
    p95 = statistics.quantiles([p["ms"] for p in presses], n=20)[-1]
    assert p95 <= 50, f"p95 {p95:.1f} ms"
    assert Decision.objects.count() < waiting  # the network was still busy with them
    page.unroute("**/decisions/")
    saved(page)
    assert Decision.objects.count() == waiting
    assert unresolved_fields(read.scan) == []


def test_the_first_load_is_small(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[int] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))

    open_workstation(page, live_server, read)
    page.wait_for_load_state("networkidle")

    assert len(sizes) > 15  # the page, its styles, its modules, the sheet, every crop
    assert 50 * 1024 < sum(sizes) <= FIRST_LOAD_BYTES, sum(sizes)


def test_nothing_of_a_patient_is_left_in_the_browser(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    page.keyboard.press("Enter")
    page.keyboard.press("e")
    page.keyboard.type("half a value")

    left = page.evaluate(
        """async () => ({
          local: Object.keys(localStorage), session: Object.keys(sessionStorage),
          databases: (await indexedDB.databases()).length,
          caches: (await caches.keys()).length, address: location.href,
        })"""
    )

    assert left["local"] == left["session"] == []
    assert (left["databases"], left["caches"]) == (0, 0)
    assert left["address"].endswith(reverse("workstation", args=[read.scan.pk]))
    cookies = {cookie["name"] for cookie in page.context.cookies()}
    assert cookies <= {"sessionid", "csrftoken", "theme", "single_keys"}


def test_200_percent_zoom_and_a_tablet_need_no_sideways_scrolling(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    # 1440 x 900 at 200 % is a window of 720 x 450; a tablet upright and lying
    for size in ((720, 450), (768, 1024), (1024, 768)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        open_workstation(page, live_server, read)
        expect(page.locator("#card-title")).to_be_in_viewport()
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, size
        assert title(page) == "Practice"
