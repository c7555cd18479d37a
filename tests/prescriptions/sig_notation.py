"""Expected meanings of directions in one short line, and their comparison with a ``Sig``.

One dosage is blank-separated marks; dosages at the same time are joined by ``and``, steps by
``then``, equally right meanings by ``|``; ``?`` says that the reader must report something: words
left over, or a warning.

    1-2tab       dose (range) and unit          2-3/d   frequency (range) and period
    <3/d         at most, no least frequency     1/4-6h  every 4 to 6 hours
    @MORN+HS     FHIR event timings             @08:00  times of day
    on:mon+wed   days of the week               prn, prn:pain   as needed, with reason
    for:7d       duration                       n:1     number of doses
    for:5-7d     range of durations             for:-5d   for up to 5 days
    max:8tab/d   maximum in a period            r:PO    route      s:left_eye   body site
    dir          "as directed"                  also:while_awake   a further instruction
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from clinic_hwr.prescriptions.types import Dosage, Sig

WRITTEN_SIGS = Path(__file__).parent / "data" / "written_sigs.tsv"

UNITS = {
    "tab": "{tablet}", "cap": "{capsule}", "drp": "[drp]", "puf": "{puff}", "spr": "{spray}",
    "pat": "{patch}", "sup": "{suppository}", "pes": "{pessary}", "app": "{application}",
    "apf": "{applicator}", "loz": "{lozenge}", "dos": "{dose}", "pen": "{pen}", "neb": "{nebule}",
    "flm": "{film}",
    "pck": "{packet}", "amp": "{ampule}",
    "via": "{vial}", "inj": "{injection}", "tsp": "[tsp_us]", "tbs": "[tbs_us]", "u": "[iU]",
}  # fmt: skip
ROUTES = {
    "PO": "26643006", "SL": "37839007", "PR": "37161004", "PV": "16857009", "IV": "47625008",
    "IM": "78421000", "SC": "34206005", "TOP": "6064005", "INH": "447694001",
}  # fmt: skip
_NUMBER = r"\d+(?:\.\d+)?"


@dataclass(frozen=True)
class WrittenSig:
    """One line of the list: directions, where they were written, and their meaning."""

    text: str
    context: dict[str, str]
    meaning: str

    def judge(self, sig: Sig) -> tuple[str, list[str]]:
        """Return the verdict and what differs.

        ``right``: every fact is right and no word is left over, or it had to be reported and was.
        ``reported``: not right, but a word is left over or a warning says so. ``wrong``: neither;
        the one verdict that can harm.
        """
        reported = bool(sig.leftover or sig.warnings)
        meanings = self.meaning.split(" | ")
        if "?" in meanings and reported:
            return "right", []
        found = [differences(sig, meaning) for meaning in meanings if meaning != "?"]
        wrong = min(found, key=len, default=["must be reported"])
        if not wrong and not sig.leftover:
            return "right", []
        return ("reported" if reported else "wrong"), wrong or [f"left over: {sig.leftover}"]


def written_sigs(path: Path = WRITTEN_SIGS) -> list[WrittenSig]:
    """Read the list; rows keep their order."""
    found = []
    for line in path.read_text("utf-8").splitlines()[2:]:
        text, context, meaning = line.split("\t")
        pairs = dict(pair.split("=") for pair in context.split())
        found.append(WrittenSig(text, pairs, meaning))
    return found


def expected_facts(meaning: str) -> list[dict[str, Any]]:
    """Turn a meaning into facts, one dict a dosage; absent marks are absent facts."""
    facts: list[dict[str, Any]] = []
    for number, step in enumerate(meaning.split(" then "), start=1):
        for dosage in step.split(" and "):
            facts.append({"sequence": number} | _facts_of(dosage.split()))
    return facts


def _facts_of(marks: list[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"as_needed": False}
    for mark in marks:
        if mark.startswith("@"):
            values = tuple(mark[1:].split("+"))
            clocks = ":" in mark
            facts["times_of_day" if clocks else "when"] = (
                tuple(f"{value}:00" for value in values) if clocks else frozenset(values)
            )
        elif mark.startswith("on:"):
            facts["days_of_week"] = tuple(mark[3:].split("+"))
        elif mark.startswith("prn"):
            facts["as_needed"] = True
            if ":" in mark:
                facts["as_needed_reason"] = mark[4:].replace("_", " ")
        elif mark.startswith("for:"):
            low, _, high = mark[4:].rpartition("-")
            last = _amount(high)
            facts["duration"] = (
                (Decimal(low) if low else None, last[0], last[1])
                if "-" in mark
                else (last[0], None, last[1])
            )
        elif mark.startswith("n:"):
            facts["count"] = int(mark[2:])
        elif mark.startswith("max:"):
            amount, period = mark[4:].rsplit("/", 1)
            dose = _amount(amount)
            window = re.fullmatch(rf"({_NUMBER})?(\w+)", period)
            assert window, mark
            facts["maximum"] = (dose[0], _unit(dose[1]), Decimal(window[1] or 1), window[2])
        elif mark.startswith("r:"):
            facts["route"] = ROUTES[mark[2:]]
        elif mark.startswith("s:"):
            facts["site"] = mark[2:].replace("_", " ")
        elif mark == "dir":
            facts["also"] = "as directed"
        elif mark.startswith("also:"):
            facts["also"] = mark[5:].replace("_", " ")
        else:
            facts |= _dose_or_frequency(mark)
    return facts


def _dose_or_frequency(mark: str) -> dict[str, Any]:
    every = re.fullmatch(
        rf"(<)?(\d+)(?:-(\d+))?/({_NUMBER})?(?:-({_NUMBER}))?(min|h|d|wk|mo|a)", mark
    )
    if every:
        upto, low, high, period, longest, unit = every.groups()
        first = None if upto else int(low)
        last = int(low) if upto else (int(high) if high else None)
        longest_period = Decimal(longest) if longest else None
        return {
            "frequency": (first, last),
            "period": (Decimal(period or 1), longest_period, unit),
        }
    dose = re.fullmatch(rf"({_NUMBER})(?:-({_NUMBER}))?([A-Za-z/]*)", mark)
    assert dose, mark
    high = Decimal(dose[2]) if dose[2] else None
    return {"dose": (Decimal(dose[1]), high, _unit(dose[3]))}


def _amount(text: str) -> tuple[Decimal, str]:
    match = re.fullmatch(rf"({_NUMBER})([A-Za-z/]*)", text)
    assert match, text
    return Decimal(match[1]), match[2]


def _unit(word: str) -> str | None:
    return UNITS.get(word, word) or None


def found_facts(dosage: Dosage) -> dict[str, Any]:
    """Return the same facts of a structured dosage."""
    facts: dict[str, Any] = {
        "sequence": dosage.sequence,
        "as_needed": dosage.as_needed,
        "as_needed_reason": dosage.as_needed_reason,
        "when": frozenset(dosage.when),
        "times_of_day": dosage.times_of_day,
        "days_of_week": dosage.days_of_week,
        "count": dosage.count,
        "site": dosage.site,
        "route": dosage.route.code if dosage.route else None,
    }
    if dosage.dose is not None:
        facts["dose"] = (dosage.dose, dosage.dose_high, dosage.dose_unit)
    if dosage.frequency is not None or dosage.frequency_max is not None:
        facts["frequency"] = (dosage.frequency, dosage.frequency_max)
    if dosage.period is not None:
        facts["period"] = (dosage.period, dosage.period_max, dosage.period_unit)
    if dosage.duration is not None or dosage.duration_high is not None:
        facts["duration"] = (dosage.duration, dosage.duration_high, dosage.duration_unit)
    if dosage.max_dose is not None:
        facts["maximum"] = (
            dosage.max_dose,
            dosage.max_dose_unit,
            dosage.max_dose_period,
            dosage.max_dose_period_unit,
        )
    return facts


# What must agree whether it is expected or not; the others are compared where they are expected.
_BOTH_WAYS = (
    "sequence", "dose", "frequency", "period", "as_needed", "when", "times_of_day",
    "days_of_week", "duration", "count", "maximum",
)  # fmt: skip
_WHERE_EXPECTED = ("as_needed_reason", "route", "site")


def differences(sig: Sig, meaning: str) -> list[str]:
    """Name every fact in which a structured sig is not what was meant; [] when it is right."""
    expected = expected_facts(meaning)
    if len(expected) != len(sig.dosages):
        return [f"{len(sig.dosages)} dosages, not {len(expected)}"]
    wrong = []
    for want, dosage in zip(expected, sig.dosages, strict=True):
        got = found_facts(dosage)
        for name in _BOTH_WAYS:
            if (want.get(name) or None) != (got.get(name) or None):
                wrong.append(f"{name}: {got.get(name)}, not {want.get(name)}")
        for name in _WHERE_EXPECTED:
            if name in want and want[name] != got.get(name):
                wrong.append(f"{name}: {got.get(name)}, not {want[name]}")
        if "also" in want and want["also"] not in dosage.additional:
            wrong.append(f"without the instruction {want['also']!r}")
    return wrong
