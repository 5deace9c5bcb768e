"""What was purged and must not come back."""

from __future__ import annotations

from collections.abc import Collection

from media_archive.models import Tombstone


def entombed(provider: str, native_ids: Collection[str]) -> set[str]:
    """Which of ``native_ids`` stand for a media item that was purged."""
    if not native_ids:
        return set()
    keys = {
        Tombstone.key_of(provider, native_id): native_id for native_id in native_ids
    }
    found = Tombstone.objects.filter(key__in=keys.keys())
    return {keys[key] for key in found.values_list("key", flat=True)}
