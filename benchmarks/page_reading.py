"""Names that the fields of a page have once they are read, for ``benchmarks/pages.py --read``.

The same steps as the pipeline takes after ``find_fields``, without a database: every field is cut
out and read by the shipped recognizer, and lines that no label names are named by what they say.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_hwr.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "measured")

import django
import numpy as np

from clinic_hwr.quantities_apart import with_quantities_apart

django.setup()

from clinic_hwr import stage_read  # noqa: E402  (needs Django set up)
from clinic_hwr.pages import FieldRegion  # noqa: E402
from clinic_hwr.unknown_pages import regions_named, without_mere_print  # noqa: E402


def named_after_reading(
    gray: np.ndarray, regions: Sequence[FieldRegion]
) -> tuple[FieldRegion, ...]:
    """Return the fields with the names that their readings give them."""
    found = stage_read.PageFound(gray, gray, (), tuple(regions), None)
    reader = stage_read.reader_load()
    readings = stage_read.page_readings(found, regions, reader)
    regions, readings, _ = with_quantities_apart(
        gray, regions, readings, lambda some: stage_read.page_readings(found, some, reader)
    )
    named = regions_named(regions, readings)
    return without_mere_print(named, found.crops(regions), readings)[0]
