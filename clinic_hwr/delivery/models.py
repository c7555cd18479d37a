"""The outbox: one released prescription version on its way to one EHR."""

from __future__ import annotations

import uuid

from django.db import models


class DeliveryStatus(models.TextChoices):
    """Where a delivery stands."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    AMBIGUOUS = "ambiguous", "Unknown outcome: will be looked up before any retry"
    DEAD = "dead", "Needs a person"


class DeliveryTarget(models.Model):
    """One EHR (or folder) that a site's released prescriptions go to."""

    site = models.ForeignKey("clinic_accounts.Site", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    adapter = models.CharField(max_length=40)  # a name in the ehr_adapters registry
    config = models.JSONField(default=dict)  # address, folder ...; secrets by env-variable name
    enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "name"], name="target_name_once_per_site")
        ]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One outbox row, written in the transaction of the release."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target = models.ForeignKey(DeliveryTarget, on_delete=models.PROTECT, related_name="deliveries")
    prescription_id = models.UUIDField(db_index=True)
    prescription_version = models.PositiveIntegerField()
    bundle_fhir_id = models.CharField(max_length=64)
    status = models.CharField(
        max_length=12, choices=DeliveryStatus.choices, default=DeliveryStatus.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=80, blank=True)
    claim_expires_at = models.DateTimeField(null=True)
    remote_id = models.CharField(max_length=200, blank=True)
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["prescription_id"],
                name="delivery_dead",
                condition=models.Q(status=DeliveryStatus.DEAD),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["target", "prescription_id", "prescription_version"],
                name="delivery_once_per_version_and_target",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=DeliveryStatus.values), name="delivery_status_known"
            ),
        ]
