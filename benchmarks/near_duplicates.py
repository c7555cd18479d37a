"""Near duplicates: is one paper sent twice noticed, and are two papers ever taken for one?

``python -m benchmarks.near_duplicates --data FOLDER [--papers 24] [--seed 2026]``: generated pages
(synthetic). Each paper is scanned once, then again: askew by another scanner, as a fax (204 x 98
dots, one bit), and as a dim noisy copy. Different papers are those of the same printed form and
prescriber: another patient and drug by the same hand; and the same patient with another date and
drug (``renewal``), the hardest. Every page goes through
``make_upright`` first.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.pages import make_upright
from clinic_hwr.pages.likeness import (
    LOOKS_ALIKE,
    SAME_PAPER,
    looks_alike,
    page_look,
    same_paper_score,
)
from clinic_hwr.pages.types import Gray
from clinic_hwr.recognition.synthesis.hands import Hand, load_hands
from clinic_hwr.recognition.synthesis.pages import (
    LAYOUTS,
    PageContent,
    ScanSettings,
    draw_page,
    random_content,
)
from clinic_hwr.routing.policy import upper_error_bound

AGAIN = {
    "rescan": ScanSettings(skew_deg=2.1, noise=3.0, blur_px=0.5, paper_gray=240),
    "copy": ScanSettings(skew_deg=-1.6, noise=7.0, blur_px=0.9, paper_gray=222, shadow=0.25),
    "upside down": ScanSettings(quarter_turns=2, skew_deg=0.7, noise=3.0, jpeg_quality=60),
}


@dataclass(frozen=True)
class Seen:
    """A page as the pipeline stores it."""

    gray: Gray
    look: bytes


def seen(gray: Gray) -> Seen:
    """Take a raster through the page stage."""
    upright = make_upright(gray).gray
    return Seen(upright, page_look(upright))


def faxed(gray: Gray) -> Gray:
    """Send a page through a fax machine of standard resolution."""
    height, width = gray.shape
    across = cv2.resize(
        gray, (1728, round(height * 1728 / width * 98 / 204)), interpolation=cv2.INTER_AREA
    )
    _, bits = cv2.threshold(across, 150, 255, cv2.THRESH_BINARY)
    square = cv2.resize(bits, (1728, round(height * 1728 / width)), interpolation=cv2.INTER_LINEAR)
    return np.asarray(square, np.uint8)


def other_patient(content: PageContent, rng: np.random.Generator) -> PageContent:
    """The same form and prescriber, everything else another."""
    fresh = random_content(rng, medications=len(content.medications))
    kept = {
        name: getattr(content, name)
        for name in (
            "prescriber_name", "prescriber_npi", "prescriber_dea", "prescriber_phone",
            "practice_name", "practice_address", "specialty", "signed",
        )
    }  # fmt: skip
    return replace(fresh, **kept)


def renewal(content: PageContent, rng: np.random.Generator) -> PageContent:
    """The same patient with another date and drug."""
    fresh = random_content(rng, medications=len(content.medications))
    return replace(content, medications=fresh.medications, date_written=fresh.date_written)


def main() -> None:
    """Draw, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--papers", type=int, default=24)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--layout", action="append", choices=sorted(LAYOUTS))
    parser.add_argument("--scores", action="store_true", help="print every score")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data FOLDER or set CLINIC_HWR_DATA")
    hands = load_hands(Path(options.data))
    layouts = options.layout or sorted(LAYOUTS)
    same: dict[str, list[tuple[float, float]]] = defaultdict(list)
    different: dict[str, list[tuple[float, float]]] = defaultdict(list)
    firsts: dict[str, list[Seen]] = defaultdict(list)
    seconds: list[float] = []
    for number in range(options.papers):
        layout = layouts[number % len(layouts)]
        rng = np.random.default_rng([options.seed, number])
        content = random_content(rng)
        hand = _able(hands, content, rng)
        seed = options.seed + number

        def drawn(content: PageContent, settings: ScanSettings, *, at: int = seed,
                  form: str = layout, writer: Hand = hand) -> Gray:  # fmt: skip
            return draw_page(form, content, writer, seed=at, settings=settings).gray

        first_scan = drawn(content, ScanSettings(skew_deg=0.6, noise=2.0))
        first = seen(first_scan)
        firsts[layout].append(first)
        for name, settings in AGAIN.items():
            same[name].append(_both(first, seen(drawn(content, settings)), seconds))
        same["fax"].append(_both(first, seen(faxed(first_scan)), seconds))
        for name, change in (("other patient", other_patient), ("renewal", renewal)):
            changed = change(content, rng)
            if all(hand.can_write(text) for text in changed.written_texts()):
                page = drawn(changed, AGAIN["rescan"], at=seed + 10_000)
                different[name].append(_both(first, seen(page), seconds))
    for pages in firsts.values():
        for one, two in combinations(pages, 2):
            different["same layout"].append(_both(one, two, seconds))
    _report(same, different, seconds, options.scores)


def _able(hands: list[Hand], content: PageContent, rng: np.random.Generator) -> Hand:
    texts = content.written_texts()
    order = rng.permutation(len(hands))
    return next(hands[int(i)] for i in order if all(hands[int(i)].can_write(t) for t in texts))


def _both(one: Seen, two: Seen, seconds: list[float]) -> tuple[float, float]:
    """Return how alike the coarse maps are, and the score stroke by stroke."""
    coarse = float(looks_alike(one.look, [two.look])[0])
    start = time.perf_counter()
    fine = same_paper_score(one.gray, two.gray)
    seconds.append(time.perf_counter() - start)
    return coarse, fine


def _report(
    same: dict[str, list[tuple[float, float]]],
    different: dict[str, list[tuple[float, float]]],
    seconds: list[float],
    scores: bool,
) -> None:
    print(f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, synthetic pages")
    median_ms = 1000 * np.median(seconds)
    print(
        f"coarse from {LOOKS_ALIKE}, stroke by stroke from {SAME_PAPER}; {median_ms:.0f} ms a "
        f"comparison (median of {len(seconds)})"
    )
    print("\n| pairs | n | warned | error rate (95 % upper bound) |")
    print("| --- | --- | --- | --- |")
    for title, groups, wanted in (("one paper", same, True), ("two papers", different, False)):
        for name, pairs in groups.items():
            warned = sum(c >= LOOKS_ALIKE and f >= SAME_PAPER for c, f in pairs)
            errors = len(pairs) - warned if wanted else warned
            bound = upper_error_bound(errors, len(pairs), 0.95)
            print(f"| {title}: {name} | {len(pairs)} | {warned} | "
                  f"{errors / len(pairs):.3f} ({bound:.3f}) |")  # fmt: skip
            if scores:
                print(
                    " ", " ".join(f"{c:.2f}/{f:.2f}" for c, f in sorted(pairs, key=lambda p: p[1]))
                )


if __name__ == "__main__":
    main()
