"""The door to people: the page that asks which hashtag to watch."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from media_archive import walls
from media_archive.errors import InvalidTag
from media_archive.live import tiles
from media_archive.live.posts import post_of
from media_archive.models import MediaItem
from media_archive.tags import normalise_tag
from subscriptions import accounts, lifecycle, patience
from subscriptions.errors import AlreadyFollowed
from subscriptions.models import ProviderAccount, State, Subscription
from subscriptions.tasks import fetch_subscription, request_subscription

VISITOR = "visitor"
"""Who made the subscriptions of the open form."""

MOST_BY_VISITORS = 30
MOST_WALLS = 12
MOST_PICTURES = 24
KEPT = 3
"""Seconds; the page may be asked for by many at once."""

SMALL = 150
LARGE = 300
"""Pixels of width that a picture beside a wall's name, and behind the page, needs."""

PATIENCE = 6.0
"""Seconds a visitor waits for the provider's answer before the wall is shown."""

_ON_AIR = (State.REQUESTED, State.VERIFYING, State.ACTIVE, State.PAUSED)


class HomeView(View):
    """GET: the form and what is on air. POST ``tag``: follow it, show its wall."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        return _page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """To the wall; or the same page with a sentence, the text kept."""
        text = request.POST.get("tag", "")
        try:
            tag = normalise_tag(text)
        except InvalidTag as error:
            return _page(request, text, error.message, status=400)
        standing = list(Subscription.objects.filter(tag=tag).exclude(state=State.ENDED))
        if any(each.state not in patience.IN_TROUBLE for each in standing):
            return _to_wall(tag)
        if standing:
            return self._again(request, text, standing[0])
        return self._follow(request, text, tag)

    def _again(
        self, request: HttpRequest, text: str, subscription: Subscription
    ) -> HttpResponse:
        """Once more what could not be followed; the wall says it to all others."""
        if not _may_follow(request):
            return _to_wall(subscription.tag)
        was_suspended = subscription.state == State.SUSPENDED
        if patience.ask_again(subscription, _actor(request)):
            bell = fetch_subscription if was_suspended else request_subscription
            bell.delay_on_commit(subscription.pk)
        return _told(request, text, subscription, read=was_suspended)

    def _follow(self, request: HttpRequest, text: str, tag: str) -> HttpResponse:
        """Follow a tag and show its wall; or say why that cannot be."""
        account, refusal = self._account(request, tag)
        if account is None:
            if walls.is_known(tag):
                return _to_wall(tag)
            return _page(request, text, refusal, status=403)
        try:
            made = lifecycle.create(account, tag, _actor(request))
        except AlreadyFollowed:
            # Somebody else asked for it at the same moment: their wall is ours.
            return _to_wall(tag)
        request_subscription.delay_on_commit(made.pk)
        return _told(request, text, made)

    def _account(
        self, request: HttpRequest, tag: str
    ) -> tuple[ProviderAccount | None, str]:
        """The account to follow with; or none, and a sentence."""
        if not _may_follow(request):
            return None, (
                f"Nobody follows #{tag} yet. Ask the people who run this wall, "
                "or sign in to follow it."
            )
        account = accounts.default_account()
        if account is None:
            return None, (
                "There is no provider account yet, so nothing can be followed. "
                "Add one in the admin first."
            )
        if not _is_trusted(request) and _made_by_visitors() >= MOST_BY_VISITORS:
            return None, (
                f"{MOST_BY_VISITORS} hashtags are followed for visitors already, "
                "which is the most. Pick one of those on air."
            )
        return account, ""


def _told(
    request: HttpRequest, text: str, subscription: Subscription, read: bool = False
) -> HttpResponse:
    """The wall, or why there will be nothing on it, where the person is looking."""
    tag = subscription.tag
    if tiles.newest(tag, 1):
        return _to_wall(tag)
    after = patience.outcome(subscription.pk, PATIENCE, read)
    if after.state not in patience.IN_TROUBLE:
        return _to_wall(tag)
    reason = patience.plain_reason(after)
    sentence = f"Photowall cannot follow #{tag} just now: {reason}"
    return _page(request, text, sentence, status=422)


def _page(
    request: HttpRequest, text: str = "", error: str = "", status: int = 200
) -> HttpResponse:
    on_air: dict[str, Any] = cache.get_or_set("home", _on_air, KEPT) or {}
    context = {
        "form_error": error,
        "tag_text": text[:200],
        "may_follow": _may_follow(request),
        **on_air,
    }
    return render(request, "media_archive/home.html", context, status=status)


def _on_air() -> dict[str, Any]:
    followed = Subscription.objects.filter(state__in=_ON_AIR).order_by("-pk")
    tags = list(dict.fromkeys(followed.values_list("tag", flat=True)[: 2 * MOST_WALLS]))
    shown = [_wall(tag) for tag in tags[:MOST_WALLS]]
    shown.sort(key=lambda wall: _moment(wall["newest_at"]), reverse=True)
    recent = MediaItem.objects.showable().newest_first().whole()[:MOST_PICTURES]
    pictures = [_picture_url(item, LARGE) for item in recent]
    return {"walls": shown, "pictures": [url for url in pictures if url]}


def _wall(tag: str) -> dict[str, Any]:
    newest = next((tile.face for tile in tiles.newest(tag, 1)), None)
    return {
        "tag": tag,
        "url": reverse("wall", args=[tag]),
        "count": walls.counts(tag, shown=True)["count"],
        "newest_at": newest.dated_at if newest else None,
        "picture_url": _picture_url(newest, SMALL) if newest else None,
    }


def _moment(time: Any) -> float:
    return time.timestamp() if time is not None else 0.0


def _picture_url(item: MediaItem, width: int) -> str | None:
    """The smallest of its pictures that is wide enough, else the largest."""
    renditions = post_of(item)["renditions"]
    enough = [each for each in renditions if (each["w"] or 0) >= width]
    chosen = enough[:1] or renditions[-1:]
    return chosen[0]["url"] if chosen else None


def _made_by_visitors() -> int:
    rows = Subscription.objects.filter(created_by=VISITOR).exclude(state=State.ENDED)
    return rows.count()


def _may_follow(request: HttpRequest) -> bool:
    return bool(settings.PHOTOWALL_OPEN_SUBSCRIBE or _is_trusted(request))


def _is_trusted(request: HttpRequest) -> bool:
    return request.user.has_perm("subscriptions.add_subscription")


def _actor(request: HttpRequest) -> str:
    return request.user.get_username() if _is_trusted(request) else VISITOR


def _to_wall(tag: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("wall", args=[tag]))
