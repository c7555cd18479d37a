"""The registry of paper layouts the generator can draw, and what each may be used for."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np

from .hands import Hand
from .pages_content import PageContent
from .pages_paper import Paper

LayoutDrawer = Callable[[PageContent, Hand, np.random.Generator, int], Paper]
LAYOUTS: dict[str, LayoutDrawer] = {}


class LayoutRole(StrEnum):
    """What pages of a layout may be used for."""

    TRAIN = "train"  # weights are fitted on these and on nothing else
    DEVELOP = "develop"  # rules were written with these in view; unit tests draw them
    HELD_OUT = "held_out"  # tests and benchmarks only: no rule and no weight was chosen by them


LAYOUT_ROLES: dict[str, LayoutRole] = {
    "us_pad": LayoutRole.DEVELOP,
    "hospital_order_sheet": LayoutRole.DEVELOP,
    "letterhead_note": LayoutRole.DEVELOP,
    "boxed_form": LayoutRole.DEVELOP,
    "uk_form": LayoutRole.TRAIN,
    "indian_letterhead": LayoutRole.TRAIN,
    "german_rezept": LayoutRole.TRAIN,
    "french_ordonnance": LayoutRole.TRAIN,
    "refill_request": LayoutRole.TRAIN,
    "plain_note": LayoutRole.TRAIN,
    "row_pad": LayoutRole.TRAIN,
    "choice_pad": LayoutRole.TRAIN,
    "composed_en": LayoutRole.TRAIN,
    "composed_de": LayoutRole.TRAIN,
    "composed_fr": LayoutRole.TRAIN,
    "composed_es": LayoutRole.TRAIN,
    "ward_en": LayoutRole.TRAIN,
    "ward_de": LayoutRole.TRAIN,
    "ward_fr": LayoutRole.TRAIN,
    "ward_es": LayoutRole.TRAIN,
    "philippine_pad": LayoutRole.HELD_OUT,
    "spanish_receta": LayoutRole.HELD_OUT,
    "discharge_sheet": LayoutRole.HELD_OUT,
    "dental_pad": LayoutRole.HELD_OUT,
    "chart_blocks": LayoutRole.HELD_OUT,
    "choice_sheet": LayoutRole.HELD_OUT,
}
"""The split: a layout has one role for good. A layout without a row here cannot be registered."""


class UnknownLayout(LookupError):
    """No layout of that name; the message lists the valid ones."""


def layout(name: str) -> Callable[[LayoutDrawer], LayoutDrawer]:
    """Register a drawing function under ``name``.

    Raises:
        UnknownLayout: ``LAYOUT_ROLES`` does not say what the layout may be used for.
    """
    if name not in LAYOUT_ROLES:
        raise UnknownLayout(f"layout {name!r} has no role in LAYOUT_ROLES")

    def register(drawer: LayoutDrawer) -> LayoutDrawer:
        LAYOUTS[name] = drawer
        return drawer

    return register


def layouts_with(*roles: LayoutRole | str) -> tuple[str, ...]:
    """Return the names of the layouts with any of these roles, sorted.

    ``layouts_with("train")`` is what weights may be fitted on; ``layouts_with("held_out")`` is
    what they are measured on.
    """
    wanted = {LayoutRole(role) for role in roles}
    return tuple(sorted(name for name, role in LAYOUT_ROLES.items() if role in wanted))


def layout_drawer(name: str) -> LayoutDrawer:
    """Return the drawing function of a layout.

    Raises:
        UnknownLayout: the name is not registered.
    """
    if name not in LAYOUTS:
        raise UnknownLayout(f"no layout {name!r}; choose one of {', '.join(sorted(LAYOUTS))}")
    return LAYOUTS[name]
