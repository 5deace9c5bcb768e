"""Every kind of fault, as data: what it does, where, and what may be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ALWAYS = ("kind", "seconds", "count", "share", "tag")
"""What may be said of a fault of any kind."""


class Family(StrEnum):
    """Where a fault is done."""

    ANSWER = "answer"
    LISTING = "listing"
    NOTIFICATION = "notification"
    STATE = "state"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class Kind:
    """``options`` are the fields it takes besides ``ALWAYS``, with their defaults."""

    name: str
    family: Family
    says: str
    options: dict[str, float]


def _kinds() -> dict[str, Kind]:
    answer, listing = Family.ANSWER, Family.LISTING
    notification, state = Family.NOTIFICATION, Family.STATE
    picture = Family.PICTURE
    made = [
        Kind("rate_limited", answer, "429 with Retry-After.", {"retry_after": 2}),
        Kind("error_500", answer, "500 in the API's own envelope.", {}),
        Kind(
            "error_503", answer, "503, an HTML page, Retry-After.", {"retry_after": 2}
        ),
        Kind("timeout", answer, "Says nothing, then hangs up.", {"delay": 12}),
        Kind("slow", answer, "The whole answer, drop by drop.", {"delay": 3}),
        Kind("cut_off", answer, "Resets the connection without a byte.", {}),
        Kind("truncated", answer, "Half the bytes announced, then hangs up.", {}),
        Kind("half_json", answer, "A complete answer that stops half-way.", {}),
        Kind("html", answer, "200 and a page for people.", {}),
        Kind("wrong_envelope", answer, "200 and JSON of another API.", {}),
        Kind("empty", listing, "An empty page that leads nowhere.", {}),
        Kind("repeated_page", listing, "The first page instead of the next one.", {}),
        Kind("duplicates", listing, "Every post of a page twice.", {}),
        Kind("reordered", listing, "The posts of a page in any order.", {}),
        Kind("late_listing", listing, "Some posts are listed late.", {"delay": 5}),
        Kind("stale_listing", listing, "The newest are not listed yet.", {"delay": 5}),
        Kind("mangled_item", listing, "A post with fields of wrong types.", {}),
        Kind("storm", notification, "Each notification many times.", {"times": 20}),
        Kind("silence", notification, "Notifications are not sent.", {}),
        Kind("delayed", notification, "Notifications come late.", {"delay": 3}),
        Kind("out_of_order", notification, "The last one is sent first.", {"delay": 2}),
        Kind("forged", notification, "False ones beside the true.", {"times": 3}),
        Kind("revoked_token", state, "The credentials are refused.", {}),
        Kind("forgotten_subscription", state, "Subscriptions are forgotten.", {}),
        Kind("edits", state, "A post is edited at each reading.", {}),
        Kind("deletions", state, "A post is deleted at each reading.", {}),
        Kind("picture_expired", picture, "Addresses that expire.", {"delay": 0}),
        Kind("picture_cut_off", picture, "Half a picture, then a reset.", {}),
        Kind("picture_slow", picture, "A picture, drop by drop.", {"delay": 3}),
        Kind("picture_500", picture, "500 for a picture.", {}),
        Kind("picture_429", picture, "429 with Retry-After.", {"retry_after": 2}),
        Kind("picture_404", picture, "404 for a picture.", {}),
        Kind("picture_truncated", picture, "A file that ends half-way.", {}),
        Kind("picture_html", picture, "A page for people as a JPEG.", {}),
        Kind("picture_svg", picture, "A drawing with a script as a JPEG.", {}),
        Kind("picture_endless", picture, "A JPEG that never ends.", {}),
        Kind("picture_bomb", picture, "A small PNG of 900 megapixels.", {}),
        Kind("picture_frames", picture, "A GIF of 20,000 frames.", {}),
        Kind("picture_gzip", picture, "64 MiB, packed small.", {}),
        Kind("picture_redirect", picture, "A redirect to the inside.", {}),
    ]
    return {kind.name: kind for kind in made}


KINDS = _kinds()


def names_of(family: Family) -> frozenset[str]:
    """All kinds of a family."""
    return frozenset(kind.name for kind in KINDS.values() if kind.family == family)
