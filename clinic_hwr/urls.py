"""All addresses of the product; each room adds its own list."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="inbox")),
    path("", include("clinic_hwr.accounts.urls")),
    path("admin/", admin.site.urls),
]
