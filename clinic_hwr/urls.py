"""All addresses of the product; each room adds its own list.

An existing Django project includes ``room_urlpatterns`` under a prefix of its choice and keeps its
own admin (``docs/install.md``).
"""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from clinic_hwr.fhir.views.system import RootView

room_urlpatterns = [
    path("", RedirectView.as_view(pattern_name="inbox")),
    path("", include("clinic_hwr.accounts.urls")),
    path("", include("clinic_hwr.review.urls")),
    path("", include("clinic_hwr.audit.urls")),
    path("", include("clinic_hwr.intake.urls")),
    path("", include("clinic_hwr.forms.urls")),
    path("api/", include("clinic_hwr.review.api.urls")),
    path("fhir", RootView.as_view()),  # where clients send transactions, without a slash
    path("fhir/", include("clinic_hwr.fhir.urls")),
]

urlpatterns = [
    *room_urlpatterns,
    path("admin/", admin.site.urls),
]
