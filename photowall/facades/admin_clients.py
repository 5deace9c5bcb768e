"""API clients in the admin. A secret is shown once: when it is made."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from media_archive.admin_reading import DeclaredLookups
from photowall.facades.models import ApiClient, new_client_secret


@admin.register(ApiClient)
class ApiClientAdmin(DeclaredLookups, admin.ModelAdmin):
    """Make, rename, enable, disable; a new secret on request."""

    fields = ["name", "client_id", "enabled", "created_at"]
    readonly_fields = ["client_id", "created_at"]
    list_display = ["name", "client_id", "enabled", "endpoint_count", "created_at"]
    list_filter = ["enabled"]
    search_fields = ["name", "client_id"]
    ordering = ["name"]
    actions = ["enable", "disable", "rotate"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiClient]:
        return super().get_queryset(request).annotate(following=Count("endpoints"))

    @admin.display(description="Endpoints", ordering="following")
    def endpoint_count(self, client: Any) -> int:
        return int(client.following)

    def save_model(
        self,
        request: HttpRequest,
        obj: ApiClient,
        form: Any,
        change: bool,
    ) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            self._show(request, obj)

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, clients: QuerySet[ApiClient]) -> None:
        """Let them ask again."""
        changed = ApiClient.objects.filter(pk__in=_ids(clients)).update(enabled=True)
        self.message_user(request, f"{changed} enabled.", messages.SUCCESS)

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, clients: QuerySet[ApiClient]) -> None:
        """Refuse whatever they ask. Their endpoints are told nothing meanwhile."""
        changed = ApiClient.objects.filter(pk__in=_ids(clients)).update(enabled=False)
        self.message_user(request, f"{changed} disabled.", messages.SUCCESS)

    @admin.action(description="Make a new secret", permissions=["change"])
    def rotate(self, request: HttpRequest, clients: QuerySet[ApiClient]) -> None:
        """The old secret ends at once, for asking and for signing."""
        for client in ApiClient.objects.filter(pk__in=_ids(clients)):
            client.client_secret = new_client_secret()
            client.save(update_fields=["client_secret"])
            self.log_change(request, client, "Made a new secret.")
            self._show(request, client)

    def _show(self, request: HttpRequest, client: ApiClient) -> None:
        self.message_user(
            request,
            f"{client.name}: client id {client.client_id}, secret "
            f"{client.client_secret}. The secret is shown this once; keep it now.",
            messages.WARNING,
        )


def _ids(clients: QuerySet[ApiClient]) -> list[int]:
    """Their keys: what is annotated for the list stands in the way of an update."""
    return list(clients.values_list("pk", flat=True))
