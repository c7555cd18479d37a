"""Addresses of the FHIR server, below ``/fhir/``; types come from the table of what is served."""

from __future__ import annotations

from django.urls import path, re_path

from .served import SERVED
from .views import BinaryView, DocumentView, MetadataView, ReadView, SearchView, UnknownView

app_name = "fhir"

_TYPES = "|".join(name for name in SERVED if name != "Binary")
_READ = rf"^(?P<resource_type>{_TYPES})/(?P<fhir_id>[^/$]+)"

urlpatterns = [
    path("metadata", MetadataView.as_view(), name="metadata"),
    re_path(r"^Composition/(?P<fhir_id>[^/$]+)/\$document$", DocumentView.as_view()),
    path("Binary/<str:fhir_id>", BinaryView.as_view()),
    path("Binary/<str:fhir_id>/_history/<str:version>", BinaryView.as_view()),
    re_path(_READ + "$", ReadView.as_view()),
    re_path(_READ + "/_history/(?P<version>[^/]+)$", ReadView.as_view()),
    re_path(rf"^(?P<resource_type>{'|'.join(SERVED)})$", SearchView.as_view()),
    re_path(r"^", UnknownView.as_view()),
]
