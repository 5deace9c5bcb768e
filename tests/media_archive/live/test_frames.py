"""What travels to a viewer, and what never does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from media_archive import moderation
from media_archive.live.frames import (
    MOST_CHARACTERS,
    MOST_FRAMES,
    Frame,
    batch_of,
    batches_of,
    frame_of,
)
from media_archive.live.posts import address, moment, post_of, source_label
from media_archive.models import JournalEntry, MediaItem
from media_archive.records import AssetSource, IncomingAsset, IncomingAuthor, Kind
from tests.builders import an_item

pytestmark = pytest.mark.django_db


def the_post(**said: Any) -> dict[str, Any]:
    return post_of(MediaItem.objects.whole().get(pk=an_item(**said).pk))


def the_frame(item: MediaItem, kind: str, **more: bool) -> dict[str, Any] | None:
    entry = JournalEntry.objects.get(item=item, kind=kind)
    whole = MediaItem.objects.whole().filter(pk=item.pk).first()
    frame = frame_of(entry, whole, **more)
    return json.loads(frame.text) if frame is not None else None


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "//pictures.example/a.jpg",
        "https://",
        "http://[::1",
        "ftp://pictures.example/a.jpg",
    ],
)
def test_only_web_addresses_travel(url: str | None) -> None:
    assert address(url) is None
    assert address("https://pictures.example/a.jpg") == "https://pictures.example/a.jpg"


def test_a_source_with_a_strange_address_is_left_out() -> None:
    item = an_item()
    asset = item.assets.get()
    asset.sources += [{"kind": "image", "url": "javascript:alert(1)", "width": 9999}]
    asset.sources += ["nonsense", {"kind": "image", "url": 7}]
    asset.save()
    post = post_of(MediaItem.objects.whole().get(pk=item.pk))
    assert [r["w"] for r in post["renditions"]] == [150, 640]


def test_a_post_has_everything_to_paint() -> None:
    item = an_item(
        caption="Sunset",
        posted_at=datetime(2026, 11, 20, 21, 14, 5, tzinfo=UTC),
        tags=["Nofilter", "lisbon"],
    )
    post = post_of(MediaItem.objects.whole().get(pk=item.pk))
    archived_at = post.pop("archived_at")
    assert archived_at == moment(item.archived_at)
    assert post == {
        "id": str(item.pk),
        "kind": "image",
        "w": 640,
        "h": 640,
        "alt": None,
        "renditions": [
            {"w": 150, "h": 150, "url": "https://pictures.example/thumbnail.jpg"},
            {
                "w": 640,
                "h": 640,
                "url": "https://pictures.example/standard_resolution.jpg",
            },
        ],
        "video": None,
        "caption": "Sunset",
        "posted_at": "2026-11-20T21:14:05.000Z",
        "author": {
            "name": "Ana Costa",
            "user": "ana.costa",
            "avatar": "https://pictures.example/ana.jpg",
        },
        "source": "Instagram",
        "permalink": item.permalink,
        "tags": ["lisbon", "nofilter"],
        "pinned": False,
        "children": [],
        "color": None,
    }


def test_what_the_provider_did_not_say_is_null_and_not_empty() -> None:
    post = the_post(
        author=None, caption=None, posted_at=None, permalink=None, assets=[]
    )
    for name in ("author", "caption", "posted_at", "permalink", "w", "h", "alt"):
        assert post[name] is None
    assert post["renditions"] == post["children"] == []
    assert the_post(caption="")["caption"] == ""


def test_a_long_caption_is_cut() -> None:
    assert len(the_post(caption="é" * 3000)["caption"]) == 2200


def test_a_video_has_its_poster_and_its_largest_film() -> None:
    sources = [
        AssetSource("low", "https://v.example/low.mp4", Kind.VIDEO, 480, 480),
        AssetSource("high", "https://v.example/high.mp4", Kind.VIDEO, 1080, 1080),
        AssetSource("poster", "https://v.example/poster.jpg", Kind.IMAGE, 640, 640),
    ]
    post = the_post(kind=Kind.VIDEO, assets=[IncomingAsset(Kind.VIDEO, sources)])
    assert post["video"] == "https://v.example/high.mp4"
    assert [r["url"] for r in post["renditions"]] == ["https://v.example/poster.jpg"]


def test_an_album_has_its_children_and_shows_the_first() -> None:
    def page(number: int) -> IncomingAsset:
        url = f"https://a.example/{number}.jpg"
        return IncomingAsset(
            Kind.IMAGE, [AssetSource("x", url, Kind.IMAGE, 100, number)], f"No {number}"
        )

    post = the_post(kind=Kind.ALBUM, assets=[page(n) for n in range(1, 14)])
    assert [child["alt"] for child in post["children"]] == [
        f"No {n}" for n in range(1, 11)
    ]
    assert (post["h"], post["alt"]) == (1, "No 1")


def test_a_text_has_no_picture() -> None:
    post = the_post(kind=Kind.TEXT)
    assert post["renditions"] == [] and post["w"] is None


def test_a_provider_nobody_named_is_called_by_its_key() -> None:
    assert source_label("instagram_v1") == "Instagram"
    assert source_label("pixelfed_v2") == "Pixelfed"


def test_a_frame_is_ascii_without_markup_of_its_own_making() -> None:
    author = IncomingAuthor("9", "x", "<script>alert('é')</script>")
    item = an_item(caption="日本語 </script>\u2028", author=author)
    entry = JournalEntry.objects.get(item=item)
    frame = frame_of(entry, MediaItem.objects.whole().get(pk=item.pk))
    assert frame is not None
    assert frame.text.isascii()
    post = json.loads(frame.text)["post"]
    assert post["caption"] == "日本語 </script>\u2028"
    assert post["author"]["name"] == "<script>alert('é')</script>"


def test_each_kind_of_entry_has_its_word() -> None:
    item = an_item()
    moderation.pin([item.pk], actor="ada")
    moderation.unpin([item.pk], actor="ada")
    archived = the_frame(item, "archived")
    assert archived is not None
    assert archived["type"] == "added"
    pinned, unpinned = the_frame(item, "pinned"), the_frame(item, "unpinned")
    assert pinned == {"type": "pinned", "seq": 2, "id": str(item.pk), "pinned": True}
    assert unpinned is not None
    assert unpinned["pinned"] is False


def test_nothing_but_the_removal_is_told_of_a_hidden_item() -> None:
    item = an_item()
    assert the_frame(item, "archived") is not None
    moderation.pin([item.pk], actor="ada")
    moderation.hide([item.pk], actor="ada")
    assert the_frame(item, "archived") is None
    assert the_frame(item, "pinned") is None
    assert the_frame(item, "hidden") == {
        "type": "removed",
        "seq": 3,
        "id": str(item.pk),
    }


def test_of_an_item_that_is_gone_only_the_removal_is_told() -> None:
    item = an_item()
    moderation.hide([item.pk], actor="ada")
    archived = JournalEntry.objects.get(item=item, kind="archived")
    hidden = JournalEntry.objects.get(item=item, kind="hidden")
    assert frame_of(archived, None) is None
    assert frame_of(hidden, None) is not None


def some_frames(count: int, size: int = 100) -> list[Frame]:
    return [Frame(n, n, '"' + "x" * (size - 2) + '"') for n in range(1, count + 1)]


def test_a_message_carries_at_most_a_hundred_frames() -> None:
    batches = batches_of(some_frames(250))
    assert [len(batch.frames) for batch in batches] == [MOST_FRAMES, MOST_FRAMES, 50]
    message = json.loads(batches[1].text)
    assert message["type"] == "frames"
    assert message["cursor"] == batches[1].last == 200
    assert len(message["frames"]) == 100


def test_a_message_is_not_larger_than_its_limit_unless_one_frame_is() -> None:
    sizes = [len(b.frames) for b in batches_of(some_frames(5, MOST_CHARACTERS // 2))]
    assert sizes == [2, 2, 1]
    assert [len(b.frames) for b in batches_of(some_frames(2, MOST_CHARACTERS * 2))] == [
        1,
        1,
    ]


def test_a_viewer_gets_only_what_is_newer_than_its_cursor() -> None:
    batch = batch_of(tuple(some_frames(5)))
    assert batch.after(0) is batch
    rest = batch.after(3)
    assert rest is not None
    assert [frame.seq for frame in rest.frames] == [4, 5]
    assert batch.after(5) is None
