"""Addresses of the audit browser."""

from django.urls import path

from . import views

urlpatterns = [
    path("audit/", views.audit_list, name="audit"),
    path("audit/<uuid:event_uuid>/", views.audit_event, name="audit-event"),
    path("audit/<uuid:event_uuid>/crop.png", views.audit_crop, name="audit-crop"),
]
