"""Addresses of this floor below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from subscriptions import api

urlpatterns = [
    path(
        "subscriptions/", api.SubscriptionListView.as_view(), name="subscription-list"
    ),
    path(
        "subscriptions/<int:pk>/",
        api.SubscriptionDetailView.as_view(),
        name="subscription-detail",
    ),
]
