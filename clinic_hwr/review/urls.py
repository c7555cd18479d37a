"""Addresses of the review room: ids only, nothing of a patient."""

from django.urls import path

from .views import inbox, json_api, release, scan_detail, workstation

urlpatterns = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("scans/<uuid:scan_id>/", scan_detail.scan_detail, name="scan-detail"),
    path("scans/<uuid:scan_id>/reject/", scan_detail.reject, name="scan-reject"),
    path("scans/<uuid:scan_id>/review/", workstation.workstation, name="workstation"),
    path("scans/<uuid:scan_id>/release/", release.release, name="release"),
    path("scans/<uuid:scan_id>/state/", json_api.scan_state, name="scan-state"),
    path("scans/<uuid:scan_id>/lease/", json_api.lease_claim, name="lease-claim"),
    path("scans/<uuid:scan_id>/lease/prolong/", json_api.lease_prolong, name="lease-prolong"),
    path("scans/<uuid:scan_id>/lease/end/", json_api.lease_end, name="lease-end"),
    path("scans/<uuid:scan_id>/fields/", json_api.add, name="field-add"),
    path("fields/<uuid:field_id>/name/", json_api.name, name="field-name"),
    path("fields/<uuid:field_id>/decisions/", json_api.decide, name="field-decide"),
]
