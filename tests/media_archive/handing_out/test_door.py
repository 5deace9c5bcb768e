"""The door in front of Django answers what everybody may see, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from media_archive import files, moderation
from media_archive.handing_out import door as doors
from media_archive.handing_out.door import FileDoor
from media_archive.models import MediaItem, StoredFile
from tests.builders import an_item
from tests.media_archive.handing_out.kept import a_film, a_picture, a_rendition

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]

INSIDE = 299


class Asked(FileDoor):
    """A door that notes what went on inside."""

    def __init__(self) -> None:
        super().__init__(self.went_on)

    async def went_on(self, scope: Any, receive: Any, send: Any) -> None:
        head = {"type": "http.response.start", "status": INSIDE, "headers": []}
        await send(head)
        await send({"type": "http.response.body", "body": b""})

    def get(self, path: str, method: str = "GET", **words: str) -> Any:
        """Status, headers and pieces of the answer."""
        return asyncio.run(self.answers([path], method, **words))[0]

    async def answers(self, paths: list[str], method: str, **words: str) -> list[Any]:
        """The answers to requests at once."""
        return await asyncio.gather(
            *(self._one(path, method, **words) for path in paths)
        )

    async def _one(self, path: str, method: str, **words: str) -> Any:
        said = {"host": "127.0.0.1"} | words
        headers = [(k.replace("_", "-").encode(), v.encode()) for k, v in said.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": headers}
        heard: list[Any] = []

        async def send(message: Any) -> None:
            heard.append(message)

        async def receive() -> Any:
            await asyncio.sleep(60)

        await self(scope, receive, send)
        about = {key.decode(): value.decode() for key, value in heard[0]["headers"]}
        pieces = [message["body"] for message in heard[1:]]
        assert [message.get("more_body", False) for message in heard[1:]] == (
            [True] * (len(pieces) - 1) + [False]
        )
        return heard[0]["status"], about, pieces


@pytest.fixture
def door() -> Iterator[Asked]:
    made = Asked()
    yield made
    made.rest()


@pytest.fixture
def item() -> MediaItem:
    return an_item()


@pytest.fixture
def rendition(item: MediaItem) -> str:
    return a_rendition(a_picture(item=item))


def test_what_everybody_may_see_is_answered(
    door: Asked, item: MediaItem, rendition: str
) -> None:
    film = a_film(item)
    for name in (rendition, film):
        with files.open_file(name) as kept:
            content = kept.read()
        status, headers, pieces = door.get(files.address(name))
        assert (status, b"".join(pieces)) == (200, content)
        assert headers["content-length"] == str(len(content))
        assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert len(pieces) > 1
    status, _, pieces = door.get(files.address(film), range="bytes=3-9")
    assert (status, pieces) == (206, [content[3:10]])
    status, _, pieces = door.get(files.address(film), method="HEAD")
    assert (status, pieces) == (200, [b""])
    assert door.get(files.address(film), if_none_match="*")[0] == 304


def test_what_is_hidden_goes_on_inside_from_the_next_request_on(
    door: Asked, item: MediaItem, rendition: str
) -> None:
    assert door.get(files.address(rendition))[0] == 200
    moderation.hide([item.pk], actor="ada")
    assert door.get(files.address(rendition))[0] == INSIDE
    moderation.show([item.pk], actor="ada")
    assert door.get(files.address(rendition))[0] == 200


def test_all_else_goes_on_inside(
    door: Asked, rendition: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = files.address(rendition)
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert door.get(address, method=method)[0] == INSIDE
    for path in ("/", "/media/", "/media/x", f"/x{address}", f"{address}/", rendition):
        assert door.get(path)[0] == INSIDE
    assert door.get(files.address(StoredFile.objects.get().name))[0] == INSIDE
    assert door.get(address, host="elsewhere.example")[0] == INSIDE
    settings.SECURE_SSL_REDIRECT = True
    assert door.get(address)[0] == INSIDE
    settings.SECURE_SSL_REDIRECT = False
    assert door.get(address)[0] == 200
    (Path(settings.MEDIA_ROOT) / rendition).unlink()
    assert door.get(address)[0] == INSIDE

    def no_database(names: Any) -> Any:
        raise doors.DatabaseError("away")

    monkeypatch.setattr(doors, "look_up", no_database)
    assert door.get(address)[0] == INSIDE


def test_nginx_is_told_where_it_is(door: Asked, rendition: str, settings: Any) -> None:
    settings.PHOTOWALL_ACCEL_REDIRECT = "/protected/"
    status, headers, pieces = door.get(files.address(rendition))
    assert (status, pieces) == (200, [b""])
    assert headers["x-accel-redirect"] == f"/protected/{rendition}"


def test_a_thousand_at_once_are_a_few_queries(
    door: Asked, rendition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    look_up = doors.look_up

    def counted(names: Any) -> Any:
        asked.append(len(names))
        return look_up(names)

    monkeypatch.setattr(doors, "look_up", counted)
    paths = [files.address(rendition)] * 1_000
    told = asyncio.run(door.answers(paths, "GET"))
    assert {status for status, _, _ in told} == {200}
    assert 1 <= len(asked) < 100
    assert set(asked) == {1}
