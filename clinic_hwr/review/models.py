"""The human side: decisions, leases, and the prescriptions people sign."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class DecisionKind(models.TextChoices):
    """What a person said of a field."""

    ACCEPTED = "accepted", "Accepted"
    CORRECTED = "corrected", "Corrected"
    ILLEGIBLE = "illegible", "Illegible"
    NOT_PRESENT = "not_present", "Not present"
    NOT_APPLICABLE = "not_applicable", "Not applicable"
    REOPENED = "reopened", "Reopened"  # takes the decision before it back; the field is open again


class Decision(models.Model):
    """One decision on one field. Append-only; the newest is in force unless it is a reopening."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    field = models.ForeignKey(
        "clinic_routing.Field", on_delete=models.PROTECT, related_name="decisions"
    )
    number = models.PositiveIntegerField()  # 1, 2, ... within the field; fences stale saves
    kind = models.CharField(max_length=20, choices=DecisionKind.choices)
    value = models.TextField(blank=True)
    machine_value = models.TextField(blank=True)  # what was shown when the person decided
    reading = models.ForeignKey(
        "clinic_routing.FieldReading", null=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    active_seconds = models.FloatField(default=0.0)  # idle time over 20 s is cut
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["field", "number"]
        constraints = [
            models.UniqueConstraint(fields=["field", "number"], name="decision_number_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=DecisionKind.values), name="decision_kind_known"
            ),
        ]


class ReviewLease(models.Model):
    """Who is working on a scan now. An expired lease is free by definition."""

    scan = models.OneToOneField(
        "clinic_intake.Scan", primary_key=True, on_delete=models.CASCADE, related_name="lease"
    )
    token = models.UUIDField(default=uuid.uuid4)  # fencing token, new at every claim
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField(db_index=True)

    def is_in_force(self) -> bool:
        """Whether the holder still has the scan to themselves."""
        return self.expires_at > timezone.now()


class PrescriptionStatus(models.TextChoices):
    """Draft until a person signs; a released version never changes."""

    DRAFT = "draft", "Draft"
    RELEASED = "released", "Released"


class PrescriptionRecord(models.Model):
    """What the fields of one scan mean together; ``content`` is ``prescriptions`` JSON.

    ``id`` is the PRESCRIPTION_ID of the commands and the seed of every FHIR identifier.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan = models.OneToOneField(
        "clinic_intake.Scan", on_delete=models.PROTECT, related_name="prescription"
    )
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(
        max_length=10, choices=PrescriptionStatus.choices, default=PrescriptionStatus.DRAFT
    )
    content = models.JSONField(default=dict)
    content_sha256 = models.CharField(max_length=64, blank=True)  # of ``content``; signed over
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    released_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"prescription {self.id} v{self.version} ({self.status})"
