"""Provider accounts in the admin: secrets go in and never come out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from media_archive.admin_reading import DeclaredLookups
from subscriptions import accounts, lifecycle
from subscriptions.admin_forms import AccountForm
from subscriptions.models import ProviderAccount
from subscriptions.providers import REGISTRY, get_provider
from subscriptions.tasks import fetch_subscription

CREDENTIAL = {"base_url", "client_id", "client_secret", "access_token"}


class ProviderAccountAdmin(DeclaredLookups, admin.ModelAdmin):
    """Who we are at a provider."""

    form = AccountForm
    list_display = ("name", "provider", "base_url", "secret", "waiting", "budget")
    search_fields = ("name", "base_url")
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "provider", "base_url")}),
        (
            "Credential",
            {
                "description": "From the page of your application at the provider. "
                "After a correction, suspended subscriptions go on by themselves; "
                "failed ones want their Retry.",
                "fields": (
                    "client_id",
                    "client_secret",
                    "access_token",
                    "forget_access_token",
                ),
            },
        ),
        ("How it goes", {"fields": ("waiting", "budget")}),
    )
    readonly_fields = ("waiting", "budget")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """How it goes is told once something can go."""
        return self.fieldsets if obj is not None else self.fieldsets[:2]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its subscriptions keep pointing to it."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The first provider and its address, ready to be corrected."""
        key = next(iter(REGISTRY))
        return {"provider": key, "base_url": get_provider(key).default_base_url}

    def save_model(
        self, request: HttpRequest, obj: ProviderAccount, form: Any, change: bool
    ) -> None:
        """Save; a changed credential wakes what was suspended for the old one."""
        super().save_model(request, obj, form, change)
        if not change or not CREDENTIAL & set(form.changed_data):
            return
        woken = lifecycle.wake_suspended(obj, request.user.get_username())
        for pk in woken:
            fetch_subscription.delay_on_commit(pk)
        if woken:
            self.message_user(
                request,
                f"{len(woken)} suspended "
                f"{'subscription is' if len(woken) == 1 else 'subscriptions are'} "
                "tried again with the new credential.",
                messages.SUCCESS,
            )

    @admin.display(description="Secret", boolean=True)
    def secret(self, account: ProviderAccount) -> bool:
        """Whether there is one."""
        return bool(account.client_secret)

    @admin.display(description="Left alone")
    def waiting(self, account: ProviderAccount) -> str:
        """Until when and why the provider is left alone."""
        if not accounts.is_paused(account):
            return "no, calls are made"
        return f"until {account.paused_until:%H:%M:%S} UTC. {account.paused_reason}"

    @admin.display(description="Calls left")
    def budget(self, account: ProviderAccount) -> str:
        """As the provider's last answer said."""
        if account.quota_remaining is None:
            return "not told yet"
        of = "" if account.quota_limit is None else f" of {account.quota_limit}"
        return f"{account.quota_remaining}{of}"
