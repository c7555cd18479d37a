"""Every address of the REST API, under ``api/``."""

from django.urls import include, path, re_path

from clinic_hwr.audit.api import AuditApi, AuditCropApi, AuditEventApi

from . import fields, keys, questions, queues, releases, schema

urlpatterns = [
    path("", include("clinic_hwr.intake.api_urls")),
    path("", include("clinic_hwr.forms.api_urls")),
    path("queues/", queues.QueuesApi.as_view(), name="api-queues"),
    path("queues/<slug:slug>/", queues.QueueApi.as_view(), name="api-queue"),
    path("queues/<slug:slug>/claim/", queues.QueueClaimApi.as_view(), name="api-queue-claim"),
    path("questions/", questions.QuestionsApi.as_view(), name="api-questions"),
    path(
        "questions/<uuid:clarification_id>/",
        questions.QuestionApi.as_view(),
        name="api-question",
    ),
    path("keys/", keys.KeysApi.as_view(), name="api-keys"),
    path("keys/reset/", keys.KeysResetApi.as_view(), name="api-keys-reset"),
    path("drugs/", keys.DrugsApi.as_view(), name="api-drugs"),
    path("scans/<uuid:scan_id>/draft/", queues.DraftApi.as_view(), name="api-draft"),
    path("search/", queues.SearchApi.as_view(), name="api-search"),
    path("scans/<uuid:scan_id>/lease/", queues.LeaseApi.as_view(), name="api-lease"),
    path(
        "scans/<uuid:scan_id>/lease/heartbeat/",
        queues.HeartbeatApi.as_view(),
        name="api-lease-heartbeat",
    ),
    path(
        "scans/<uuid:scan_id>/lease/release/",
        queues.LeaseReleaseApi.as_view(),
        name="api-lease-release",
    ),
    path(
        "scans/<uuid:scan_id>/lease/take-over/",
        queues.TakeOverApi.as_view(),
        name="api-lease-take-over",
    ),
    path("scans/<uuid:scan_id>/fields/", fields.FieldsApi.as_view(), name="api-fields"),
    path(
        "scans/<uuid:scan_id>/pages/<int:number>/image/",
        fields.PageImageApi.as_view(),
        name="api-page-image",
    ),
    path("scans/<uuid:scan_id>/reject/", fields.RejectApi.as_view(), name="api-reject"),
    path("fields/<uuid:field_id>/", fields.FieldApi.as_view(), name="api-field"),
    path("fields/<uuid:field_id>/crop/", fields.FieldCropApi.as_view(), name="api-field-crop"),
    path("fields/<uuid:field_id>/decisions/", fields.DecideApi.as_view(), name="api-decide"),
    path("fields/<uuid:field_id>/reopen/", fields.ReopenApi.as_view(), name="api-reopen"),
    path("fields/<uuid:field_id>/box/", questions.BoxApi.as_view(), name="api-box"),
    path("fields/<uuid:field_id>/box/undo/", questions.BoxUndoApi.as_view(), name="api-box-undo"),
    path("fields/<uuid:field_id>/questions/", questions.AskApi.as_view(), name="api-ask"),
    path(
        "questions/<uuid:clarification_id>/calls/",
        questions.CallApi.as_view(),
        name="api-call",
    ),
    path(
        "questions/<uuid:clarification_id>/withdraw/",
        questions.WithdrawApi.as_view(),
        name="api-withdraw",
    ),
    path("fields/<uuid:field_id>/name/", fields.NameApi.as_view(), name="api-name"),
    path(
        "scans/<uuid:scan_id>/prescription/",
        releases.PrescriptionApi.as_view(),
        name="api-prescription",
    ),
    path("scans/<uuid:scan_id>/release/", releases.ReleaseApi.as_view(), name="api-release"),
    path(
        "scans/<uuid:scan_id>/amend/preview/",
        releases.AmendPreviewApi.as_view(),
        name="api-amend-preview",
    ),
    path("scans/<uuid:scan_id>/amend/", releases.AmendApi.as_view(), name="api-amend"),
    path("scans/<uuid:scan_id>/retract/", releases.RetractApi.as_view(), name="api-retract"),
    path("audit/", AuditApi.as_view(), name="api-audit"),
    path("audit/<uuid:event_uuid>/", AuditEventApi.as_view(), name="api-audit-event"),
    path("audit/<uuid:event_uuid>/crop/", AuditCropApi.as_view(), name="api-audit-crop"),
    path("schema/", schema.SchemaApi.as_view(), name="api-schema"),
    path("docs/", schema.docs_page, name="api-docs"),
    re_path(r"", schema.UnknownApi.as_view()),
]
