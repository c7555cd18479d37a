"""Whatever a person can do on the pages a program can do over REST, or it is said here why not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver

from clinic_hwr.review.api.schema import openapi
from clinic_hwr.urls import room_urlpatterns

# Each page or action by the name of its address: the operations that do the same, or a reason.
SAME: dict[str, tuple[str, ...] | str] = {
    "login": "a program sends a token with every request (manage.py drf_create_token)",
    "logout": "there is no session to end; tokens are withdrawn in the admin",
    "inbox": ("GET /api/queues/", "GET /api/queues/{slug}/"),
    "inbox-next": ("POST /api/queues/{slug}/claim/",),
    "inbox-search": ("POST /api/search/",),
    "scan-detail": (
        "GET /api/scans/{scan_id}/",
        "GET /api/scans/{scan_id}/lease/",
        "GET /api/scans/{scan_id}/prescription/",
    ),
    "scan-reject": ("POST /api/scans/{scan_id}/reject/",),
    "workstation": ("GET /api/scans/{scan_id}/fields/", "GET /api/scans/{scan_id}/draft/"),
    "scan-state": ("GET /api/scans/{scan_id}/fields/", "GET /api/scans/{scan_id}/draft/"),
    "release": ("GET /api/scans/{scan_id}/release/", "POST /api/scans/{scan_id}/release/"),
    "amend": ("POST /api/scans/{scan_id}/amend/preview/", "POST /api/scans/{scan_id}/amend/"),
    "retract": ("POST /api/scans/{scan_id}/retract/",),
    "take-over": ("POST /api/scans/{scan_id}/lease/take-over/",),
    "lease-claim": ("POST /api/scans/{scan_id}/lease/",),
    "lease-prolong": ("POST /api/scans/{scan_id}/lease/heartbeat/",),
    "lease-end": ("POST /api/scans/{scan_id}/lease/release/",),
    "field-add": ("POST /api/scans/{scan_id}/fields/",),
    "field-name": ("POST /api/fields/{field_id}/name/",),
    "field-decide": (
        "GET /api/fields/{field_id}/",
        "POST /api/fields/{field_id}/decisions/",
        "POST /api/fields/{field_id}/reopen/",
    ),
    "field-box": ("POST /api/fields/{field_id}/box/",),
    "field-box-undo": ("POST /api/fields/{field_id}/box/undo/",),
    "field-ask": ("POST /api/fields/{field_id}/questions/",),
    "clarify": ("GET /api/questions/", "GET /api/queues/{slug}/"),
    "clarification": (
        "GET /api/questions/{clarification_id}/",
        "POST /api/questions/{clarification_id}/calls/",
        "POST /api/questions/{clarification_id}/withdraw/",
    ),
    "second-checks": ("GET /api/queues/{slug}/",),
    "keys": ("GET /api/keys/", "POST /api/keys/", "POST /api/keys/reset/"),
    "drug-names": ("POST /api/drugs/",),
    "audit": ("GET /api/audit/",),
    "audit-event": ("GET /api/audit/{event_uuid}/",),
    "audit-crop": ("GET /api/audit/{event_uuid}/crop/",),
    "scan-upload": ("POST /api/scans/", "GET /api/scans/"),
    "scan-retry": ("POST /api/scans/{scan_id}/retry/",),
    "scan-original": ("GET /api/scans/{scan_id}/original/",),
    "separator-sheet": ("GET /api/separator-sheet/",),
    "page-image": ("GET /api/scans/{scan_id}/pages/{number}/image/",),
    "field-crop": ("GET /api/fields/{field_id}/crop/",),
    "forms": ("GET /api/forms/",),
    "form-new": ("POST /api/forms/",),
    "form-edit": ("GET /api/forms/{version_id}/",),
    "form-test": ("GET /api/forms/{version_id}/trial/",),
    "form-activate": ("POST /api/forms/{version_id}/activate/",),
    "form-retire": ("POST /api/forms/{version_id}/retire/",),
    "form-repicture": ("POST /api/forms/{version_id}/picture/",),
    "form-import": ("POST /api/forms/{version_id}/import/",),
    "form-export": ("GET /api/forms/{version_id}/export/",),
    "form-save": ("POST /api/forms/{version_id}/regions/",),
    "form-picture": ("GET /api/forms/{version_id}/pages/{number}/image/",),
    "form-test-ink": ("GET /api/forms/{version_id}/trial/{scan_id}/{number}/{region}/",),
}
APIS = ("api/", "fhir")
"""Addresses below these are APIs themselves."""


@pytest.fixture(scope="module")
def operations() -> set[str]:
    """Every operation of the schema, as ``METHOD path``."""
    paths: dict[str, dict[str, Any]] = openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def pages(patterns: Any, before: str = "") -> Iterator[tuple[str, str | None]]:
    """Yield address and name of every page and action of the product."""
    for each in patterns:
        address = before + str(each.pattern)
        if address.startswith(APIS):
            continue
        if isinstance(each, URLResolver):
            yield from pages(each.url_patterns, address)
        elif isinstance(each, URLPattern) and address:  # "" redirects to the inbox
            yield address, each.name


def test_every_page_has_its_operations_or_a_reason() -> None:
    found = dict(pages(room_urlpatterns))

    assert len(found) > 40
    assert {name for name in found.values() if name not in SAME} == set()
    assert {name for name in SAME if name not in found.values()} == set()


def test_every_operation_named_here_exists(operations: set[str]) -> None:
    named = {each for same in SAME.values() if not isinstance(same, str) for each in same}

    assert named - operations == set()


def test_no_operation_is_without_a_page(operations: set[str]) -> None:
    """What only programs can do would be missing on the pages."""
    named = {each for same in SAME.values() if not isinstance(same, str) for each in same}

    assert operations - named == set()
