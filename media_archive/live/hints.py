"""The hint "the journal is now at N" over the channel layer: heard and sent.

At most once, and never needed: whoever misses it finds the entry at the next slow
tick. So nothing here may raise, wait, or fill the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable

from channels.layers import InMemoryChannelLayer, get_channel_layer

logger = logging.getLogger(__name__)
GROUP = "journal"
PATIENCE = 1.0
"""Seconds for one hint, or for one attempt to listen."""

LONGEST_PAUSE = 15.0
"""Seconds between two attempts to listen while the channel layer is away."""


class OnceAMinute(logging.Filter):
    """Lets one record a minute through: the layer logs a traceback every second
    while Redis is away."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.created < self._next:
            return False
        self._next = record.created + 60
        return True


logging.getLogger("channels_redis.pubsub").addFilter(OnceAMinute())


async def listen(hear: Callable[[int], None]) -> None:
    """Call ``hear`` with the number of every hint, until cancelled."""
    layer = get_channel_layer()
    if layer is None:
        return
    pause = 1.0
    while True:
        channel = None
        try:
            async with asyncio.timeout(PATIENCE * 5):
                channel = await layer.new_channel("hub.")
                await layer.group_add(GROUP, channel)
            pause = 1.0
            while True:
                hint = await layer.receive(channel)
                if isinstance(hint.get("seq"), int):
                    hear(hint["seq"])
        except Exception as error:  # noqa: BLE001  whatever a channel layer raises
            if pause == 1.0:
                logger.warning(
                    "No hints (%s): the journal is looked at every few seconds.",
                    type(error).__name__,
                )
            with contextlib.suppress(Exception):
                await layer.flush()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        except asyncio.CancelledError:
            if channel is not None:
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(PATIENCE):
                        await layer.group_discard(GROUP, channel)
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(PATIENCE):
                        await layer.flush()
            raise


class HintSender:
    """Sends hints from any thread, in one background thread with a loop of its own.

    A loop for each hint (``async_to_sync``) would open a Redis connection for each.
    Hints that come while one is being sent become one.
    """

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Forget everything. In a child process the thread is the parent's, and a
        lock that another thread held is never released."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._newest = 0
        self._busy = False
        self._failing = False

    def send(self, seq: int) -> None:
        """Tell all hubs that the journal is at ``seq``, soon. Returns at once."""
        with self._lock:
            self._newest = max(self._newest, seq)
            if self._loop is None:
                self._loop = _a_running_loop()
            if not self._busy:
                asyncio.run_coroutine_threadsafe(self._work(), self._loop)
                self._busy = True

    async def _work(self) -> None:
        while True:
            with self._lock:
                seq, self._newest = self._newest, 0
                if not seq:
                    self._busy = False
                    return
            await self._send(seq)

    async def _send(self, seq: int) -> None:
        try:
            layer = get_channel_layer()
            # A layer in memory reaches this process only, which was told directly.
            if layer is None or isinstance(layer, InMemoryChannelLayer):
                return
            async with asyncio.timeout(PATIENCE):
                await layer.group_send(GROUP, {"type": "journal.grew", "seq": seq})
        except Exception as error:  # noqa: BLE001  whatever a channel layer raises
            if not self._failing:
                logger.warning("Could not send a hint: %s", type(error).__name__)
            self._failing = True
        else:
            self._failing = False


def _a_running_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="hints", daemon=True).start()
    return loop


sender = HintSender()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=sender.start_anew)
