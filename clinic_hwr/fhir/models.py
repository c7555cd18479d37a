"""The versioned store of released FHIR resources, and what its search looks at."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class ResourceVersion(models.Model):
    """One version of one resource; insert-only. The server reads from here and nowhere else."""

    site = models.ForeignKey("clinic_accounts.Site", on_delete=models.PROTECT, related_name="+")
    resource_type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    body = models.BinaryField()  # UTF-8 JSON exactly as served
    last_updated = models.DateTimeField()
    # null for what an integration account wrote
    prescription_id = models.UUIDField(null=True, db_index=True)
    scan_id = models.UUIDField(null=True)  # for the audit trail of reads
    patient_fhir_id = models.CharField(max_length=64, blank=True, db_index=True)
    # the document Bundle that was written together with this version
    document_fhir_id = models.CharField(max_length=64, blank=True, db_index=True)

    class Meta:
        ordering = ["resource_type", "fhir_id", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["resource_type", "fhir_id", "version"], name="resource_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.resource_type}/{self.fhir_id}/_history/{self.version}"


class Resource(models.Model):
    """Which version of a resource is the newest; the row searches find."""

    site = models.ForeignKey("clinic_accounts.Site", on_delete=models.PROTECT, related_name="+")
    resource_type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64)
    current = models.OneToOneField(ResourceVersion, on_delete=models.PROTECT, related_name="+")
    patient_fhir_id = models.CharField(max_length=64, blank=True)
    last_updated = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource_type", "fhir_id"], name="fhir_resource_once")
        ]
        indexes = [
            models.Index(fields=["patient_fhir_id", "resource_type", "id"], name="fhir_patient"),
            models.Index(fields=["resource_type", "id"], name="fhir_type"),
            models.Index(fields=["resource_type", "last_updated", "id"], name="fhir_updated"),
        ]

    def __str__(self) -> str:
        return f"{self.resource_type}/{self.fhir_id}"


class SearchToken(models.Model):
    """A code, identifier, flag or address that a current resource is found by."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="tokens")
    parameter = models.CharField(max_length=60)  # e.g. MedicationRequest.status
    system = models.CharField(max_length=255, blank=True)
    value = models.CharField(max_length=255)

    class Meta:
        indexes = [
            models.Index(
                fields=["parameter", "value", "system", "resource"], name="fhir_search_token"
            )
        ]

    def __str__(self) -> str:
        return f"{self.parameter} of {self.resource_id}"


class SearchReference(models.Model):
    """What a current resource refers to. ``target_type`` is empty for addresses elsewhere."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="references")
    parameter = models.CharField(max_length=60)
    target_type = models.CharField(max_length=40, blank=True)
    target_id = models.CharField(max_length=255)

    class Meta:
        indexes = [
            models.Index(
                fields=["parameter", "target_id", "target_type", "resource"],
                name="fhir_search_reference",
            )
        ]

    def __str__(self) -> str:
        return f"{self.parameter} of {self.resource_id}"


class SearchDate(models.Model):
    """A span of time that a current resource is found by: from ``low`` until before ``high``."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="dates")
    parameter = models.CharField(max_length=60)
    low = models.DateTimeField()
    high = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["parameter", "low", "high", "resource"], name="fhir_search_date")
        ]

    def __str__(self) -> str:
        return f"{self.parameter} of {self.resource_id}"


class SearchString(models.Model):
    """Words that a current resource is found by, as written and without case and accents."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="strings")
    parameter = models.CharField(max_length=60)
    folded = models.CharField(max_length=255)
    exact = models.CharField(max_length=255)

    class Meta:
        indexes = [
            models.Index(
                fields=["parameter", "folded", "resource"],
                name="fhir_search_string",
                opclasses=["varchar_ops", "varchar_pattern_ops", "int8_ops"],
            )
        ]

    def __str__(self) -> str:
        return f"{self.parameter} of {self.resource_id}"


class PostedSearch(models.Model):
    """A search sent by POST that has further pages: its values stay out of their addresses."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    resource_type = models.CharField(max_length=40)
    parameters = models.JSONField()  # [[name, value], ...]
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"search {self.id} of {self.resource_type}"
