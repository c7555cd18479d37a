"""Known forms: printed labels at known places, and the regions where their values stand.

A form is a JSON file in ``forms/``, measured in inches from the top left of the paper. It is
recognised by its printed labels: a similarity transform (Umeyama 1991, by RANSAC) must carry
enough of them to where OCR read them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .label_vocabulary import normalised
from .types import FIELD_NAMES, Box, PrintedWord

# A fit must hold this many label ends, this share of those that were matched, and span this
# share of the form's height: a handful of common words is on every prescription.
_MIN_INLIERS, _MIN_SHARE, _MIN_SPAN = 12, 0.6, 0.6
_TOLERANCE_IN = 0.06
_MAX_TURN_DEG = 3.0
MODES = ("value", "medications", "choice", "mark", "comb")


class BadForm(ValueError):
    """A form definition that cannot be used; the message says what is wrong in which form."""


@dataclass(frozen=True, slots=True)
class FormLabel:
    """One printed label: its text and its box (x, y, width, height) in inches."""

    text: str
    box_in: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class FormRegion:
    """Where a field is written.

    Attributes:
        field: a key of ``FIELD_NAMES``.
        mode: ``value`` (its ink is one field), ``medications`` (free lines), ``choice`` (printed
            choices, one circled), ``mark`` (signed or not) or ``comb`` (one character a cell).
        box_in: x, y, width, height in inches; for ``comb`` around all cells.
        choices: for ``choice``: the printed texts and the x of their middles in inches.
        runs: for ``comb``: box in inches and number of cells of each run of cells.
    """

    field: str
    mode: str
    box_in: tuple[float, float, float, float]
    choices: tuple[tuple[str, float], ...] = ()
    runs: tuple[tuple[tuple[float, float, float, float], int], ...] = ()


@dataclass(frozen=True, slots=True)
class KnownForm:
    """A known paper layout."""

    name: str
    size_in: tuple[float, float]
    labels: tuple[FormLabel, ...]
    regions: tuple[FormRegion, ...]

    @classmethod
    def from_json(cls, text: str) -> KnownForm:
        """Read a form definition.

        Raises:
            BadForm: the text is no JSON, lacks a part, or names an unknown field or mode.
        """
        try:
            data = json.loads(text)
            form = cls(
                str(data["name"]),
                _size(data["size_in"]),
                tuple(FormLabel(str(one["text"]), _box(one["box_in"])) for one in data["labels"]),
                tuple(_region(region) for region in data["regions"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadForm(f"form definition: {error!r}") from error
        for region in form.regions:
            if region.field not in FIELD_NAMES or region.mode not in MODES:
                raise BadForm(f"form {form.name!r}: unknown field or mode in {region}")
            if (region.mode == "comb") != bool(region.runs):
                raise BadForm(f"form {form.name!r}: a comb needs runs of cells, nothing else does")
        return form


@dataclass(frozen=True, slots=True)
class FormFit:
    """A form found on a page and the 2x3 matrix from its inches to page pixels."""

    form: KnownForm
    matrix: NDArray[np.float64]

    def box(self, box_in: Sequence[float]) -> Box:
        """A box of the form in page pixels."""
        x, y, width, height = box_in
        corners = np.array([[x, y, 1], [x + width, y, 1], [x + width, y + height, 1],
                            [x, y + height, 1]])  # fmt: skip
        points = corners @ self.matrix.T
        x0, y0 = np.floor(points.min(axis=0)).astype(int)
        x1, y1 = np.ceil(points.max(axis=0)).astype(int)
        return Box(int(x0), int(y0), int(x1 - x0), int(y1 - y0))

    def x_px(self, x_in: float, y_in: float) -> float:
        """Page x of a point of the form."""
        return float(self.matrix[0] @ np.array([x_in, y_in, 1.0]))


@cache
def known_forms() -> tuple[KnownForm, ...]:
    """Return the forms that come with the package.

    Raises:
        BadForm: a packaged definition is broken.
    """
    folder = resources.files(__package__) / "forms"
    files = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return tuple(
        KnownForm.from_json(entry.read_text("utf-8"))
        for entry in files
        if entry.name.endswith(".json")
    )


def fit_form(words: Sequence[PrintedWord], forms: Sequence[KnownForm]) -> FormFit | None:
    """Return the form a page is printed on, or None when none fits well."""
    fits = [(fit, count) for form in forms for fit, count in [_fit(words, form)] if fit]
    return max(fits, key=lambda one: one[1])[0] if fits else None


def _fit(words: Sequence[PrintedWord], form: KnownForm) -> tuple[FormFit | None, int]:
    pairs = _pairs(words, form)
    if len(pairs) < _MIN_INLIERS:
        return None, 0
    source = np.array([pair[0] for pair in pairs], np.float64)
    target = np.array([pair[1] for pair in pairs], np.float64)
    # First guess of the scale, for a tolerance that is stated in inches.
    scale = float(np.linalg.norm(target.std(axis=0)) / np.linalg.norm(source.std(axis=0)))
    cv2.setRNGSeed(1)  # the same page gives the same fit
    matrix, inliers = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=_TOLERANCE_IN * scale
    )
    if matrix is None:
        return None, 0
    kept = np.asarray(inliers).ravel() > 0
    span = float(np.ptp(source[kept, 1])) / form.size_in[1]
    turn = abs(float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))))
    matched = len({tuple(point) for point in source})
    good = kept.sum() >= max(_MIN_INLIERS, _MIN_SHARE * matched)
    if not good or span < _MIN_SPAN or turn > _MAX_TURN_DEG:
        return None, 0
    return FormFit(form, np.asarray(matrix, np.float64)), int(kept.sum())


def _pairs(
    words: Sequence[PrintedWord], form: KnownForm
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Left and right ends of labels on the form, with every place where OCR read those words."""
    pairs = []
    for label in form.labels:
        parts = normalised(label.text).split()
        x, y, width, height = label.box_in
        if len("".join(parts)) < 2:
            continue  # single digits stand anywhere on a page
        for word in words:
            text, box = normalised(word.text), word.box_px
            middle = box.y + box.height / 2
            if text == parts[0]:
                pairs.append(((x, y + height / 2), (float(box.x), middle)))
            if text == parts[-1]:
                pairs.append(((x + width, y + height / 2), (float(box.x + box.width), middle)))
    return pairs


def _region(data: dict[str, object]) -> FormRegion:
    choices = _list(data.get("choices", []), "choices")
    runs = tuple(_run(run) for run in _list(data.get("runs", []), "runs"))
    return FormRegion(
        str(data["field"]),
        str(data["mode"]),
        _around([box for box, _ in runs]) if runs else _box(data["box_in"]),
        tuple((str(text), float(x)) for text, x in choices),
        runs,
    )


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{name} must be a list")
    return value


def _run(data: object) -> tuple[tuple[float, float, float, float], int]:
    if not isinstance(data, dict) or int(data["cells"]) < 1:
        raise ValueError(f"expected box_in and cells, at least one, got {data!r}")
    return _box(data["box_in"]), int(data["cells"])


def _around(
    boxes: Sequence[tuple[float, float, float, float]],
) -> tuple[float, float, float, float]:
    x0, y0 = min(box[0] for box in boxes), min(box[1] for box in boxes)
    x1, y1 = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    return x0, y0, x1 - x0, y1 - y0


def _size(values: object) -> tuple[float, float]:
    if not isinstance(values, list) or len(values) != 2:
        raise ValueError(f"expected width and height, got {values!r}")
    return float(values[0]), float(values[1])


def _box(values: object) -> tuple[float, float, float, float]:
    if not isinstance(values, list) or len(values) != 4:
        raise ValueError(f"expected x, y, width and height, got {values!r}")
    return float(values[0]), float(values[1]), float(values[2]), float(values[3])
