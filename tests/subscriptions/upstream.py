"""A provider that exists in this process only: a listing one can post to.

It signs and reads notifications as Instagram API v1 does, so that the inbox is
tested with real bytes. Calls can be made to fail, or be interrupted half-way.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from media_archive.records import IncomingMedia
from subscriptions.errors import ItemGone
from subscriptions.models import (
    Feed,
    Match,
    ProviderAccount,
    State,
    Subscription,
)
from subscriptions.providers.base import (
    Credentials,
    Page,
    UpstreamSubscription,
)
from subscriptions.providers.instagram_v1.provider import InstagramV1
from subscriptions.providers.instagram_v1.wire.signatures import sign_body
from tests.builders import a_record

KEY = "instagram_v1"
SECRET = "a secret between two"


@dataclass
class Upstream:
    """What the provider has, was asked, and how it behaves."""

    posts: list[IncomingMedia] = field(default_factory=list)
    calls: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    native_id: str = "18234411"
    known: list[UpstreamSubscription] = field(default_factory=list)
    page_size: int = 33
    on_subscribe: Callable[[str, str], None] = lambda url, token: None
    before_page: Callable[[int], None] = lambda number: None
    change_page: Callable[[Page], Page] = lambda page: page
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, count: int = 1, **said: Any) -> list[IncomingMedia]:
        """``count`` new posts, the newest first in the listing, posted just now."""
        said.setdefault("posted_at", datetime.now(UTC))
        new = [a_record(**said) for _ in range(count)]
        for record in new:
            self.posts.insert(0, record)
        return new

    def count(self, name: str) -> int:
        """How often it was asked so."""
        return sum(1 for call, _ in self.calls if call == name)

    def pages(self) -> list[dict[str, object]]:
        """The page requests."""
        return [said for name, said in self.calls if name == "page"]


class PretendProvider(InstagramV1):
    """Instagram API v1 without the network. Cursors are positions from the oldest."""

    upstream: ClassVar[Upstream]

    def subscribe(
        self,
        credentials: Credentials,
        *,
        tag: str,
        callback_url: str,
        verify_token: str,
    ) -> UpstreamSubscription:
        up = self.upstream
        with up.lock:
            up.calls.append(("subscribe", {"tag": tag, "url": callback_url}))
        up.on_subscribe(callback_url, verify_token)
        return UpstreamSubscription(up.native_id, "tag", tag, callback_url)

    def unsubscribe(self, credentials: Credentials, *, native_id: str) -> None:
        self.upstream.calls.append(("unsubscribe", {"native_id": native_id}))
        self.upstream.before_page(0)

    def subscriptions(self, credentials: Credentials) -> Sequence[UpstreamSubscription]:
        self.upstream.calls.append(("subscriptions", {}))
        self.upstream.before_page(0)
        return self.upstream.known

    def fetch_page(
        self,
        credentials: Credentials,
        *,
        tag: str,
        since: str | None = None,
        older: str | None = None,
        count: int = 33,
    ) -> Page:
        up = self.upstream
        up.calls.append(("page", {"since": since, "older": older}))
        up.before_page(up.count("page"))
        # A post's cursor: its position counted from the oldest, which never changes.
        numbered = list(enumerate(reversed(up.posts), start=1))[::-1]
        wanted = [
            (number, post)
            for number, post in numbered
            if (since is None or number > int(since))
            and (older is None or number < int(older))
        ]
        shown = wanted[: up.page_size]
        page = Page(
            media=[post for _, post in shown],
            newest=str(shown[0][0]) if shown else None,
            older=str(shown[-1][0]) if len(wanted) > len(shown) else None,
        )
        return up.change_page(page)

    def fetch_item(self, credentials: Credentials, *, native_id: str) -> IncomingMedia:
        up = self.upstream
        with up.lock:
            up.calls.append(("item", {"native_id": native_id}))
        up.before_page(0)
        for post in up.posts:
            if post.native_id == native_id:
                return post
        raise ItemGone("invalid media id")


def an_account(**said: str) -> ProviderAccount:
    """An account at the pretend provider."""
    usual = {
        "name": "Pretend",
        "provider": KEY,
        "base_url": "https://api.example.org/v1",
        "client_id": "photowall",
        "client_secret": SECRET,
    }
    return ProviderAccount.objects.create(**(usual | said))


def a_subscription(
    tag: str = "nofilter",
    state: State = State.ACTIVE,
    account: ProviderAccount | None = None,
    **feed: object,
) -> Subscription:
    """One in ``state``, its feed due, read once before."""
    made = Subscription.objects.create(
        account=account or an_account(),
        provider=KEY,
        tag=tag,
        state=state,
        upstream_id="18234411",
    )
    usual = {"dirty_seq": 1, "first_read_at": datetime.now(UTC)}
    Feed.objects.create(subscription=made, **(usual | feed))
    return made


def notification(tag: str = "nofilter", **said: object) -> bytes:
    """A notification's bytes, as recorded in 2014."""
    usual: dict[str, object] = {
        "changed_aspect": "media",
        "object": "tag",
        "object_id": tag,
        "time": 1438104912,
        "subscription_id": 18234411,
        "data": {},
    }
    return json.dumps([usual | said]).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The header that proves who sent ``body``."""
    return {"x-hub-signature": sign_body(secret, body)}


def caught(subscription: Subscription) -> set[str]:
    """Native ids of what a subscription has caught."""
    rows = Match.objects.filter(subscription=subscription)
    return set(rows.values_list("item__native_id", flat=True))
