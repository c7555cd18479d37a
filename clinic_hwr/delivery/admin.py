"""Targets and the outbox in Django's admin site."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from ehr_adapters import AuthFailed, Unsupported, adapter_names, create_adapter

from .models import Delivery, DeliveryStatus, DeliveryTarget
from .services import delivery_replay
from .targets import stored_secrets


class DeliveryTargetForm(forms.ModelForm):
    """Refuses what could never be delivered to, and secrets in the database."""

    class Meta:
        model = DeliveryTarget
        fields = ["site", "name", "adapter", "config", "enabled"]

    adapter = forms.ChoiceField(choices=[(name, name) for name in adapter_names()])

    def clean(self) -> dict[str, Any]:
        """Build the adapter once, so that a mistake shows here and not at the first patient."""
        cleaned = super().clean() or {}
        config = cleaned.get("config") or {}
        if not isinstance(config, dict):
            raise forms.ValidationError({"config": "Give a JSON object."})
        if secrets := stored_secrets(config):
            names = ", ".join(f"{key}_env" for key in secrets)
            raise forms.ValidationError(
                {"config": f"Keep secrets in the environment and name the variable: {names}."}
            )
        try:
            create_adapter(cleaned.get("adapter", ""), config)
        except (Unsupported, AuthFailed) as error:
            raise forms.ValidationError({"config": str(error)}) from error
        return cleaned


@admin.register(DeliveryTarget)
class DeliveryTargetAdmin(admin.ModelAdmin):
    """Where each site's prescriptions go."""

    form = DeliveryTargetForm
    list_display = ["name", "site", "adapter", "enabled"]
    list_filter = ["site", "adapter", "enabled"]


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):
    """The outbox, to look at and to send again; nothing is edited by hand."""

    list_display = ["id", "target", "status", "attempts", "next_attempt_at", "sent_at"]
    list_filter = ["status", "target"]
    actions = ["replay"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only a release writes outbox rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        """The record of what was sent stays."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Delivery | None = None) -> list[str]:
        """Return every field."""
        return [field.name for field in Delivery._meta.fields]

    @admin.action(description="Send dead deliveries again")
    def replay(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Queue the dead ones of the selection again."""
        dead = list(queryset.filter(status=DeliveryStatus.DEAD).values_list("pk", flat=True))
        actor = request.user.get_username()
        replayed = [delivery_replay(delivery_id=each, actor_name=actor) for each in dead]
        queued = sum(each.status == DeliveryStatus.QUEUED for each in replayed)
        self.message_user(request, f"{queued} queued again.", messages.SUCCESS)
