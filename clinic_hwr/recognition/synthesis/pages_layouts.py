"""The registry of paper layouts the generator can draw."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .hands import Hand
from .pages_content import PageContent
from .pages_paper import Paper

LayoutDrawer = Callable[[PageContent, Hand, np.random.Generator, int], Paper]
LAYOUTS: dict[str, LayoutDrawer] = {}


class UnknownLayout(LookupError):
    """No layout of that name; the message lists the valid ones."""


def layout(name: str) -> Callable[[LayoutDrawer], LayoutDrawer]:
    """Register a drawing function under ``name``."""

    def register(drawer: LayoutDrawer) -> LayoutDrawer:
        LAYOUTS[name] = drawer
        return drawer

    return register


def layout_drawer(name: str) -> LayoutDrawer:
    """Return the drawing function of a layout.

    Raises:
        UnknownLayout: the name is not registered.
    """
    if name not in LAYOUTS:
        raise UnknownLayout(f"no layout {name!r}; choose one of {', '.join(sorted(LAYOUTS))}")
    return LAYOUTS[name]
