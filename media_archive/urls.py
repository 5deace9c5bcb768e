"""Addresses of this floor: the wall, and the files it shows."""

from __future__ import annotations

from django.urls import path

from media_archive import views
from media_archive.handing_out.views import media_file

urlpatterns = [
    path("media/<path:name>", media_file, name="media-file"),
    path("wall/<str:tag>/snapshot.json", views.snapshot, name="wall-snapshot"),
    path("wall/<str:tag>/notice.json", views.notice, name="wall-notice"),
    path("wall/<str:tag>/qr.svg", views.qr_code, name="wall-qr"),
    # `path`, so that whatever is no hashtag still gets a sentence, slashes included.
    path("wall/<path:tag>/", views.wall, name="wall"),
]
