"""Coming and going at the same moment: nobody is forgotten, nobody stays behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from media_archive import journal, receivers, walls
from media_archive.live import hub
from media_archive.live.hub import Hub
from media_archive.live.viewers import Viewer
from tests.builders import some_posts
from tests.media_archive.live.held import Held, happens
from tests.media_archive.live.screens import TAG, in_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_but_joining_looks(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """No tick and no hint: the tests say when the journal is read."""
    monkeypatch.setattr(hub, "TICK", 600)
    monkeypatch.setattr(receivers.hub, "tell", lambda seq: None)
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    }


class Visitor:
    """A viewer and what it was told."""

    def __init__(self, house: Hub) -> None:
        self.house = house
        self.told: list[dict[str, Any]] = []
        self.viewer = Viewer(TAG, self._hear, house.leave)

    async def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            self.told.append(json.loads(message["text"]))

    def joins(self, since: int | None = None) -> asyncio.Task[None]:
        return asyncio.ensure_future(self.house.join(self.viewer, since))

    @property
    def seqs(self) -> list[int]:
        batches = [m["frames"] for m in self.told if m["type"] == "frames"]
        return [frame["seq"] for batch in batches for frame in batch]

    async def until(self, seq: int) -> None:
        await happens(lambda: seq in self.seqs)


@pytest.fixture
async def house() -> AsyncIterator[Hub]:
    opened = Hub()
    yield opened
    for audience in list(opened.audiences.values()):
        for viewer in list(audience.viewers):
            viewer.abandon()


@pytest.fixture
async def left_alone(house: Hub, hold: Callable[..., Held]) -> Visitor:
    """The one for whom the journal was just read on when the last other left."""
    first, second = Visitor(house), Visitor(house)
    await first.joins()
    await in_thread(some_posts, 3)
    reading = hold(journal, "read")
    joining = second.joins(3)
    await reading.called()
    first.viewer.abandon()
    assert house.audiences == {}
    reading.let_go()
    await joining
    assert [message["type"] for message in second.told] == ["hello"]
    assert second.told[0]["cursor"] == 3
    return second


async def test_who_comes_while_the_last_one_leaves_hears_what_happens(
    house: Hub, left_alone: Visitor
) -> None:
    await in_thread(some_posts, 2)
    house.hear(5)
    await left_alone.until(5)
    assert left_alone.seqs == [4, 5]


async def test_the_next_one_to_come_takes_nothing_from_it(
    house: Hub, left_alone: Visitor
) -> None:
    await in_thread(some_posts, 2)
    third = Visitor(house)
    await third.joins(5)
    await in_thread(some_posts, 1)
    house.hear(6)
    for visitor in (left_alone, third):
        await visitor.until(6)
    assert left_alone.seqs == [4, 5, 6]
    assert third.seqs == [6]


async def test_who_is_closed_while_the_house_opens_is_not_kept(
    house: Hub, hold: Callable[..., Held]
) -> None:
    looking = hold(journal, "head")
    visitor = Visitor(house)
    joining = visitor.joins()
    await looking.called()
    visitor.viewer.close(4408)
    looking.let_go()
    await joining
    assert house.audiences == {}
    assert house._tasks == []
    await (later := Visitor(house)).joins()  # the control
    assert list(house.audiences[TAG].viewers) == [later.viewer]
    assert len(house._tasks) == 2


async def test_who_is_closed_while_the_journal_is_read_is_not_kept(
    house: Hub, hold: Callable[..., Held]
) -> None:
    stays, goes = Visitor(house), Visitor(house)
    await stays.joins()
    await in_thread(some_posts, 3)
    reading = hold(journal, "read")
    joining = goes.joins(3)
    await reading.called()
    goes.viewer.abandon()
    reading.let_go()
    await joining
    assert list(house.audiences[TAG].viewers) == [stays.viewer]
    await stays.until(3)


async def test_who_is_closed_while_it_waits_its_turn_is_not_kept(
    house: Hub, hold: Callable[..., Held]
) -> None:
    looking = hold(journal, "head")
    stays, goes = Visitor(house), Visitor(house)
    joining = [stays.joins(), goes.joins()]
    await looking.called()
    goes.viewer.abandon()
    looking.let_go()
    await asyncio.gather(*joining)
    assert list(house.audiences[TAG].viewers) == [stays.viewer]


async def test_who_is_closed_during_its_replay_is_not_kept(
    house: Hub, hold: Callable[..., Held]
) -> None:
    await in_thread(some_posts, 3)
    stays, goes = Visitor(house), Visitor(house)
    await stays.joins()
    replaying = hold(walls, "replay")
    joining = goes.joins(1)
    await replaying.called()
    goes.viewer.abandon()
    replaying.let_go()
    await joining
    assert list(house.audiences[TAG].viewers) == [stays.viewer]
    assert goes.seqs == []


async def test_a_replay_of_a_journal_that_was_replaced_is_not_told(
    house: Hub, hold: Callable[..., Held]
) -> None:
    await in_thread(some_posts, 3)
    visitor = Visitor(house)
    replaying = hold(walls, "replay")
    joining = visitor.joins(1)
    await replaying.called()
    house._start_over(2)
    replaying.let_go()
    await joining
    assert [m["type"] for m in visitor.told] == ["hello", "reload"]
    assert visitor.viewer.cursor == 2
