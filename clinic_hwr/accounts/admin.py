"""Sites and their members in Django's admin.

A superuser configures the installation here; seeing patient data needs a membership.
"""

from __future__ import annotations

from django.contrib import admin

from .models import Membership, Site


class MembershipInline(admin.TabularInline):
    """The members of a site on the site's own page."""

    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Site)
class SiteAdmin(admin.ModelAdmin):
    """Clinics and pharmacies."""

    list_display = ["name", "slug", "day_first", "created_at"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    """Who holds which role where."""

    list_display = ["user", "site", "role"]
    list_filter = ["site", "role"]
    autocomplete_fields = ["user", "site"]
