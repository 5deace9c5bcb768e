"""The archive in the admin. The modules beside it hold one subject each."""

from __future__ import annotations

from django.contrib import admin

from media_archive.admin_downloads import DownloadAdmin
from media_archive.admin_erasing import TombstoneAdmin
from media_archive.admin_items import MediaItemAdmin
from media_archive.admin_lists import AuthorAdmin, JournalEntryAdmin, TagAdmin
from media_archive.admin_store import StoreAdmin
from media_archive.admin_tokens import ApiTokenAdmin
from media_archive.models import (
    ApiToken,
    Author,
    Download,
    JournalEntry,
    MediaItem,
    StoreCheck,
    Tag,
    Tombstone,
)

admin.site.site_title = "Photowall"
admin.site.site_header = "Photowall"
admin.site.index_title = "What runs here"

admin.site.register(MediaItem, MediaItemAdmin)
admin.site.register(Download, DownloadAdmin)
admin.site.register(Author, AuthorAdmin)
admin.site.register(Tag, TagAdmin)
admin.site.register(JournalEntry, JournalEntryAdmin)
admin.site.register(Tombstone, TombstoneAdmin)
admin.site.register(StoreCheck, StoreAdmin)
admin.site.register(ApiToken, ApiTokenAdmin)
