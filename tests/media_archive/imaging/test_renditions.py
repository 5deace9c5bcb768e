"""The renditions of a stored picture, in the store and in rows."""

from __future__ import annotations

import errno
import hashlib
import io
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import close_old_connections
from PIL import Image

from media_archive import files, imaging, renditions
from media_archive.errors import DiskFull, PictureRefused
from media_archive.models import Author, Rendition, StoredFile
from tests.media_archive.imaging.drawings import a_photo, encoded, moving, stored

pytestmark = [pytest.mark.django_db]


def made_of(file: StoredFile) -> dict[str, tuple[int, int]]:
    return {one.spec: (one.width, one.height) for one in file.renditions.all()}


@pytest.mark.also_on_sqlite
def test_a_picture_gets_all_that_fits_it(tmp_path: Path) -> None:
    file = stored(a_photo(1080, 1350), tmp_path)
    renditions.make(file, tmp_path / "picture")
    assert made_of(file) == {
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
        image = Image.open(io.BytesIO(held))
        assert image.size == (one.width, one.height)
        assert f"image/{str(image.format).lower()}" == one.content_type
    again = StoredFile.objects.get()
    assert again.placeholder.startswith("data:image/webp;base64,")
    assert len(again.placeholder) <= 450
    assert again.color.startswith("#") and again.tint.startswith("#")
    assert again.luma is not None and 0 < again.luma < 1
    assert again.perceptual_hash is not None
    assert again.rendered_at is not None
    assert again.rendered_version == file.rendered_version == renditions.VERSION


@pytest.mark.parametrize(
    ("size", "widths", "jpegs"),
    [
        ((1, 1), [1], [1]),
        ((150, 150), [150], [150]),
        ((250, 250), [240], [240]),
        ((480, 300), [240, 480], [480]),
        ((640, 640), [240, 480, 640], [480, 640]),
        ((1700, 900), [240, 480, 800, 1600], [480, 1600]),
        ((2000, 900), [240, 480, 800, 1600, 2000], [480, 1600]),
        ((4000, 3000), [240, 480, 800, 1600, 2560], [480, 1600]),
        ((100, 3000), [240, 480, 800, 1000], [480, 1000]),
    ],
)
def test_which_there_are(
    size: tuple[int, int], widths: list[int], jpegs: list[int]
) -> None:
    file = StoredFile(width=size[0], height=size[1], frames=1)
    wanted = [f"w{width}.webp.1" for width in widths]
    wanted += [f"w{width}.jpeg.1" for width in jpegs]
    assert renditions.specs_of(file) == [*wanted, "s168.webp.1", "bg.webp.1"]
    portrait = {*renditions.specs_of(file, portrait=True)} - {*wanted}
    assert {"s96.webp.1", "s192.webp.1"} <= portrait
    own = {f"w{width}.{kind}.1" for width in widths for kind in ("webp", "jpeg")}
    assert {*renditions.specs_of(file, portrait=True)} <= {*renditions.SPECS} | own


def test_a_tall_picture_gets_narrower_instead_of_endless(tmp_path: Path) -> None:
    file = stored(a_photo(300, 9000), tmp_path)
    renditions.make(file, tmp_path / "picture")
    made = made_of(file)
    assert made["w240.webp.1"] == (24, 720)
    assert made["w2560.webp.1"] == (256, 7680)
    assert made["s168.webp.1"] == (168, 168)


def test_a_portrait_gets_small_squares_besides(tmp_path: Path) -> None:
    file = stored(a_photo(320, 400), tmp_path)
    renditions.make(file, tmp_path / "picture")
    assert "s96.webp.1" not in made_of(file)
    renditions.make(file, tmp_path / "picture", portrait=True)
    assert made_of(file)["s96.webp.1"] == (96, 96)
    assert made_of(file)["s192.webp.1"] == (192, 192)


def test_that_it_is_a_portrait_is_known_later(tmp_path: Path) -> None:
    file = stored(a_photo(320, 400), tmp_path)
    Author.objects.create(provider="sandbox", native_id="1", avatar=file)
    renditions.make(file)
    assert {"s96.webp.1", "w240.webp.1"} <= {*made_of(file)}


def test_films_have_none(tmp_path: Path) -> None:
    file = StoredFile.objects.create(
        sha256="0" * 64, name="f/x.mp4", content_type="video/mp4", size=1
    )
    renditions.make(file, tmp_path / "nothing")
    assert Rendition.objects.count() == 0


@pytest.mark.also_on_sqlite
def test_twice_is_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = stored(a_photo(600, 400), tmp_path)
    renditions.make(file)
    before = [*Rendition.objects.order_by("pk").values()]
    calls = []
    real = imaging.render

    def counted(*args: Any) -> imaging.Rendered:
        calls.append(args)
        return real(*args)

    monkeypatch.setattr(imaging, "render", counted)
    renditions.make(file)
    assert (calls, [*Rendition.objects.order_by("pk").values()]) == ([], before)
    file.renditions.get(spec="w240.webp.1").delete()
    renditions.make(file)
    assert [specs for _, _, specs in calls] == [["w240.webp.1"]]
    assert len(before) == Rendition.objects.count()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_each_once(tmp_path: Path, settings: Any) -> None:
    settings.PHOTOWALL_DECODERS = 2
    file = stored(a_photo(900, 600), tmp_path)
    barrier = threading.Barrier(2, timeout=30)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            own = StoredFile.objects.get(pk=file.pk)
            barrier.wait()
            renditions.make(own)
        except BaseException as error:  # noqa: BLE001  told below
            failures.append(error)
        finally:
            close_old_connections()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = [one.spec for one in file.renditions.all()]
    assert sorted(found) == sorted(renditions.specs_of(file))


def test_a_new_set_takes_the_place_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stored(a_photo(300, 300), tmp_path)
    renditions.make(file)
    monkeypatch.setattr(renditions, "VERSION", 2)
    renditions.make(file)
    assert {spec.rpartition(".")[2] for spec in made_of(file)} == {"2"}
    assert StoredFile.objects.get().rendered_version == 2


def test_a_picture_that_went_away_meanwhile_gets_no_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stored(a_photo(300, 300), tmp_path)
    real = imaging.render

    def purged(*args: Any) -> imaging.Rendered:
        StoredFile.objects.all().delete()
        return real(*args)

    monkeypatch.setattr(imaging, "render", purged)
    renditions.make(file, tmp_path / "picture")
    assert (StoredFile.objects.count(), Rendition.objects.count()) == (0, 0)


def test_a_broken_picture_leaves_nothing(tmp_path: Path) -> None:
    content = encoded(a_photo(600, 400))
    file = stored(content[: len(content) // 2], tmp_path)
    with pytest.raises(PictureRefused, match="cut off"):
        renditions.make(file)
    assert Rendition.objects.count() == 0
    assert StoredFile.objects.get().rendered_at is None
    assert [*files.scratch().iterdir()] == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_not_the_pictures_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    file = stored(a_photo(300, 300), tmp_path)

    def full(name: str, path: Path, *, over: bool) -> None:
        raise OSError(number, "full")

    monkeypatch.setattr(files, "put", full)
    with pytest.raises(DiskFull):
        renditions.make(file)
    assert [*files.scratch().iterdir()] == []
    monkeypatch.undo()
    renditions.make(file)
    assert Rendition.objects.count() > 0


def test_what_moves_stands_still_and_moves(tmp_path: Path) -> None:
    frames = [a_photo(600, 400, seed) for seed in range(4)]
    file = stored(moving(frames, duration=[50, 100, 0, 70]), tmp_path)
    renditions.make(file)
    made = {one.spec: one for one in file.renditions.all()}
    assert {"w480.webp.1", "a480.webp.1"} <= {*made}
    with files.open_file(made["a480.webp.1"].name) as content:
        image: Any = Image.open(content)
        assert (image.n_frames, image.size) == (4, (480, 320))
        durations = []
        for number in range(4):
            image.seek(number)
            image.load()
            durations.append(image.info["duration"])
    assert durations == [50, 100, 100, 70]


def test_those_of_a_file_are_sorted_by_width(tmp_path: Path) -> None:
    file = stored(a_photo(900, 600), tmp_path)
    renditions.make(file)
    with_all = StoredFile.objects.prefetch_related("renditions").get()
    widths = [one.width for one in renditions.of(with_all)]
    assert widths == sorted(widths) and widths[-1] == 900


@pytest.mark.also_on_sqlite
def test_the_command_makes_what_is_missing(tmp_path: Path) -> None:
    whole = stored(a_photo(300, 300), tmp_path)
    renditions.make(whole)
    part = stored(a_photo(300, 300, 2), tmp_path)
    renditions.make(part)
    part.renditions.filter(spec="bg.webp.1").delete()
    never = stored(a_photo(300, 300, 3), tmp_path)
    output = io.StringIO()
    call_command("renditions", stdout=output)
    assert "2 of 3 pictures got renditions." in output.getvalue()
    for file in (whole, part, never):
        assert sorted(made_of(file)) == sorted(renditions.specs_of(file))
    output = io.StringIO()
    call_command("renditions", "--missing", stdout=output)
    assert "0 of 3 pictures got renditions." in output.getvalue()


@pytest.mark.also_on_sqlite
def test_the_command_makes_all_anew(tmp_path: Path) -> None:
    file = stored(a_photo(300, 300), tmp_path)
    renditions.make(file)
    good = file.renditions.get(spec="w240.webp.1")
    Rendition.objects.filter(pk=good.pk).update(name="r/bad", width=1)
    output = io.StringIO()
    call_command("renditions", "--all", stdout=output)
    again = file.renditions.get(spec="w240.webp.1")
    assert (again.pk, again.name, again.width) == (good.pk, good.name, good.width)
    assert "1 of 1 pictures got renditions." in output.getvalue()


def test_the_command_tells_what_cannot_be_made_and_goes_on(tmp_path: Path) -> None:
    lost = stored(a_photo(300, 300), tmp_path)
    files.delete(lost.name)
    content = encoded(a_photo(300, 300, 2))
    broken = stored(content[:-900], tmp_path)
    good = stored(a_photo(300, 300, 3), tmp_path)
    output = io.StringIO()
    with pytest.raises(CommandError, match="2 pictures could not be made"):
        call_command("renditions", stdout=output)
    assert f"{lost.name}: it is not in the store." in output.getvalue()
    assert f"{broken.name}: It is broken or cut off" in output.getvalue()
    assert made_of(good)


def test_the_command_stops_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(a_photo(300, 300), tmp_path)

    def full(name: str, path: Path, *, over: bool) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(files, "put", full)
    with pytest.raises(CommandError, match="no room"):
        call_command("renditions", stdout=io.StringIO())
