"""Random histories of two walls: posts come, fold, are hidden, pinned and purged."""

from __future__ import annotations

import itertools
import random

from media_archive import moderation, retention
from media_archive.models import MediaItem
from tests.builders import a_record, store
from tests.media_archive.alike.shots import at, near, settle, somebody

BASES = (0x0123_4567_89AB_CDEF, 0x0F0F_F0F0_3333_CCCC)
"""Two motifs. What differs from them in 5 or 10 bits lies between two shots."""
BITS = (0, 0, 1, 5, 10, 10, 15)


class History:
    """Happens to posts under ``tag``, some of them under ``other`` as well."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.tag, self.other = f"t{seed}", f"other{seed}"
        self.seed = seed
        self.posts: list[int] = []
        self.happened: list[str] = []
        self.numbers = itertools.count(1)

    def step(self) -> None:
        """Something happens."""
        words = ["arrive"] * 6 + ["hide"] * 4 + ["show"] * 3 + ["pin", "unpin"] * 2
        words += ["purge", "resettle", "join", "edit", "bridge"]
        word = self.chance.choice(words) if self.posts else "arrive"
        self.happened.append(word)
        getattr(self, word)()

    def arrive(self) -> None:
        """A post whose picture is known at once, later, or never."""
        self._arrive(self._hash() if self.chance.random() < 0.9 else 0)

    def bridge(self) -> None:
        """Two that are not alike, and then one that is alike to both."""
        for bits in (0, 10, 5):
            self._arrive(near(BASES[0], bits))

    def _arrive(self, shot: int | None) -> None:
        """``shot`` 0: its picture is not known yet."""
        tags = self.chance.choice(
            [[self.tag], [self.tag], [self.tag, self.other], [self.other]]
        )
        record = a_record(
            f"{self.seed}-{next(self.numbers)}",
            posted_at=at(self.chance.randrange(1800)),
            author=somebody(f"{self.seed}-{self.chance.choice('aaab')}"),
            tags=tags,
        )
        self.posts.append(store([record]).new[0])
        if shot != 0:
            settle(self.posts[-1], shot)

    def resettle(self) -> None:
        """Another picture, or the first of one that waited."""
        settle(self._one(), self._hash())

    def join(self) -> None:
        """The post is listed under the wall's tag as well."""
        item = MediaItem.objects.get(pk=self._one())
        record = a_record(item.native_id, posted_at=item.posted_at, author=None)
        store([record], listed_under=self.tag)

    def edit(self) -> None:
        """Another caption."""
        item = MediaItem.objects.get(pk=self._one())
        store([a_record(item.native_id, posted_at=item.posted_at, author=None)])

    def hide(self) -> None:
        moderation.hide(self._some(), actor="ada")

    def show(self) -> None:
        moderation.show(self.posts, actor="ada")

    def pin(self) -> None:
        moderation.pin([self._one()], actor="ada")

    def unpin(self) -> None:
        moderation.unpin(self._some(), actor="ada")

    def purge(self) -> None:
        """Gone for good."""
        doomed = self.posts.pop(self.chance.randrange(len(self.posts)))
        retention.purge([doomed], actor="ada", reason="")

    def _one(self) -> int:
        return self.chance.choice(self.posts)

    def _some(self) -> list[int]:
        count = self.chance.choice([1, 1, 2, len(self.posts)])
        return self.chance.sample(self.posts, min(count, len(self.posts)))

    def _hash(self) -> int | None:
        if self.chance.random() < 0.05:
            return None
        return near(self.chance.choice((BASES[0], *BASES)), self.chance.choice(BITS))
