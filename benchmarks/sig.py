"""How well the sig grammar structures the published sig cases (HL7, NHS, Public Health Scotland).

    python benchmarks/sig.py --data <folder with sig_cases/>

HL7 examples are compared on dose, frequency, period, as-needed and duration; where the source's
own structure does not say what its text says, the text decides and the reason is listed below.
NHS cases are expected texts: what the text says must be found again in the structure.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.prescriptions.sig import parse_sig
from clinic_hwr.prescriptions.sig.from_fhir import DosageRefused, dosage_words
from clinic_hwr.prescriptions.types import Dosage, Sig
from clinic_hwr.recognition.metrics import wilson_interval
from tests.prescriptions.sig_notation import WRITTEN_SIGS, written_sigs

# Facts of the source's structure that its own text does not carry, by sig text; compared without.
SOURCE_DIFFERS: dict[str, tuple[set[str], str]] = {
    "1000 mg/m2 orally twice daily from days 1-14 of cycle": (
        {"frequency", "period"},
        "source writes once in two days for 'twice daily'",
    ),
    "7mg (=one 5mg tablet PLUS one 2mg tablet) once daily": (
        {"dose"},
        "source holds one of the two tablets",
    ),
    "Dopamine 4mcg/kg/min": ({"dose"}, "a rate; the source adds an amount that is not in the text"),
    "Two tablets at once": ({"frequency", "period"}, "source adds daily to 'at once'"),
    "Apply to affected areas four times daily": ({"dose"}, "source adds 1 each"),
    "Apply to affected areas four times daily on Monday of each week": (
        {"dose"},
        "source adds 1 each",
    ),
    "Apply twice daily to affected area on left arm": ({"dose"}, "source adds 1 each"),
    "Apply to vaginal area topically once daily": ({"dose"}, "source adds 1 each"),
    "1000mL infused at 50ml/hour for 4 hours - hang at 2200 hours": (
        {"frequency", "period"},
        "source adds once in 24 hours",
    ),
    "1000mL infused at 50ml/hour for 4 hours - hung at 2200 hours": (
        {"frequency", "period"},
        "source adds once in 24 hours",
    ),
    "0.25mg PO every 6-12 hours as needed for menses from Jan 15-20, 2015.  "
    "Do not exceed more than 4mg per day": ({"dose"}, "source holds another amount than 0.25 mg"),
    "KCl 20 mEq in 1 L 0.9%NS IV at 100 ml/hr": (
        {"frequency", "period"},
        "source adds once daily",
    ),
}


UNIT_CODES = {"day": "d", "week": "wk", "month": "mo", "hour": "h"}
NOTHING = {"as_needed": False}


@dataclass(frozen=True)
class Result:
    """One case: whether each expected fact was found, and whether words were left over."""

    source: str
    text: str
    wrong: tuple[str, ...]
    flagged: bool


def facts_expected(dosage: dict[str, Any]) -> dict[str, Any]:
    """Comparable facts of a FHIR Dosage."""
    repeat = dosage.get("timing", {}).get("repeat", {})
    facts: dict[str, Any] = {}
    for rate in dosage.get("doseAndRate", [])[:1]:
        if "doseQuantity" in rate:
            facts["dose"] = (Decimal(str(rate["doseQuantity"]["value"])), None)
        elif "doseRange" in rate:
            bounds = rate["doseRange"]
            # "500 mg to 1 g" is compared in the unit of the lower end, which is ours.
            grams = bounds["low"]["unit"] == "milligram" and bounds["high"]["unit"] == "gram"
            facts["dose"] = (
                Decimal(str(bounds["low"]["value"])),
                Decimal(str(bounds["high"]["value"])) * (1000 if grams else 1),
            )
    if "frequency" in repeat:
        facts["frequency"] = (repeat["frequency"], repeat.get("frequencyMax"))
    if "period" in repeat:
        facts["period"] = (
            Decimal(str(repeat["period"])),
            Decimal(str(repeat["periodMax"])) if "periodMax" in repeat else None,
            repeat["periodUnit"],
        )
    if "count" in repeat:
        facts["count"] = repeat["count"]
    facts["as_needed"] = bool(dosage.get("asNeededBoolean") or "asNeededCodeableConcept" in dosage)
    if "boundsDuration" in repeat:
        bound = repeat["boundsDuration"]
        unit = bound.get("code") or UNIT_CODES[bound["unit"]]
        facts["duration"] = (Decimal(str(bound["value"])), unit)
    return facts


def facts_found(dosage: Dosage) -> dict[str, Any]:
    """The same facts of our dosage."""
    period = None
    if dosage.period is not None:
        period = (dosage.period, dosage.period_max, dosage.period_unit)
    return {
        "dose": (dosage.dose, dosage.dose_high),
        "frequency": (dosage.frequency, dosage.frequency_max),
        "period": period,
        "count": dosage.count,
        "as_needed": dosage.as_needed,
        "duration": (dosage.duration, dosage.duration_unit),
    }


def hl7_results(path: Path) -> Iterator[Result]:
    """Score the HL7 and US Core examples."""
    for case in json.loads(path.read_text("utf-8")):
        text: str = case["sig"]
        sig = parse_sig(text)
        skip = SOURCE_DIFFERS.get(text, (set(), ""))[0]
        expected = {k: v for k, v in facts_expected(case["dosage"]).items() if k not in skip}
        found = facts_found(sig.dosages[0]) if sig.dosages else NOTHING
        wrong = tuple(name for name, value in expected.items() if found.get(name) != value)
        yield Result(case["source"], text, wrong, bool(sig.leftover or sig.warnings))


def phs_results(path: Path) -> Iterator[Result]:
    """Score the whole directions of the Scottish parser."""
    unit = {"Day": "d", "Week": "wk", "Month": "mo", "Hour": "h"}
    for case in json.loads(path.read_text("utf-8"))["whole_sig"]:
        want = case["expected"]
        sig = parse_sig(case["sig"])
        got = sig.dosages[0]
        expected = {
            "dose": Decimal(str(want["dosageMin"])),
            "frequency": int(want["frequencyMin"]),
            "period": unit[want["frequencyType"]],
            "duration": want["durationMin"],
            "as_needed": want["asRequired"],
        }
        found = {
            "dose": got.dose,
            "frequency": got.frequency,
            "period": got.period_unit,
            "duration": got.duration,
            "as_needed": got.as_needed,
        }
        wrong = tuple(name for name in expected if expected[name] != found[name])
        yield Result("phs", case["sig"], wrong, bool(sig.leftover or sig.warnings))


def nhs_results(path: Path) -> Iterator[Result]:
    """Read the NHS texts back: dose, frequency, period, as-needed and duration must be found."""
    for case in json.loads(path.read_text("utf-8")):
        text, dosage = case.get("expected"), case["dosage"]
        if not text or not isinstance(dosage, dict):
            continue
        expected = facts_expected(dosage)
        sig: Sig = parse_sig(text)
        found = facts_found(sig.dosages[0]) if sig.dosages else NOTHING
        wrong = tuple(name for name, value in expected.items() if found.get(name) != value)
        yield Result("nhs " + case["describe"], text, wrong, bool(sig.leftover or sig.warnings))


def nhs_said_and_refused(path: Path) -> tuple[int, int, int, int]:
    """(said, of those that must be, refused, of those that must be) of the NHS dosages."""
    said = to_say = refused = to_refuse = 0
    for case in json.loads(path.read_text("utf-8")):
        dosage = case["dosage"]
        elements = dosage if isinstance(dosage, list) else [dosage]
        try:
            words = dosage_words(elements)
        except DosageRefused:
            words = None
        if case.get("throws"):
            to_refuse += 1
            refused += words is None
        elif case["expected"]:
            to_say += 1
            said += bool(words)
    return said, to_say, refused, to_refuse


def written_results(path: Path) -> tuple[int, int, int]:
    """(right, reported, wrong) of a list of directions written for this project."""
    verdicts = [row.judge(parse_sig(row.text, **row.context))[0] for row in written_sigs(path)]
    return verdicts.count("right"), verdicts.count("reported"), verdicts.count("wrong")


def main() -> int:
    """Print the table and every case that is not fully right."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data or set CLINIC_HWR_DATA")
    folder = Path(options.data) / "sig_cases"
    sets = {
        "HL7 examples": list(hl7_results(folder / "hl7_r4_sig_to_dosage.json")),
        "Scottish directions": list(phs_results(folder / "phs_dose_instruction_parser.json")),
        "NHS texts": list(nhs_results(folder / "nhs_eps_dose_to_text.json")),
    }
    print(f"{'set':<22}{'cases':>6}{'right':>7}{'flagged wrong':>15}{'silently wrong':>16}")
    for name, results in sets.items():
        right = sum(not r.wrong for r in results)
        flagged = sum(bool(r.wrong) and r.flagged for r in results)
        silent = len(results) - right - flagged
        print(f"{name:<22}{len(results):>6}{right:>7}{flagged:>15}{silent:>16}")
    for results in sets.values():
        for r in results:
            if r.wrong:
                mark = "flagged" if r.flagged else "SILENT"
                print(f"  {mark:<8} {', '.join(r.wrong):<28} {r.source}: {r.text}")
    said, to_say, refused, to_refuse = nhs_said_and_refused(folder / "nhs_eps_dose_to_text.json")
    print(f"NHS dosages: {said} of {to_say} said in words, {refused} of {to_refuse} refused")
    for written in sorted(WRITTEN_SIGS.parent.glob("*_sigs.tsv")):
        right, reported, wrong = written_results(written)
        n = right + reported + wrong
        low, high = wilson_interval(right, n)
        print(
            f"{written.stem}: {right} of {n} right ({low:.1%} to {high:.1%}), {reported} reported, "
            f"{wrong} wrong without a word"
        )
    for text, (facts, why) in SOURCE_DIFFERS.items():
        print(f"  not compared ({', '.join(sorted(facts))}): {text}: {why}")
    started = time.perf_counter()
    texts = [r.text for results in sets.values() for r in results]
    for text in texts:
        parse_sig(text)
    per_sig = (time.perf_counter() - started) / len(texts) * 1000
    print(f"{per_sig:.2f} ms a sig over {len(texts)} sigs, one process")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
