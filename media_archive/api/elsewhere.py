"""Every other address below ``/api/``. Included last, after both floors' doors."""

from __future__ import annotations

from django.urls import re_path

from media_archive.api import views

# Only with a slash at the end: without, Django first tries to add one.
urlpatterns = [re_path(r"^(?:[\s\S]*/)?$", views.NoSuchDoorView.as_view())]
