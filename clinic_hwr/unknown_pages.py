"""Names that fields of a page get from what is read in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clinic_hwr.intake.models import Page
from clinic_hwr.pages.types import FIELD_NAMES, FieldRegion, Gray, NamedBy
from clinic_hwr.prescriptions.lexicon import DrugLexicon
from clinic_hwr.prescriptions.naming import ReadLine, name_by_reading
from clinic_hwr.recognition.types import Reading
from clinic_hwr.routing.lexicons import site_country, working_lexicon


def named_by_reading(
    page: Page, regions: Sequence[FieldRegion], readings: Sequence[Reading | None]
) -> tuple[FieldRegion, ...]:
    """Name the lines of a page that no label names, as its site's drugs and country have it."""
    lexicon = working_lexicon(page.scan.site.slug)
    return regions_named(regions, readings, lexicon=lexicon, country=site_country())


def regions_named(
    regions: Sequence[FieldRegion],
    readings: Sequence[Reading | None],
    *,
    lexicon: DrugLexicon | None = None,
    country: str | None = None,
) -> tuple[FieldRegion, ...]:
    """Name by what they say the lines that no label names; see ``prescriptions.naming``."""
    lines = [
        ReadLine(
            name=region.name,
            group=region.group,
            named_by=region.named_by,
            text=reading.text if reading else "",
            alternatives=tuple(other.text for other in reading.alternatives) if reading else (),
            box_px=region.box_px,
            struck=region.struck_out.is_said,
            printed=region.printed_text is not None,
        )
        for region, reading in zip(regions, readings, strict=True)
    ]
    named = name_by_reading(lines, lexicon=lexicon, country=country)
    return tuple(
        region
        if (line.name, line.group) == (region.name, region.group)
        else replace(
            region,
            name=line.name,
            group=line.group,
            kind=FIELD_NAMES[line.name],
            named_by=NamedBy.READING,
        )
        for region, line in zip(regions, named, strict=True)
    )


def without_mere_print(
    regions: Sequence[FieldRegion], crops: Sequence[Gray], readings: Sequence[Reading | None]
) -> tuple[tuple[FieldRegion, ...], list[Gray], list[Reading | None]]:
    """Leave out print under an Rx that says nothing of a prescription: it is the form's own."""
    said = [
        number
        for number, region in enumerate(regions)
        if region.printed_text is None or region.named_by is not NamedBy.NOBODY
    ]
    return (
        tuple(regions[number] for number in said),
        [crops[number] for number in said],
        [readings[number] for number in said],
    )
