"""The contract of a provider: what the rest of the house may ask of an upstream.

A provider *talks*; its ``wire`` module beside it *reads and writes the format*.
Providers hold no state and know no models: what they need comes in as
``Credentials``, what they learn goes out as the frozen classes below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from media_archive.records import IncomingMedia


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are at a provider. ``base_url`` has no trailing slash."""

    base_url: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Notification:
    """One statement "something changed". ``object`` is "tag", "user", …"""

    object: str
    object_id: str | None
    subscription_id: str | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class UpstreamSubscription:
    """A subscription as the provider lists it; ``native_id`` always as text.

    ``lease_until``: when the provider forgets it unless it is asked for again;
    ``None`` = never, or not said.
    """

    native_id: str
    object: str
    object_id: str | None
    callback_url: str
    lease_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """What the answer's headers said of our budget; ``None`` = not said."""

    limit: int | None = None
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a listing, newest first.

    ``newest`` is the forward cursor: ask with ``since=newest`` for what comes
    after. ``older`` leads back to the next older page; ``None`` = the listing
    ends here. Either may be ``None`` when the provider did not say; an empty text
    on the wire is "did not say". ``skipped`` counts entries without any identity.
    """

    media: Sequence[IncomingMedia]
    newest: str | None = None
    older: str | None = None
    quota: Quota = Quota()
    skipped: int = 0


class Provider(ABC):
    """One upstream service. Every method raises leaves of ``ProviderError``
    or ``OutgoingError`` and nothing else."""

    key: ClassVar[str]
    label: ClassVar[str]
    default_base_url: ClassVar[str]
    pushes: ClassVar[bool]
    """Whether it can notify us; if not, the tag is polled."""
    leases: ClassVar[bool] = False
    """Whether it forgets a subscription that is not renewed. It then tells until when,
    in its answers (``UpstreamSubscription.lease_until``) or with its challenge
    (``hub.lease_seconds``), and ``subscribe`` for the same callback renews."""

    reads_items: ClassVar[bool] = False
    """Whether one post can be read by its id (``fetch_item``)."""

    @abstractmethod
    def subscribe(
        self,
        credentials: Credentials,
        *,
        tag: str,
        callback_url: str,
        verify_token: str,
    ) -> UpstreamSubscription:
        """Ask for notifications about ``tag``. Returns when the provider has
        challenged ``callback_url`` and is content: up to the total deadline.

        Asked again for the same callback it renews, or answers as before; it may
        give another ``native_id``."""

    @abstractmethod
    def unsubscribe(self, credentials: Credentials, *, native_id: str) -> None:
        """End a subscription. Succeeds too if the provider no longer has it."""

    @abstractmethod
    def subscriptions(self, credentials: Credentials) -> Sequence[UpstreamSubscription]:
        """What the provider believes we follow."""

    @abstractmethod
    def fetch_page(
        self,
        credentials: Credentials,
        *,
        tag: str,
        since: str | None = None,
        older: str | None = None,
        count: int = 33,
    ) -> Page:
        """One page of the tag's listing: newest first, only what is newer than
        ``since`` (if given), starting at ``older`` (if given)."""

    def fetch_item(self, credentials: Credentials, *, native_id: str) -> IncomingMedia:
        """One post, as it is now, known by ``native_id``.

        Raises ``ItemGone`` when the provider itself says that there is no such post
        for us; not for a page of a gateway that says "not found". Only of providers
        with ``reads_items``; of others ``NotImplementedError``.
        """
        raise NotImplementedError(f"{self.key} reads no single posts")

    @abstractmethod
    def verify_signature(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]
    ) -> None:
        """Check a callback's signature over the raw ``body``. ``headers`` has
        lower-case names. Any of ``secrets`` may have signed.

        Raises ``SignatureRefused``: no secret, no header, empty header, unknown
        algorithm, wrong digest.
        """

    @abstractmethod
    def parse_notifications(self, body: bytes) -> Sequence[Notification]:
        """Read a callback's body. Raises ``Unreadable``."""

    @abstractmethod
    def media_in(self, document: object) -> Sequence[IncomingMedia]:
        """Every post found in a recorded answer of this provider (one media, a
        list, or an envelope around either); empty if it holds none."""

    def media_of(self, document: object) -> IncomingMedia | None:
        """The post that a stored raw document is of (``IncomingMedia.raw``), as
        ``fetch_page`` read it; ``None`` if it cannot be read as one."""
        found = self.media_in(document)
        return found[0] if len(found) == 1 else None
