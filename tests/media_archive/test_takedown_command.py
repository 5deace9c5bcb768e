"""``manage.py takedown``: what it refuses, what it shows, and what it erases."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from media_archive.models import MediaItem, Tombstone
from media_archive.records import IncomingAuthor
from tests.builders import ANA, PROVIDER, an_item, some_items

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], "Name what to erase"),
        (["0"], "no media item of such a number"),
        ([str(2**70)], "no media item of such a number"),
        (["--native-id", "7"], "--provider"),
        (["7777777"], "Nothing of this is archived"),
        (["--permalink", "https://photos.example/p/other/"], "Nothing of this"),
        (["--author", "nobody"], "Nothing of this"),
    ],
)
def test_it_refuses_with_a_sentence(said: list[str], words: str) -> None:
    an_item()
    with pytest.raises(CommandError, match=words):
        call_command("takedown", *said, "--yes")
    assert MediaItem.objects.count() == 1


@pytest.mark.parametrize(
    "said", [["{pk}"], ["--provider", PROVIDER, "--native-id", "1"]]
)
def test_what_was_erased_before_is_no_failure(
    said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    item = an_item("1")
    words = [word.format(pk=item.pk) for word in said]
    call_command("takedown", *words, "--yes")
    capsys.readouterr()
    call_command("takedown", *words, "--yes")
    assert "Erased before, nothing is left to do" in capsys.readouterr().out


def test_without_yes_nothing_is_erased(capsys: pytest.CaptureFixture[str]) -> None:
    item = an_item(caption="Sea\x1b[2J\nat dawn")
    call_command("takedown", str(item.pk))
    said = capsys.readouterr().out
    assert "This would erase 1 media item for good" in said
    assert "Ana Costa: Sea [2J at dawn" in said and "\x1b" not in said
    assert MediaItem.objects.filter(pk=item.pk).exists()


@pytest.mark.parametrize(
    "said",
    [
        ["{pk}"],
        ["--provider", PROVIDER, "--native-id", "gone"],
        ["--permalink", "https://photos.example/p/gone/"],
        ["--permalink", "https://photos.example/p/gone?utm_source=x"],
        ["--author", "@ben"],
    ],
)
def test_it_erases_what_is_named_and_nothing_else(said: list[str]) -> None:
    kept = an_item("kept")
    gone = an_item("gone", author=IncomingAuthor("8", "ben", "Ben", None))
    call_command(
        "takedown",
        *(word.format(pk=gone.pk) for word in said),
        "--reason=asked",
        "--yes",
    )
    assert list(MediaItem.objects.all()) == [kept]
    stone = Tombstone.objects.get()
    assert (stone.item_id, stone.actor, stone.reason) == (
        gone.pk,
        "command line",
        "asked",
    )


def test_all_of_an_author(capsys: pytest.CaptureFixture[str]) -> None:
    some_items(12)
    call_command("takedown", "--author", ANA.username or "", "--yes")
    said = capsys.readouterr().out
    assert "and 2 more" in said and "12 erased for good." in said
    assert not MediaItem.objects.exists()
