"""Instagram API v1 under ``/v1/``. Each address answers as ``x``, ``x/`` and
``x.json``: old clients follow no redirect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, re_path

from photowall.facades.instagram_v1 import views, views_subscriptions
from photowall.facades.instagram_v1.authentication import (
    by_client_id,
    by_client_secret,
)
from photowall.facades.instagram_v1.doors import door


def _at(route: str, view: Callable[..., Any]) -> URLPattern:
    return re_path(rf"^{route}(?:\.json)?/?\Z", view)


nowhere = door(views.nobody)
urlpatterns = [
    _at(
        r"subscriptions",
        door(
            by_client_secret,
            GET=views_subscriptions.listed,
            POST=views_subscriptions.subscribe,
            DELETE=views_subscriptions.unsubscribe,
        ),
    ),
    _at(r"tags/search", door(by_client_id, GET=views.search_tags)),
    _at(r"tags/(?P<name>[^/]+?)", door(by_client_id, GET=views.tag)),
    _at(
        r"tags/(?P<name>[^/]+?)/media/recent",
        door(by_client_id, GET=views.tag_recent),
    ),
    _at(r"media/(?:search|popular)", nowhere),
    _at(
        r"media/shortcode/(?P<shortcode>[^/]+?)",
        door(by_client_id, GET=views.media_by_shortcode),
    ),
    _at(r"media/(?P<native_id>[^/]+?)", door(by_client_id, GET=views.media)),
    re_path(r"", nowhere),
]
