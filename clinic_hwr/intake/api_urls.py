"""REST addresses of the intake room; included under ``api/``."""

from django.urls import path

from .api import ScanApi, ScanCollectionApi, ScanRetryApi

urlpatterns = [
    path("scans/", ScanCollectionApi.as_view(), name="api-scans"),
    path("scans/<uuid:scan_id>/", ScanApi.as_view(), name="api-scan"),
    path("scans/<uuid:scan_id>/retry/", ScanRetryApi.as_view(), name="api-scan-retry"),
]
