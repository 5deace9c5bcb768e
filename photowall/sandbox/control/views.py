"""What each control door does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from threading import Lock
from time import monotonic
from typing import Any

from django.http import HttpRequest

from media_archive.errors import InvalidTag
from media_archive.tags import normalise_tag
from photowall.sandbox import changing, options, truth
from photowall.sandbox.control import orders
from photowall.sandbox.control.doors import door
from photowall.sandbox.control.orders import OrderRefused
from photowall.sandbox.counting import counts
from photowall.sandbox.faults.board import board
from photowall.sandbox.led import lead
from photowall.sandbox.publisher import Publisher

Document = Mapping[str, object]
SECONDS = 45.0
"""So long a call publishes, waiting for another one's turn included: the server cuts
off what takes a minute."""
_one_at_a_time = Lock()


def publish(request: HttpRequest) -> Document:
    """Posts pictures; the answer comes when all are stored, or the time is up: then
    ``left`` says how many are not posted. From now on nobody else posts to the tag."""
    tag, count, every, alike = orders.publishing(orders.read(request.body))
    lead(tag)
    end = monotonic() + SECONDS
    posts: list[dict[str, Any]] = []
    if count and _one_at_a_time.acquire(timeout=SECONDS):
        try:
            published = _publisher().publish(tag, count, every, end=end, alike=alike)
            posts = [asdict(post) for post in published]
        finally:
            _one_at_a_time.release()
    return {"posts": posts, "left": count - len(posts)}


def edit(request: HttpRequest) -> Document:
    """Gives posts another caption."""
    ids = orders.chosen_posts(orders.read(request.body), "edit")
    return {"native_ids": changing.edit(ids)}


def delete(request: HttpRequest) -> Document:
    """Takes posts out of every listing."""
    ids = orders.chosen_posts(orders.read(request.body), "delete")
    return {"native_ids": changing.delete(ids)}


def put_faults(request: HttpRequest) -> Document:
    """Replaces the faults that are set; what is a state of ours happens at once."""
    faults, seed = orders.faults(orders.read(request.body))
    board.put(faults, seed)
    for fault in faults:
        if fault.kind.name == "forgotten_subscription":
            board.drawn({fault.kind.name}, fault.tag)
            changing.forget(fault.tag)
    return board.report()


def get_faults(request: HttpRequest) -> Document:
    """What is set, and what was done."""
    return board.report()


def get_calls(request: HttpRequest) -> Document:
    """The calls of one client, as they arrived here; those for one tag as well."""
    client = request.GET.get("client_id") or options.client()[0]
    tag = _tag_of(request) if "tag" in request.GET else ""
    return counts.report(client, tag)


def get_posts(request: HttpRequest) -> Document:
    """Every post that a tag's listing holds, oldest first."""
    return {"native_ids": changing.listed(_tag_of(request))}


def get_pictures(request: HttpRequest) -> Document:
    """What each post's picture truly is, whatever it is served as at the moment."""
    return {"pictures": truth.hashes(_tag_of(request))}


publish_door = door(POST=publish)
edit_door = door(POST=edit)
delete_door = door(POST=delete)
faults_door = door(GET=get_faults, PUT=put_faults)
calls_door = door(GET=get_calls)
posts_door = door(GET=get_posts)
pictures_door = door(GET=get_pictures)


def _tag_of(request: HttpRequest) -> str:
    try:
        return normalise_tag(request.GET.get("tag", ""))
    except InvalidTag as error:
        raise OrderRefused(error.message) from error


@cache
def _publisher() -> Publisher:
    return Publisher()
