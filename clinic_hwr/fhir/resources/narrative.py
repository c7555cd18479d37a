"""Narratives: what a person reads when the receiving system shows no structure."""

from __future__ import annotations

from html import escape
from typing import Any

from clinic_hwr.prescriptions.types import Medication

from ..primitives import XHTML, fhir_string
from ..publication import PrescriptionPublication
from .medication_request import drug_as_written


def summary(record: PrescriptionPublication) -> dict[str, Any]:
    """Return the narrative of the whole document: who, for whom, when, verified by whom."""
    patient, prescriber = record.prescription.patient, record.prescription.prescriber
    written = record.prescription.date_written
    return _narrative(
        _standing(record)
        + _table(
            [
                ("Patient", patient.name),
                ("Born", patient.birth_date.isoformat() if patient.birth_date
                 else patient.birth_date_text),
                ("Age", patient.age_text),
                ("Weight", f"{patient.weight_kg} kg" if patient.weight_kg is not None else ""),
                ("Allergies", patient.allergies),
                ("Prescriber", prescriber.name),
                ("Practice", prescriber.practice),
                ("Date on the paper",
                 written.isoformat() if written else record.prescription.date_text),
                ("Verified by", record.verifier_name),
            ]
        )
    )  # fmt: skip


def _standing(record: PrescriptionPublication) -> str:
    why = fhir_string(record.reason)
    because = f" Reason: {escape(why)}" if why else ""
    if record.retracted:
        return f"<p>Retracted: this prescription was signed in error. Do not fill it.{because}</p>"
    read = "read from a scanned paper by software and verified by a person."
    if record.version > 1:
        return f"<p>Prescription, {read} Amended, version {record.version}.{because}</p>"
    return f"<p>Prescription, {read}</p>"


def medications(orders: tuple[Medication, ...]) -> dict[str, Any]:
    """Return the narrative of the orders, each as written."""
    if not orders:
        return _narrative("<p>No medication is ordered on this paper.</p>")
    return _narrative("".join(_table(_order_rows(order)) for order in orders))


def withdrawn(record: PrescriptionPublication) -> dict[str, Any]:
    """Return the narrative of orders that an earlier version had in error."""
    names = [
        str(each.get("medicationCodeableConcept", {}).get("text", "")) for each in record.withdrawn
    ]
    return _narrative(
        "<p>These orders stood in an earlier version in error. Do not fill them.</p>"
        + _table([("Drug", name) for name in names])
    )


def source() -> dict[str, Any]:
    """Return the narrative of the section that holds the scan."""
    return _narrative("<p>The scanned paper, as PDF.</p>")


def _order_rows(order: Medication) -> list[tuple[str, str]]:
    refills = "" if order.refills is None else str(order.refills)
    substitution = {None: "", True: "allowed", False: "not allowed"}[order.substitution_allowed]
    return [
        ("Drug", drug_as_written(order) or ""),
        ("Directions", order.sig.text if order.sig else ""),
        ("Quantity", order.quantity.text if order.quantity else ""),
        ("Refills", refills),
        ("Substitution", substitution),
    ]


def _table(rows: list[tuple[str, str]]) -> str:
    cells = [
        f"<tr><th>{escape(label)}</th><td>{escape(legal)}</td></tr>"
        for label, text in rows
        if (legal := fhir_string(text))
    ]
    return f"<table><tbody>{''.join(cells)}</tbody></table>" if cells else ""


def _narrative(body: str) -> dict[str, Any]:
    return {"status": "generated", "div": f'<div xmlns="{XHTML}">{body}</div>'}
