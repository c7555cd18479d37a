"""What the workstation costs: a field save on the server; keys, milliseconds, bytes in a browser.

A scripted two-drug scan on the configured database (a throw-away SQLite file unless
``DATABASE_URL`` says otherwise); every save is a new decision of a field. No network and no web
server are in its figure, middleware, session and CSRF are. The browser's figures come from the
tests that assert them (``tests/e2e``), which press more often when this asks. Run it on a quiet
machine; the results go to ``benchmarks/results/workstation.json``:

    .venv/bin/python -m benchmarks.workstation [--saves 1000] [--no-browser]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

QUARTILES = 100
RESULTS = Path(__file__).parent / "results" / "workstation.json"
BROWSER_TESTS = (
    "tests/e2e/test_workstation_speed.py",
    "tests/e2e/test_screenshots.py",
    "tests/e2e/test_workstation.py::test_a_prescription_is_reviewed_and_released_by_keyboard",
)


def main() -> None:
    """Print one line a request: p50, p95, p99 in ms with a bootstrap interval of the p95."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=1000)
    parser.add_argument("--no-browser", action="store_true")
    chosen = parser.parse_args()
    saves = chosen.saves
    results: dict[str, Any] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 1),
        "data": "scripted two-drug scans, drawn text; no model ran",
    }
    if not chosen.no_browser:
        results["browser"] = _browser()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("CLINIC_HWR_DATA_DIR", folder)
        os.environ.setdefault("LOG_LEVEL", "ERROR")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_hwr.settings")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        load = os.getloadavg()[0]
        results["load_before_saves"] = round(load, 1)
        print(f"{when}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores,")
        print(f"load {load:.1f}, Python {platform.python_version()}, n = {saves}; scripted scan")
        results["server"] = _measure(saves)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"written to {RESULTS}")


def _browser() -> dict[str, Any]:
    """Run the tests that measure in a browser; returns their figures."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *BROWSER_TESTS]
        # tests have their own settings and their own database
        own = {"CLINIC_HWR_FIGURES": str(file)}
        done = subprocess.run(command, env={**os.environ, **own}, check=False)
        if done.returncode:
            raise SystemExit("A browser test failed; its figures would mean nothing.")
        figures: dict[str, Any] = json.loads(file.read_text())
    for name, found in figures.items():
        print(f"{name}: {json.dumps(found)}")
    return figures


def _measure(saves: int) -> dict[str, Any]:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.urls import reverse

    from clinic_hwr.accounts.models import Membership, Role, Site
    from clinic_hwr.review.services import scan_claim
    from tests.review.scripted import ORDINARY_DRUGS, read_scan

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    site = Site.objects.create(name="Bench", slug=f"bench-{uuid.uuid4().hex[:8]}")
    user = get_user_model().objects.create(username=f"bench-{uuid.uuid4().hex[:8]}")
    Membership.objects.create(user=user, site=site, role=Role.CLINICIAN)
    client = Client()
    client.force_login(user)
    read = read_scan(site, ORDINARY_DRUGS, name=f"{uuid.uuid4()}.png")
    token = str(scan_claim(user=user, scan_id=read.scan.pk).token)
    keys = [key for key, field in read.fields.items() if field.present is None]
    numbers = dict.fromkeys(keys, 0)
    state_url = reverse("scan-state", args=[read.scan.pk])
    save_ms, state_ms = [], []
    for index in range(saves):
        key = keys[index % len(keys)]
        body: dict[str, Any] = {
            "kind": "illegible" if (index // len(keys)) % 2 else "not_present",
            "value": "",
            "expected_number": numbers[key],
            "active_seconds": 2.0,
            "keys_used": 1,
            "lease_token": token,
            "decision_id": str(uuid.uuid4()),
        }
        url = reverse("field-decide", args=[read[key].pk])
        began = time.perf_counter()
        answer = client.post(url, body, content_type="application/json")
        save_ms.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"A save was refused: {answer.content!r}")
        numbers[key] += 1
        if index % 10 == 9:
            began = time.perf_counter()
            client.get(state_url)
            state_ms.append((time.perf_counter() - began) * 1000)
    return {
        "field_save_ms": _print("field save", save_ms, "80 ms"),
        "state_ms": _print("state, interpreted anew", state_ms, "none: no key waits for it"),
    }


def _print(name: str, values: list[float], target: str) -> dict[str, Any]:
    cuts = statistics.quantiles(values, n=QUARTILES)
    low, high = _interval(values)
    print(
        f"{name}: n={len(values)} p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms "
        f"[{low:.1f}, {high:.1f}], p99 {cuts[98]:.1f} ms (target p95 {target})"
    )
    return {
        "n": len(values),
        "p50": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "p95_interval": [round(low, 1), round(high, 1)],
        "p99": round(cuts[98], 1),
    }


def _interval(values: list[float], rounds: int = 500) -> tuple[float, float]:
    """Return a 95 % bootstrap interval of the p95."""
    import random

    draw = random.Random(0)
    found = sorted(
        statistics.quantiles(draw.choices(values, k=len(values)), n=QUARTILES)[94]
        for _ in range(rounds)
    )
    return found[int(rounds * 0.025)], found[int(rounds * 0.975)]


if __name__ == "__main__":
    main()
