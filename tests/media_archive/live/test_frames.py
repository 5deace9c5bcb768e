"""What travels to a viewer, and what never does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from media_archive import files, moderation
from media_archive.kept_pictures import address_of
from media_archive.live.frames import (
    MOST_CHARACTERS,
    MOST_FRAMES,
    Frame,
    batch_of,
    batches_of,
    frame_of,
)
from media_archive.live.posts import address, moment, post_of, source_label
from media_archive.models import JournalEntry, MediaItem, StoredFile
from media_archive.records import AssetSource, IncomingAsset, IncomingAuthor, Kind
from tests.builders import a_kept_file, a_post, an_item, settle

pytestmark = pytest.mark.django_db


def the_post(**said: Any) -> dict[str, Any]:
    return post_of(MediaItem.objects.whole().get(pk=a_post(**said).pk))


def the_frame(item: MediaItem, kind: str, **more: Any) -> dict[str, Any] | None:
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


def test_a_post_has_everything_to_paint() -> None:
    item = a_post(
        caption="Sunset",
        posted_at=datetime(2026, 11, 20, 21, 14, 5, tzinfo=UTC),
        tags=["Nofilter", "lisbon"],
    )
    post = post_of(MediaItem.objects.whole().get(pk=item.pk))
    archived_at = post.pop("archived_at")
    assert archived_at == moment(item.archived_at)
    kept, portrait = a_kept_file(), a_kept_file("portrait", 150, 150)
    where = {r.spec.rpartition(".")[0]: address_of(r) for r in kept.renditions.all()}
    face = {r.spec: address_of(r) for r in portrait.renditions.all()}
    assert all(url and url.startswith("/media/r/") for url in where.values())
    assert post == {
        "id": str(item.pk),
        "kind": "image",
        "w": 640,
        "h": 640,
        "alt": None,
        "renditions": [
            {"w": 240, "h": 240, "url": where["w240.webp"]},
            {"w": 480, "h": 480, "url": where["w480.webp"]},
            {"w": 640, "h": 640, "url": where["w640.webp"]},
        ],
        "jpeg": where["w480.jpeg"],
        "thumb": where["s168.webp"],
        "bg": where["bg.webp"],
        "lqip": "data:image/webp;base64,UklGRg==",
        "color": "#804020",
        "tint": "#ffe0c0",
        "luma": 0.4,
        "animated": None,
        "video": None,
        "caption": "Sunset",
        "posted_at": "2026-11-20T21:14:05.000Z",
        "author": {
            "name": "Ana Costa",
            "user": "ana.costa",
            "avatar": face["s192.webp.1"],
            "avatar_small": face["s96.webp.1"],
        },
        "source": "Instagram",
        "permalink": item.permalink,
        "tags": ["lisbon", "nofilter"],
        "pinned": False,
        "cluster": None,
        "children": [],
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


def test_a_video_has_its_poster_and_its_film_from_our_store() -> None:
    sources = [
        AssetSource("high", "https://v.example/high.mp4", Kind.VIDEO, 1080, 1080),
        AssetSource("poster", "https://v.example/poster.jpg", Kind.IMAGE, 640, 640),
    ]
    item = a_post(kind=Kind.VIDEO, assets=[IncomingAsset(Kind.VIDEO, sources)])
    assert post_of(MediaItem.objects.whole().get(pk=item.pk))["video"] is None
    film = StoredFile.objects.create(
        sha256="f" * 64,
        name=files.film_name("f" * 64, "video/mp4"),
        content_type="video/mp4",
        size=9,
    )
    item.assets.update(film=film)
    post = post_of(MediaItem.objects.whole().get(pk=item.pk))
    assert post["video"] == f"/media/f/ff/ff/{'f' * 64}.mp4"
    assert len(post["renditions"]) == 3


def test_nothing_from_another_address_is_on_a_page() -> None:
    """Whatever is kept or not: no picture, no film and no portrait of a provider."""
    sources = [
        AssetSource("high", "https://v.example/high.mp4", Kind.VIDEO, 1080, 1080),
        AssetSource("poster", "https://v.example/poster.jpg", Kind.IMAGE, 640, 640),
    ]
    video: dict[str, Any] = {
        "kind": Kind.VIDEO,
        "assets": [IncomingAsset(Kind.VIDEO, sources)],
    }
    unkept = an_item(**video)
    unkept.assets.update(state="failed")
    for pk in (unkept.pk, a_post(**video).pk):
        text = json.dumps(post_of(MediaItem.objects.whole().get(pk=pk)))
        assert "v.example" not in text
        assert "pictures.example" not in text


def test_a_picture_that_moves_has_its_moving_version() -> None:
    item = a_post()
    kept = item.assets.get().picture
    assert kept is not None
    assert the_one(item)["animated"] is None
    moving = kept.renditions.get(spec="w480.webp.1")
    moving.pk, moving.spec, moving.name = None, "a480.webp.1", "r/aa/bb/aabb.webp"
    moving.save()
    assert the_one(item)["animated"] is None
    StoredFile.objects.filter(pk=kept.pk).update(frames=12)
    assert the_one(item)["animated"] == "/media/r/aa/bb/aabb.webp"


def the_one(item: MediaItem) -> dict[str, Any]:
    return post_of(MediaItem.objects.whole().get(pk=item.pk))


def test_an_album_has_its_children_and_shows_the_first() -> None:
    def page(number: int) -> IncomingAsset:
        url = f"https://a.example/{number}.jpg"
        return IncomingAsset(
            Kind.IMAGE, [AssetSource("x", url, Kind.IMAGE, 100, number)], f"No {number}"
        )

    item = a_post(kind=Kind.ALBUM, assets=[page(n) for n in range(1, 14)])
    item.assets.filter(position=1).update(picture=None, state="pending")
    item.assets.filter(position=0).update(picture=a_kept_file("first", 800, 600))
    post = the_one(item)
    assert [child["alt"] for child in post["children"]] == [
        f"No {n}" for n in range(1, 11)
    ]
    assert (post["w"], post["h"], post["alt"]) == (800, 600, "No 1")
    assert [len(child["renditions"]) for child in post["children"]][:3] == [3, 0, 3]
    assert post["children"][0].items() >= {"w": 800, "video": None}.items()


def test_a_text_has_no_picture() -> None:
    post = the_post(kind=Kind.TEXT)
    assert post["renditions"] == [] and post["w"] is None


def test_a_provider_nobody_named_is_called_by_its_key() -> None:
    assert source_label("instagram_v1") == "Instagram"
    assert source_label("pixelfed_v2") == "Pixelfed"


def test_a_frame_is_ascii_without_markup_of_its_own_making() -> None:
    author = IncomingAuthor("9", "x", "<script>alert('é')</script>")
    item = a_post(caption="日本語 </script>\u2028", author=author)
    entry = JournalEntry.objects.get(item=item)
    frame = frame_of(entry, MediaItem.objects.whole().get(pk=item.pk))
    assert frame is not None
    assert frame.text.isascii()
    post = json.loads(frame.text)["post"]
    assert post["caption"] == "日本語 </script>\u2028"
    assert post["author"]["name"] == "<script>alert('é')</script>"


def test_each_kind_of_entry_has_its_word() -> None:
    item = a_post()
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
    item = a_post()
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
    item = a_post()
    moderation.hide([item.pk], actor="ada")
    archived = JournalEntry.objects.get(item=item, kind="archived")
    hidden = JournalEntry.objects.get(item=item, kind="hidden")
    assert frame_of(archived, None) is None
    assert frame_of(hidden, None) is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["ready", "failed", "gone", "rejected"])
def test_a_post_appears_when_its_picture_is_settled(state: str) -> None:
    item = an_item()
    assert the_frame(item, "archived") is None
    settle(item, state)
    entry = JournalEntry.objects.get(item=item, kind="pictured")
    appeared = the_frame(item, "pictured", pictured=entry.seq)
    assert appeared is not None
    assert appeared["type"] == "added"
    assert "past" not in appeared
    assert bool(appeared["post"]["renditions"]) is (state == "ready")
    assert the_frame(item, "archived", pictured=entry.seq) is None
    later = the_frame(item, "pictured", pictured=entry.seq - 1)
    assert later is not None
    assert later["type"] == "changed"


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_comes_late_or_with_a_backfill_is_no_news() -> None:
    item = an_item()
    settle(item)
    entry = JournalEntry.objects.get(item=item, kind="pictured")
    assert "past" not in (the_frame(item, "pictured", pictured=entry.seq) or {})
    old = item.archived_at - timedelta(hours=2)
    MediaItem.objects.filter(pk=item.pk).update(archived_at=old)
    late = the_frame(item, "pictured", pictured=entry.seq)
    assert late is not None
    assert late["past"] is True
    read = an_item()
    settle(read, backfilled=True)
    entry = JournalEntry.objects.get(item=read, kind="pictured")
    past = the_frame(read, "pictured", pictured=entry.seq)
    assert past is not None
    assert past["past"] is True


def test_words_wait_for_no_picture() -> None:
    assert (the_frame(an_item(kind=Kind.TEXT), "archived") or {})["type"] == "added"
    assert (the_frame(an_item(assets=[]), "archived") or {})["type"] == "added"
    assert the_frame(an_item(), "archived") is None


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
