"""Audit events in words: the text is made from the data when shown, never stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .models import AuditEvent

Formatter = Callable[[dict[str, Any]], str]

_FORMATTERS: dict[str, Formatter] = {}

ACTION_TITLES: dict[str, str] = {
    "scan.received": "Scan received",
    "scan.duplicate": "Duplicate received",
    "scan.quarantined": "Scan quarantined",
    "scan.split": "Batch split into prescriptions",
    "scan.retried": "Scan sent back for another try",
    "scan.paged": "Pages made",
    "scan.read": "Scan read",
    "scan.rejected": "Scan rejected",
    "lease.taken_over": "Scan taken over from a colleague",
    "search.made": "Prescriptions searched",
    "field.added": "Field added",
    "field.named": "Field named",
    "field.accepted": "Value accepted",
    "field.corrected": "Value corrected",
    "field.illegible": "Marked illegible",
    "field.not_present": "Marked not present",
    "field.not_applicable": "Marked not applicable",
    "field.reopened": "Decision taken back",
    "field.postponed": "Field left for later",
    "field.reboxed": "Box drawn anew",
    "field.box_undone": "New box taken back",
    "field.read": "New box read",
    "field.reading_dropped": "Reading of a new box dropped",
    "prescription.released": "Prescription released",
    "document.viewed": "Document viewed",
    "prescription.amended": "Prescription amended",
    "prescription.retracted": "Prescription retracted",
    "form.created": "Form added",
    "form.saved": "Form saved",
    "form.activated": "Form activated",
    "form.retired": "Form retired",
    "form.tested": "Form tested against past pages",
    "fhir.read": "FHIR read",
    "routing.certified": "Thresholds certified",
    "fhir.published": "FHIR published",
    "fhir.created": "FHIR resource created by a client",
    "fhir.updated": "FHIR resource updated by a client",
    "delivery.sent": "Delivered to the EHR",
    "delivery.failed": "Delivery failed",
}


def formatter(*actions: str) -> Callable[[Formatter], Formatter]:
    """Register the function that puts the data of ``actions`` into one sentence."""

    def register(function: Formatter) -> Formatter:
        for action in actions:
            _FORMATTERS[action] = function
        return function

    return register


def action_title(action: str) -> str:
    """Return the action as people say it."""
    return ACTION_TITLES.get(action, action.replace(".", " ").replace("_", " ").capitalize())


def event_sentence(event: AuditEvent) -> str:
    """Return what the event's data says beyond its title; "" when the title says it all."""
    function = _FORMATTERS.get(event.action)
    return function(event.data) if function else ""


def field_words(name: str, group: int) -> str:
    """Return a field's name as people read it: ``patient name``, ``drug 2``; "" for none."""
    words = name.replace("_", " ")
    return f"{words} {group}" if words and group else words


@formatter("scan.received", "scan.duplicate")
def _received(data: dict[str, Any]) -> str:
    return f"{data.get('size_bytes', 0):,} bytes, {data.get('content_type') or 'unknown type'}"


@formatter("scan.quarantined", "scan.retried", "scan.rejected")
def _problem(data: dict[str, Any]) -> str:
    return str(data.get("code", "")).replace("_", " ")


@formatter("lease.taken_over")
def _taken_over(data: dict[str, Any]) -> str:
    return f"from {data.get('old', '?')}" + ("" if data.get("new") else ", and set free")


@formatter("scan.split")
def _split(data: dict[str, Any]) -> str:
    return f"{data.get('parts', 0)} prescriptions"


@formatter("document.viewed")
def _viewed(data: dict[str, Any]) -> str:
    return f"on the {data['screen']} page" if data.get("screen") else ""


@formatter("form.created", "form.saved", "form.activated", "form.retired", "form.tested")
def _form(data: dict[str, Any]) -> str:
    return f"{data.get('form', '')}, version {data.get('version', '?')}"


@formatter("field.reboxed", "field.box_undone")
def _box(data: dict[str, Any]) -> str:
    old, new = (
        ", ".join(str(part) for part in data.get(name, [])) for name in ("old_box_px", "box_px")
    )
    return f"x, y, width, height from {old} to {new}"


@formatter("prescription.released")
def _released(data: dict[str, Any]) -> str:
    warnings = len(data.get("acknowledged", []))
    noted = f", {warnings} warning{'s' * (warnings != 1)} acknowledged" if warnings else ""
    return f"version {data.get('version', '?')}{noted}"


@formatter("routing.certified")
def _certified(data: dict[str, Any]) -> str:
    proved = [row for row in data.get("thresholds", []) if row.get("value") is not None]
    kinds = ", ".join(f"{row['kind']} from {row['value']:g}" for row in proved)
    return f"error at most {data.get('alpha', 0):.2%}: {kinds or 'none proved'}"
