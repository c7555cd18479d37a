"""The hospital's own pages, its admin, and clinic_hwr under a prefix."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from clinic_hwr.urls import room_urlpatterns


def home(request: HttpRequest) -> HttpResponse:
    """Return the page that was there before."""
    return HttpResponse("Hospital intranet")


urlpatterns = [
    path("", home),
    path("admin/", admin.site.urls),
    path("prescriptions/", include(room_urlpatterns)),  # added
]
