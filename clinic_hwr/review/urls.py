"""Addresses of the review room: ids only, nothing of a patient."""

from django.urls import path

from .views import (
    amend,
    clarify,
    inbox,
    json_api,
    release,
    scan_detail,
    workstation,
)

urlpatterns = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/next/", inbox.claim_next, name="inbox-next"),
    path("inbox/search/", inbox.search, name="inbox-search"),
    path("scans/<uuid:scan_id>/", scan_detail.scan_detail, name="scan-detail"),
    path("scans/<uuid:scan_id>/reject/", scan_detail.reject, name="scan-reject"),
    path("scans/<uuid:scan_id>/review/", workstation.workstation, name="workstation"),
    path("scans/<uuid:scan_id>/release/", release.release, name="release"),
    path("scans/<uuid:scan_id>/amend/", amend.amend, name="amend"),
    path("scans/<uuid:scan_id>/retract/", amend.retract, name="retract"),
    path("scans/<uuid:scan_id>/take-over/", scan_detail.take_over, name="take-over"),
    path("scans/<uuid:scan_id>/state/", json_api.scan_state, name="scan-state"),
    path("scans/<uuid:scan_id>/lease/", json_api.lease_claim, name="lease-claim"),
    path("scans/<uuid:scan_id>/lease/prolong/", json_api.lease_prolong, name="lease-prolong"),
    path("scans/<uuid:scan_id>/lease/end/", json_api.lease_end, name="lease-end"),
    path("scans/<uuid:scan_id>/fields/", json_api.add, name="field-add"),
    path("fields/<uuid:field_id>/name/", json_api.name, name="field-name"),
    path("fields/<uuid:field_id>/decisions/", json_api.decide, name="field-decide"),
    path("fields/<uuid:field_id>/box/", json_api.box, name="field-box"),
    path("fields/<uuid:field_id>/box/undo/", json_api.box_undo, name="field-box-undo"),
    path("fields/<uuid:field_id>/questions/", json_api.ask, name="field-ask"),
    # pages of their own until the inbox had these queues; bookmarks still open
    path("clarify/", inbox.queue_moved, {"slug": "clarify"}, name="clarify"),
    path("clarify/<uuid:clarification_id>/", clarify.question, name="clarification"),
    path("second-checks/", inbox.queue_moved, {"slug": "second"}, name="second-checks"),
    path("workstation/keys/", json_api.keys, name="keys"),
    path("workstation/drugs/", json_api.drugs, name="drug-names"),
]
