"""A known form is recognised by its labels, and refused when they do not fit."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from clinic_hwr.pages.known_forms import BadForm, KnownForm, fit_form, known_forms
from clinic_hwr.pages.types import Box, PrintedWord


def _printed(form: KnownForm, scale: float, dx: float, dy: float) -> list[PrintedWord]:
    """The form's labels as OCR would give them at ``scale`` pixels an inch."""
    words = []
    for label in form.labels:
        x, y, width, height = label.box_in
        parts = label.text.split()
        step = width / len(parts)
        for place, part in enumerate(parts):
            left = round(dx + scale * (x + place * step))
            box = Box(left, round(dy + scale * y), round(scale * step), round(scale * height))
            words.append(PrintedWord(part, box, 0.95))
    return words


def test_the_us_pad_is_found_at_its_scale_and_place() -> None:
    (form,) = (one for one in known_forms() if one.name == "us_pad")
    fit = fit_form(_printed(form, 300.0, 40.0, 90.0), known_forms())
    assert fit is not None
    assert fit.form.name == "us_pad"
    expected = np.array([[300.0, 0.0, 40.0], [0.0, 300.0, 90.0]])
    assert fit.matrix == pytest.approx(expected, abs=3.0)
    assert fit.box((1.0, 1.0, 0.5, 0.25)).as_list() == pytest.approx([340, 390, 150, 75], abs=4)


def test_labels_in_other_places_are_another_form() -> None:
    (form,) = (one for one in known_forms() if one.name == "us_pad")
    rng = np.random.default_rng(1)
    words = [
        replace(word, box_px=Box(int(rng.integers(0, 1200)), int(rng.integers(0, 1600)), 60, 20))
        for word in _printed(form, 300.0, 0.0, 0.0)
    ]
    assert fit_form(words, known_forms()) is None


def test_a_few_common_labels_do_not_make_a_form() -> None:
    (form,) = (one for one in known_forms() if one.name == "us_pad")
    words = [w for w in _printed(form, 300.0, 0.0, 0.0) if w.text in ("Name", "DOB", "Date")]
    assert fit_form(words, known_forms()) is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        json.dumps({"name": "x", "size_in": [1], "labels": [], "regions": []}),
        json.dumps(
            {
                "name": "x",
                "size_in": [4, 5],
                "labels": [],
                "regions": [{"field": "shoe_size", "mode": "value", "box_in": [0, 0, 1, 1]}],
            }
        ),
    ],
    ids=["no json", "empty", "bad size", "unknown field"],
)
def test_broken_definitions_are_refused(text: str) -> None:
    with pytest.raises(BadForm):
        KnownForm.from_json(text)
