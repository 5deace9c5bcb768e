"""One database of ``benchmarks.ingest``: rounds of both ways, interleaved.

Run as a process of its own with the settings' environment. Fills an empty database
and prints one JSON line: ``{"sqlite_version" or server, "rounds": [...]}``.

    python3 -m benchmarks.ingest_rounds ROUNDS PAGES
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import django
from django.core.management import call_command

django.setup()

from django.db import connection  # noqa: E402  Django must be set up first
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks.ingest_peer import update_or_create  # noqa: E402
from media_archive import ingest, journal  # noqa: E402
from media_archive.models import JournalEntry, MediaItem  # noqa: E402
from media_archive.records import (  # noqa: E402
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    IncomingPlace,
    Kind,
)

PROVIDER = "instagram_v1"
PAGE = 100
REPEATS = {"fresh": 0, "90 % repeats": 90, "all repeats": 100}
"""Of each hundred posts, so many are stored already, unchanged."""
PEER_ITEMS = 100
"""Posts of one measurement of the peer, which takes its time."""
AUTHORS = 400
TAGS = [f"tag{n}" for n in range(300)]
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CAPTION = "golden hour by the river with friends and a very old camera"


class Posts:
    """Posts like those of a tag's listing: about 4 tags, 2 kB of raw document."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.random = random.Random(name)

    def fresh(self) -> IncomingMedia:
        """One that nobody has seen yet."""
        self.count += 1
        native_id = f"{self.name}{self.count}"
        author = self.random.randrange(AUTHORS)
        tags = [*dict.fromkeys(self.random.choices(TAGS, k=4))]
        caption = " ".join(self.random.choices(CAPTION.split(), k=14))
        posted_at = NOON + timedelta(seconds=self.count)
        pictures = {
            name: f"https://pictures.example/t51/{side}/{native_id}_{name}.jpg"
            for name, side in SIZES.items()
        }
        who = IncomingAuthor(
            str(author),
            f"person.{author}",
            f"Person Number {author}",
            f"https://pictures.example/{author}.jpg",
        )
        likes = self.random.randrange(500)
        return IncomingMedia(
            native_id=native_id,
            kind=Kind.IMAGE,
            raw=raw_of(native_id, who, tags, caption, posted_at, pictures, likes),
            author=who,
            caption=caption,
            permalink=f"https://photos.example/p/{native_id}/",
            posted_at=posted_at,
            place=IncomingPlace("55", "Alfama", 38.71, -9.13),
            tags=tags,
            likes=likes,
            comments=self.random.randrange(20),
            assets=[
                IncomingAsset(
                    Kind.IMAGE,
                    [
                        AssetSource(name, url, Kind.IMAGE, SIZES[name], SIZES[name])
                        for name, url in pictures.items()
                    ],
                )
            ],
        )

    def page(
        self, size: int, repeats: int, known: Sequence[IncomingMedia]
    ) -> list[IncomingMedia]:
        """``size`` posts of which ``repeats`` per cent are ``known`` ones.

        A repeat is a record of its own, as from another answer of the provider.
        """
        again = self.random.sample(known, size * repeats // 100)
        page = [replace(post) for post in again]
        page += [self.fresh() for _ in range(size - len(page))]
        self.random.shuffle(page)
        return page


SIZES = {"thumbnail": 150, "low_resolution": 320, "standard_resolution": 640}


def raw_of(
    native_id: str,
    who: IncomingAuthor,
    tags: Sequence[str],
    caption: str,
    posted_at: datetime,
    pictures: dict[str, str],
    likes: int,
) -> dict[str, object]:
    """The document of a post as the old API gave it."""
    user = {
        "id": who.native_id,
        "username": who.username,
        "full_name": who.name,
        "profile_picture": who.avatar_url,
    }
    seconds = str(int(posted_at.timestamp()))
    said = {"created_time": seconds, "text": caption, "from": user}
    return {
        "attribution": None,
        "tags": list(tags),
        "type": "image",
        "location": {
            "latitude": 38.71,
            "longitude": -9.13,
            "name": "Alfama",
            "id": 55,
        },
        "comments": {"count": 3, "data": [said, said, said]},
        "filter": "Normal",
        "created_time": seconds,
        "link": f"https://photos.example/p/{native_id}/",
        "likes": {"count": likes, "data": [user, user]},
        "images": {
            name: {"url": url, "width": SIZES[name], "height": SIZES[name]}
            for name, url in pictures.items()
        },
        "users_in_photo": [],
        "caption": said,
        "user_has_liked": False,
        "id": native_id,
        "user": user,
    }


def store_page(page: Sequence[IncomingMedia]) -> None:
    """Our way: one transaction, the journal included."""
    journal.recorded(partial(_store, page))


def _store(page: Sequence[IncomingMedia], recording: journal.Recording) -> None:
    ingest.store(recording, PROVIDER, page, listed_under="tag0")


def peer_page(page: Sequence[IncomingMedia]) -> None:
    """The tutorial's way, post by post."""
    for post in page:
        update_or_create("tutorial", post)


def timed(
    pages: Sequence[Sequence[IncomingMedia]],
    way: Callable[[Sequence[IncomingMedia]], None],
) -> float:
    """Items a second."""
    gc.collect()
    began = time.perf_counter()
    for page in pages:
        way(page)
    return sum(map(len, pages)) / (time.perf_counter() - began)


def statements(
    page: Sequence[IncomingMedia], way: Callable[[Sequence[IncomingMedia]], None]
) -> int:
    """How many statements ``way`` sends for ``page``, without BEGIN and COMMIT."""
    with CaptureQueriesContext(connection) as seen:
        way(page)
    words = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return sum(not query["sql"].startswith(words) for query in seen.captured_queries)


def main() -> None:
    """Fill, measure, count, print."""
    rounds, pages = int(sys.argv[1]), int(sys.argv[2])
    call_command("migrate", verbosity=0)
    posts, others = Posts("a"), Posts("b")
    known = [posts.fresh() for _ in range(20 * PAGE)]
    for start in range(0, len(known), PAGE):
        store_page(known[start : start + PAGE])
    told = others.page(2 * PEER_ITEMS, 0, [])
    peer_page(told)
    measured = []
    for _ in range(rounds):
        for name, share in REPEATS.items():
            ours = [posts.page(PAGE, share, known) for _ in range(pages)]
            theirs = [others.page(PEER_ITEMS, share, told)]
            measured.append(
                {
                    "case": name,
                    "peer": timed(theirs, peer_page),
                    "ours": timed(ours, store_page),
                }
            )
    counts = {
        name: {
            "peer": statements(others.page(PAGE, share, told), peer_page),
            "ours": statements(posts.page(PAGE, share, known), store_page),
        }
        for name, share in REPEATS.items()
    }
    mine = MediaItem.objects.filter(provider=PROVIDER).count()
    assert mine == posts.count, (mine, posts.count)
    assert MediaItem.objects.filter(provider="tutorial").count() == others.count
    assert JournalEntry.objects.count() == mine
    print(json.dumps({"measured": measured, "statements": counts}))


if __name__ == "__main__":
    main()
