"""Where one prescription ends and the next begins inside of a file of many pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError

SEPARATOR_CODE = "CLINIC-HWR:SEPARATOR:1"
"""What the QR code of the separator sheet says; the number is the version of its meaning."""

_RULE = re.compile(r"every:(?P<count>[1-9]\d?)|blank|barcode(:(?P<prefix>[\x21-\x7e]{1,40}))?|none")


class BadRule(ValueError):
    """There is no such rule; the message lists those that exist."""


@dataclass(frozen=True, slots=True)
class SplitRule:
    """Where a prescription begins, besides behind a separator sheet.

    Attributes:
        every: after so many pages; 0 for never.
        blank: behind a blank page.
        barcode: with a page that bears a barcode that begins with ``prefix``.
    """

    every: int = 0
    blank: bool = False
    barcode: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What decides about a page: the texts of its barcodes, and whether it is empty paper."""

    codes: tuple[str, ...] = ()
    blank: bool = False

    @property
    def is_separator(self) -> bool:
        """Whether it is one of our separator sheets."""
        return SEPARATOR_CODE in self.codes


def parse_rule(text: str) -> SplitRule:
    """Return the rule that ``text`` names; "" and ``none`` leave it to separator sheets.

    Raises:
        BadRule: it names none.
    """
    text = text.strip()
    if not text:
        return SplitRule()
    match = _RULE.fullmatch(text)
    if match is None:
        raise BadRule("Rules are: none, every:N (N from 1 to 99), blank, barcode, barcode:PREFIX.")
    if match["count"]:
        return SplitRule(every=int(match["count"]))
    return SplitRule(
        blank=text == "blank", barcode=text.startswith("barcode"), prefix=match["prefix"] or ""
    )


def check_rule(text: str) -> None:
    """Raise ``ValidationError`` unless ``text`` names a rule; for forms."""
    try:
        parse_rule(text)
    except BadRule as error:
        raise ValidationError(str(error)) from error


def group_pages(pages: Sequence[PageFacts], rule: SplitRule) -> list[list[int]]:
    """Return the prescriptions of a file, each as the numbers (from 1) of its pages, in order.

    Separator sheets belong to none. A blank page belongs to the prescription before it (it is
    the back of that paper) unless it is what separates; blank pages before the first written one
    go with that. Every other page is in exactly one group. A file of blank pages is one group.
    """
    groups: list[list[int]] = []
    written = 0  # pages with something on them in the last group
    begin = True
    for number, page in enumerate(pages, start=1):
        if page.is_separator or (rule.blank and page.blank):
            begin = True
            continue
        if page.blank:
            if groups and not begin:
                groups[-1].append(number)
            else:
                groups.append([number])
                written, begin = 0, False
            continue
        marked = rule.barcode and any(code.startswith(rule.prefix) for code in page.codes)
        full = rule.every > 0 and written >= rule.every
        if begin or not groups or (written > 0 and (marked or full)):
            groups.append([])
            written = 0
        groups[-1].append(number)
        written += 1
        begin = False
    return _without_lone_blanks(groups, pages)


def _without_lone_blanks(groups: list[list[int]], pages: Sequence[PageFacts]) -> list[list[int]]:
    """Join a group of blank pages alone with its neighbour: nothing on it is a prescription."""
    joined: list[list[int]] = []
    waiting: list[int] = []
    for group in groups:
        if all(pages[number - 1].blank for number in group):
            if joined:
                joined[-1] += group
            else:
                waiting += group
        else:
            joined.append(waiting + group)
            waiting = []
    if joined:
        return joined
    blank = [number for number, page in enumerate(pages, start=1) if not page.is_separator]
    return [blank] if blank else []
