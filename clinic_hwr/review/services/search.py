"""Finding prescriptions by patient, drug, prescriber and by any text read on the page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.prescriptions.types import Prescription

from ..models import PrescriptionRecord, SearchDocument
from ..search.engines import PARTS, engine
from ..search.words import joined, matches, query_words
from .effective import FieldState

PAGE_SIZE = 25
MAX_QUERY_CHARS = 200
MAX_LINES = 400
MAX_LINE_CHARS = 200


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One scan that was found.

    Attributes:
        scan: with its site and prescription.
        parts: where the words stand (``patient``, ``drug`` ...).
        lines: what stands on the page around them, as read.
    """

    scan: Scan
    parts: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of results, newest first; ``before`` asks for the next one, None on the last."""

    hits: tuple[SearchHit, ...]
    before: int | None


def scans_search(
    *, user: Any, text: str, part: str = "", before: int | None = None, page_size: int = PAGE_SIZE
) -> SearchPage:
    """Return the newest scans of the person's own sites that have every word of ``text``.

    A word of two letters or more also finds the words it begins. No text is an error: what has no
    letters or digits finds nothing. The number of a scan or prescription finds that one.
    Audit: ``search.made`` with the text, at each site something was shown of.

    Args:
        part: ``patient``, ``drug``, ``prescriber`` or ``page``; anything else: all of them.
        before: of the page before.
    """
    text = text.replace("\x00", " ")[:MAX_QUERY_CHARS].strip()
    part = part if part in PARTS else ""
    words = query_words(text)
    sites = list(accessible_sites(user, "scan.view"))
    if not sites or not words:
        return SearchPage((), None)
    documents = SearchDocument.objects.filter(site__in=[site.pk for site in sites])
    number = _uuid(text)
    if number is not None:
        by_scan = documents.filter(scan_id=number)
        found = by_scan if by_scan.exists() else documents.filter(scan__prescription__pk=number)
    else:
        found = engine().find(documents, words, part)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(
        found.select_related("scan__site", "scan__prescription", "scan__lease__holder").order_by(
            "-pk"
        )[: page_size + 1]
    )
    shown = rows[:page_size]
    _audit(user, sites, text, part, shown)
    return SearchPage(
        tuple(_hit(row, words) for row in shown), shown[-1].pk if len(rows) > page_size else None
    )


def search_index(
    *, scan: Scan, record: PrescriptionRecord, states: Sequence[FieldState], content: Prescription
) -> bool:
    """Write the words of a scan into the index if they changed; returns whether they did.

    Belongs in the transaction of the change. ``record.search_sha256`` is set, for the caller to
    save: a decision that changes no word costs no query.
    """
    values = _words(scan, states, content)
    digest = hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()
    if record.search_sha256 == digest:
        return False
    record.search_sha256 = digest
    # printed words never change, so they need not be looked at to know whether anything did
    printed = [
        " ".join(str(word[0]) for word in words if word)
        for words in Page.objects.filter(scan=scan).values_list("printed_words", flat=True)
    ]
    lines = [line[:MAX_LINE_CHARS] for line in dict.fromkeys([*values["lines"], *printed]) if line]
    columns = {part: joined(values[part]) for part in PARTS if part != "page"}
    columns["page"] = joined([*values["page"], *printed])
    with transaction.atomic():
        stored, _ = SearchDocument.objects.update_or_create(
            scan=scan, defaults={"site_id": scan.site_id, **columns, "lines": lines[:MAX_LINES]}
        )
        engine().write(stored)
    return True


def _words(scan: Scan, states: Sequence[FieldState], content: Prescription) -> dict[str, list[str]]:
    """Return the texts of a scan: what it means, what stands in force, and every other reading."""
    patient, prescriber = content.patient, content.prescriber
    drugs: list[str] = []
    # a search must not tell what somebody is still to enter blind; it comes in once it is settled
    blind = {state.field.group for state in states if state.is_closed_to(None)}
    for item in content.medications:
        if item.sequence in blind or 0 in blind:
            continue
        drugs.append(item.drug_text)
        if item.drug is not None:
            drugs += [item.drug.name, item.drug.generic_of]
    told = [state for state in states if not state.is_presence and state.field.group not in blind]
    lines = [state.value or state.machine_value for state in told]
    readings: list[str] = []
    for state in told:
        if state.reading is not None:
            readings += [state.reading.text, *(text for text, _ in state.reading.alternatives)]
    return {
        "patient": [patient.name, patient.mrn, patient.birth_date_text, *_date(patient)],
        "drug": drugs,
        "prescriber": [prescriber.name, prescriber.practice, prescriber.npi, prescriber.dea],
        "page": [*lines, *readings, scan.original_name],
        "lines": lines,
    }


def _date(patient: Any) -> list[str]:
    """Return the birth date the way it is typed into a search box."""
    born = patient.birth_date
    return [] if born is None else [born.isoformat(), born.strftime("%m/%d/%Y")]


def _hit(row: SearchDocument, words: Sequence[str]) -> SearchHit:
    parts = tuple(
        part for part in PARTS if any(matches(word, getattr(row, part)) for word in words)
    )
    lines = [line for line in row.lines if any(matches(word, line) for word in words)]
    return SearchHit(row.scan, parts, tuple(lines[:3]))


def _audit(
    user: Any, sites: Sequence[Any], text: str, part: str, shown: Sequence[SearchDocument]
) -> None:
    """Record who looked for what; where nothing was found, at the person's first site."""
    counts: dict[Any, int] = {}
    for row in shown:
        counts[row.site_id] = counts.get(row.site_id, 0) + 1
    for site in [each for each in sites if each.pk in counts] or sites[:1]:
        audit_record(
            action="search.made",
            site=site,
            object_type="search",
            object_id=part or "all",
            actor=user,
            data={"text": text, "part": part, "shown": counts.get(site.pk, 0)},
        )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
