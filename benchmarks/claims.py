"""How long taking the next scan takes with many open ones, and whether any is given out twice.

``DATABASE_URL=postgresql://... python -m benchmarks.claims --open 100000 --claims 10000`` on an
empty PostgreSQL database, or one that this script has filled before. Two parts, each with several
processes that begin at the same moment:

- *race*: everybody claims and finishes nothing, until ``--claims`` scans are taken. A scan that was
  handed out twice while its lease stood is a double claim; there must be none.
- *pace*: ``--reviewers`` people hold a scan each; every process claims the next, times it, and
  finishes it, as a clinic does. What is timed is the service: permission check, claim, the lease
  with its scan. The inbox (a page of 50 in the middle of the queue) is timed beside it.

Synthetic rows: scans in review with one page and one field that a person must decide.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "clinic_hwr.settings"
BATCH = 5000
START_S = 3.0  # everybody is forked and waits by then


def main() -> None:
    """Fill, race, pace, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=100_000, help="scans in review")
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--reviewers", type=int, default=100)
    parser.add_argument("--paced", type=int, default=2000, help="timed claims")
    options = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        raise SystemExit("Set DATABASE_URL to an empty PostgreSQL database.")
    _setup()
    fill(options.open, options.reviewers)
    answer = {
        "date": datetime.date.today().isoformat(),
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}",
        "load_before": os.getloadavg()[0],
        "data": f"synthetic: {options.open} scans in review at one site",
        "race": race(options.claims, options.processes, options.reviewers),
    }
    fill(options.open, options.reviewers)
    answer["pace"] = pace(options.paced, options.processes, options.reviewers)
    answer["inbox"] = inbox()
    print(json.dumps(answer, indent=1))


def _setup() -> None:
    import django

    django.setup()


def fill(wanted: int, reviewers: int) -> None:
    """Make people and scans, set every lease free, and let the planner look at the tables."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from clinic_hwr.accounts.models import Membership, Role, Site
    from clinic_hwr.intake.models import Page, Scan
    from clinic_hwr.review.models import NEVER_HELD, ReviewLease
    from clinic_hwr.routing.models import Field, Route

    call_command("migrate", verbosity=0)
    site, _ = Site.objects.get_or_create(name="Measured", slug="measured")
    if Scan.objects.exclude(site=site).exists():
        raise SystemExit("This database holds scans of others; take an empty one.")
    for number in range(reviewers):
        user, _ = get_user_model().objects.get_or_create(username=f"reviewer{number}")
        Membership.objects.get_or_create(user=user, site=site, role=Role.CLINICIAN)
    present = Scan.objects.count()
    for start in range(present, wanted, BATCH):
        scans = Scan.objects.bulk_create(
            Scan(
                site=site,
                sha256=f"{number:064x}",
                original_name=f"{number}.png",
                size_bytes=1,
                source="benchmark",
                state="in_review",
            )
            for number in range(start, min(start + BATCH, wanted))
        )
        ReviewLease.objects.bulk_create(ReviewLease(scan=scan) for scan in scans)
        pages = Page.objects.bulk_create(
            Page(scan=scan, number=1, image_sha256="0" * 64, width_px=1, height_px=1)
            for scan in scans
        )
        # one field that a person must decide: without it nobody has work on the scan
        Field.objects.bulk_create(
            Field(
                page=page, position=0, name="drug", kind="drug", group=1, x_px=0, y_px=0,
                width_px=1, height_px=1, crop_sha256="0" * 64, route=Route.HUMAN,
            )
            for page in pages
        )  # fmt: skip
    Scan.objects.exclude(state="in_review").update(
        state="in_review", state_changed_at=timezone.now()
    )
    ReviewLease.objects.update(holder=None, expires_at=NEVER_HELD, active_at=None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def race(claims: int, processes: int, reviewers: int) -> dict[str, Any]:
    """Let all processes claim at once; count the scans that two of them got."""
    start = time.time() + START_S
    jobs = [(claims // processes, number, reviewers, start, False) for number in range(processes)]
    results = _run(jobs, processes)
    taken = Counter(scan for scans, _, _ in results for scan in scans)
    return {
        "processes": processes,
        "claims": sum(taken.values()),
        "double_claims": sum(count - 1 for count in taken.values()),
        "claimed_nothing": sum(missed for _, _, missed in results),
    }


def pace(claims: int, processes: int, reviewers: int) -> dict[str, Any]:
    """Time claims while a clinic works: every reviewer holds a scan already."""
    from django.contrib.auth import get_user_model
    from django.db import connection

    from clinic_hwr.review.services import scan_claim_next

    for user in get_user_model().objects.filter(username__startswith="reviewer"):
        scan_claim_next(user=user, queue="review")
    connection.close()
    answers = {"held": reviewers, "processes": processes}
    for name, number in (("one_at_a_time", 1), ("at_once", processes)):
        start = time.time() + START_S
        jobs = [(claims // number, each, reviewers, start, True) for each in range(number)]
        times = [each for _, seconds, _ in _run(jobs, number) for each in seconds]
        answers[name] = _spread(times)
    return answers


def inbox() -> dict[str, Any]:
    """Time the first page of the inbox and one in the middle of the queue."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from clinic_hwr.intake.models import Scan

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(get_user_model().objects.get(username="reviewer0"))
    scans = Scan.objects.filter(state="in_review").order_by("received_at", "pk")
    middle = scans[scans.count() // 2]
    place = f"{middle.received_at.isoformat()}_{middle.pk}"
    answers = {}
    for name, query in (
        ("first_page", {"queue": "review"}),
        ("page_in_the_middle", {"queue": "review", "after": place}),
        ("all_scans", {"queue": "all"}),
    ):
        times = []
        for _ in range(30):
            began = time.perf_counter()
            response = client.get("/inbox/", query)
            times.append(time.perf_counter() - began)
            if response.status_code != 200:
                raise SystemExit(f"The inbox answered {response.status_code}.")
        answers[name] = _spread(times[5:])
    return answers


def _run(jobs: Sequence[tuple[Any, ...]], processes: int) -> list[Any]:
    from django.db import connections

    connections.close_all()  # a forked process must not share a connection
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        return list(pool.map(claim_many, jobs))


def claim_many(job: tuple[int, int, int, float, bool]) -> tuple[list[str], list[float], int]:
    """Claim ``count`` scans from ``start`` on; returns which, how long each took, and misses."""
    count, number, reviewers, start, finish = job
    from django.contrib.auth import get_user_model

    from clinic_hwr.intake.models import Scan
    from clinic_hwr.review.services import scan_claim_next

    people = list(get_user_model().objects.filter(username__startswith="reviewer"))
    scans: list[str] = []
    seconds: list[float] = []
    missed = 0
    time.sleep(max(0.0, start - time.time()))
    for turn in range(count):
        user = people[(number + turn * 7) % reviewers]
        began = time.perf_counter()
        lease = scan_claim_next(user=user, queue="review")
        seconds.append(time.perf_counter() - began)
        if lease is None:
            missed += 1
            continue
        scans.append(str(lease.scan_id))
        if finish:
            Scan.objects.filter(pk=lease.scan_id).update(state="verified")
    return scans, seconds, missed


def _spread(seconds: Sequence[float]) -> dict[str, Any]:
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)

    return {"n": len(ordered), "p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99)}


if __name__ == "__main__":
    main()
