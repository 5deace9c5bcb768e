"""Sending without a task per message, in order, bounded, whatever the server does."""

from __future__ import annotations

import asyncio
from typing import Any

from media_archive.live.audience import Audience
from media_archive.live.frames import Frame, batch_of
from media_archive.live.manners import A_MINUTE, Patience
from media_archive.live.sending import DirectSender
from media_archive.live.viewers import MOST_UNACKED_SIZE, Viewer


class Server:
    """An ASGI server's send; it pauses while ``open`` is not set."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.broken = False

    async def send(self, message: dict[str, Any]) -> None:
        await self.open.wait()
        if self.broken:
            raise ConnectionResetError
        self.sent.append(message)

    @property
    def texts(self) -> list[str]:
        return [m["text"] for m in self.sent if m["type"] == "websocket.send"]

    @property
    def codes(self) -> list[int]:
        return [m["code"] for m in self.sent if m["type"] == "websocket.close"]


def text(words: str) -> dict[str, Any]:
    return {"type": "websocket.send", "text": words}


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_need_not_wait_is_sent_without_a_task() -> None:
    server = Server()
    sender = DirectSender(server.send, lambda: None)
    tasks = asyncio.all_tasks()
    sender.send(text("a"))
    assert server.texts == ["a"]
    assert asyncio.all_tasks() == tasks
    server.open.clear()
    sender.send(text("b"))
    assert len(asyncio.all_tasks()) == len(tasks) + 1
    server.open.set()
    await settled()
    assert server.texts == ["a", "b"]


async def test_a_paused_send_keeps_the_order() -> None:
    server = Server()
    sender = DirectSender(server.send, lambda: None)
    server.open.clear()
    for words in "abc":
        sender.send(text(words))
    assert server.texts == []
    server.open.set()
    await settled()
    sender.send(text("d"))
    assert server.texts == ["a", "b", "c", "d"]


async def test_a_client_that_is_gone_is_noticed_once() -> None:
    for paused in (False, True):
        server, noticed = Server(), []
        sender = DirectSender(server.send, lambda: noticed.append(1))  # noqa: B023
        server.broken = True
        if paused:
            server.open.clear()
        sender.send(text("a"))
        server.open.set()
        await settled()
        sender.send(text("b"))
        await settled()
        assert noticed == [1]
        assert server.texts == []


async def test_closing_throws_away_what_waits() -> None:
    server = Server()
    sender = DirectSender(server.send, lambda: None)
    server.open.clear()
    sender.send(text("a"))
    sender.send(text("b"))
    await settled()
    sender.close(4408)
    server.open.set()
    await settled()
    assert (server.texts, server.codes) == ([], [4408])


def a_frame(seq: int, size: int = 20, *, removes: bool = False) -> Frame:
    return Frame(seq, 7 if removes else seq, '"' + "x" * (size - 2) + '"', removes)


async def test_a_megabyte_without_an_answer_is_too_much() -> None:
    server = Server()
    left: list[Viewer] = []
    viewer = Viewer("x", server.send, left.append)
    size = MOST_UNACKED_SIZE // 4
    for seq in range(1, 4):
        viewer.take(batch_of((a_frame(seq, size),)))
    assert viewer.acknowledge(1).messages == 1
    viewer.take(batch_of((a_frame(4, size),)))
    await settled()
    assert server.codes == []
    viewer.take(batch_of((a_frame(5, size),)))
    await settled()
    assert server.codes == [4408]
    assert left == [viewer]
    assert len(server.texts) == 4


async def test_a_message_larger_than_the_limit_still_reaches_a_good_reader() -> None:
    server = Server()
    viewer = Viewer("x", server.send, lambda _: None)
    viewer.take(batch_of((a_frame(1, MOST_UNACKED_SIZE + 1),)))
    await settled()
    assert len(server.texts) == 1
    assert server.codes == []


async def test_the_first_goes_at_once_and_the_rest_together() -> None:
    server, audience = Server(), Audience("x")
    audience.viewers[Viewer("x", server.send, lambda _: None)] = None
    audience.push([a_frame(1)])
    await settled()
    assert len(server.texts) == 1
    for seq in range(2, 30):
        audience.push([a_frame(seq)])
        await asyncio.sleep(0)
    assert len(server.texts) == 1
    await asyncio.sleep(0.1)
    assert len(server.texts) == 2
    assert server.texts[1].count("x") >= 28
    assert audience.has_all


async def test_what_is_removed_while_it_waits_is_not_shown_first() -> None:
    server, audience = Server(), Audience("x")
    audience.viewers[Viewer("x", server.send, lambda _: None)] = None
    audience.push([Frame(1, 7, '"added"'), Frame(2, 8, '"other"')])
    audience.push([Frame(3, 7, '"removed"', removes=True)])
    await settled()
    assert server.texts == ['{"type":"frames","cursor":3,"frames":["other","removed"]}']


async def test_a_dead_reader_keeps_nobody_waiting() -> None:
    """The server pauses for one of two; the other gets everything."""
    dead, good, audience = Server(), Server(), Audience("x")
    dead.open.clear()

    def left(viewer: Viewer) -> None:
        del audience.viewers[viewer]

    viewers = [Viewer("x", s.send, left) for s in (dead, good)]
    audience.viewers = dict.fromkeys(viewers)
    for seq in range(1, 41):
        audience.push([a_frame(seq, 200_000)])
        viewers[1].acknowledge(seq - 1)
        await asyncio.sleep(0)
        await settled()
    async with asyncio.timeout(5):
        while not audience.has_all:
            viewers[1].acknowledge(viewers[1].cursor)
            await asyncio.sleep(0.01)
    assert viewers[0].closed
    assert not viewers[1].closed
    assert sum(t.count('"x') for t in good.texts) == 40
    assert list(audience.viewers) == [viewers[1]]
    dead.open.set()


def test_patience_comes_back_with_time() -> None:
    patience = Patience(0)
    assert all(patience.spend(0) for _ in range(A_MINUTE))
    assert not patience.spend(0)
    assert patience.spend(1.3)
    assert not patience.spend(1.3)
    patience.give_back()
    assert patience.spend(1.3)
    assert [patience.spend(1000) for _ in range(A_MINUTE + 1)].count(False) == 1
