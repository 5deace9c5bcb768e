"""Deliveries in the admin: read only, with one more try on request."""

from __future__ import annotations

from typing import cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from media_archive.admin_reading import DeclaredLookups
from photowall.bell import BellTask
from photowall.facades import deliveries, tasks
from photowall.facades.models import Delivery

SHOWN = (
    "id",
    "endpoint",
    "seq",
    "text",
    "state",
    "attempts",
    "next_attempt_at",
    "last_error",
    "created_at",
    "delivered_at",
)
"""What the page of one shows, and nothing else: no secret is among it."""


@admin.register(Delivery)
class DeliveryAdmin(DeclaredLookups, admin.ModelAdmin):
    """One notification on its way, or what became of it."""

    list_display = [
        "id",
        "endpoint",
        "state",
        "attempts",
        "next_attempt_at",
        "last_error",
        "delivered_at",
    ]
    list_filter = ["state"]
    list_select_related = ["endpoint__client"]
    ordering = ["-created_at"]
    actions = ["retry"]
    fields = SHOWN
    readonly_fields = SHOWN

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Delivery | None = None
    ) -> bool:
        return False

    @admin.display(description="Body")
    def text(self, delivery: Delivery) -> str:
        return bytes(delivery.body).decode("ascii", "replace")

    @admin.action(description="Try again now", permissions=["change"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        """Due at once, with all its attempts before it, under its old id."""
        again = deliveries.try_again(list(chosen))
        for endpoint_id in {delivery.endpoint_id for delivery in again}:
            cast(BellTask, tasks.deliver_endpoint).delay_on_commit(endpoint_id)
        self.message_user(request, f"{len(again)} due now.", messages.SUCCESS)
