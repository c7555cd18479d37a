"""Scans as received, their pages, and every step they took."""

from __future__ import annotations

import uuid

import numpy as np
from django.conf import settings
from django.db import models

from clinic_hwr.pages.problem_words import page_problem_words
from clinic_hwr.pages.types import Box, PageTransform, PrintedWord, RowBend

from .batches import check_rule
from .states import ScanState


class Scan(models.Model):
    """One received file. The original bytes are immutable and named by their SHA-256."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey("clinic_accounts.Site", on_delete=models.PROTECT)
    sha256 = models.CharField(max_length=64, db_index=True)
    original_name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=60, blank=True)  # as detected, never as claimed
    size_bytes = models.PositiveBigIntegerField()
    source = models.CharField(max_length=20)  # web | api | folder | mail | cli | demo
    # who sent it where no account did: an e-mail address, the account of the command line
    sent_by = models.CharField(max_length=255, blank=True)
    source_ref = models.CharField(max_length=255, blank=True)  # message id, folder: where to look
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=20, choices=ScanState.choices, default=ScanState.RECEIVED)
    problem_code = models.CharField(max_length=40, blank=True)  # why it is put aside, or waits
    problem = models.TextField(blank=True)  # the same as one sentence for people
    duplicate_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    # a batch becomes one scan a prescription; these keep the bytes and the place in them
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="parts", editable=False
    )
    parent_pages = models.JSONField(default=list)  # numbers from 1 of the parent's pages
    split_rule = models.CharField(max_length=60, blank=True)  # asked for at upload; "" = the site's
    page_count = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)  # of the stage at hand
    claimed_by = models.CharField(max_length=80, blank=True)  # worker token, "" when free
    claim_expires_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)
    state_changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["received_at"]
        indexes = [
            # the queues: one state in order of arrival, at one site or at all of them
            models.Index(fields=["site", "state", "received_at", "id"], name="scan_queue_of_site"),
            models.Index(fields=["state", "received_at", "id"], name="scan_queue"),
            models.Index(fields=["site", "received_at", "id"], name="scan_arrivals_of_site"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=ScanState.values), name="scan_state_known"
            ),
            # one original a site; every further copy is linked to it
            models.UniqueConstraint(
                fields=["site", "sha256"],
                condition=models.Q(duplicate_of__isnull=True, parent__isnull=True),
                name="scan_original_once_per_site",
            ),
        ]

    def __str__(self) -> str:
        return f"scan {self.id} ({self.state})"


class PageKind(models.TextChoices):
    """What a page is for."""

    CONTENT = "content", "Prescription"
    SEPARATOR = "separator", "Separator sheet"
    BLANK = "blank", "Blank"


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
    # 3x3 rows, upright px -> original px; of a page whose rows were bent, after ``bend``
    to_original = models.JSONField(default=list)
    # {"size_px": [w, h], "coefficients": [...]} of pages.types.RowBend; {} for straight rows
    bend = models.JSONField(default=dict, blank=True)
    problems = models.JSONField(default=list, blank=True)  # codes of pages.types.PageProblem
    printed_words = models.JSONField(default=list)  # [[text, x, y, w, h, confidence], ...]
    # separator sheets and blank backs are shown and kept, but nothing is read on them
    kind = models.CharField(max_length=10, choices=PageKind.choices, default=PageKind.CONTENT)
    codes = models.JSONField(default=list)  # texts of the barcodes on it
    look = models.BinaryField(default=bytes)  # where its ink is, coarsely; see pages/likeness.py
    # missing | failed | language: why its print was not, or not wholly, read; "" = it was
    print_problem = models.CharField(max_length=10, blank=True, default="")

    class Meta:
        ordering = ["scan", "number"]
        constraints = [models.UniqueConstraint(fields=["scan", "number"], name="page_number_once")]

    def __str__(self) -> str:
        return f"page {self.number} of {self.scan_id}"

    def transform(self) -> PageTransform:
        """Return the way from this page to the raster as the file displays it, bend included."""
        return PageTransform(np.array(self.to_original, np.float64), RowBend.from_json(self.bend))

    def problem_notes(self) -> list[dict[str, str]]:
        """Return what could not be done for the page: code and, in words, message."""
        return [{"code": code, "message": page_problem_words(code)} for code in self.problems]

    def words(self) -> tuple[PrintedWord, ...]:
        """Return the printed words as the pages room hands them on."""
        return tuple(
            PrintedWord(text, Box(x, y, width, height), confidence)
            for text, x, y, width, height, confidence in self.printed_words
        )


class ScanTransition(models.Model):
    """One state change of a scan; append-only."""

    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="transitions")
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]


class SiteIntake(models.Model):
    """How the files of one site are taken in."""

    site = models.OneToOneField(
        "clinic_accounts.Site", primary_key=True, on_delete=models.CASCADE, related_name="intake"
    )
    split_rule = models.CharField(
        max_length=60,
        blank=True,
        validators=[check_rule],
        help_text="Where a new prescription begins inside of a file: empty (at separator sheets "
        "only), every:N, blank, barcode, or barcode:PREFIX.",
    )

    class Meta:
        verbose_name_plural = "site intake"

    def __str__(self) -> str:
        return f"intake of {self.site_id}"


class Likeness(models.Model):
    """Two scans of a site that may be of one paper. A warning; nothing is dropped for it."""

    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="likenesses")
    other = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="+")  # the earlier one
    score = models.FloatField()  # share of the ink that is in the same place, 0..1
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-score", "id"]
        constraints = [
            models.UniqueConstraint(fields=["scan", "other"], name="likeness_once"),
        ]


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
