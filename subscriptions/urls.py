"""Addresses of the upper floor: the callback and the home page."""

from __future__ import annotations

from django.urls import path

from subscriptions.home import HomeView
from subscriptions.views import CallbackView

urlpatterns = [
    path("", HomeView.as_view(), name="home"),
    path("callbacks/<str:callback_id>/", CallbackView.as_view(), name="callback"),
]
