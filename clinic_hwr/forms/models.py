"""Forms of a site, their versions, and which pages and fields were read by them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class VersionState(models.TextChoices):
    """Where a version stands; only active ones are looked for on pages."""

    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"


class Form(models.Model):
    """A paper layout of one site."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey("clinic_accounts.Site", on_delete=models.PROTECT, related_name="forms")
    name = models.CharField(max_length=80)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["site", "name"], name="form_name_once_per_site")
        ]

    def __str__(self) -> str:
        return self.name


class FormVersion(models.Model):
    """One version of a form. Its pages change while it is a draft, and never afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    form = models.ForeignKey(Form, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(
        max_length=10, choices=VersionState.choices, default=VersionState.DRAFT
    )
    # [{image_sha256, width_px, height_px, regions: [...]}]; regions as pages.form_template has it
    pages = models.JSONField(default=list)
    edits = models.PositiveIntegerField(default=0)  # against saving over somebody else's work
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["form", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="form_version_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=VersionState.values), name="form_version_state_known"
            ),
            models.UniqueConstraint(
                fields=["form"],
                condition=models.Q(state=VersionState.ACTIVE),
                name="form_one_active_version",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form.name} version {self.number}"


class PageForm(models.Model):
    """Whether a page was recognised as a form, and how well it fitted."""

    page = models.OneToOneField(
        "clinic_intake.Page", on_delete=models.CASCADE, related_name="form_result"
    )
    # the version it is printed on, or the one that came nearest where ``refusal`` is set
    version = models.ForeignKey(
        FormVersion, null=True, on_delete=models.PROTECT, related_name="page_results"
    )
    page_number = models.PositiveSmallIntegerField(default=0)  # page of the form, 0 = none
    refusal = models.CharField(max_length=20, blank=True)  # pages.registration.Refusal
    inliers = models.PositiveIntegerField(default=0)
    coincidence = models.FloatField(default=0.0)  # share of the form's print found in its place
    residual_px = models.FloatField(default=0.0)
    absent = models.PositiveSmallIntegerField(default=0)  # printed pieces that are missing
    created_at = models.DateTimeField(auto_now_add=True)

    @property
    def refusal_words(self) -> str:
        """The refusal as people read it."""
        return self.refusal.replace("_", " ")


class FormField(models.Model):
    """The region of a form that a field was written in."""

    field = models.OneToOneField(
        "clinic_routing.Field", on_delete=models.CASCADE, related_name="form_region"
    )
    page_form = models.ForeignKey(PageForm, on_delete=models.CASCADE, related_name="fields")
    region = models.PositiveSmallIntegerField()  # index into the regions of the form's page
    doubtful = models.BooleanField(default=False)  # print of the form is missing beside it
