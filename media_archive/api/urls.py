"""The addresses of the REST archive, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from media_archive.api import views

urlpatterns = [
    path("", views.RootView.as_view(), name="api-root"),
    path("media/", views.MediaListView.as_view(), name="media-list"),
    path("media/<int:pk>/", views.MediaDetailView.as_view(), name="media-detail"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", views.DocsView.as_view(url_name="schema"), name="docs"),
]
