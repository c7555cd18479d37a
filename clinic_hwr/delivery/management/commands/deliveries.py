"""Shows the outbox, asks targets what they can take, and sends dead deliveries again."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic_hwr.delivery.models import Delivery, DeliveryStatus, DeliveryTarget
from clinic_hwr.delivery.services import delivery_replay
from clinic_hwr.delivery.targets import adapter_for
from ehr_adapters import AdapterError


class Command(BaseCommand):
    """``manage.py deliveries``."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the flags."""
        parser.add_argument("--status", choices=DeliveryStatus.values, help="only this status")
        parser.add_argument("--site", help="only this site (its slug)")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument(
            "--replay", nargs="+", type=UUID, metavar="ID", help="queue these dead ones again"
        )
        parser.add_argument("--replay-dead", action="store_true", help="queue all dead ones again")
        parser.add_argument(
            "--check", action="store_true", help="ask each enabled target what it can take"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one of: replay, check, list."""
        rows = Delivery.objects.select_related("target__site").order_by("created_at")
        if options["site"]:
            rows = rows.filter(target__site__slug=options["site"])
        if options["replay"] or options["replay_dead"]:
            dead = rows.filter(status=DeliveryStatus.DEAD)
            self._replay(dead.filter(pk__in=options["replay"]) if options["replay"] else dead)
        elif options["check"]:
            self._check(options["site"])
        else:
            if options["status"]:
                rows = rows.filter(status=options["status"])
            for row in rows.iterator():
                self.stdout.write(json.dumps(_as_dict(row)) if options["json"] else _as_line(row))
            if not options["json"]:
                self._warn(rows)

    def _replay(self, dead: Any) -> None:
        ids = list(dead.values_list("pk", flat=True))
        actor = "manage.py deliveries"
        replayed = [delivery_replay(delivery_id=each, actor_name=actor) for each in ids]
        queued = sum(each.status == DeliveryStatus.QUEUED for each in replayed)
        self.stdout.write(f"{queued} queued again.")
        if queued < len(ids):
            self.stdout.write(f"{len(ids) - queued} left: a later version was sent already.")

    def _warn(self, rows: Any) -> None:
        """Say in so many words that a correction did not reach an EHR."""
        stuck = rows.filter(status=DeliveryStatus.DEAD, prescription_version__gt=1).count()
        if stuck:
            self.stdout.write(
                f"ATTENTION: {stuck} amended or retracted prescription(s) did not get through. "
                "What was withdrawn may still be in force in the EHR: a person must look there."
            )

    def _check(self, site: str | None) -> None:
        targets = DeliveryTarget.objects.filter(enabled=True).select_related("site")
        if site:
            targets = targets.filter(site__slug=site)
        failed = 0
        for target in targets.order_by("site__slug", "name"):
            try:
                capabilities = adapter_for(target).capabilities()
            except AdapterError as error:
                failed += 1
                self.stdout.write(f"{target.site.slug}/{target.name}: {error}")
                continue
            takes = "all resources" if capabilities.transaction else "the document only"
            self.stdout.write(
                f"{target.site.slug}/{target.name}: {capabilities.peer}, "
                f"{takes}, look-up {'yes' if capabilities.looks_up else 'no'}"
            )
        if failed:
            raise CommandError(f"{failed} target(s) cannot be used.")


def _as_dict(row: Delivery) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "site": row.target.site.slug,
        "target": row.target.name,
        "prescription": str(row.prescription_id),
        "version": row.prescription_version,
        "status": row.status,
        "attempts": row.attempts,
        "next_attempt_at": row.next_attempt_at.isoformat() if row.next_attempt_at else None,
        "remote_id": row.remote_id,
        "problem": row.problem,
    }


def _as_line(row: Delivery) -> str:
    problem = row.problem.splitlines()[0] if row.problem else ""
    shown = problem if row.status == DeliveryStatus.DEAD else row.remote_id or problem
    return (
        f"{row.pk}  {row.target.site.slug}/{row.target.name}  {row.status:<9}  "
        f"tries {row.attempts}  {shown}"
    )
