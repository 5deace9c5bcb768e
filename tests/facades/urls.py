"""The facade alone, where the real map has it."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("v1/", include("photowall.facades.instagram_v1.urls"))]
