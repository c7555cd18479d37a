"""The ways a page reaches a clinic, by name: each draws settings for ``pages_scan``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .pages_scan import ScanSettings, random_settings

DrawSettings = Callable[[np.random.Generator], ScanSettings]
DEGRADATIONS: dict[str, DrawSettings] = {}


class UnknownDegradation(LookupError):
    """No degradation of that name; the message lists the valid ones."""


def degradation(name: str) -> Callable[[DrawSettings], DrawSettings]:
    """Register a function that draws settings under ``name``."""

    def register(draw: DrawSettings) -> DrawSettings:
        DEGRADATIONS[name] = draw
        return draw

    return register


def settings_for(name: str, rng: np.random.Generator) -> ScanSettings:
    """Draw settings of a degradation.

    Raises:
        UnknownDegradation: the name is not registered.
    """
    if name not in DEGRADATIONS:
        known = ", ".join(sorted(DEGRADATIONS))
        raise UnknownDegradation(f"no degradation {name!r}; choose one of {known}")
    return DEGRADATIONS[name](rng)


degradation("office")(random_settings)


@degradation("clean")
def clean(rng: np.random.Generator) -> ScanSettings:
    """As printed to a file, any way up."""
    return ScanSettings(quarter_turns=int(rng.integers(4)))


@degradation("photocopy")
def photocopy(rng: np.random.Generator) -> ScanSettings:
    """A copy of a folded sheet: creases, gray paper, specks, strong compression."""
    return ScanSettings(
        quarter_turns=int(rng.integers(4)),
        skew_deg=float(np.clip(rng.normal(0.0, 2.0), -6.0, 6.0)),
        paper_gray=int(rng.integers(190, 235)),
        shadow=float(rng.uniform(0.0, 0.3)),
        blur_px=float(rng.uniform(0.6, 1.3)),
        noise=float(rng.uniform(4.0, 14.0)),
        jpeg_quality=int(rng.integers(25, 60)),
        folds=int(rng.integers(1, 4)),
    )


def _fax(rng: np.random.Generator, dpi: tuple[int, int]) -> ScanSettings:
    return ScanSettings(
        quarter_turns=int(rng.choice((0, 2), p=(0.6, 0.4))) if rng.random() < 0.8
        else int(rng.choice((1, 3))),
        skew_deg=float(np.clip(rng.normal(0.0, 1.2), -4.0, 4.0)),
        paper_gray=int(rng.integers(215, 254)),
        shadow=float(rng.choice((0.0, rng.uniform(0.05, 0.2)))),
        blur_px=float(rng.uniform(0.3, 0.9)),
        noise=float(rng.uniform(2.0, 8.0)),
        folds=int(rng.choice((0, 0, 1, 2))),
        fax_dpi=dpi,
        dither=bool(rng.random() < 0.2),
        speckle=float(rng.choice((0.0, 0.0005, 0.002, 0.006))),
        dropped_rows=int(rng.choice((0, 0, 2, 6))),
    )  # fmt: skip


@degradation("fax_fine")
def fax_fine(rng: np.random.Generator) -> ScanSettings:
    """One bit at 204 x 196 dots an inch."""
    return _fax(rng, (204, 196))


@degradation("fax_standard")
def fax_standard(rng: np.random.Generator) -> ScanSettings:
    """One bit at 204 x 98 dots an inch, or 200 x 100: rows are half as dense as columns."""
    return _fax(rng, (204, 98) if rng.random() < 0.6 else (200, 100))


def _photo(rng: np.random.Generator, *, tilt: float, margin: float, bend: float) -> ScanSettings:
    return ScanSettings(
        quarter_turns=int(rng.integers(4)),
        skew_deg=float(np.clip(rng.normal(0.0, 4.0), -12.0, 12.0)),
        paper_gray=int(rng.integers(175, 245)),
        shadow=float(rng.uniform(0.05, 0.45)),
        blur_px=float(rng.uniform(0.4, 1.4)),
        noise=float(rng.uniform(2.0, 9.0)),
        jpeg_quality=int(rng.integers(40, 92)),
        folds=int(rng.choice((0, 0, 1, 2))),
        photo=True,
        tilt_deg=(float(rng.normal(0.0, tilt)), float(rng.normal(0.0, tilt))),
        bend=(float(rng.normal(0.0, bend)), float(rng.normal(0.0, 2.0 * bend))),
        margin=margin,
        table_gray=int(rng.choice((25, 60, 95, 130))),
        cast_shadow=float(rng.choice((0.0, rng.uniform(0.15, 0.5)))),
        motion_px=float(rng.choice((0.0, 0.0, 2.0, 3.0))),
    )


@degradation("phone")
def phone(rng: np.random.Generator) -> ScanSettings:
    """A photo on which the sheet fills the frame: its edges cannot be seen."""
    return _photo(rng, tilt=5.0, margin=float(rng.uniform(-0.02, 0.0)), bend=0.012)


@degradation("phone_on_table")
def phone_on_table(rng: np.random.Generator) -> ScanSettings:
    """A photo of a sheet on a table, from aslant."""
    return _photo(rng, tilt=9.0, margin=float(rng.uniform(0.02, 0.15)), bend=0.0)


@degradation("phone_curled")
def phone_curled(rng: np.random.Generator) -> ScanSettings:
    """A photo of a sheet that does not lie flat, on a table."""
    return _photo(rng, tilt=6.0, margin=float(rng.uniform(0.02, 0.1)), bend=0.04)
