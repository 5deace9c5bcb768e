"""Who is handed which file, and that nobody learns anything of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from media_archive import files, moderation
from media_archive.handing_out import rights, views
from media_archive.models import MediaAsset, MediaItem, StoredFile
from media_archive.stores.shape import PIECE
from tests.builders import an_item
from tests.media_archive.handing_out.kept import (
    a_film,
    a_picture,
    a_portrait,
    a_rendition,
    put,
)

pytestmark = pytest.mark.django_db


def status(name: str, client: Client | None = None, **words: str) -> int:
    """``words`` are headers."""
    headers = {key.replace("_", "-"): value for key, value in words.items()}
    return int((client or Client()).get(f"/media/{name}", headers=headers).status_code)


def body(response: Any) -> bytes:
    async def collected() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])

    return async_to_sync(collected)()


@pytest.fixture
def item() -> MediaItem:
    return an_item()


@pytest.fixture
def rendition(item: MediaItem) -> str:
    return a_rendition(a_picture(item=item))


@pytest.mark.also_on_sqlite
def test_everybody_sees_what_a_visible_item_shows(
    item: MediaItem, rendition: str
) -> None:
    film = a_film(item)
    assert item.author is not None
    portrait = a_portrait(item.author)
    for name in (rendition, film, portrait):
        response = Client().get(files.address(name))
        assert response.status_code == 200
        with files.open_file(name) as kept:
            assert body(response) == kept.read()
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in response
        assert "Cookie" not in response.get("Vary", "")


@pytest.mark.also_on_sqlite
def test_nobody_sees_what_a_hidden_item_shows(item: MediaItem, rendition: str) -> None:
    film = a_film(item)
    assert item.author is not None
    portrait = a_portrait(item.author)
    moderation.hide([item.pk], actor="ada")
    for name in (rendition, film, portrait):
        assert status(name) == 404
        assert status(name, if_none_match="*") == 404
    moderation.show([item.pk], actor="ada")
    for name in (rendition, film, portrait):
        assert status(name) == 200


def test_equal_bytes_are_visible_while_one_visible_item_shows_them(
    item: MediaItem, rendition: str
) -> None:
    other = an_item()
    MediaAsset.objects.filter(item=other).update(picture=StoredFile.objects.get())
    moderation.hide([item.pk], actor="ada")
    assert status(rendition) == 200
    moderation.hide([other.pk], actor="ada")
    assert status(rendition) == 404


def test_equal_renditions_of_two_pictures_are_one_file(
    item: MediaItem, rendition: str
) -> None:
    other = an_item()
    assert a_rendition(a_picture("another", other)) == rendition
    moderation.hide([item.pk], actor="ada")
    assert status(rendition) == 200
    moderation.hide([other.pk], actor="ada")
    assert status(rendition) == 404


def test_a_portrait_is_visible_with_any_visible_item_of_its_author(
    item: MediaItem,
) -> None:
    other = an_item()
    assert item.author == other.author
    assert item.author is not None
    portrait = a_portrait(item.author)
    moderation.hide([item.pk], actor="ada")
    assert status(portrait) == 200
    moderation.hide([other.pk], actor="ada")
    assert status(portrait) == 404


def test_what_was_purged_is_gone_also_while_the_file_is_still_there(
    item: MediaItem, rendition: str, ada: User
) -> None:
    client = Client()
    client.force_login(ada)
    assert status(rendition, client) == 200
    item.delete()
    StoredFile.objects.all().delete()
    assert files.exists(rendition)
    assert status(rendition, client) == status(rendition) == 404


def test_originals_are_for_those_who_may_read_the_archive(
    item: MediaItem,
    rendition: str,
    ada: User,
    vera: User,
    anton: User,
    anton_token: str,
    settings: Any,
) -> None:
    original = StoredFile.objects.get().name
    settings.PHOTOWALL_PUBLIC_ARCHIVE = True
    assert status(original) == 404
    for shown in ("Token wrong", "Token", "Token \xff\x00", "Bearer x"):
        assert status(original, authorization=shown) == 404
    for user, expected in ((vera, 404), (anton, 200), (ada, 200)):
        client = Client()
        client.force_login(user)
        assert status(original, client) == expected
    response = Client().get(
        files.address(original), headers={"authorization": f"Token {anton_token}"}
    )
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-cache"
    anton.is_active = False
    anton.save()
    assert status(original, authorization=f"Token {anton_token}") == 404


def test_the_hidden_is_seen_by_those_who_decide(
    item: MediaItem, rendition: str, anton_token: str, ada: User
) -> None:
    moderation.hide([item.pk], actor="ada")
    client = Client()
    client.force_login(ada)
    response = client.get(files.address(rendition))
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-cache"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert status(rendition, authorization=f"Token {anton_token}") == 200
    assert status(rendition) == 404


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "..%2f..%2fetc/passwd",
        "../db.sqlite3",
        "o/../../db.sqlite3",
        "%00",
        "%ff%fe",
        "r/%2e%2e/x",
        "r/ab/cd/" + "a" * 64 + ".webp",
        "r/00/00/" + "0" * 64 + ".webp",
        "r/00/00/" + "0" * 64 + ".webp/",
        "r/00/00/" + "0" * 64 + ".webp%0a",
        "incoming/part-1",
        "r/" + "a" * 5000,
        "r//etc/passwd",
        "\u0661/\u0661",
    ],
)
def test_what_is_no_file_of_ours_is_not_there(rendition: str, name: str) -> None:
    put_there = files.scratch() / "part-1"
    put_there.write_bytes(b"x")
    for method in ("get", "head"):
        response = getattr(Client(), method)(f"/media/{name}")
        assert response.status_code == 404
    assert status(rendition) == 200


def test_a_file_without_a_row_is_not_there(rendition: str) -> None:
    name = files.rendition_name("ab" * 32, "image/webp")
    put(name, b"nobody's")
    assert status(name) == 404


def test_nothing_is_changed_here(rendition: str) -> None:
    for method in ("post", "put", "delete", "patch", "options"):
        response = getattr(Client(), method)(files.address(rendition))
        assert response.status_code == 405
    assert status(rendition) == 200


def test_one_query_for_a_stranger(
    item: MediaItem, rendition: str, django_assert_num_queries: Any
) -> None:
    film = a_film(item)
    for name in (rendition, film):
        with django_assert_num_queries(1):
            assert status(name) == 200
    with django_assert_num_queries(0):
        assert status("r/no/name/of-ours.webp") == 404


def test_the_lookup_is_by_the_index(rendition: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        rights.look_up([rendition])
    assert len(caught) == 1
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN " + caught[0]["sql"])
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "rendition_by_name" in plan
        assert "Seq Scan" not in plan


def test_parts_of_a_film(item: MediaItem) -> None:
    name = a_film(item)
    with files.open_file(name) as kept:
        content = kept.read()
    assert len(content) > 3 * PIECE
    for first, last in ((0, 0), (5, PIECE + 7), (len(content) - 10, len(content) - 1)):
        headers = {"range": f"bytes={first}-{last}"}
        response = Client().get(files.address(name), headers=headers)
        assert response.status_code == 206
        assert body(response) == content[first : last + 1]
    assert status(name, range=f"bytes={len(content)}-") == 416
    head = Client().head(files.address(name))
    assert (head.status_code, head["Content-Length"]) == (200, str(len(content)))
    assert head.content == b""
    assert status(name, if_none_match=head["ETag"]) == 304


def test_a_row_whose_file_is_missing_or_short_is_not_served(
    rendition: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(settings.MEDIA_ROOT) / rendition
    path.write_bytes(path.read_bytes()[:-1])
    assert status(rendition) == 404
    assert "bytes, not" in caplog.text
    path.unlink()
    assert status(rendition) == 404


def test_a_store_or_database_that_is_away_is_503(
    rendition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise ConnectionError("The store does not answer.")

    monkeypatch.setattr(files, "read", away)
    response = Client().get(files.address(rendition))
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert b"store" not in response.content
    monkeypatch.undo()

    def no_database(*_: Any) -> Any:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(views, "look_up", no_database)
    response = Client().get(files.address(rendition))
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    monkeypatch.undo()
    assert status(rendition) == 200


def test_nginx_is_told_where_the_file_is_and_only_when_it_may_be_seen(
    item: MediaItem, rendition: str, settings: Any
) -> None:
    settings.PHOTOWALL_ACCEL_REDIRECT = "/protected/"
    response = Client().get(files.address(rendition))
    assert response["X-Accel-Redirect"] == f"/protected/{rendition}"
    assert response.content == b""
    assert response["Content-Type"] == "image/webp"
    moderation.hide([item.pk], actor="ada")
    response = Client().get(files.address(rendition))
    assert response.status_code == 404
    assert "X-Accel-Redirect" not in response


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_here(rendition: str, method: str) -> None:
    careful = Client(enforce_csrf_checks=True)
    answer = getattr(careful, method)(f"/media/{rendition}")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert status(rendition, careful) == 200
