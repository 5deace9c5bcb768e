"""All of Photowall, and the pictures the sandbox draws."""

from __future__ import annotations

from django.urls import include, path

from photowall.sandbox import views

urlpatterns = [
    path("sandbox/pictures/<int:seed>-<slug:size>.jpg", views.picture),
    path("sandbox/people/<int:number>.jpg", views.avatar),
    path("", include("photowall.urls")),
]
