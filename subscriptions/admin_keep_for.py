"""How long a subscription keeps what it caught: a page that says what it would cost."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from subscriptions import keep_for
from subscriptions.models import Subscription


class KeepForm(forms.Form):
    """For how many days."""

    keep_days = forms.IntegerField(
        label="Days",
        required=False,
        min_value=1,
        max_value=keep_for.LONGEST_DAYS,
        help_text="Counted from the posting. Empty: for ever.",
    )


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
    back = reverse("admin:subscriptions_subscription_change", args=[pk])
    form = KeepForm(
        request.POST if request.method == "POST" else None,
        initial={"keep_days": subscription.keep_days},
    )
    doomed: int | None = None
    days: int | None = None
    if form.is_valid():
        days = form.cleaned_data["keep_days"]
        doomed = keep_for.would_erase(subscription, days)
        if not doomed or request.POST.get("sure") == str(days):
            keep_for.keep_for(pk, days, request.user.get_username())
            words = f"#{subscription.tag} is kept {keep_for.in_words(days)}."
            model_admin.message_user(request, words, messages.SUCCESS)
            return HttpResponseRedirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"How long #{subscription.tag} is kept",
        "opts": model_admin.opts,
        "form": form,
        "doomed": doomed,
        "days": days,
        "words": keep_for.in_words(days),
        "back": back,
        "tag": subscription.tag,
    }
    return TemplateResponse(request, "admin/keep_for.html", context)
