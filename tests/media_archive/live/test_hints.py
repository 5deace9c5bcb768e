"""Hints go on: after an error, in a child, and for whoever comes next."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from channels_redis.pubsub import RedisPubSubLoopLayer

from media_archive import receivers
from media_archive.live import hints, hub
from media_archive.live.hints import HintSender
from media_archive.live.hub import Hub
from tests.builders import a_post
from tests.media_archive.live.held import LONG
from tests.media_archive.live.screens import Screen, a_screen, in_thread


class Layer:
    """A channel layer that notes what is sent to a group."""

    def __init__(self, sent: Callable[[int], Any]) -> None:
        self._sent = sent

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self._sent(message["seq"])


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_layer_that_cannot_be_made_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried, sent = threading.Event(), list[int]()

    def broken() -> Layer:
        tried.set()
        raise ImportError("a misspelt backend")

    sender = HintSender()
    monkeypatch.setattr(hints, "get_channel_layer", broken)
    sender.send(1)
    assert tried.wait(LONG)
    monkeypatch.setattr(hints, "get_channel_layer", lambda: Layer(sent.append))
    # A hint given while the first still fails is sent after it.
    sender.send(2)
    wait_for(lambda: sent == [2])


def test_a_child_sends_hints_though_it_was_born_amid_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A web server or worker forks while another thread of it holds the lock."""
    reading, writing = os.pipe()
    layer = Layer(lambda seq: os.write(writing, b"%d;" % seq))
    monkeypatch.setattr(hints, "get_channel_layer", lambda: layer)
    hints.sender.send(1)
    assert os.read(reading, 10) == b"1;"
    with hints.sender._lock:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LONG)  # ends a child that waits for ever
            try:
                hints.sender.send(2)
                signal.pause()
            finally:
                os._exit(1)
    os.close(writing)
    try:
        assert os.read(reading, 10) == b"2;"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)


@pytest.mark.django_db(transaction=True)
async def test_who_comes_as_the_last_one_leaves_hears_hints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page that is loaded anew: the old one's good-bye to the channel layer, which
    closes the connection of both, does not silence the new one."""
    flush = RedisPubSubLoopLayer.flush

    async def slow(layer: RedisPubSubLoopLayer) -> None:
        await asyncio.sleep(0.5)
        await flush(layer)

    monkeypatch.setattr(hub, "TICK", 600)
    monkeypatch.setattr(receivers.hub, "tell", lambda seq: None)
    monkeypatch.setattr(RedisPubSubLoopLayer, "flush", slow)
    async with a_screen() as before:
        await news_come(before)
        assert Hub.current is not None
        tasks = list(Hub.current._tasks)
    async with a_screen() as screen:
        await asyncio.wait(tasks)
        await news_come(screen)


async def news_come(screen: Screen) -> None:
    """Archive until the screen has heard of it; a hint before the hub listens is
    lost, and that is no fault."""
    async with asyncio.timeout(LONG):
        while not screen.seen:
            await in_thread(a_post)
            if not await screen.socket.receive_nothing(0.3):
                await screen.next()
