"""Addresses of the FHIR server, below ``/fhir/``; types come from the table of what is served."""

from __future__ import annotations

from django.urls import path, re_path

from .served import SERVED
from .views.audit_events import AuditEventInstanceView, AuditEventTypeView
from .views.instances import BinaryVersionView, BinaryView, HistoryView, InstanceView, VersionView
from .views.operations import DocrefView, DocumentView, EverythingView, ValidateView
from .views.system import MetadataView, RootView, UnknownView
from .views.types import CompartmentView, PostSearchView, TypeView

app_name = "fhir"

_STORED = [name for name in SERVED if name != "AuditEvent"]
_TYPE = rf"(?P<resource_type>{'|'.join(_STORED)})"
_ID = r"(?P<fhir_id>[^/$_][^/$]*)"

urlpatterns = [
    path("", RootView.as_view(), name="root"),
    path("metadata", MetadataView.as_view(), name="metadata"),
    path("_history", HistoryView.as_view()),
    path("AuditEvent", AuditEventTypeView.as_view()),
    path("AuditEvent/_search", AuditEventTypeView.as_view()),
    path("AuditEvent/<str:fhir_id>", AuditEventInstanceView.as_view()),
    re_path(rf"^Composition/{_ID}/\$document$", DocumentView.as_view()),
    re_path(r"^DocumentReference/\$docref$", DocrefView.as_view()),
    re_path(rf"^Patient/{_ID}/\$everything$", EverythingView.as_view()),
    re_path(rf"^{_TYPE}/\$validate$", ValidateView.as_view()),
    re_path(rf"^{_TYPE}/{_ID}/\$validate$", ValidateView.as_view()),
    re_path(rf"^{_TYPE}/_search$", PostSearchView.as_view()),
    re_path(rf"^{_TYPE}/_history$", HistoryView.as_view()),
    re_path(rf"^{_TYPE}/{_ID}/_history$", HistoryView.as_view()),
    re_path(rf"^Binary/{_ID}$", BinaryView.as_view(), {"resource_type": "Binary"}),
    re_path(rf"^Binary/{_ID}/_history/(?P<version>[^/]+)$", BinaryVersionView.as_view()),
    re_path(rf"^{_TYPE}/{_ID}/_history/(?P<version>[^/]+)$", VersionView.as_view()),
    re_path(rf"^Patient/{_ID}/{_TYPE}$", CompartmentView.as_view()),
    re_path(rf"^{_TYPE}/{_ID}$", InstanceView.as_view()),
    re_path(rf"^{_TYPE}$", TypeView.as_view()),
    re_path(r"^", UnknownView.as_view()),
]
