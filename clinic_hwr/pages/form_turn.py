"""Which way up a page lies, by the form it is printed on: where the letters voted wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .form_match import FormMatch, FormSheet, match_form
from .registration import PagePrint, Refusal
from .types import Gray, PageProblem, UprightPage
from .upright import make_upright

_MIN_SIDE_PX = 64


def upright_on_form(gray: Gray, upright: UprightPage, sheets: Sequence[FormSheet]) -> UprightPage:
    """Return the page as a known form says it lies.

    A form that is found turned proves that the letters were wrong about the page, however sure
    they were; one that fits proves them right. Nothing else turns a page: a form that only nearly
    fits does not.

    Args:
        gray: the raster as it came.
        upright: what ``make_upright`` made of it.
        sheets: the forms to look for.
    """
    if not sheets or min(upright.gray.shape) < _MIN_SIDE_PX:
        return upright
    found = match_form(PagePrint.of(upright.gray), sheets)
    if isinstance(found, FormMatch):
        return _proven(upright)
    if found.reason is not Refusal.TURNED:
        return upright
    voted = upright.rotation_deg // 90
    for extra in (2, 1, 3):
        other = make_upright(gray, turns=(voted + extra) % 4)
        if isinstance(match_form(PagePrint.of(other.gray), sheets), FormMatch):
            return other
    return upright


def _proven(page: UprightPage) -> UprightPage:
    sure = tuple(one for one in page.problems if one is not PageProblem.ORIENTATION_UNSURE)
    return page if sure == page.problems else replace(page, problems=sure)
