"""Two originals with the same pixels have the same renditions: what takes one of them
away must not take the other's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import PngImagePlugin

from media_archive import discarding, files, mending, renditions
from media_archive.models import Discarded, Download, Rendition, StoredFile
from tests.builders import some_items
from tests.media_archive.imaging.drawings import a_photo
from tests.media_archive.keeping import place, show

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> None:
    """A store of our own."""
    settings.MEDIA_ROOT = tmp_path / "media"


def an_original(folder: Path, note: str) -> tuple[StoredFile, Path]:
    """The same pixels as every other one, and other words beside them."""
    words = PngImagePlugin.PngInfo()
    words.add_text("note", note)
    path = folder / f"{note}.png"
    a_photo(300, 300).save(path, pnginfo=words)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    name = files.original_name(digest, "image/png")
    files.put(name, path)
    file, _ = StoredFile.objects.get_or_create(
        sha256=digest,
        name=name,
        content_type="image/png",
        size=len(content),
        width=300,
        height=300,
        frames=1,
    )
    return file, path


def before_its_rows(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Between the files and the rows of what is made next."""
    write = renditions._write

    def late(*given: Any, **named: Any) -> None:
        monkeypatch.setattr(renditions, "_write", write)
        do()
        write(*given, **named)

    monkeypatch.setattr(renditions, "_write", late)


def missing(file: StoredFile) -> list[str]:
    return [one.name for one in file.renditions.all() if not files.exists(one.name)]


@pytest.mark.parametrize("again", [False, True])
def test_discarded_before_the_rows_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """``again``: the very same original comes with another post, while the names of
    the first one wait for the store."""
    one, path = an_original(tmp_path, "one")
    renditions.make(one, path)
    names = {*one.renditions.values_list("name", flat=True)}
    gone: list[int] = []
    if again:
        discarding.drop([one.pk])
    two, path = an_original(tmp_path, "one" if again else "two")
    assert two.pk != one.pk
    show(some_items(1)[0], two)

    def discard() -> None:
        discarding.drop([one.pk])
        # As if it had been some seconds later.
        for row in Discarded.objects.all():
            row.since += 5 * discarding.SECOND
            row.save()
        gone.append(discarding.remove_due())

    before_its_rows(monkeypatch, discard)
    renditions.make(two, path)
    assert {*two.renditions.values_list("name", flat=True)} == names
    assert gone and gone[0] >= len(names), "the control: they were taken away"
    assert missing(two) == []


def test_what_nobody_has_any_more_is_not_put_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, path = an_original(tmp_path, "one")
    before_its_rows(monkeypatch, lambda: discarding.remove(discarding.drop([one.pk])))
    renditions.make(one, path)
    assert not Rendition.objects.exists()
    made = [kept.name for kept in files.walk() if kept.name.startswith("r/")]
    for name in made:
        files.delete(name)
    two, path = an_original(tmp_path, "two")

    def take_all() -> None:
        StoredFile.objects.all().delete()
        for name in made:
            files.delete(name)

    before_its_rows(monkeypatch, take_all)
    renditions.make(two, path)
    assert made
    assert not [kept.name for kept in files.walk() if kept.name.startswith("r/")]


def test_making_one_again_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, path), (two, _) = (an_original(tmp_path, note) for note in ("one", "two"))
    renditions.make(one, path)
    renditions.make(two)
    name = two.renditions.values_list("name", flat=True)[0]
    whole = place(name).read_bytes()
    place(name).write_bytes(bytes(len(whole)))
    # It cannot be made: the other's row does not lose its file.
    with monkeypatch.context() as patch:
        patch.setattr(renditions, "_fetched", _not_there)
        assert not mending.make_again(one, [name])
    assert missing(two) == []
    assert mending.make_again(one, [name])
    assert place(name).read_bytes() == whole
    assert name in one.renditions.values_list("name", flat=True)
    assert not Download.objects.exists()


def _not_there(file: StoredFile, _: Path) -> Path:
    raise FileNotFoundError(file.name)
