"""REST addresses of the intake room; included under ``api/``."""

from django.urls import path

from .api import (
    ScanApi,
    ScanCollectionApi,
    ScanOriginalApi,
    ScanRetryApi,
    SeparatorSheetApi,
)

urlpatterns = [
    path("scans/", ScanCollectionApi.as_view(), name="api-scans"),
    path("scans/<uuid:scan_id>/", ScanApi.as_view(), name="api-scan"),
    path("scans/<uuid:scan_id>/retry/", ScanRetryApi.as_view(), name="api-scan-retry"),
    path("scans/<uuid:scan_id>/original/", ScanOriginalApi.as_view(), name="api-scan-original"),
    path("separator-sheet/", SeparatorSheetApi.as_view(), name="api-separator-sheet"),
]
