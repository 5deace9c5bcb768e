"""The whole URL map on one screen."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from photowall import health

handler400 = "media_archive.api.unreadable.refused"

urlpatterns = [
    path("", include("subscriptions.urls")),
    path("", include("media_archive.urls")),
    path("api/v1/", include("media_archive.api.urls")),
    path("api/v1/", include("subscriptions.api_urls")),
    path("api/", include("media_archive.api.elsewhere")),
    path("v1/", include("photowall.facades.instagram_v1.urls")),
    path("admin/", admin.site.urls),
    # The admin's and the API docs' pages name no icon: browsers then ask for this.
    path("favicon.ico", RedirectView.as_view(url=static("media_archive/icon.svg"))),
    path("healthz", health.alive),
    path("readyz", health.ready),
]
