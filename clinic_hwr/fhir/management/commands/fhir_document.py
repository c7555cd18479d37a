"""``manage.py fhir_document PRESCRIPTION_ID``: the released document on stdout, byte by byte."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic_hwr.audit.services import audit_record
from clinic_hwr.fhir.store import newest_document, released_prescription_ids
from clinic_hwr.review.models import PrescriptionRecord


class Command(BaseCommand):
    """Print a released document Bundle, or the ids of all released prescriptions."""

    help = "Print the FHIR document Bundle of a released prescription."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the id of one prescription, or --list."""
        parser.add_argument("prescription_id", nargs="?", help="id of a released prescription")
        parser.add_argument(
            "--list", action="store_true", help="print the ids of all released prescriptions"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print; the document is plain ASCII, so no terminal changes its bytes."""
        if options["list"]:
            for prescription_id in released_prescription_ids():
                self.stdout.write(str(prescription_id))
            return
        if not options["prescription_id"]:
            raise CommandError("Give the id of a prescription, or --list.")
        try:
            prescription_id = UUID(options["prescription_id"])
        except ValueError as error:
            raise CommandError("A prescription id is a UUID; --list prints them.") from error
        row = newest_document(prescription_id)
        if row is None:
            if PrescriptionRecord.objects.filter(pk=prescription_id).exists():
                raise CommandError(
                    "This prescription is not released; release it in the workstation first."
                )
            raise CommandError("There is no such prescription; --list prints the released ones.")
        audit_record(
            action="fhir.read",
            site=row.site,
            object_type=row.resource_type,
            object_id=row.fhir_id,
            actor_name="fhir_document",
            scan_id=row.scan_id,
            data={"interaction": "document", "version": row.version},
        )
        self.stdout.write(bytes(row.body).decode("ascii"), ending="")
