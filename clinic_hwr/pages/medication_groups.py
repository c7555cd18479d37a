"""Which medication the drugs, directions and amounts of a page belong to, by reading order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .areas import centre, same_row
from .types import Box, FieldRegion

PER_MEDICATION = ("drug", "strength", "sig", "quantity")


@dataclass
class _Group:
    """One medication as it fills up."""

    number: int
    box: Box
    kinds: list[str] = field(default_factory=list)


def grouped(fields: Sequence[FieldRegion]) -> list[FieldRegion]:
    """Number the medications of a page.

    A drug begins a medication; what follows belongs to the drug above it, or before it on its row.
    Something that the medication has already (directions may go on to a second line) belongs to
    one whose drug was not found: it must not go for the wrong drug. Refills that stand once,
    below all drugs, keep group 0: they go for every medication.

    Args:
        fields: of one page, in any order.
    """
    refills = [one for one in fields if one.name == "refills"]
    drugs = [one for one in fields if one.name == "drug"]
    low = max((centre(one.box_px)[1] for one in drugs), default=0.0)
    whole_page = len(refills) == 1 and (not drugs or centre(refills[0].box_px)[1] > low)
    names = (*PER_MEDICATION, *(() if whole_page else ("refills",)))
    groups: list[_Group] = []
    numbers: dict[int, int] = {}
    for row in _rows([one for one in fields if one.name in names]):
        for one in row:
            group = _group_of(one, groups, {id(other) for other in row}, numbers)
            if group is None:
                group = _Group(len(groups) + 1, one.box_px)
                groups.append(group)
            group.kinds.append(one.name)
            numbers[id(one)] = group.number
    return [replace(one, group=numbers.get(id(one), one.group)) for one in fields]


def _rows(fields: Sequence[FieldRegion]) -> list[list[FieldRegion]]:
    """Fields by rows, top to bottom, each left to right."""
    rows: list[list[FieldRegion]] = []
    for one in sorted(fields, key=lambda some: centre(some.box_px)[1]):
        if rows and same_row(rows[-1][-1].box_px, one.box_px):
            rows[-1].append(one)
        else:
            rows.append([one])
    return [sorted(row, key=lambda some: some.box_px.x) for row in rows]


def _group_of(
    one: FieldRegion, groups: Sequence[_Group], row: set[int], numbers: dict[int, int]
) -> _Group | None:
    """The medication a field belongs to; None begins another."""
    if one.name == "drug" or not groups:
        return None
    # Drugs side by side: what stands below goes to the one it stands under.
    last = groups[-1]
    beside = [group for group in groups if same_row(group.box, last.box)]
    in_row = any(numbers.get(key) == last.number for key in row)
    group = last
    if len(beside) > 1 and not in_row:
        group = min(beside, key=lambda some: abs(some.box.x - one.box_px.x))
    goes_on = one.name == "sig" and group.kinds and group.kinds[-1] == "sig"
    return group if one.name not in group.kinds or goes_on else None
