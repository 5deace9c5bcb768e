"""Under a server that hands a body over in pieces, it ends at the limit too."""

from __future__ import annotations

import pytest

from photowall.body_limit import BodyLimit, Message, Receive, Send


class Application:
    """Reads the body as Django does; answers with its size."""

    def __init__(self) -> None:
        self.size = 0
        self.called = False

    async def __call__(self, scope: object, receive: Receive, send: Send) -> None:
        self.called = True
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            self.size += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % self.size})


async def ask(
    application: Application, pieces: list[int], length: int | None = None
) -> tuple[int, int]:
    """Status, and how many pieces were not fetched from the server."""
    waiting: list[Message] = [
        {
            "type": "http.request",
            "body": b"x" * piece,
            "more_body": number < len(pieces),
        }
        for number, piece in enumerate(pieces, start=1)
    ]
    said: list[Message] = []
    headers = [] if length is None else [(b"content-length", b"%d" % length)]

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        said.append(message)

    await BodyLimit(application, 10)({"headers": headers}, receive, send)
    assert [message["type"] for message in said] == [
        "http.response.start",
        "http.response.body",
    ]
    return said[0]["status"], len(waiting)


async def test_an_announced_body_above_the_limit_is_not_even_fetched() -> None:
    application = Application()
    assert await ask(application, [4, 4, 4], 12) == (413, 3)
    assert not application.called


async def test_a_body_in_pieces_ends_at_the_limit() -> None:
    application = Application()
    assert await ask(application, [4, 4, 4, 4, 4]) == (413, 2)
    assert application.size == 8


@pytest.mark.parametrize("length", [None, 10])
async def test_a_body_of_the_limit_arrives(length: int | None) -> None:
    application = Application()
    assert await ask(application, [4, 4, 2], length) == (200, 0)
    assert application.size == 10
