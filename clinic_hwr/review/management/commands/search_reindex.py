"""``manage.py search_reindex``: writes the full-text index anew from fields and decisions."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from clinic_hwr.accounts.models import Site
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.locks import scan_locked
from clinic_hwr.review.models import PrescriptionRecord, SearchDocument
from clinic_hwr.review.services import field_states, search_index


class Command(BaseCommand):
    """Index every scan that was read; safe to stop, to repeat and to run beside people's work."""

    help = "Write the full-text index anew from what was read and decided."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a site, and whether only what is missing is wanted."""
        parser.add_argument("--site", default="", help="slug of one site; without: all")
        parser.add_argument(
            "--missing", action="store_true", help="only scans that are not in the index yet"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Take one scan at a time, each in a transaction of its own, and say how many."""
        records = PrescriptionRecord.objects.exclude(content={})
        if options["site"]:
            if not Site.objects.filter(slug=options["site"]).exists():
                known = ", ".join(Site.objects.order_by("slug").values_list("slug", flat=True))
                raise CommandError(f"There is no site of this slug; the sites are {known}.")
            records = records.filter(scan__site__slug=options["site"])
        if options["missing"]:
            indexed = SearchDocument.objects.values("scan")
            records = records.exclude(scan__in=indexed)
        # in order of arrival: newer papers get higher numbers, and results show the newest first
        numbers = list(records.order_by("scan__received_at").values_list("scan_id", flat=True))
        for scan_id in numbers:
            _index(scan_id)
        self.stdout.write(f"{len(numbers)} scans indexed.")


@transaction.atomic
def _index(scan_id: Any) -> None:
    scan = scan_locked(scan_id)  # a decision at this moment waits, or is seen
    record = PrescriptionRecord.objects.get(scan=scan)
    record.search_sha256 = ""
    search_index(
        scan=scan, record=record, states=field_states(scan), content=from_json(record.content)
    )
    record.save(update_fields=["search_sha256"])
