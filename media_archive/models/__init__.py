"""What we keep."""

from __future__ import annotations

from media_archive.models.items import (
    Author,
    MediaAsset,
    MediaItem,
    MediaTag,
    RawDocument,
    Tag,
    Visibility,
)
from media_archive.models.journal_entries import (
    JournalCounter,
    JournalEntry,
    JournalKind,
)
from media_archive.models.tokens import ApiToken

__all__ = [
    "ApiToken",
    "Author",
    "JournalCounter",
    "JournalEntry",
    "JournalKind",
    "MediaAsset",
    "MediaItem",
    "MediaTag",
    "RawDocument",
    "Tag",
    "Visibility",
]
