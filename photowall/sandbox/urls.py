"""All of Photowall, the pictures the sandbox draws, and its control doors."""

from __future__ import annotations

from django.urls import include, path

from photowall.sandbox import views
from photowall.sandbox.control import views as control

urlpatterns = [
    path("sandbox/pictures/<int:seed>-<slug:size>.jpg", views.picture),
    path("sandbox/people/<int:number>.jpg", views.avatar),
    path("sandbox/publish/", control.publish_door),
    path("sandbox/edit/", control.edit_door),
    path("sandbox/delete/", control.delete_door),
    path("sandbox/faults/", control.faults_door),
    path("sandbox/calls/", control.calls_door),
    path("sandbox/posts/", control.posts_door),
    path("sandbox/pictures/", control.pictures_door),
    path("", include("photowall.urls")),
]
