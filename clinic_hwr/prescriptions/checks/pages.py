"""Checks of how well pages were made readable, and of marks that may mean two things."""

from __future__ import annotations

from collections.abc import Iterator

from clinic_hwr.pages.problem_words import page_problem_words
from clinic_hwr.prescriptions.checks.context import CheckContext
from clinic_hwr.prescriptions.checks.registry import Finding, blocker, finding_about

_WHY = {
    "several": "More than one choice is marked here, or one mark covers two.",
    "crossed": "A stroke goes through a choice: that may choose it or delete it.",
    "unread": "A choice is marked here, but it could not be read which one.",
    "none": "There are printed choices here and none was seen to be marked.",
}


@blocker("page_doubtful")
def page_doubtful(context: CheckContext) -> Iterator[Finding]:
    """A page could not be made upright, flat or clean without doubt."""
    codes = dict.fromkeys(code for value in context.values for code in value.page_problems)
    for code in codes:
        yield Finding(f"{page_problem_words(code)} Compare with the paper.", severity="warn")


@blocker("choice_unclear")
def choice_unclear(context: CheckContext) -> Iterator[Finding]:
    """The marks at printed choices do not say which is meant: nothing was chosen."""
    for value in context.values:
        if value.mark_doubt and not value.human:
            why = _WHY.get(value.mark_doubt, "The marks here are not clear.")
            yield finding_about(value, f"{why} Nothing was taken: enter the one that is meant.")
