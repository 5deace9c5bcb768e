"""What the store has lost: brought from its source again, or made again."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from media_archive import files, renditions
from media_archive.downloads.reviving import begin_again
from media_archive.errors import DiskFull, PictureRefused
from media_archive.models import Download, DownloadState, Rendition, StoredFile

WORDS = "The store had lost its file."


def bring_again(file_pk: int) -> int:
    """Have the downloads that brought the file bring it again; how many. What shows it
    goes on pointing to it: the same bytes will be the same file."""
    rows = Download.objects.filter(file_id=file_pk, state=DownloadState.READY)
    return begin_again(rows, WORDS)


def bring_instead(file: StoredFile) -> int:
    """The same for a file whose bytes are other than they should be. It stays until
    somebody is there to bring it."""
    with transaction.atomic():
        # Killed in between, or the store away: nothing of it has happened, or the file
        # is missing and a sweep has it brought.
        downloads = bring_again(file.pk)
        if downloads:
            files.delete(file.name)
    return downloads


def make_again(file: StoredFile, names: Collection[str]) -> bool:
    """Make these of the file's renditions again; whether that went well. Raises
    ``OSError`` of the store."""
    # Their files stay until others are there: those of another original with the same
    # pixels are the same ones.
    Rendition.objects.filter(file=file, name__in=names).delete()
    try:
        renditions.make(file, over=True)
    except (PictureRefused, DiskFull, FileNotFoundError):
        return False
    return True
