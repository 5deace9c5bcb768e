"""Faults in a page of a listing: a document in, a document out."""

from __future__ import annotations

import copy
import time
from typing import Any

from photowall.sandbox.chance import seeded
from photowall.sandbox.faults.board import Fault

Document = dict[str, Any]
_MANGLED: Document = {
    "caption": 7,
    "user": None,
    "images": "none",
    "created_time": "soon",
    "tags": {"a": 1},
    "likes": [],
    "location": "here",
}
"""Fields of a post as no document ever had them. The id stays."""


def spoil(document: Document, fault: Fault, first_page: Document | None) -> Document:
    """``document`` (a page of the v1 API) as ``fault`` makes it; the given one is
    left as it is. ``first_page`` is the listing's, when another one was asked."""
    page = copy.deepcopy(document)
    posts = page.get("data")
    if not isinstance(posts, list):
        return page
    name = fault.kind.name
    if name == "empty":
        page["data"], page["pagination"] = [], {}
    elif name == "repeated_page" and first_page is not None:
        page = copy.deepcopy(first_page)
    elif name == "duplicates":
        page["data"] = [post for post in posts for _ in range(2)]
    elif name == "reordered":
        fault.random.shuffle(posts)
    elif name == "late_listing":
        page["data"] = [post for post in posts if not _is_late(post, fault)]
    elif name == "mangled_item" and posts:
        fault.random.choice(posts).update(_MANGLED)
    return page


def _is_late(post: Document, fault: Fault) -> bool:
    """Whether it is one of those that come late, and still young. Every second post
    is one, always the same ones."""
    number = str(post.get("id", "")).partition("_")[0]
    if seeded("late", number).random() < 0.5:
        return False
    return time.time() - int(post["created_time"]) < fault.option("delay")
