"""The renditions of a stored picture, in the store and in rows."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from media_archive import files, renditions
from media_archive.models import Rendition, StoredFile
from tests.media_archive.imaging.drawings import a_photo, stored

pytestmark = [pytest.mark.django_db]


def test_a_picture_gets_all_that_fits_it(tmp_path: Path) -> None:
    file = stored(a_photo(1080, 1350), tmp_path)
    renditions.make(file, tmp_path / "picture")
    made = {one.spec: (one.width, one.height) for one in file.renditions.all()}
    assert made == {
        "w240.webp.1": (240, 300),
        "w480.webp.1": (480, 600),
        "w800.webp.1": (800, 1000),
        "w1080.webp.1": (1080, 1350),
        "w480.jpeg.1": (480, 600),
        "w1080.jpeg.1": (1080, 1350),
        "s168.webp.1": (168, 168),
        "bg.webp.1": (160, 200),
    }
    for one in file.renditions.all():
        with files.open_file(one.name) as content:
            held = content.read()
        assert (len(held), hashlib.sha256(held).hexdigest()) == (one.size, one.sha256)
    again = StoredFile.objects.get()
    assert again.placeholder.startswith("data:image/webp;base64,")
    assert again.rendered_version == renditions.VERSION
    assert again.perceptual_hash is not None
    assert Rendition.objects.count() == 8
