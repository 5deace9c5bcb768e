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
from media_archive.live.posts import post_of
from media_archive.models import MediaItem
from media_archive.tags import normalise_tag
from subscriptions import accounts, lifecycle
from subscriptions.errors import AlreadyFollowed
from subscriptions.models import State, Subscription
from subscriptions.tasks import request_subscription

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
        if _is_followed(tag):
            return _to_wall(tag)
        refusal = self._follow(request, tag)
        if refusal and not walls.is_known(tag):
            return _page(request, text, refusal, status=403)
        return _to_wall(tag)

    def _follow(self, request: HttpRequest, tag: str) -> str:
        """Follow a tag; a sentence if that cannot be."""
        if not _may_follow(request):
            return (
                f"Nobody follows #{tag} yet. Ask the people who run this wall, "
                "or sign in to follow it."
            )
        account = accounts.default_account()
        if account is None:
            return (
                "There is no provider account yet, so nothing can be followed. "
                "Add one in the admin first."
            )
        trusted = request.user.has_perm("subscriptions.add_subscription")
        if not trusted and _made_by_visitors() >= MOST_BY_VISITORS:
            return (
                f"{MOST_BY_VISITORS} hashtags are followed for visitors already, "
                "which is the most. Pick one of those on air."
            )
        actor = request.user.get_username() if trusted else VISITOR
        try:
            made = lifecycle.create(account, tag, actor)
        except AlreadyFollowed:
            # Somebody else asked for it at the same moment: their wall is ours.
            return ""
        request_subscription.delay_on_commit(made.pk)
        return ""


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
    recent = MediaItem.objects.visible().newest_first().whole()[:MOST_PICTURES]
    pictures = [_picture_url(item, LARGE) for item in recent]
    return {"walls": shown, "pictures": [url for url in pictures if url]}


def _wall(tag: str) -> dict[str, Any]:
    newest = MediaItem.objects.newest_of_tag(tag).visible().whole().first()
    return {
        "tag": tag,
        "url": reverse("wall", args=[tag]),
        "count": walls.counts(tag)["count"],
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


def _is_followed(tag: str) -> bool:
    rows = Subscription.objects.filter(tag=tag).exclude(state=State.ENDED)
    return rows.exists()


def _made_by_visitors() -> int:
    rows = Subscription.objects.filter(created_by=VISITOR).exclude(state=State.ENDED)
    return rows.count()


def _may_follow(request: HttpRequest) -> bool:
    return bool(
        settings.PHOTOWALL_OPEN_SUBSCRIBE
        or request.user.has_perm("subscriptions.add_subscription")
    )


def _to_wall(tag: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("wall", args=[tag]))
