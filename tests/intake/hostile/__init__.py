"""Files that mean harm, made the same way every time: fuzzed, cut off, bombs, polyglots, disguises.

``all_files()`` has over 300 of them; ``sample()`` two of every kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from . import disguises, image_bombs, mutations, pdf_bombs


@dataclass(frozen=True)
class HostileFile:
    """One file.

    Attributes:
        kind: which trick (``fuzzed``, ``truncated``, ``bomb``, ``pdf``, ``disguise`` ...).
        name: as the sender calls it.
        make: returns the bytes.
        heavy: takes seconds to look at; not in the fast sample.
    """

    kind: str
    name: str
    make: Callable[[], bytes]
    heavy: bool = False

    @property
    def label(self) -> str:
        """Kind and name."""
        return f"{self.kind}: {self.name}"


def _files() -> Iterator[HostileFile]:
    for module in (mutations, image_bombs, pdf_bombs, disguises):
        for kind, name, make, *heavy in module.files():
            yield HostileFile(kind, name, make, bool(heavy))


@cache
def all_files() -> tuple[HostileFile, ...]:
    """Return every file, kind by kind."""
    return tuple(_files())


def sample() -> list[HostileFile]:
    """Return two of every kind, the first and one from the middle, that take no long look."""
    light = [file for file in all_files() if not file.heavy]
    by_kind: dict[str, list[HostileFile]] = {}
    for file in light:
        by_kind.setdefault(file.kind, []).append(file)
    return [file for files in by_kind.values() for file in files[:: (len(files) + 1) // 2]]
