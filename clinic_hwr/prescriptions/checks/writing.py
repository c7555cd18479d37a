"""Checks of the way things are written: abbreviations and numbers that are misread."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from clinic_hwr.prescriptions.checks.context import CheckContext, MedicationReading
from clinic_hwr.prescriptions.checks.registry import Finding, blocker
from clinic_hwr.prescriptions.tables import read_table

_TRAILING_ZERO = re.compile(r"(?<![\d.])\d+\.0+(?![\d.])")
# Longer texts are nobody's handwriting, and are left over as a whole.
_LONGEST_TEXT = 2000
_NAKED_DECIMAL = re.compile(r"(?<![\d.A-Za-z])\.\d+")


@lru_cache(maxsize=1)
def _error_prone() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    rows = read_table("error_prone.tsv")
    return tuple((re.compile(pattern), severity, message) for pattern, severity, message in rows)


def abbreviation_doubts(text: str) -> Iterator[tuple[str, str]]:
    """Yield (sentence, severity) for each error-prone abbreviation in a text."""
    for pattern, severity, message in _error_prone():
        if pattern.search(text[:_LONGEST_TEXT]):
            yield message, severity


def trailing_zero_doubt(text: str) -> str:
    """Return a sentence about "1.0 mg", which is read as 10 mg, or ""."""
    match = _TRAILING_ZERO.search(text)
    why = "has a trailing zero: check that it is not ten times as much."
    return f"“{match[0]}” {why}" if match else ""


def naked_decimal_doubt(text: str) -> str:
    """Return a sentence about ".5 mg", which is read as 5 mg, or ""."""
    match = _NAKED_DECIMAL.search(text)
    why = "has no zero before the point: check that it is not ten times as much."
    return f"“{match[0]}” {why}" if match else ""


@blocker("error_prone_abbreviation")
def error_prone_abbreviation(context: CheckContext) -> Iterator[Finding]:
    """An abbreviation that is known to be misread."""
    for reading in context.medications:
        group = reading.medication.sequence
        for field, text in _texts(context, reading):
            for message, severity in abbreviation_doubts(text):
                yield Finding(message, field, group, severity=severity)
        name = reading.line.name.lower()
        if name in context.lexicon.error_prone_names:
            drug = reading.medication.drug
            meaning = drug.name if drug else "a drug"
            yield Finding(
                f"“{reading.line.name}” is a drug abbreviation: check that {meaning} is meant.",
                "drug",
                group,
            )


def _texts(context: CheckContext, reading: MedicationReading) -> list[tuple[str, str]]:
    """(field name, text) of what a person wrote by hand about one medication."""
    group = reading.medication.sequence
    texts = [("drug", reading.medication.drug_text), ("strength", reading.strength_text)]
    if reading.sig_text != reading.line.sig_text:
        texts.append((context.on_paper(group, "sig"), reading.sig_text))
    return [(field, text) for field, text in texts if text]


@blocker("trailing_zero")
def trailing_zero(context: CheckContext) -> Iterator[Finding]:
    """ "1.0 mg" is read as 10 mg."""
    for reading in context.medications:
        for field, text in _texts(context, reading):
            if doubt := trailing_zero_doubt(text):
                yield Finding(doubt, field, reading.medication.sequence)


@blocker("naked_decimal")
def naked_decimal(context: CheckContext) -> Iterator[Finding]:
    """ ".5 mg" is read as 5 mg."""
    for reading in context.medications:
        for field, text in _texts(context, reading):
            if doubt := naked_decimal_doubt(text):
                yield Finding(doubt, field, reading.medication.sequence)
