"""REST addresses of the forms room; included under ``api/``."""

from django.urls import path

from . import api

urlpatterns = [
    path("forms/", api.FormsApi.as_view(), name="api-forms"),
    path("forms/<uuid:version_id>/", api.FormApi.as_view(), name="api-form"),
    path("forms/<uuid:version_id>/regions/", api.FormRegionsApi.as_view(), name="api-form-regions"),
    path("forms/<uuid:version_id>/import/", api.FormImportApi.as_view(), name="api-form-import"),
    path("forms/<uuid:version_id>/export/", api.FormExportApi.as_view(), name="api-form-export"),
    path("forms/<uuid:version_id>/picture/", api.FormPictureApi.as_view(), name="api-form-picture"),
    path(
        "forms/<uuid:version_id>/activate/", api.FormActivateApi.as_view(), name="api-form-activate"
    ),
    path("forms/<uuid:version_id>/retire/", api.FormRetireApi.as_view(), name="api-form-retire"),
    path("forms/<uuid:version_id>/trial/", api.FormTrialApi.as_view(), name="api-form-trial"),
    path(
        "forms/<uuid:version_id>/trial/<uuid:scan_id>/<int:number>/<int:region>/",
        api.FormTrialInkApi.as_view(),
        name="api-form-trial-ink",
    ),
    path(
        "forms/<uuid:version_id>/pages/<int:number>/image/",
        api.FormPageImageApi.as_view(),
        name="api-form-page-image",
    ),
]
