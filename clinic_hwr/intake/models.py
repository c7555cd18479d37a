"""Scans as received, their pages, and every step they took."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from .states import ScanState


class Scan(models.Model):
    """One received file. The original bytes are immutable and named by their SHA-256."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey("clinic_accounts.Site", on_delete=models.PROTECT)
    sha256 = models.CharField(max_length=64, db_index=True)
    original_name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=60, blank=True)  # as detected, never as claimed
    size_bytes = models.PositiveBigIntegerField()
    source = models.CharField(max_length=20)  # web | api | folder | cli | demo
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(
        max_length=20, choices=ScanState.choices, default=ScanState.RECEIVED, db_index=True
    )
    problem_code = models.CharField(max_length=40, blank=True)  # why it is put aside, or waits
    problem = models.TextField(blank=True)  # the same as one sentence for people
    duplicate_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    page_count = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)  # of the stage at hand
    claimed_by = models.CharField(max_length=80, blank=True)  # worker token, "" when free
    claim_expires_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)
    state_changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["received_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=ScanState.values), name="scan_state_known"
            ),
            # one original a site; every further copy is linked to it
            models.UniqueConstraint(
                fields=["site", "sha256"],
                condition=models.Q(duplicate_of__isnull=True),
                name="scan_original_once_per_site",
            ),
        ]

    def __str__(self) -> str:
        return f"scan {self.id} ({self.state})"


class Page(models.Model):
    """One upright, deskewed raster of a scan. Pixels live in the blob store by SHA-256."""

    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="pages")
    number = models.PositiveSmallIntegerField()  # 1-based
    image_sha256 = models.CharField(max_length=64)  # PNG, grayscale, upright
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    dpi = models.PositiveSmallIntegerField(default=0)  # 0 = unknown
    rotation_deg = models.PositiveSmallIntegerField(default=0)
    skew_deg = models.FloatField(default=0.0)
    to_original = models.JSONField(default=list)  # 3x3 rows, upright px -> original px
    printed_words = models.JSONField(default=list)  # [[text, x, y, w, h, confidence], ...]

    class Meta:
        ordering = ["scan", "number"]
        constraints = [models.UniqueConstraint(fields=["scan", "number"], name="page_number_once")]

    def __str__(self) -> str:
        return f"page {self.number} of {self.scan_id}"


class ScanTransition(models.Model):
    """One state change of a scan; append-only."""

    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="transitions")
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]


class StageRun(models.Model):
    """One try of one pipeline stage, for "what is happening" pages and for the reaper."""

    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="stage_runs")
    stage = models.CharField(max_length=20)
    attempt = models.PositiveSmallIntegerField()
    worker = models.CharField(max_length=80)
    outcome = models.CharField(max_length=20, default="running")  # running|done|failed|lost
    error = models.TextField(blank=True)  # exception class and our own words; no patient data
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
