"""Addresses of the forms room: ids only."""

from django.urls import path

from . import json_views, views

urlpatterns = [
    path("forms/", views.form_list, name="forms"),
    path("forms/new/", views.form_new, name="form-new"),
    path("forms/<uuid:version_id>/", views.form_edit, name="form-edit"),
    path("forms/<uuid:version_id>/test/", views.form_test, name="form-test"),
    path("forms/<uuid:version_id>/activate/", views.activate, name="form-activate"),
    path("forms/<uuid:version_id>/retire/", views.retire, name="form-retire"),
    path("forms/<uuid:version_id>/pictures/", views.repicture, name="form-repicture"),
    path("forms/<uuid:version_id>/import/", views.import_json, name="form-import"),
    path("forms/<uuid:version_id>/export.json", json_views.export, name="form-export"),
    path("forms/<uuid:version_id>/save/", json_views.save, name="form-save"),
    path(
        "forms/<uuid:version_id>/pages/<int:number>/image.png",
        views.page_picture,
        name="form-picture",
    ),
    path(
        "forms/<uuid:version_id>/test/<uuid:scan_id>/<int:number>/<int:region>.png",
        views.region_picture,
        name="form-test-ink",
    ),
]
