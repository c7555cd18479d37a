"""REST addresses of the intake room; included under ``api/``."""

from django.urls import path

from .api import ScanApi, ScanCollectionApi

urlpatterns = [
    path("scans/", ScanCollectionApi.as_view(), name="api-scans"),
    path("scans/<uuid:scan_id>/", ScanApi.as_view(), name="api-scan"),
]
