"""Pictures over HTTP: drawn when missing, cached for ever, refused when unknown."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client
from django.urls import Resolver404, resolve
from PIL import Image

URLS = "photowall.sandbox.urls"
pytestmark = pytest.mark.urls(URLS)


@pytest.mark.parametrize(
    "path",
    [
        "pictures/4-thumbnail.jpg",  # there are four, from 0
        "pictures/99999999999-thumbnail.jpg",
        "pictures/0-huge.jpg",
        "people/9999.jpg",
    ],
)
def test_what_no_post_shows_is_not_found_and_not_drawn(
    client: Client, gallery_folder: Path, path: str
) -> None:
    assert client.get(f"/sandbox/{path}").status_code == 404
    assert not gallery_folder.exists()


@pytest.mark.parametrize("name", ["..", "0-thumbnail.jpg/../x", "-1-thumbnail.jpg"])
def test_nothing_but_numbers_and_sizes_reaches_the_view(name: str) -> None:
    with pytest.raises(Resolver404):
        resolve(f"/sandbox/pictures/{name}", URLS)
    match = resolve("/sandbox/pictures/0-thumbnail.jpg", URLS)
    assert match.kwargs == {"seed": 0, "size": "thumbnail"}


def test_pictures_are_only_read(client: Client) -> None:
    assert client.post("/sandbox/pictures/0-thumbnail.jpg").status_code == 405


@pytest.mark.parametrize(
    ("path", "width"),
    [
        ("pictures/1-thumbnail.jpg", 150),
        ("pictures/1-low_resolution.jpg", 320),
        ("pictures/1-standard_resolution.jpg", 1080),
        ("people/3.jpg", 150),
    ],
)
def test_a_picture_is_served_as_a_picture_for_ever(
    client: Client, path: str, width: int
) -> None:
    answer = client.get(f"/sandbox/{path}")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    with Image.open(BytesIO(answer.content), formats=["JPEG"]) as image:
        assert image.width == width


def test_a_deleted_file_is_drawn_again_just_as_it_was(
    client: Client, gallery_folder: Path
) -> None:
    first = client.get("/sandbox/pictures/2-thumbnail.jpg").content
    for path in gallery_folder.iterdir():
        path.unlink()

    assert client.get("/sandbox/pictures/2-thumbnail.jpg").content == first


def test_a_file_that_is_there_is_served_as_it_is(
    client: Client, gallery_folder: Path
) -> None:
    gallery_folder.mkdir()
    (gallery_folder / "3-thumbnail.jpg").write_bytes(b"as it is")

    assert client.get("/sandbox/pictures/3-thumbnail.jpg").content == b"as it is"
