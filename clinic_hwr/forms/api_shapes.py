"""What the REST API of forms takes and answers."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers as s

from .models import FormVersion, VersionState
from .testing import TriedPage
from .views import tried_words


class RegionShape(s.Serializer):
    """Where a value is written; shares 0..1 of the page."""

    field_ = s.CharField(help_text="A name of a field; unnamed with a label for others.")
    kind = s.CharField()
    box = s.ListField(child=s.FloatField(), min_length=4, max_length=4)
    group = s.IntegerField(required=False)
    label_ = s.CharField(required=False, allow_blank=True)
    cells = s.IntegerField(required=False)
    value = s.CharField(required=False, allow_blank=True)
    validators_ = s.ListField(child=s.DictField(), required=False)

    def get_fields(self) -> dict[str, Any]:
        """Name what a serializer cannot have as an attribute as the answer does."""
        return {name.removesuffix("_"): field for name, field in super().get_fields().items()}


class FormPageAnswer(s.Serializer):
    """One clean page with its regions."""

    number = s.IntegerField()
    width_px = s.IntegerField()
    height_px = s.IntegerField()
    image = s.CharField(help_text="Address of its picture.")
    regions = RegionShape(many=True)


class VersionLine(s.Serializer):
    """One version of a form."""

    version_id = s.UUIDField()
    number = s.IntegerField()
    state = s.ChoiceField(VersionState.choices)
    edits = s.IntegerField()


class VersionAnswer(VersionLine):
    """One version with its pages."""

    form_id = s.UUIDField()
    name = s.CharField()
    site = s.CharField()
    pages = FormPageAnswer(many=True)


FORMS_ANSWER = inline_serializer(
    "Forms",
    {
        "forms": inline_serializer(
            "Form",
            {
                "form_id": s.UUIDField(),
                "name": s.CharField(),
                "site": s.CharField(),
                "versions": VersionLine(many=True),
            },
            many=True,
        )
    },
)
NEW_FORM = inline_serializer(
    "NewForm",
    {
        "file": s.FileField(help_text="The clean page or pages, not filled in."),
        "name": s.CharField(max_length=80),
        "site": s.CharField(required=False, help_text="Slug; needed with several."),
    },
)
PICTURE = inline_serializer("FormPicture", {"file": s.FileField()})
REGIONS = inline_serializer(
    "FormRegions",
    {"pages": s.ListField(child=s.ListField(child=s.DictField()), help_text="Regions by page.")},
)
EXPORTED = inline_serializer(
    "ExportedForm",
    {
        "format": s.CharField(),
        "name": s.CharField(allow_blank=True, required=False),
        "pages": s.ListField(child=s.DictField()),
    },
)
TRIAL = inline_serializer(
    "FormTrial",
    {
        "recognised": s.IntegerField(),
        "pages": inline_serializer(
            "TriedPage",
            {
                "scan_id": s.UUIDField(),
                "page": s.IntegerField(),
                "recognised": s.BooleanField(),
                "reason": s.CharField(allow_blank=True, help_text="Why it is not this form."),
                "coincidence": s.FloatField(allow_null=True),
                "regions": s.ListField(child=s.DictField()),
            },
            many=True,
        ),
        "before": s.IntegerField(allow_null=True, help_text="Asks for older pages."),
    },
)


def version_line(version: FormVersion) -> dict[str, Any]:
    """Return one version of a list."""
    return {
        "version_id": str(version.pk),
        "number": version.number,
        "state": version.state,
        "edits": version.edits,
    }


def version_answer(version: FormVersion) -> dict[str, Any]:
    """Return one version with its pages."""
    return {
        **version_line(version),
        "form_id": str(version.form_id),
        "name": version.form.name,
        "site": version.form.site.slug,
        "pages": [
            {
                "number": number,
                "width_px": page["width_px"],
                "height_px": page["height_px"],
                "image": reverse("api-form-page-image", args=[version.pk, number]),
                "regions": page["regions"],
            }
            for number, page in enumerate(version.pages, start=1)
        ],
    }


def tried_answer(version: FormVersion, tried: TriedPage) -> dict[str, Any]:
    """Return one past page with what the version makes of it."""
    words = tried_words(tried)
    return {
        "scan_id": str(tried.page.scan_id),
        "page": tried.page.number,
        "recognised": tried.recognised,
        "reason": words.get("reason", ""),
        "coincidence": None if words.get("fit") is None else round(words["fit"].coincidence, 4),
        "regions": [
            {
                "title": region["title"],
                "box_px": region["box"].as_list(),
                "written": region["written"],
                "ink": reverse(
                    "api-form-trial-ink",
                    args=[version.pk, tried.page.scan_id, tried.page.number, number],
                ),
            }
            for number, region in enumerate(words.get("regions", ()))
        ],
    }
