"""How each site takes its files in, in Django's admin."""

from __future__ import annotations

from django.contrib import admin

from .models import SiteIntake


@admin.register(SiteIntake)
class SiteIntakeAdmin(admin.ModelAdmin):
    """Where a prescription begins inside of the files of a site."""

    list_display = ["site", "split_rule"]
