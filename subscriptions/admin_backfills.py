"""Backfills in the admin: ask for one, see how far it is, pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_archive.admin_reading import DeclaredLookups
from media_archive.errors import PhotowallError
from subscriptions import backfilling
from subscriptions.admin_stepping import SteppingAdmin, buttons_for
from subscriptions.backfill_outlook import outlook, waits_until
from subscriptions.errors import BackfillRefused
from subscriptions.models import Backfill, BackfillState, State, Subscription
from subscriptions.tasks import read_backfill

ACTIVE = Subscription.objects.filter(state=State.ACTIVE)

STEPS: dict[str, tuple[str, Callable[[int, str], None], frozenset[BackfillState]]] = {
    "pause": ("Pause", backfilling.pause, frozenset({BackfillState.RUNNING})),
    "resume": (
        "Resume",
        backfilling.resume,
        frozenset({BackfillState.PAUSED, BackfillState.FAILED}),
    ),
    "cancel": (
        "Cancel",
        backfilling.cancel,
        frozenset({BackfillState.RUNNING, BackfillState.PAUSED, BackfillState.FAILED}),
    ),
}
"""Word → (button, service, states that have the button)."""


class DayOrMoment(forms.SplitDateTimeField):
    """A date and perhaps a time; a date alone is the moment at which it begins."""

    def compress(self, data_list: Any) -> datetime | None:
        """In UTC. Raises ``ValidationError`` for a time without a date."""
        if data_list and data_list[0] and not data_list[1]:
            data_list = [data_list[0], time()]
        moment: datetime | None = super().compress(data_list)
        return moment


class BackfillForm(forms.ModelForm):
    """Which tag, and how far back. Neither date nor number: as far as it goes."""

    until_date = DayOrMoment(
        required=False,
        widget=AdminSplitDateTime,
        help_text="Read back to posts of this time (UTC); a date alone is 00:00.",
    )
    until_items = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=backfilling.MOST_ITEMS,
        error_messages=dict.fromkeys(
            ("min_value", "max_value"),
            f"Choose between 1 and {backfilling.MOST_ITEMS:,} posts.",
        ),
        help_text="Read so many posts.",
    )

    class Meta:
        model = Backfill
        fields = ("subscription", "until_date", "until_items")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("subscription")
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = ACTIVE.select_related("account").order_by("tag")
        if isinstance(when := self.fields.get("until_date"), DayOrMoment):
            # The words before them are no labels: a screen reader reads these.
            for inner, name in zip(when.widget.widgets, ("Date", "Time"), strict=True):
                inner.attrs["aria-label"] = f"Until date: {name}"

    def clean(self) -> dict[str, Any]:
        """Refuses here what the service would."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        subscription = said.get("subscription")
        other = backfilling.unfinished(subscription.pk) if subscription else None
        if other is not None:
            self.add_error(
                "subscription",
                f"Its past is being read already ({other.get_state_display().lower()})"
                ". Let that end, or cancel it.",
            )
        try:
            backfilling.check_target(said.get("until_date"), said.get("until_items"))
        except BackfillRefused as error:
            raise forms.ValidationError(error.message) from error
        return said


class BackfillAdmin(DeclaredLookups, SteppingAdmin):
    """Newest first. Nothing is deleted; what was read stays."""

    form = BackfillForm
    list_display = ("hashtag", "progress", "posts", "reached", "state", "why", "do")
    list_filter = ("state",)
    list_select_related = ("subscription__account",)
    search_fields = ("subscription__tag",)
    search_help_text = "A hashtag, without #"
    ordering = ("-id",)
    actions = None

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A target to choose; afterwards everything to read."""
        if obj is None:
            return ((None, {"fields": ("subscription", "until_date", "until_items")}),)
        return (
            (None, {"fields": ("hashtag", "state", "why", "progress", "do")}),
            ("What was read", {"fields": ("posts", "pages", "reached")}),
            (
                "What was asked for",
                {"fields": ("target", "created_at", "created_by", "ended_at")},
            ),
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is cancelled, not deleted: what it read stays explained."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Backfill, form: Any, change: bool
    ) -> None:
        """Begin it. Nothing of an existing one can be changed here."""
        if change:
            return
        try:
            made = backfilling.start(
                obj.subscription,
                until_date=obj.until_date,
                until_items=obj.until_items,
                actor=request.user.get_username(),
            )
        except BackfillRefused as error:
            # Somebody else was faster by a moment: lead to what they began.
            self.message_user(request, error.message, messages.WARNING)
            other = backfilling.unfinished(obj.subscription_id)
            if other is None:
                raise
            obj.pk = other.pk
            return
        obj.pk = made.pk
        read_backfill.delay_on_commit(made.pk)

    @admin.display(description="Hashtag", ordering="subscription__tag")
    def hashtag(self, backfill: Backfill) -> str:
        """With the sign."""
        return f"#{backfill.subscription.tag}"

    @admin.display(description="Progress")
    def progress(self, backfill: Backfill) -> SafeString:
        """A bar and words; only words where nobody knows the whole."""
        ahead = outlook(backfill)
        if ahead.share is None:
            return format_html("{}", str(ahead))
        return format_html(
            '<progress value="{}" max="1" aria-label="Progress"></progress> {}',
            f"{ahead.share:.3f}",
            str(ahead),
        )

    @admin.display(description="Posts")
    def posts(self, backfill: Backfill) -> str:
        """How many, and how many of them the archive did not have for this tag."""
        return f"{backfill.items:,} ({backfill.new_items:,} new)"

    @admin.display(description="Back to", ordering="reached_at")
    def reached(self, backfill: Backfill) -> str:
        """The day it has come to."""
        reached = backfill.reached_at
        return f"{reached:%Y-%m-%d %H:%M} UTC" if reached else "not yet"

    @admin.display(description="Why")
    def why(self, backfill: Backfill) -> str:
        """The reason of the state, or what it waits for."""
        if backfill.state == BackfillState.RUNNING:
            until = waits_until(backfill)
            if until is not None:
                return f"Waits until {until:%H:%M:%S} UTC. {backfill.last_error}"
            if backfill.subscription.state != State.ACTIVE:
                return "Waits until the subscription is active."
        return backfill.state_reason

    @admin.display(description="Read back to")
    def target(self, backfill: Backfill) -> str:
        """What was asked for, in words."""
        parts = []
        if backfill.until_date is not None:
            parts.append(f"{backfill.until_date:%Y-%m-%d %H:%M} UTC")
        if backfill.until_items is not None:
            many = "" if backfill.until_items == 1 else "s"
            parts.append(f"{backfill.until_items:,} post{many}")
        return " or ".join(parts) or "the end of what the provider lists"

    @admin.display(description="Do")
    def do(self, backfill: Backfill) -> SafeString:
        """What may be done now; part of the page's own form."""
        steps = (
            (word, label)
            for word, (label, _, states) in STEPS.items()
            if backfill.state in states
        )
        return buttons_for(backfill.pk, steps)

    def stepped(self, request: HttpRequest) -> HttpResponse | None:
        if "step" not in request.POST:
            return None
        word, _, key = request.POST["step"].partition(":")
        if not self.has_change_permission(request):
            self.message_user(request, "You may not change backfills.", messages.ERROR)
        elif word not in STEPS or not (
            key.isascii() and key.isdigit() and len(key) < 19
        ):
            said = f"There is no such step. There are: {', '.join(STEPS)}."
            self.message_user(request, said, messages.WARNING)
        else:
            try:
                STEPS[word][1](int(key), request.user.get_username())
            except PhotowallError as error:
                self.message_user(request, error.message, messages.WARNING)
            else:
                if word == "resume":
                    read_backfill.delay_on_commit(int(key))
        return HttpResponseRedirect(request.get_full_path())
