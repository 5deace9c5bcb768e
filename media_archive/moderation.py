"""Hide, show and pin media items: what a person decides, with its journal entry."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from media_archive import journal
from media_archive.journal import Recording
from media_archive.models import JournalKind, MediaItem, Visibility


def hide(ids: Iterable[int], *, actor: str, reason: str = "") -> int:
    """Take items off every screen, list and facade; how many were changed."""
    return _decide(ids, JournalKind.HIDDEN, actor, reason)


def show(ids: Iterable[int], *, actor: str, reason: str = "") -> int:
    """Show hidden items again, but not what was removed at its source. They join
    their listings anew, so that those who follow a tag by cursor hear of them; how
    many were changed."""
    return _decide(ids, JournalKind.SHOWN, actor, reason)


def pin(ids: Iterable[int], *, actor: str) -> int:
    """Let items return on the wall more often; how many were changed."""
    return _decide(ids, JournalKind.PINNED, actor, "")


def unpin(ids: Iterable[int], *, actor: str) -> int:
    """The opposite of ``pin``."""
    return _decide(ids, JournalKind.UNPINNED, actor, "")


_CHANGES: dict[JournalKind, dict[str, object]] = {
    JournalKind.HIDDEN: {"visibility": Visibility.HIDDEN},
    JournalKind.SHOWN: {"visibility": Visibility.VISIBLE},
    JournalKind.PINNED: {"pinned": True},
    JournalKind.UNPINNED: {"pinned": False},
}

_ONLY: dict[JournalKind, dict[str, object]] = {
    JournalKind.HIDDEN: {"visibility": Visibility.VISIBLE},
    JournalKind.SHOWN: {"visibility": Visibility.HIDDEN},
    JournalKind.PINNED: {"pinned": False},
    JournalKind.UNPINNED: {"pinned": True},
}


def _decide(ids: Iterable[int], kind: JournalKind, actor: str, reason: str) -> int:
    wanted = list(ids)
    return journal.recorded(
        lambda recording: _write(recording, wanted, kind, actor, reason)
    )


def _write(
    recording: Recording, ids: list[int], kind: JournalKind, actor: str, reason: str
) -> int:
    changes = _CHANGES[kind]
    now = timezone.now()
    items = list(
        MediaItem.objects.filter(pk__in=ids, **_ONLY[kind])
        .order_by("native_id")
        .select_for_update(no_key=True)
    )
    for item in items:
        for name, value in changes.items():
            setattr(item, name, value)
        item.revision += 1
        item.changed_at = now
        detail = {"reason": reason} if reason else {}
        entry = recording.add(item, kind, actor=actor, detail=detail)
        if kind == JournalKind.SHOWN:
            recording.relist(entry)
    if items:
        MediaItem.objects.bulk_update(items, [*changes, "revision", "changed_at"])
    return len(items)
