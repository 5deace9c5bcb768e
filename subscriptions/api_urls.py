"""Addresses of this floor below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from subscriptions import api, api_coverage

urlpatterns = [
    path(
        "subscriptions/", api.SubscriptionListView.as_view(), name="subscription-list"
    ),
    path(
        "subscriptions/<int:pk>/",
        api.SubscriptionDetailView.as_view(),
        name="subscription-detail",
    ),
    path("coverage/", api_coverage.CoverageView.as_view(), name="coverage"),
]
