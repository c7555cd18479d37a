"""Which earlier papers of a site a scan must be compared with before it is signed."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from clinic_hwr.intake.models import Likeness, Scan
from clinic_hwr.intake.states import ScanState
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.prescriptions.types import EarlierOrder, Prescription

from ..models import PrescriptionRecord

_MOST = 20


def earlier_orders(scan: Scan, prescription: Prescription) -> list[EarlierOrder]:
    """Return earlier papers whose ink lies alike, and those of the same date.

    Looked for among what the site received within ``CLINIC_HWR_ALIKE_DAYS`` before; rejected scans
    are out of the world. The best likeness comes first.
    """
    alike: list[UUID] = list(
        Likeness.objects.filter(scan=scan)
        .exclude(other__state=ScanState.REJECTED)
        .values_list("other", flat=True)
    )
    orders = [_order(other, same_paper=True) for other in _scans(alike)]
    return orders + [
        _order(record.scan, same_paper=False)
        for record in _same_date(scan, prescription)
        if record.scan_id not in alike
    ]


def _scans(wanted: list[UUID]) -> list[Scan]:
    found = Scan.objects.select_related("prescription").in_bulk(wanted)
    return [found[key] for key in wanted if key in found]


def _same_date(scan: Scan, prescription: Prescription) -> list[PrescriptionRecord]:
    days = int(getattr(settings, "CLINIC_HWR_ALIKE_DAYS", 60))
    if days <= 0 or prescription.date_written is None:
        return []
    rows = PrescriptionRecord.objects.select_related("scan").filter(
        scan__site_id=scan.site_id,
        scan__received_at__gte=scan.received_at - timedelta(days=days),
        scan__received_at__lte=scan.received_at,
        content__date_written=prescription.date_written.isoformat(),
    )
    rows = rows.exclude(scan=scan).exclude(scan__state=ScanState.REJECTED)
    names = {_words(name) for name in prescription.patient.name.lower().split()}
    near = [row for row in rows.order_by("-scan__received_at")[:500] if _may_be(row, names)]
    return near[:_MOST]


def _may_be(record: PrescriptionRecord, names: set[str]) -> bool:
    """Whether the patient's name begins with the same letters somewhere; cheap, before decoding."""
    name = str(record.content.get("patient", {}).get("name", "")).lower()
    return bool(names & {_words(part) for part in name.split()})


def _words(name: str) -> str:
    return name[:2]


def _order(scan: Scan, *, same_paper: bool) -> EarlierOrder:
    record = getattr(scan, "prescription", None)
    content = from_json(record.content) if record is not None and record.content else None
    received = timezone.localtime(scan.received_at)
    return EarlierOrder(
        scan_id=str(scan.pk),
        received=f"{received:%Y-%m-%d %H:%M}",
        same_paper=same_paper,
        patient_name=content.patient.name if content else "",
        birth_date=content.patient.birth_date if content else None,
        date_written=content.date_written if content else None,
        drugs=tuple(
            (item.drug.name if item.drug else item.drug_text).lower()
            for item in content.medications
        )
        if content
        else (),
    )
