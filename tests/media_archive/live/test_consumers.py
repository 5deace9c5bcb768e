"""The WebSocket door: manners first, then what a screen gets to see."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.db import connection

from media_archive import journal, moderation
from media_archive.live import consumers, hub
from media_archive.live.hub import Hub
from media_archive.live.manners import Patience
from media_archive.live.viewers import MOST_UNANSWERED
from tests.builders import a_post, a_record, some_posts, store_kept
from tests.media_archive.live.held import happens
from tests.media_archive.live.screens import ORIGIN, TAG, Screen, a_screen, in_thread

pytestmark = pytest.mark.django_db(transaction=True)


async def quiet(screen: Screen) -> None:
    assert await screen.socket.receive_nothing(0.3, 0.05)


@pytest.mark.parametrize("headers", [[], [(b"origin", b"https://evil.example")]])
async def test_pages_of_other_sites_may_not_listen(headers: Any) -> None:
    refused, _ = await Screen(TAG, None, headers).socket.connect()
    assert not refused
    accepted, _ = await (screen := Screen(TAG, None, ORIGIN)).socket.connect()
    assert accepted
    await screen.socket.disconnect()


@pytest.mark.parametrize("tag", ["no filter", "☃☃", "x" * 101, "..", "#", "a\x00b"])
async def test_what_is_no_hashtag_is_closed_with_4400(tag: str) -> None:
    async with a_screen(tag, greeted=False) as screen:
        assert await screen.closed_with() == 4400


@pytest.mark.parametrize(
    "since", ["-1", "x", "", "1.5", "%00", "٣", "9" * 20, "1e3", "1&since=x"]
)
async def test_a_cursor_that_is_no_number_is_closed_with_4400(since: str) -> None:
    async with a_screen(since=since, greeted=False) as screen:
        if since == "":  # the same as none
            assert (await screen.next())["type"] == "hello"
        else:
            assert await screen.closed_with() == 4400


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" ", 4400),
        ("nonsense", 4400),
        ("[]", 4400),
        ("null", 4400),
        ("[" * 4000, 4400),
        ('{"type":"subscribe","tag":"x"}', 4400),
        ('{"type":["ack"]}', 4400),
        ('{"type":"ack"}', 4400),
        ('{"type":"ack","cursor":"1"}', 4400),
        ('{"type":"ack","cursor":-1}', 4400),
        ('{"type":"ack","cursor":true}', 4400),
        ('{"type":"ack","cursor":1e400}', 4400),
        ('{"type":"resume","cursor":99999999999999999999}', 4400),
        ('{"type":"pong","x":"' + "y" * 4096 + '"}', 4408),
        ('{"type":"pong","x":"' + "é" * 2100 + '"}', 4408),
    ],
    ids=range(15),
)
async def test_a_client_says_three_words_and_nothing_else(text: str, code: int) -> None:
    async with a_screen() as screen:
        await screen.say(type="pong")
        await screen.say(type="ack", cursor=0)
        await quiet(screen)
        await screen.socket.send_to(text_data=text)
        assert await screen.closed_with() == code


async def test_bytes_are_not_understood() -> None:
    async with a_screen() as screen:
        await screen.socket.send_to(bytes_data=b'{"type":"pong"}')
        assert await screen.closed_with() == 4400


async def test_fifty_messages_a_minute_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spent: list[bool] = []

    class TimeStandsStill(Patience):
        def spend(self, now: float) -> bool:
            spent.append(super().spend(0))
            return spent[-1]

    monkeypatch.setattr(consumers, "Patience", lambda now: TimeStandsStill(0))
    async with a_screen() as screen:
        for _ in range(50):
            await screen.say(type="pong")
        await happens(lambda: len(spent) == 50)
        assert all(spent)
        assert await screen.socket.receive_nothing()
        await screen.say(type="pong")
        assert await screen.closed_with() == 4429


async def test_a_screen_is_greeted_and_then_it_is_quiet() -> None:
    await in_thread(some_posts, 3)
    async with a_screen(greeted=False) as screen:
        assert await screen.next() == {"type": "hello", "cursor": 3, "heartbeat": 25}
        await quiet(screen)


@pytest.mark.parametrize("form", ["NoFilter", "#nofilter", " nofilter"])
async def test_any_form_of_a_tag_is_the_same_wall(form: str) -> None:
    async with a_screen(form) as screen:
        item = await in_thread(a_post)
        frames = await screen.until(1)
        assert frames[0]["type"] == "added"
        assert frames[0]["post"]["id"] == str(item.pk)


async def test_a_wall_in_another_script() -> None:
    async with a_screen("日本語") as screen:
        await in_thread(a_post, tags=["日本語"])
        assert (await screen.until(1))[0]["post"]["tags"] == ["日本語"]


async def test_an_unknown_tag_is_quiet_until_somebody_uses_it() -> None:
    async with a_screen("unheard") as screen:
        await in_thread(a_post)
        await quiet(screen)
        await in_thread(a_post, tags=["unheard"])
        assert [f["seq"] for f in await screen.until(2)] == [2]


async def test_every_kind_of_news_arrives_in_order() -> None:
    async with a_screen() as screen:
        item = await in_thread(a_post, "p1")
        await in_thread(store_kept, [a_record("p1", caption="Edited")])
        await in_thread(moderation.pin, [item.pk], actor="ada")
        await in_thread(moderation.unpin, [item.pk], actor="ada")
        await in_thread(moderation.hide, [item.pk], actor="ada")
        await screen.until(5)
        await in_thread(moderation.show, [item.pk], actor="ada")
        frames = await screen.until(6)
    assert screen.seqs[-3:] == [4, 5, 6] or screen.seqs[-2:] == [5, 6]
    assert screen.seqs == sorted(set(screen.seqs))
    assert [f["type"] for f in frames][-2:] == ["removed", "added"]


async def test_a_hidden_post_is_never_sent() -> None:
    await in_thread(a_post, "p1")
    hidden = await in_thread(a_post, "p2")
    await in_thread(moderation.hide, [hidden.pk], actor="ada")
    async with a_screen(since=0) as screen:
        await screen.until(3)
        await in_thread(store_kept, [a_record("p2", caption="Edited while hidden")])
        await in_thread(moderation.pin, [hidden.pk], actor="ada")
        await in_thread(a_post, "p3")
        frames = await screen.until(6)
    assert [(f["type"], f["seq"]) for f in frames] == [
        ("added", 1),
        ("removed", 3),
        ("added", 6),
    ]


async def test_a_screen_that_comes_back_gets_what_it_missed_once() -> None:
    await in_thread(some_posts, 150)
    async with a_screen(since=20) as screen:
        frames = await screen.until(150)
        assert screen.seqs == list(range(21, 151))
        assert {f["type"] for f in frames} == {"added"}
        await in_thread(a_post)
        await screen.until(151)
        assert screen.seqs == list(range(21, 152))


async def test_resume_is_the_same_on_the_open_line() -> None:
    await in_thread(some_posts, 5)
    async with a_screen() as screen:
        await screen.say(type="resume", cursor=2)
        await screen.until(5)
        assert screen.seqs == [3, 4, 5]
        await in_thread(a_post)
        await screen.until(6)
        assert screen.seqs == [3, 4, 5, 6]


async def test_after_a_thousand_entries_the_page_reloads() -> None:
    await in_thread(some_posts, 1000)
    async with a_screen(since=0, greeted=False) as screen:
        assert (await screen.next())["cursor"] == 1000
        assert await screen.next() == {"type": "reload", "cursor": 1000}
        await in_thread(some_posts, 2)
        await quiet(screen)
        await screen.say(type="resume", cursor=1001)
        await screen.until(1002)
        assert screen.seqs == [1002]
        await in_thread(some_posts, 1)
        await screen.until(1003)


async def test_a_snapshot_may_be_ahead_of_the_hub(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "TICK", 60)
    monkeypatch.setattr(Hub, "hear", lambda self, seq: None)
    async with a_screen():
        await in_thread(some_posts, 3)
        async with a_screen(since=3, greeted=False) as late:
            assert (await late.next())["cursor"] == 3
            await quiet(late)


async def test_a_cursor_beyond_the_journal_belongs_to_another_journal() -> None:
    await in_thread(some_posts, 3)
    async with a_screen(since=4000, greeted=False) as screen:
        assert await screen.next() == {"type": "hello", "cursor": 3, "heartbeat": 25}
        assert await screen.next() == {"type": "reload", "cursor": 3}


async def test_a_slow_reader_is_closed_at_the_cap() -> None:
    """Without acknowledgement: 200 messages. The one that acknowledges goes on."""
    async with a_screen() as slow, a_screen() as good:
        seq = 0
        viewer = next(iter(Hub.current.audiences[TAG].viewers))  # type: ignore[union-attr]
        assert not viewer.closed
        while seq < 210:
            seq = await _one_message(seq)
            await good.until(seq)
            if seq % 40 == 0:
                await good.say(type="ack", cursor=seq)
                await asyncio.sleep(0.01)
        assert await slow.closed_with() == 4408
        seq = await _one_message(seq)
        await good.until(seq)
        assert good.seqs == list(range(1, seq + 1))
        assert len(Hub.current.audiences[TAG].viewers) == 1  # type: ignore[union-attr]


async def _one_message(seq: int) -> int:
    """Tell the audience one frame as if it had been gathered alone."""
    from media_archive.live.frames import Frame, batch_of

    seq += 1
    frame = Frame(seq, seq, json.dumps({"type": "removed", "seq": seq, "id": str(seq)}))
    assert Hub.current is not None
    for viewer in list(Hub.current.audiences[TAG].viewers):
        viewer.take(batch_of((frame,)))
    return seq


async def test_a_heartbeat_must_be_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "HEARTBEAT", 0.5)
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with a_screen() as mute, a_screen() as alive:
        answered: list[int] = []

        async def answer() -> None:
            while True:
                message = await alive.next()
                if message["type"] == "ping":
                    await alive.say(type="pong")
                    answered.append(message["cursor"])

        answering = asyncio.ensure_future(answer())
        for _ in range(MOST_UNANSWERED):
            assert (await mute.next())["type"] == "ping"
        assert await mute.closed_with() == 4408
        assert loop.time() - began >= 1.4
        await happens(lambda: len(answered) > MOST_UNANSWERED + 2 or answering.done())
        assert not answering.done()
        answering.cancel()


async def test_a_ping_says_how_far_the_screen_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumers, "HEARTBEAT", 0.5)
    async with a_screen() as screen:
        await in_thread(some_posts, 3, tags=["other"])
        message = await screen.next()
        while message["type"] == "ping" and message["cursor"] < 3:
            await screen.say(type="pong")
            message = await screen.next()
        assert message == {"type": "ping", "cursor": 3}


async def test_screens_leave_nothing_behind() -> None:
    async with a_screen(), a_screen("other"):
        here = Hub.current
        assert here is not None
        assert set(here.audiences) == {TAG, "other"}
        tasks = list(here._tasks)
        assert tasks
    await happens(lambda: all(task.done() for task in tasks))
    assert here.audiences == {}


async def test_without_a_database_a_screen_is_told_to_try_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from django.db import OperationalError

    def away() -> int:
        raise OperationalError("gone")

    monkeypatch.setattr(journal, "head", away)
    async with a_screen(greeted=False) as screen:
        assert await screen.closed_with() == 1013
    monkeypatch.undo()
    async with a_screen() as screen:
        assert screen.cursor == 0


def test_the_tests_use_a_real_transaction() -> None:
    assert not connection.in_atomic_block
