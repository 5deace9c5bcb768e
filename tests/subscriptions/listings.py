"""A listing that moves: posts come on top, and late ones further down.

A cursor is a post's place, which never changes, whatever is listed around it.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import ClassVar

from media_archive.records import IncomingMedia
from subscriptions.providers.base import Credentials, Page
from tests.builders import a_record
from tests.subscriptions.upstream import PretendProvider

APART = 1_000
"""Places between two posts, for those that are listed late."""


@dataclass(order=True)
class Listed:
    """A post at its place."""

    place: int
    post: IncomingMedia = field(compare=False)


@dataclass
class Listing:
    """What the provider lists, oldest first; what it was asked; how it behaves."""

    page_size: int = 4
    listed: list[Listed] = field(default_factory=list)
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)
    before: dict[int, BaseException | int] = field(default_factory=dict)
    """By the number of the page that is asked for: what is raised instead, or how
    many posts come just before it is looked up."""

    def post(self, count: int) -> None:
        for _ in range(count):
            top = self.listed[-1].place if self.listed else 0
            self.listed.append(Listed(top + APART, _small_post()))

    def post_late(self, below: int) -> None:
        """One post more, below the ``below`` newest (at most all)."""
        if not self.listed:
            return self.post(1)
        above = self.listed[-min(max(below, 1), len(self.listed))]
        taken = {one.place for one in self.listed}
        place = next(p for p in range(above.place - 1, 0, -1) if p not in taken)
        insort(self.listed, Listed(place, _small_post()))
        return None

    def ids(self) -> set[str]:
        return {one.post.native_id for one in self.listed}

    def page(self, since: str | None, older: str | None) -> Page:
        self.asked.append((since, older))
        event = self.before.pop(len(self.asked), None)
        if isinstance(event, BaseException):
            raise event
        self.post(event or 0)
        wanted = [
            one
            for one in reversed(self.listed)
            if (since is None or one.place > int(since))
            and (older is None or one.place < int(older))
        ]
        shown = wanted[: self.page_size]
        return Page(
            media=[one.post for one in shown],
            newest=str(shown[0].place) if shown else None,
            older=str(shown[-1].place) if len(wanted) > len(shown) else None,
        )


class ListingProvider(PretendProvider):
    """The pretend provider with a moving listing."""

    listing: ClassVar[Listing]

    def fetch_page(
        self,
        credentials: Credentials,
        *,
        tag: str,
        since: str | None = None,
        older: str | None = None,
        count: int = 33,
    ) -> Page:
        return self.listing.page(since, older)


def _small_post() -> IncomingMedia:
    """Nothing that costs statements, and posted long ago: times say nothing here."""
    return a_record(author=None, assets=[], tags=[])
