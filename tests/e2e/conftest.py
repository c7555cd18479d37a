"""A real browser against a real server; skipped with a reason where there is no Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from clinic_hwr.accounts.models import Role, Site
from tests.review.scripted import ORDINARY_DRUGS, ReadScan, read_scan

from .workstation import PASSWORD, open_workstation, sign_in

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(autouse=True)
def orm_beside_playwright(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test thread use the ORM: Playwright's sync API runs an event loop in it."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one Playwright brought, headless."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        with sync_playwright() as playwright:
            own = Path(playwright.chromium.executable_path)
        if not own.exists():
            pytest.skip(
                "no chromium here: apt-get install chromium, or playwright install chromium"
            )
        found = str(own)
    # set for the whole session too: the database is torn down while Playwright's loop still runs
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page and everything its console complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A fresh browser profile whose complaints (CSP violations are among them) are kept."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    watched = Watched(context.new_page())
    watched.page.on("console", watched.on_console)
    watched.page.on("pageerror", lambda error: watched.complaints.append(f"exception: {error}"))
    yield watched
    context.close()


@pytest.fixture
def other_page(browser: Browser) -> Iterator[Page]:
    """A browser of somebody else."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def signer(clinician: Any) -> Any:
    """The clinician, who has a password."""
    clinician.set_password(PASSWORD)
    clinician.save()
    return clinician


@pytest.fixture
def second(make_user: Callable[..., Any], site: Site) -> Any:
    """Another clinician with a password."""
    user = make_user("second", site, Role.CLINICIAN, first_name="Nina", last_name="Berg")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def read(site: Site) -> ReadScan:
    """A two-drug scan that waits in review; neither drug is on a list."""
    return read_scan(site, ORDINARY_DRUGS)


@pytest.fixture
def desk(live_server: Any, watched: Watched, read: ReadScan, signer: Any) -> Page:
    """The workstation, open on ``read``, which the clinician holds."""
    sign_in(watched.page, live_server, signer)
    open_workstation(watched.page, live_server, read)
    return watched.page
