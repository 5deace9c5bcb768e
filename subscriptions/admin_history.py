"""The history of a subscription in the admin: who, when, from where to where, why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from subscriptions.models import State, SubscriptionEvent


class EventInline(admin.TabularInline):
    """What happened, newest first."""

    model = SubscriptionEvent
    fields = ("when", "who", "change", "reason")
    readonly_fields = fields
    ordering = ("-id",)
    extra = 0
    can_delete = False
    verbose_name_plural = "What happened"

    @admin.display(description="When")
    def when(self, event: SubscriptionEvent) -> str:
        """To the second."""
        return f"{event.at:%Y-%m-%d %H:%M:%S} UTC"

    @admin.display(description="Who")
    def who(self, event: SubscriptionEvent) -> str:
        """A person's name; what happens by itself has none."""
        return event.actor or "by itself"

    @admin.display(description="From → to")
    def change(self, event: SubscriptionEvent) -> str:
        """In words."""
        return f"{_label(event.before)} → {_label(event.after)}"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History is written by what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History stays."""
        return False


def _label(state: str) -> str:
    return str(State(state).label) if state in State else state
