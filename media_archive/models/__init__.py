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
from media_archive.models.pictures import (
    OPEN,
    REVIVABLE,
    SETTLED,
    Download,
    DownloadState,
    Rendition,
    Role,
    StoreCheck,
    StoredFile,
)
from media_archive.models.tokens import ApiToken
from media_archive.models.tombstones import Discarded, Tombstone

__all__ = [
    "OPEN",
    "REVIVABLE",
    "SETTLED",
    "ApiToken",
    "Author",
    "Discarded",
    "Download",
    "DownloadState",
    "JournalCounter",
    "JournalEntry",
    "JournalKind",
    "MediaAsset",
    "MediaItem",
    "MediaTag",
    "RawDocument",
    "Rendition",
    "Role",
    "StoreCheck",
    "StoredFile",
    "Tag",
    "Tombstone",
    "Visibility",
]
