"""Checks against earlier papers of the site: the same sheet, or the same order on another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rapidfuzz.fuzz import token_sort_ratio

from clinic_hwr.prescriptions.checks.context import CheckContext
from clinic_hwr.prescriptions.checks.registry import Finding, blocker
from clinic_hwr.prescriptions.types import EarlierOrder

_SAME_NAME = 85.0
"""Of 100; two readings of one written name differ by a letter or two."""

_SAME_NAME_BORN_ALIKE = 60.0


@blocker("same_paper")
def same_paper(context: CheckContext) -> Iterator[Finding]:
    """The writing lies where that of an earlier scan does: perhaps the paper was sent twice."""
    found = [order for order in context.earlier if order.same_paper]
    if found:
        yield _finding("This looks like the same paper as the scan", found)


@blocker("same_order")
def same_order(context: CheckContext) -> Iterator[Finding]:
    """An earlier scan has the same patient, drug and date."""
    found = [order for order in context.earlier if _is_same_order(context, order)]
    if found:
        yield _finding("The same patient, drug and date are on the scan", found)


def _is_same_order(context: CheckContext, order: EarlierOrder) -> bool:
    written = context.date_reading.value if context.date_reading else None
    if written is None or written != order.date_written:
        return False
    drugs = {
        (one.medication.drug.name if one.medication.drug else one.medication.drug_text).lower()
        for one in context.medications
    }
    if not drugs.intersection(order.drugs) - {""}:
        return False
    alike = token_sort_ratio(context.patient.name.lower(), order.patient_name.lower())
    born = context.patient.birth_date
    same_birth = born is not None and born == order.birth_date
    return bool(alike >= (_SAME_NAME_BORN_ALIKE if same_birth else _SAME_NAME))


def _finding(words: str, orders: Sequence[EarlierOrder]) -> Finding:
    more = f", and {len(orders) - 1} more" if len(orders) > 1 else ""
    return Finding(
        f"{words} received {orders[0].received}{more}: compare them before it is given twice.",
        scan_id=orders[0].scan_id,
    )
