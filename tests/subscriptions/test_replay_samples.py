"""``manage.py replay_samples``."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from media_archive import journal
from media_archive.models import MediaItem, MediaTag

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]
SAMPLES = Path(__file__).parent.parent / "fixtures" / "instagram_v1"


def replay(folder: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("replay_samples", str(folder), *options, stdout=out)
    return out.getvalue()


def counted(output: str) -> dict[str, int]:
    """The closing table."""
    rows = [line.rsplit(maxsplit=1) for line in output.splitlines() if line.strip()]
    return {
        row[0].strip(): int(row[1].replace(",", ""))
        for row in rows
        if len(row) == 2 and row[1].replace(",", "").isdigit()
    }


def a_post(native_id: str, **more: Any) -> dict[str, Any]:
    return {
        "id": native_id,
        "type": "image",
        "images": {"low_resolution": {"url": "https://a.example/1.jpg"}},
        "tags": ["sea"],
        **more,
    }


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        replay(tmp_path / "nowhere")


def test_a_tag_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="letters, digits and _ only"):
        replay(tmp_path, "--tag", "a b")


def test_a_provider_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        replay(tmp_path, "--provider", "myspace")


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    assert "There is no *.json" in replay(tmp_path)


def test_what_cannot_be_read_is_named_and_costs_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text('{"data": [')
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "folder.json" / "good.json").write_text(json.dumps(a_post("1")))
    (tmp_path / "user.json").write_text('{"data": {"id": "1", "username": "ana"}}')
    (tmp_path / "notes.txt").write_text("no JSON, not looked at")

    output = replay(tmp_path)
    table = counted(output)
    assert (table["files"], table["not read"], table["no media"]) == (5, 3, 1)
    assert table["new"] == 1
    for name in ("cut.json", "deep.json", "bytes.json"):
        assert f"not read     {name}: not JSON" in output
    assert "no media     user.json" in output


def test_a_second_time_nothing_is_new(tmp_path: Path) -> None:
    (tmp_path / "page.json").write_text(
        json.dumps({"data": [a_post(str(n)) for n in range(1, 251)]})
    )
    assert counted(replay(tmp_path))["new"] == 250
    head = journal.head()
    again = counted(replay(tmp_path))
    assert (again["new"], again["changed"], again["known"]) == (0, 0, 250)
    assert journal.head() == head == 250


def test_a_large_file_is_journalled_oldest_first(tmp_path: Path) -> None:
    posts = [a_post(str(n), created_time=str(1_400_000_000 + n)) for n in range(1, 151)]
    (tmp_path / "page.json").write_text(json.dumps({"data": posts[::-1]}))
    replay(tmp_path)
    items = MediaItem.objects.in_bulk()
    told = [items[entry.item_id].native_id for entry in journal.read(0, 500)]
    assert told == [post["id"] for post in posts]


def test_with_a_tag_all_is_listed_under_it(tmp_path: Path) -> None:
    (tmp_path / "page.json").write_text(json.dumps([a_post("1"), a_post("2")]))
    without = replay(tmp_path)
    assert "--tag TAG" in without
    output = replay(tmp_path, "--tag", "#Replay")
    assert "/wall/replay/" in output
    assert MediaTag.objects.filter(tag__name="replay").count() == 2
    assert counted(output)["changed"] == 2


def test_every_recorded_answer_is_replayed() -> None:
    output = replay(SAMPLES, "--tag", "replay")
    table = counted(output)
    files = len([*SAMPLES.rglob("*.json")])
    assert (table["files"], table["not read"]) == (files, 0)
    assert table["new"] == MediaItem.objects.count() >= 28
    assert table["not understood"] == 0
    assert "no media     errors/rate_limit_429_enveloped.json" in output
    again = counted(replay(SAMPLES, "--tag", "replay"))
    assert again["new"] == 0
