"""Addresses of the intake room for browsers."""

from django.urls import path

from .views import field_crop, page_image, retry, scan_original, scan_upload, separator_sheet

urlpatterns = [
    path("scans/upload/", scan_upload, name="scan-upload"),
    path("scans/<uuid:scan_id>/retry/", retry, name="scan-retry"),
    path("scans/<uuid:scan_id>/original", scan_original, name="scan-original"),
    path("scans/separator.pdf", separator_sheet, name="separator-sheet"),
    path("scans/<uuid:scan_id>/pages/<int:number>/image.png", page_image, name="page-image"),
    path("fields/<uuid:field_id>/crop.png", field_crop, name="field-crop"),
]
