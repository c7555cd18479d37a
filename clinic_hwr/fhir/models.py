"""The versioned store of released FHIR resources: bytes as served."""

from __future__ import annotations

from django.db import models


class ResourceVersion(models.Model):
    """One version of one resource; insert-only. The server reads from here and nowhere else."""

    site = models.ForeignKey("clinic_accounts.Site", on_delete=models.PROTECT, related_name="+")
    resource_type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    body = models.BinaryField()  # UTF-8 JSON exactly as served
    last_updated = models.DateTimeField()
    prescription_id = models.UUIDField(db_index=True)
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


class ResourceIdentifier(models.Model):
    """One identifier of one stored version, for searching; written with it, never changed."""

    resource = models.ForeignKey(
        ResourceVersion, on_delete=models.PROTECT, related_name="identifiers"
    )
    system = models.CharField(max_length=255, blank=True)
    value = models.CharField(max_length=255)

    class Meta:
        indexes = [models.Index(fields=["value", "system"], name="fhir_identifier_token")]

    def __str__(self) -> str:
        return f"an identifier of {self.resource_id}"
