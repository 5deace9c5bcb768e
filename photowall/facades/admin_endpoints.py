"""Endpoints in the admin: how each one is, why, and what a person may do."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest

from media_archive.admin_reading import DeclaredLookups
from media_archive.models import JournalCounter
from photowall.bell import BellTask
from photowall.facades import endpoints, tasks
from photowall.facades.models import Endpoint

SHOWN = (
    "client",
    "object",
    "object_id",
    "aspect",
    "callback_url",
    "state",
    "state_reason",
    "failing_since",
    "silent_since",
    "last_success_at",
    "cursor",
    "behind",
    "created_at",
)
"""What the page of one shows, and nothing else: no secret is among it."""


@admin.register(Endpoint)
class EndpointAdmin(DeclaredLookups, admin.ModelAdmin):
    """Made by their owners over the facade; here they are looked after."""

    list_display = [
        "object_id",
        "client",
        "state",
        "state_reason",
        "behind",
        "last_success_at",
        "callback_url",
    ]
    list_display_links = ["object_id"]
    list_filter = ["state", "client"]
    list_select_related = ["client"]
    search_fields = ["object_id", "callback_url"]
    ordering = ["object_id", "id"]
    actions = ["enable_again", "disable"]
    fields = SHOWN
    readonly_fields = SHOWN

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        head = JournalCounter.objects.values("last")[:1]
        return super().get_queryset(request).annotate(head=Subquery(head))

    @admin.display(description="Journal entries behind")
    def behind(self, endpoint: Any) -> int:
        return max((endpoint.head or 0) - endpoint.cursor, 0)

    @admin.action(description="Challenge and enable again", permissions=["change"])
    def enable_again(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        """Ask the callback whether it still wants to hear; if so, tell it all it
        has missed."""
        for endpoint in chosen:
            try:
                endpoints.reopen(endpoint)
            except endpoints.ChallengeFailed as error:
                self.message_user(
                    request, f"{endpoint}: {error.message}", messages.ERROR
                )
                continue
            self.log_change(request, endpoint, "Enabled again.")
            self.message_user(request, f"{endpoint} is active.", messages.SUCCESS)
            cast(BellTask, tasks.deliver_endpoint).delay_on_commit(endpoint.pk)

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        """Tell it nothing until it is enabled again."""
        reason = f"Disabled by {request.user.get_username()}."
        for endpoint in chosen:
            if endpoints.disable(endpoint, reason):
                self.log_change(request, endpoint, reason)
                self.message_user(request, f"{endpoint} is disabled.", messages.SUCCESS)
            else:
                self.message_user(
                    request,
                    f"{endpoint} is {endpoint.state} already.",
                    messages.WARNING,
                )
