"""Measure marked choices: sex, refills, substitution and allergies circled, underlined or ticked.

    python benchmarks/choices.py --data FOLDER [--split held_out] [--pages 40] [--seed 2026]

Synthetic pages of the layouts with choices: ``choice_pad`` is what the rules were written with,
``choice_sheet`` is held out. A wrong value is counted apart from one that is left to a person.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ.setdefault("OMP_THREAD_LIMIT", "1")

from page_scores import placed, wilson

from clinic_hwr.pages import find_fields, make_upright, read_print
from clinic_hwr.pages.types import FieldRegion
from clinic_hwr.recognition.synthesis.pages import draw_pages
from clinic_hwr.recognition.synthesis.pages_hands import page_hands

LAYOUTS = {"train": "choice_pad", "held_out": "choice_sheet"}
FIELDS = ("patient_sex", "refills", "substitution", "allergies")
WAYS = ("clean", "office", "photocopy", "fax_fine", "phone")


def said(fields: list[FieldRegion], name: str) -> tuple[str, str]:
    """What was found of a field: its value, and why there is none."""
    for one in fields:
        if one.name == name:
            if name == "substitution":
                value = {True: "yes", False: "no", None: ""}[one.present]
            else:
                value = one.printed_text or ""
            return value, str(one.mark_doubt) or ("" if value else "no text")
    return "", "not found"


def main() -> None:
    """Draw, look, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--split", choices=sorted(LAYOUTS), default="held_out")
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    hands = page_hands(options.data, options.split)
    layout = LAYOUTS[options.split]
    print(
        f"Synthetic pages of {layout}, {date.today()}, seed {options.seed}, {options.pages} pages, "
        f"{', '.join(WAYS)}; load {os.getloadavg()[0]:.1f}.\n"
    )
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*FIELDS, *WAYS, "all")}
    pages = draw_pages(hands, count=options.pages, seed=options.seed, layouts=[layout],
                       degradations=WAYS)  # fmt: skip
    for drawn in pages:
        page = make_upright(drawn.gray)
        fields = list(find_fields(page, read_print(page.gray), forms=[]))
        for truth in drawn.fields:
            if truth.name not in FIELDS:
                continue
            value, doubt = said(fields, truth.name)
            kind = "clear" if truth.text else "unclear"
            same = value == truth.text
            if kind == "clear":
                result = "right" if same else "wrong" if value else "asked"
            else:
                result = "wrong" if value else "asked" if doubt != "not found" else "missed"
            for key in (truth.name, drawn.degradation, "all"):
                counts[key][kind] += 1
                counts[key][f"{kind} {result}"] += 1
            if options.verbose and result != ("right" if truth.text else "asked"):
                print(drawn.degradation, truth, placed(truth.quad_px, page), (value, doubt))
    print("| | read | wrong value | unclear: a person is asked | unclear: a value all the same |")
    print("| --- | --- | --- | --- | --- |")
    for key, c in counts.items():
        print(
            f"| {key} | {wilson(c['clear right'], c['clear'])} | "
            f"{wilson(c['clear wrong'], c['clear'])} | "
            f"{wilson(c['unclear asked'], c['unclear'])} | "
            f"{wilson(c['unclear wrong'], c['unclear'])} |"
        )


if __name__ == "__main__":
    main()
