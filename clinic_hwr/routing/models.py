"""Fields found on a page, what models read in them, and what keeps them from going on alone.

Machine readings are appended, never changed; human decisions live in the review room.
"""

from __future__ import annotations

import uuid

from django.db import models

from clinic_hwr.pages.types import FieldKind

KIND_CHOICES = [(kind.value, kind.value) for kind in FieldKind]


class Route(models.TextChoices):
    """Who decides a field."""

    ACCEPT = "accept", "Accepted by policy"
    HUMAN = "human", "Needs a human"


class Field(models.Model):
    """One slot to read on a page."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    page = models.ForeignKey("clinic_intake.Page", on_delete=models.PROTECT, related_name="fields")
    position = models.PositiveSmallIntegerField()  # reading order on the page, from 0
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=20, choices=KIND_CHOICES)
    group = models.PositiveSmallIntegerField(default=0)  # medication number, 0 = whole page
    label = models.CharField(max_length=80, blank=True)
    x_px = models.IntegerField()
    y_px = models.IntegerField()
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    crop_sha256 = models.CharField(max_length=64)  # PNG in the blob store
    # which of its boxes is in force: 0 as found, 1, 2, ... as people drew it (review.FieldBox)
    box_version = models.PositiveIntegerField(default=0)
    is_print = models.BooleanField(default=False)  # read by OCR, not by the handwriting model
    present = models.BooleanField(null=True)  # signature and checkbox kinds
    # pages.types.NamedBy and StruckOut; "" for fields found before these were told
    named_by = models.CharField(max_length=10, blank=True, default="")
    struck_out = models.CharField(max_length=10, blank=True, default="")
    # pages.types.MarkDoubt: why the marks at printed choices do not say which is meant
    mark_doubt = models.CharField(max_length=10, blank=True, default="")
    route = models.CharField(max_length=10, choices=Route.choices, default=Route.HUMAN)

    class Meta:
        ordering = ["page", "position"]
        constraints = [
            models.UniqueConstraint(fields=["page", "position"], name="field_position_once")
        ]

    def __str__(self) -> str:
        return f"{self.name}[{self.group}] {self.id}"

    @property
    def box_px(self) -> list[int]:
        """``[x, y, width, height]`` in pixels of the upright page."""
        return [self.x_px, self.y_px, self.width_px, self.height_px]


class FieldReading(models.Model):
    """What one model said of one field. Append-only; the newest of the box in force counts."""

    field = models.ForeignKey(Field, on_delete=models.PROTECT, related_name="readings")
    box_version = models.PositiveIntegerField(default=0)  # the box whose ink was read
    text = models.TextField(blank=True)
    p_correct = models.FloatField()
    chars = models.JSONField(default=list)  # [[char, confidence], ...]
    alternatives = models.JSONField(default=list)  # [[text, confidence], ...], best first
    scores = models.JSONField(default=dict)
    model = models.CharField(max_length=80)  # weights name and hash, or "tesseract <version>"
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]


class FieldBlocker(models.Model):
    """A named reason why a scan, or one field of it, may not go on without a human.

    Rows are replaced as a whole whenever the prescription is interpreted anew.
    """

    scan = models.ForeignKey(
        "clinic_intake.Scan", on_delete=models.PROTECT, related_name="blockers"
    )
    field = models.ForeignKey(Field, null=True, on_delete=models.PROTECT, related_name="blockers")
    code = models.CharField(max_length=40)
    message = models.TextField()
    severity = models.CharField(max_length=10, default="stop")  # stop | warn
    other_scan = models.ForeignKey(  # to compare with; the message says why
        "clinic_intake.Scan", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["id"]


class Threshold(models.Model):
    """The result of one certification: a threshold of one kind and model at a site, or none.

    Append-only; the newest row of a site, kind and model is in force. ``value`` None: auto-accept
    is disabled.
    """

    site = models.ForeignKey(
        "clinic_accounts.Site", on_delete=models.PROTECT, related_name="thresholds"
    )
    kind = models.CharField(max_length=20, choices=KIND_CHOICES)
    model = models.CharField(max_length=80)  # as in FieldReading: another model starts anew
    value = models.FloatField(null=True)
    alpha = models.FloatField()  # released error rate that is not exceeded ...
    confidence = models.FloatField()  # ... with this probability
    outcomes = models.PositiveIntegerField()  # labelled fields looked at
    accepted = models.PositiveIntegerField()  # at or over the threshold
    errors = models.PositiveIntegerField()  # wrong among them
    bound = models.FloatField()  # exact upper bound on the error rate
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
