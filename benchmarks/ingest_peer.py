"""``update_or_create`` per post, as a tutorial stores posts: the peer of ingest.

It writes the author, the post and its tags, each in a transaction of its own. It
writes less than ``ingest.store`` does: no raw document, no sizes, no journal.
"""

from __future__ import annotations

from django.utils import timezone

from media_archive.models import Author, MediaItem, MediaTag, Tag
from media_archive.records import IncomingMedia


def update_or_create(provider: str, post: IncomingMedia) -> None:
    """Store ``post``, new or known."""
    now = timezone.now()
    author = None
    if post.author is not None:
        author, _ = Author.objects.update_or_create(
            provider=provider,
            native_id=post.author.native_id,
            defaults={
                "username": post.author.username,
                "name": post.author.name,
                "avatar_url": post.author.avatar_url,
            },
        )
    place = post.place
    item, _ = MediaItem.objects.update_or_create(
        provider=provider,
        native_id=post.native_id,
        defaults={
            "kind": post.kind.value,
            "author": author,
            "caption": post.caption,
            "permalink": post.permalink,
            "posted_at": post.posted_at,
            "changed_at": now,
            "place_name": place.name if place else None,
            "latitude": place.latitude if place else None,
            "longitude": place.longitude if place else None,
            "likes": post.likes,
            "comments": post.comments,
        },
        create_defaults={
            "kind": post.kind.value,
            "author": author,
            "caption": post.caption,
            "permalink": post.permalink,
            "posted_at": post.posted_at,
            "dated_at": post.posted_at or now,
            "archived_at": now,
            "changed_at": now,
            "place_name": place.name if place else None,
            "latitude": place.latitude if place else None,
            "longitude": place.longitude if place else None,
            "likes": post.likes,
            "comments": post.comments,
        },
    )
    for name in post.tags:
        tag, _ = Tag.objects.get_or_create(name=name)
        MediaTag.objects.get_or_create(
            tag=tag, item=item, defaults={"dated_at": item.dated_at, "seq": 0}
        )
