"""How long a subscription keeps what it caught: a page that says what it would cost.

Keeping for a shorter time erases for good, so it wants the permission to do that too.
Whoever confirms sends back what the page has told: a signed number, not a word that
anybody could send unseen.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from subscriptions import keep_for
from subscriptions.models import Subscription

ERASE = "media_archive.erase_mediaitem"
_SALT = "subscriptions.keep_for"
_SEEN_FOR = 3600
"""Seconds in which what was shown may be confirmed."""


class KeepForm(forms.Form):
    """For how many days."""

    keep_days = forms.IntegerField(
        label="Days",
        required=False,
        min_value=1,
        max_value=keep_for.LONGEST_DAYS,
        help_text="Counted from the posting. Empty: for ever.",
    )


def may_change(request: HttpRequest, subscription: Subscription) -> bool:
    """Whether the page has something to do for who may change subscriptions: what is
    kept for ever can only be kept shorter."""
    return subscription.keep_days is not None or request.user.has_perm(ERASE)


def kept_for(subscription: Subscription) -> SafeString:
    """For the page of a subscription: how long, and where that is changed."""
    address = reverse(
        "admin:subscriptions_subscription_keep_for", args=[subscription.pk]
    )
    words = keep_for.in_words(subscription.keep_days)
    return format_html('{} · <a href="{}">Change</a>', words, address)


def page(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """The form; then, when something would be erased, how much; then it is so."""
    subscription = get_object_or_404(Subscription, pk=pk)
    if not model_admin.has_change_permission(request, subscription):
        raise PermissionDenied
    if not may_change(request, subscription):
        raise PermissionDenied
    back = reverse("admin:subscriptions_subscription_change", args=[pk])
    form = KeepForm(
        request.POST if request.method == "POST" else None,
        initial={"keep_days": subscription.keep_days},
    )
    doomed: int | None = None
    days: int | None = None
    seen = ""
    if form.is_valid():
        days = form.cleaned_data["keep_days"]
        if days is not None and keep_for.shortens(days, subscription.keep_days):
            if not request.user.has_perm(ERASE):
                raise PermissionDenied
            if not _has_seen(request, subscription, days):
                now = timezone.now()
                doomed = keep_for.would_erase(subscription, days, now)
                seen = _told(request, subscription, days, doomed, now)
        if not doomed:
            _keep(model_admin, request, subscription, days)
            return HttpResponseRedirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"How long #{subscription.tag} is kept",
        "opts": model_admin.opts,
        "form": form,
        "doomed": doomed,
        "days": days,
        "seen": seen,
        "words": keep_for.in_words(days),
        "back": back,
        "tag": subscription.tag,
        "may_erase": request.user.has_perm(ERASE),
    }
    return TemplateResponse(request, "admin/keep_for.html", context)


def _keep(
    model_admin: Any, request: HttpRequest, subscription: Subscription, days: int | None
) -> None:
    before, actor = subscription.keep_days, request.user.get_username()
    if days == before or keep_for.keep_for(subscription.pk, days, before, actor):
        words = f"#{subscription.tag} is kept {keep_for.in_words(days)}."
        model_admin.message_user(request, words, messages.SUCCESS)
        return
    words = "Somebody else has changed it meanwhile. Nothing was changed by you."
    model_admin.message_user(request, words, messages.WARNING)


def _told(
    request: HttpRequest,
    subscription: Subscription,
    days: int,
    doomed: int,
    at: datetime,
) -> str:
    """What the page tells, to whom and when, so that nobody else can say it."""
    case = _case(request, subscription, days)
    return signing.dumps([case, doomed, at.isoformat()], salt=_SALT)


def _has_seen(request: HttpRequest, subscription: Subscription, days: int) -> bool:
    """Whether the person was shown this number of days, and no fewer items than would
    go: counted for the moment of the page, for each minute lets some more grow old."""
    try:
        case, doomed, at = signing.loads(
            request.POST.get("sure", ""), salt=_SALT, max_age=_SEEN_FOR
        )
    except signing.BadSignature:
        return False
    if case != _case(request, subscription, days):
        return False
    shown_at = datetime.fromisoformat(at)
    return keep_for.would_erase(subscription, days, shown_at) <= int(doomed)


def _case(request: HttpRequest, subscription: Subscription, days: int) -> list[Any]:
    return [request.user.pk, subscription.pk, subscription.keep_days, days]
