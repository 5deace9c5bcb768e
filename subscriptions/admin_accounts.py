"""Provider accounts in the admin: secrets go in and never come out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_archive.admin_reading import DeclaredLookups
from subscriptions import accounts, breaker, lifecycle
from subscriptions.account_view import spending_of
from subscriptions.admin_forms import AccountForm
from subscriptions.models import ProviderAccount, State
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
        (None, {"fields": ("name", "provider", "base_url", "hourly_limit")}),
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
        ("How it goes", {"fields": ("waiting", "spending", "budget")}),
    )
    readonly_fields = ("waiting", "spending", "budget")

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
        if change and "hourly_limit" in form.changed_data:
            breaker.wake_spent(obj.pk)
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
        return bool(account.client_secret) and not accounts.unopened(account)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page; or what its button "Try now" asks for."""
        tried = self._tried(request, object_id)
        return tried or super().change_view(request, object_id, form_url, extra_context)

    @admin.display(description="Right now")
    def waiting(self, account: ProviderAccount) -> SafeString:
        """Until when and why nobody calls, and the button that ends it."""
        why = waits_of(account)
        if not why:
            return format_html(
                '<span class="badge is-good">{}</span>', "Calls are made"
            )
        button = _TRY if accounts.is_waiting(account) else ""
        return format_html(
            '<span class="badge is-warn">Waiting</span>'
            '<span class="sentence">{}</span>{}',
            why,
            button,
        )

    @admin.display(description="Calls of the last hour")
    def spending(self, account: ProviderAccount) -> SafeString:
        """By purpose, as bars."""
        context = {"spending": spending_of(account)}
        return render_to_string("admin/subscriptions/account_spending.html", context)

    @admin.display(description="Calls left")
    def budget(self, account: ProviderAccount) -> str:
        """As we count, and as the provider's last answer said."""
        spending = spending_of(account)
        ours = f"{spending.left:,} of {spending.limit:,}"
        if account.quota_remaining is None:
            return ours
        seen = account.quota_seen_at
        when = f" at {seen:%H:%M} UTC" if seen is not None else ""
        return f"{ours} (the provider said {account.quota_remaining:,}{when})"

    def _tried(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        if not request.POST.get("try_now"):
            return None
        account = self.get_object(request, object_id)
        if account is None or not self.has_change_permission(request, account):
            return None  # Django's own page refuses.
        back = HttpResponseRedirect(request.get_full_path())
        if not accounts.is_waiting(account):
            self.message_user(request, "Nothing is waited for.", messages.INFO)
            return back
        if not request.POST.get("sure"):
            context = {
                **self.admin_site.each_context(request),
                "title": "Try now?",
                "opts": self.opts,
                "account": account,
                "waiting": waits_of(account),
                "back": request.get_full_path(),
            }
            template = "admin/subscriptions/try_account.html"
            return TemplateResponse(request, template, context)
        breaker.try_now(account.pk)
        self.log_change(request, account, "Tried now, without waiting longer.")
        for pk in _readable(account):
            fetch_subscription.delay_on_commit(pk)
        self.message_user(request, "It is tried now.", messages.SUCCESS)
        return back


_TRY = format_html(
    '<button class="row-button" name="try_now" value="{}" formnovalidate>{}</button>',
    "yes",
    "Try now",
)

RUNG_AT_ONCE = 100
"""Tags that are rung for when a person wants us to try; the sweep finds the rest."""


def waits_of(account: ProviderAccount) -> str:
    """Why nobody, or not everybody, may call with this account now; in sentences."""
    now, why = timezone.now(), list[str]()
    if accounts.unopened(account):
        why.append(
            "A secret cannot be decrypted here: set PHOTOWALL_ENCRYPTION_KEY or enter "
            "it anew."
        )
    if account.paused_until is not None and account.paused_until > now:
        until = f"until {account.paused_until:%H:%M:%S} UTC"
        why.append(f"Left alone {until}. {account.paused_reason}")
    if account.breaker_until is not None:
        why.append(
            f"The provider is down after {account.failures} failures in a row; "
            f"next try {account.breaker_until:%H:%M:%S} UTC."
        )
    if account.spent_until is not None and account.spent_until > now:
        why.append(f"The budget is used up until {account.spent_until:%H:%M} UTC.")
    if why and not accounts.unopened(account):
        began = account.hindrances.filter(ended_at__isnull=True)
        since = began.order_by("began_at").values_list("began_at", flat=True).first()
        if since is not None:
            why.append(f"This began at {since:%Y-%m-%d %H:%M} UTC.")
    return " ".join(why)


def _readable(account: ProviderAccount) -> QuerySet[Any, int]:
    return account.subscriptions.filter(state=State.ACTIVE).values_list(
        "pk", flat=True
    )[:RUNG_AT_ONCE]
