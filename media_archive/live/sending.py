"""Sends to an ASGI server without a task per message.

A task and a queue for every viewer cost far more than the sending itself: most
sends finish without ever waiting. So the send is stepped by hand, and only when it
pauses (a reader that does not keep up, on a server with back-pressure) a task
takes over the rest.
"""

from __future__ import annotations

import asyncio
import types
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]

CLOSING = 5.0
"""Seconds a server may take to say good-bye to a reader that does not read."""


class DirectSender:
    """Messages to one connection, in order.

    ``broken`` is called once when the server refuses to send: the client is gone.
    How much may wait here is limited by the caller.
    """

    def __init__(self, send: Send, broken: Callable[[], None]) -> None:
        self._send = send
        self._broken = broken
        self._waiting: deque[Message] = deque()
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    def send(self, message: Message) -> None:
        """Send now, or after what is still on its way. Never raises, never waits."""
        if self._ended:
            return
        if self._task is not None:
            self._waiting.append(message)
            return
        steps = self._send(message).__await__()
        try:
            paused_on = next(steps)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001  each server has its own error for a gone client
            self._end()
            return
        self._task = asyncio.ensure_future(self._finish(steps, paused_on))

    def close(self, code: int) -> None:
        """Throw away what waits, and close the connection."""
        if self._ended:
            return
        self._ended = True
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.ensure_future(self._say_good_bye(code))

    def abandon(self) -> None:
        """The connection is gone: nothing is sent any more."""
        if not self._ended:
            self._ended = True
            self._waiting.clear()
            if self._task is not None:
                self._task.cancel()

    def _end(self) -> None:
        self.abandon()
        self._broken()

    async def _finish(
        self, steps: Generator[Any, Any, None], paused_on: object
    ) -> None:
        try:
            await _rest_of(steps, paused_on)
            while self._waiting:
                await self._send(self._waiting.popleft())
        except Exception:  # noqa: BLE001  each server has its own error for a gone client
            self._task = None
            self._end()
        else:
            self._task = None

    async def _say_good_bye(self, code: int) -> None:
        try:
            async with asyncio.timeout(CLOSING):
                await self._send({"type": "websocket.close", "code": code})
        except Exception:  # noqa: BLE001  gone already, or not reading: nothing to say
            return


@types.coroutine
def _rest_of(
    steps: Generator[Any, Any, None], paused_on: object
) -> Generator[Any, Any, None]:
    """Go on with an awaitable whose first step was made by hand."""
    while True:
        try:
            sent = yield paused_on
        except GeneratorExit:
            steps.close()
            raise
        except BaseException as error:  # noqa: BLE001  a cancellation belongs to it
            step = _thrower(steps, error)
        else:
            step = _stepper(steps, sent)
        try:
            paused_on = step()
        except StopIteration:
            return


def _stepper(steps: Generator[Any, Any, None], value: object) -> Callable[[], object]:
    return lambda: steps.send(value)


def _thrower(
    steps: Generator[Any, Any, None], error: BaseException
) -> Callable[[], object]:
    return lambda: steps.throw(error)
