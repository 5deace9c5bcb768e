"""Subscriptions in the admin: how each is, why, and the button for what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from media_archive import walls
from media_archive.admin_reading import DeclaredLookups
from media_archive.errors import PhotowallError
from subscriptions import accounts, admin_keep_for, keep_for, lifecycle
from subscriptions.admin_coverage import last_day
from subscriptions.admin_forms import FollowForm
from subscriptions.admin_history import EventInline
from subscriptions.admin_stepping import SteppingAdmin, buttons_for
from subscriptions.admin_steps import STEPS, Step, instead, steps_for
from subscriptions.errors import AlreadyFollowed
from subscriptions.health import light_of
from subscriptions.models import State, Subscription
from subscriptions.tasks import request_subscription

_STUCK = (State.SUSPENDED, State.FAILED)

_FIRST = {
    State.SUSPENDED: "after you have mended it",
    State.FAILED: "after you have mended it and pressed Retry",
    State.PAUSED: "after you have pressed Resume",
    State.ENDED: "none",
}
"""What has to come before the next attempt, for states in which nothing is read."""

REFUSALS_SHOWN = 5
TAGS_ASKED = 20


def _action(word: str) -> Callable[..., HttpResponse | None]:
    """The menu's entry for a step."""

    def act(
        page: SubscriptionAdmin, request: HttpRequest, rows: QuerySet[Subscription]
    ) -> HttpResponse | None:
        if word == "end" and not request.POST.get("sure"):
            return page.ask_first(request, rows, action=word)
        page.take(request, word, rows)
        return None

    act.__name__ = word
    return admin.action(description=STEPS[word].action, permissions=["change"])(act)


class SubscriptionAdmin(DeclaredLookups, SteppingAdmin):
    """Follow a hashtag; see how it goes; pause, resume, retry, end. Never delete."""

    form = FollowForm
    list_display = (
        "hashtag",
        "light",
        "why_and_error",
        "quick",
        "news",
        "photos",
        "account",
    )
    list_filter = ("state", "account")
    list_select_related = ("account", "feed")
    search_fields = ("tag",)
    search_help_text = "A hashtag, without #"
    ordering = ("-id",)
    actions = tuple(_action(word) for word in STEPS)
    inlines = (EventInline,)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Two fields to follow a tag; afterwards everything to read."""
        if obj is None:
            return ((None, {"fields": ("account", "tag")}),)
        do = ("buttons",) if self.has_change_permission(request, obj) else ()
        how = ("hashtag", "account", "light", "why", "next_step", *do)
        may_keep = bool(do) and admin_keep_for.may_change(request, obj)
        kept = "kept_for" if may_keep else "kept"
        reading = ("heard", "fetched", "error", "next_attempt", "photos", kept)
        there = ("callback", "upstream_id", "confirmed", "lease")
        details = (*there, "created_at", "created_by", "state_since")
        return (
            (None, {"fields": how}),
            ("Reading", {"fields": reading}),
            ("The last 24 hours", {"fields": (last_day,)}),
            ("Details", {"fields": details, "classes": ("collapse",)}),
        )

    def get_urls(self) -> list[Any]:
        """With the page that says how long it keeps."""
        keep = path(
            "<int:pk>/keep/",
            self.admin_site.admin_view(partial(admin_keep_for.page, self)),
            name="subscriptions_subscription_keep_for",
        )
        return [keep, *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> Any:
        """Without buttons for those whom they would refuse."""
        columns = self.list_display
        if self.has_change_permission(request):
            return columns
        return tuple(column for column in columns if column != "quick")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """No history before there is one."""
        return self.inlines if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is ended, not deleted: what it caught stays explained."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """With the account that most want."""
        account = accounts.default_account()
        return {"account": account.pk} if account is not None else {}

    def save_model(
        self, request: HttpRequest, obj: Subscription, form: Any, change: bool
    ) -> None:
        """Follow the tag. Nothing of an existing one can be changed here."""
        if change:
            return
        actor = request.user.get_username()
        try:
            made = lifecycle.create(obj.account, obj.tag, actor)
        except AlreadyFollowed as error:
            # Somebody else was faster by a moment: lead to what they made.
            self.message_user(request, error.message, messages.WARNING)
            other = lifecycle.standing(obj.account.provider, obj.tag)
            if other is None:
                raise
            obj.pk = other.pk
            return
        obj.pk = made.pk
        request_subscription.delay_on_commit(made.pk)

    def take(
        self, request: HttpRequest, word: str, rows: Iterable[Subscription]
    ) -> None:
        """Take a step for each, and say of each what came of it."""
        step, actor, done = STEPS[word], request.user.get_username(), []
        refusals: list[str] = []
        for row in rows:
            try:
                _refuse_wrong_state(word, row)
                step.take(row.pk, actor)
                done.append(f"#{row.tag}")
            except PhotowallError as error:
                refusals.append(f"#{row.tag}: {error.message}")
        if done:
            names = ", ".join(done[:10]) + (" and others" if len(done) > 10 else "")
            self.message_user(request, f"{names} {step.done}.", messages.SUCCESS)
        for refusal in refusals[:REFUSALS_SHOWN]:
            self.message_user(request, refusal, messages.WARNING)

    def ask_first(
        self, request: HttpRequest, rows: QuerySet[Subscription], **said: str
    ) -> HttpResponse:
        """The page that asks whether these shall be ended; ``said`` and ``sure``
        come back from it."""
        chosen = [str(pk) for pk in rows.values_list("pk", flat=True)]
        hidden = [*said.items(), *(("_selected_action", pk) for pk in chosen)]
        context = {
            **self.admin_site.each_context(request),
            "title": "End following?",
            "opts": self.opts,
            "tags": list(rows.values_list("tag", flat=True)[:TAGS_ASKED]),
            "count": len(chosen),
            "hidden": hidden,
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/end_subscriptions.html", context)

    @admin.display(description="Hashtag", ordering="tag")
    def hashtag(self, subscription: Subscription) -> SafeString:
        """With its wall."""
        return format_html("<bdi>#{}</bdi>", subscription.tag)

    @admin.display(description="Health", ordering="state")
    def light(self, subscription: Subscription) -> SafeString:
        """A word with a colour, never the colour alone."""
        light = light_of(subscription)
        return format_html(
            '<span class="badge is-{}">{}</span>',
            light.colour,
            light.word,
        )

    @admin.display(description="State")
    def why(self, subscription: Subscription) -> SafeString:
        """The state, since when, and the reason."""
        return format_html(
            '{}<span class="quiet-line">since {}</span>'
            '<span class="sentence">{}</span>',
            subscription.get_state_display(),
            f"{subscription.state_since:%Y-%m-%d %H:%M} UTC",
            subscription.state_reason,
        )

    @admin.display(description="State")
    def why_and_error(self, subscription: Subscription) -> SafeString:
        """The same, and what went wrong with the last read."""
        why, error = self.why(subscription), subscription.feed.last_error
        if not error or error == subscription.state_reason:
            return why
        return format_html('{}<span class="sentence">Last error: {}</span>', why, error)

    @admin.display(description="News", ordering="feed__last_heard_at")
    def news(self, subscription: Subscription) -> SafeString:
        """When we last heard of any, and when we last fetched."""
        return format_html(
            '<span class="quiet-line">heard</span>{}'
            '<span class="quiet-line">fetched</span>{}',
            self.heard(subscription),
            self.fetched(subscription),
        )

    @admin.display(description="What to do")
    def next_step(self, subscription: Subscription) -> str:
        """In a sentence."""
        return light_of(subscription).advice

    @admin.display(description="Last heard", ordering="feed__last_heard_at")
    def heard(self, subscription: Subscription) -> SafeString | str:
        """When the provider last notified us."""
        return _ago(subscription.feed.last_heard_at)

    @admin.display(description="Last fetched", ordering="feed__last_fetched_at")
    def fetched(self, subscription: Subscription) -> SafeString | str:
        """When it was last read to where it was known."""
        return _ago(subscription.feed.last_fetched_at)

    @admin.display(description="Last error")
    def error(self, subscription: Subscription) -> SafeString | str:
        """Of the last read; of what stands still, why it does."""
        said = subscription.feed.last_error
        if not said and subscription.state in _STUCK:
            said = subscription.state_reason
        return format_html('<span class="sentence">{}</span>', said) if said else "none"

    @admin.display(description="Next attempt")
    def next_attempt(self, subscription: Subscription) -> Any:
        """When a read that went wrong is tried again, or what has to come first."""
        if (first := _FIRST.get(State(subscription.state))) is not None:
            return first
        return subscription.feed.next_attempt_at or "as soon as there is news"

    @admin.display(description="Media")
    def photos(self, subscription: Subscription) -> SafeString:
        """How many are on the wall, and the wall."""
        address = reverse("wall", args=[subscription.tag])
        count = walls.counts(subscription.tag)["count"]
        return format_html(
            '{} <a class="nowrap" href="{}">Open wall</a>', f"{count:,}", address
        )

    @admin.display(description="Kept")
    def kept(self, subscription: Subscription) -> str:
        """How long what it caught is kept."""
        return keep_for.in_words(subscription.keep_days)

    @admin.display(description="Kept")
    def kept_for(self, subscription: Subscription) -> SafeString:
        """The same, and where it is changed."""
        return admin_keep_for.kept_for(subscription)

    @admin.display(description="Callback")
    def callback(self, subscription: Subscription) -> str:
        """Where the provider reaches us."""
        return lifecycle.callback_url(subscription)

    @admin.display(description="Last confirmed by the provider")
    def confirmed(self, subscription: Subscription) -> SafeString | str:
        """When the provider last named it among what we follow."""
        ago = _ago(subscription.confirmed_at)
        if not subscription.missed:
            return ago
        return format_html(
            '{}<span class="sentence">Not named {} times since.</span>',
            ago,
            subscription.missed,
        )

    @admin.display(description="Lease")
    def lease(self, subscription: Subscription) -> SafeString | str:
        """Until when the provider keeps it, and how renewing goes."""
        until = subscription.lease_until
        if until is None:
            return "none: the provider keeps it until it is ended"
        failures = subscription.renew_failures
        return format_html(
            '{}<span class="sentence">{}</span>',
            f"until {until:%Y-%m-%d %H:%M} UTC",
            f"{failures} renewals in a row came to nothing." if failures else "",
        )

    @admin.display(description="Do")
    def buttons(self, subscription: Subscription) -> SafeString:
        """What may be done now; part of the page's own form."""
        return _buttons(subscription.pk, steps_for(subscription))

    @admin.display(description="Do")
    def quick(self, subscription: Subscription) -> SafeString:
        """The same without what cannot be undone: that takes a second look."""
        undoable = [(w, s) for w, s in steps_for(subscription) if w != "end"]
        return _buttons(subscription.pk, undoable)

    def stepped(self, request: HttpRequest) -> HttpResponse | None:
        word, _, key = request.POST.get("step", "").partition(":")
        if word not in STEPS or not (key.isascii() and key.isdigit() and len(key) < 19):
            return None
        if self.has_change_permission(request):
            rows = Subscription.objects.filter(pk=int(key))
            sure = word != "end" or bool(request.POST.get("sure"))
            if not sure and rows.filter(state__in=STEPS[word].states).exists():
                return self.ask_first(request, rows, step=f"{word}:{key}")
            self.take(request, word, rows)
        else:
            self.message_user(
                request, "You may not change subscriptions.", messages.ERROR
            )
        return HttpResponseRedirect(request.get_full_path())


def _buttons(subscription_pk: int, steps: list[tuple[str, Step]]) -> SafeString:
    labels = ((word, step.label) for word, step in steps)
    return buttons_for(subscription_pk, labels)


def _ago(time: datetime | None) -> SafeString | str:
    """ "3 minutes ago", with the exact time for whoever points at it."""
    if time is None:
        return "not yet"
    ago = timesince(time, depth=1)
    return format_html(
        '<time datetime="{0}" title="{0}">{1}</time>',
        f"{time:%Y-%m-%d %H:%M:%S} UTC",
        "just now" if ago.startswith("0") else f"{ago} ago",
    )


def _refuse_wrong_state(word: str, row: Subscription) -> None:
    step = STEPS[word]
    if row.state not in step.states:
        state = row.get_state_display().lower()
        what = f"“{step.label}” is not possible: it is {state}."
        raise PhotowallError(f"{what} {instead(word, row.state)}".strip())
