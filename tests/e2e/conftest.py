"""A real browser against a real server; skipped with a reason where there is no Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

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
