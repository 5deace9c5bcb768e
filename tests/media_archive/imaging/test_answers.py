"""A decoding process that lies: nothing but sense gets past the one who asks."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from media_archive import files, imaging, renditions
from media_archive.decoder import messages
from media_archive.errors import BrokenImage
from media_archive.imaging import Made, Rendered, answers, pool
from media_archive.models import StoredFile
from tests.media_archive.imaging.drawings import encoded, quarters

PICTURE = encoded(quarters(64, 64), "PNG")
LOOKED = {"content_type": "image/jpeg", "width": 3, "height": 2, "frames": 1}
MADE = {"spec": "w240.webp.1", "content_type": "image/webp", "width": 3, "height": 2}
RENDERED = {
    "made": [MADE],
    "placeholder": "data:image/webp;base64,AA==",
    "color": "#aabbcc",
    "tint": "#ffffff",
    "luma": 0.5,
    "perceptual_hash": -(2**63),
}
NO_TYPES: tuple[Any, ...] = ("text/html", "image/svg+xml", "", None, [])
NO_SPECS: tuple[Any, ...] = ("../x", "w480.webp.1", None, [])
NO_SIDES = (0, -5, 32_768, 1e300, 1.5, True, None, "7", [1])


def as_read(answer: dict[str, Any]) -> dict[str, Any]:
    """After its way through the pipe."""
    read = messages.unpack(io.BytesIO(messages.pack(answer)).read)
    assert read is not None
    return read


def test_sense_is_taken() -> None:
    assert answers.looked(as_read(LOOKED)).width == 3
    film = LOOKED | {"content_type": "video/mp4", "width": None, "height": None}
    assert answers.looked(as_read(film)).is_film
    rendered = answers.rendered(as_read(RENDERED), Path("/x"), ["w240.webp.1"])
    assert rendered.made[0].path == Path("/x/w240.webp.1")
    assert rendered.perceptual_hash == -(2**63)
    bare = RENDERED | {"made": [], "placeholder": "", "perceptual_hash": None}
    assert answers.rendered(as_read(bare), Path("/x"), []).luma == 0.5


@pytest.mark.parametrize(
    "lie",
    [
        *({"width": side} for side in NO_SIDES),
        *({"height": side} for side in NO_SIDES),
        *({"frames": count} for count in (0, -1, 1e9, None, 10**9)),
        *({"content_type": kind} for kind in NO_TYPES),
        {"content_type": "video/mp4"},
        {"content_type": "video/x", "width": None, "height": None},
    ],
    ids=str,
)
def test_what_is_looked_at(lie: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        answers.looked(as_read(LOOKED | lie))


@pytest.mark.parametrize(
    "lie",
    [
        {"made": 5},
        {"made": [MADE, MADE]},
        {"made": [5]},
        *({"made": [MADE | {"width": side}]} for side in NO_SIDES),
        *({"made": [MADE | {"height": side}]} for side in NO_SIDES),
        *(
            {"made": [MADE | {"content_type": x}]}
            for x in ("video/mp4", "image/jpeg", None)
        ),
        *({"made": [MADE | {"spec": x}]} for x in NO_SPECS),
        *({"placeholder": x} for x in ("\0", "https://x", "javascript:", None)),
        {"placeholder": "data:image/webp;base64," + "A" * 428},
        *({"color": x} for x in ("\0", "red", "#aabbccd", "#aabbc\n", None)),
        {"tint": "x"},
        *({"luma": x} for x in (-0.1, 1.1, 10**400, "1", None)),
        *({"perceptual_hash": x} for x in (2**63, -(2**63) - 1, 1.5, "1", True)),
    ],
    ids=lambda lie: str(lie)[:60],
)
def test_what_is_rendered(lie: dict[str, Any]) -> None:
    answer = as_read(RENDERED | lie)
    with pytest.raises((TypeError, ValueError)):
        answers.rendered(answer, Path("/x"), ["w240.webp.1"])


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(LOOKED).replace("3", "Infinity"),
        json.dumps(LOOKED).replace("3", "1e400"),
        json.dumps(LOOKED).replace("3", "9" * 5_000),
        json.dumps(RENDERED).replace("0.5", "NaN"),
        json.dumps(RENDERED).replace("0.5", "1e400"),
        json.dumps(RENDERED).replace("-9223372036854775808", "1e400"),
        "[" * 500_000,
        '{"a":' * 150_000,
        '{"code": [], "sentence": "x"}',
        '{"code": "broken_image", "sentence": 7}',
        '{"trace": [], "a": 1}',
    ],
    ids=lambda answer: answer[:70],
)
def test_a_liar_is_refused_and_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    file = tmp_path / "answer"
    file.write_bytes(messages.HEAD.pack(len(answer)) + answer.encode())
    program = (
        "import sys, os; os.read(0, 99999);"
        f"sys.stdout.buffer.write(open({str(file)!r}, 'rb').read());"
        "sys.stdout.flush(); os.read(0, 1)"
    )
    path = tmp_path / "picture"
    path.write_bytes(PICTURE)
    for ask in (
        lambda: imaging.look(path),
        lambda: imaging.render(path, tmp_path, ["w240.webp.1"]),
    ):
        pool.POOL.end()
        with monkeypatch.context() as patch:
            patch.setattr("media_archive.imaging.process._START", ("-c", program))
            with pytest.raises(BrokenImage):
                ask()
        assert pool.POOL.all_of_them() == []
    assert imaging.look(path).width == 64


def test_a_refusal_s_sentence_fits_a_database() -> None:
    answer = {"code": "broken_image", "sentence": "a\0b\ud800c" + "d" * 400}
    with pytest.raises(BrokenImage, match=r"^a b c"):
        answers.raise_refusal(as_read(answer))


def a_made(path: Path, content_type: str = "image/webp") -> Made:
    return Made(
        spec="w240.webp.1", path=path, content_type=content_type, width=1, height=1
    )


def other_things(folder: Path) -> dict[str, Callable[[Path], object]]:
    good = folder / "good"
    good.write_bytes(encoded(Image.new("RGB", (9, 9)), "WEBP"))

    def huge(path: Path) -> None:
        path.write_bytes(good.read_bytes())
        os.truncate(path, (64 << 20) + 1)

    return {
        "nothing": lambda path: None,
        "a link": lambda path: path.symlink_to(good),
        "a second name": lambda path: path.hardlink_to(good),
        "a pipe": os.mkfifo,
        "a folder": Path.mkdir,
        "empty": Path.touch,
        "a page": lambda path: path.write_text("<html>"),
        "another kind": lambda path: path.write_bytes(PICTURE),
        "huge": huge,
    }


def test_files_of_a_liar_are_not_opened(tmp_path: Path) -> None:
    things = other_things(tmp_path)
    for number, make in enumerate(things.values()):
        path = tmp_path / f"made-{number}"
        make(path)
        with pytest.raises(BrokenImage), imaging.opened(a_made(path)):
            raise AssertionError(make)
    path = tmp_path / "plain"
    path.write_bytes(encoded(Image.new("RGB", (9, 9)), "WEBP"))
    with imaging.opened(a_made(path)) as file:
        assert file.read() == path.read_bytes()


@pytest.mark.django_db
def test_a_link_does_not_get_into_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the one place where renditions are kept."""
    path = tmp_path / "original"
    path.write_bytes(encoded(quarters(300, 200), "PNG"))
    file = StoredFile(content_type="image/png", width=300, height=200, frames=1)
    honest = imaging.render

    def lying(path: Path, into: Path, specs: Sequence[str]) -> Rendered:
        rendered = honest(path, into, specs)
        first = rendered.made[0].path
        first.rename(tmp_path / "elsewhere")
        first.symlink_to(tmp_path / "elsewhere")
        return rendered

    monkeypatch.setattr(imaging, "render", lying)
    kept: list[str] = []
    monkeypatch.setattr(files, "put", lambda name, _, **__: kept.append(name))
    with pytest.raises(BrokenImage, match="cannot be opened"):
        renditions.make(file, path, portrait=False, anew=True)
    assert kept == []
