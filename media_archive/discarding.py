"""Files that nobody shows any more: their rows go, and then they go from the store.

What has to go is a row (``Discarded``) of the transaction that takes the file's
own row away: a store that is away, or a worker that is killed, only makes it later.

The name of a file says what is in it, so the same bytes may be put there again at any
moment, before their row is written. Therefore a file of a local store is moved aside
first. What was put there later than it was discarded, or has a row by now, is moved
back; and whoever puts bytes that are there already makes the file young
(``files.put``). A store elsewhere cannot move aside: there rows and time are looked at
right before, and those who put a file look whether it is there after its row is
written.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from media_archive import files
from media_archive.models import (
    Author,
    Discarded,
    Download,
    MediaAsset,
    Rendition,
    StoredFile,
)

logger = logging.getLogger(__name__)

AT_ONCE = 200
"""Files removed in one go."""
AGAIN = timedelta(minutes=5)
"""After a store that was away."""
ASIDE = "part-gone-"
"""How the names of files begin that are moved aside."""
SECOND = timedelta(seconds=1)
"""What some stores round the times of their files down to."""


def nobodys() -> QuerySet[StoredFile]:
    """Files that no asset shows, no author has as portrait, and no download brings."""
    # Each by itself: an OR over joins would read all rows of all tables.
    return StoredFile.objects.filter(
        ~Exists(MediaAsset.objects.filter(picture=OuterRef("pk"))),
        ~Exists(MediaAsset.objects.filter(film=OuterRef("pk"))),
        ~Exists(Author.objects.filter(avatar=OuterRef("pk"))),
        ~Exists(Download.objects.filter(file=OuterRef("pk"))),
    )


def drop(file_pks: Collection[int]) -> list[str]:
    """Take the rows of those files away that are nobody's, with their renditions; the
    names of what has to go from the store now. Whatever is shown somewhere stays."""
    if not file_pks:
        return []
    with transaction.atomic():
        # Locked first and looked at then: whoever is about to show one of them holds
        # its row until the commit.
        rows = StoredFile.objects.filter(pk__in=file_pks).order_by("pk")
        held = list(rows.select_for_update().values_list("pk", flat=True))
        gone = list(nobodys().filter(pk__in=held).values_list("pk", flat=True))
        names = {*StoredFile.objects.filter(pk__in=gone).values_list("name", flat=True)}
        made = Rendition.objects.filter(file_id__in=gone)
        names |= {*made.values_list("name", flat=True)}
        now = timezone.now()
        Discarded.objects.bulk_create(
            [Discarded(name=name, since=now) for name in sorted(names)],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["since"],
        )
        made.delete()
        StoredFile.objects.filter(pk__in=gone).delete()
    return sorted(names)


def remove(names: Iterable[str]) -> int:
    """Remove discarded files from the store; how many went. A store that is away makes
    them wait."""
    gone = 0
    for row in Discarded.objects.filter(name__in=[*names]):
        try:
            gone += take_away(row.name, row.since)
        except OSError as error:
            logger.warning("%s is not removed yet: %s", row.name, error)
            later = Now() + AGAIN
            Discarded.objects.filter(pk=row.pk).update(next_attempt_at=later)
            continue
        # Discarded once more meanwhile: it stays in the list.
        Discarded.objects.filter(pk=row.pk, since=row.since).delete()
    return gone


def remove_due() -> int:
    """Remove what could not be removed before; how many went."""
    due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=Now())
    rows = Discarded.objects.filter(due).order_by("pk")
    return remove(list(rows.values_list("name", flat=True)[:AT_ONCE]))


def spoken_of(names: Collection[str]) -> set[str]:
    """Which of the names some row has."""
    return {
        name
        for model in (StoredFile, Rendition)
        for name in model.objects.filter(name__in=names).values_list("name", flat=True)
    }


def take_away(name: str, since: datetime) -> bool:
    """Remove the file, unless a row speaks of it or it was put there later than
    ``since``; whether it went. Raises ``OSError``."""
    if spoken_of([name]):
        return False
    if not isinstance(default_storage, FileSystemStorage):
        try:
            if default_storage.get_modified_time(name) + SECOND > since:
                return False
        except FileNotFoundError:
            return False
        # The answer took its time: a row may have come meanwhile.
        if spoken_of([name]):
            return False
        files.delete(name)
        return True
    place = Path(default_storage.path(name))
    # A name of its own: two may be at it, and the file be put again between them.
    own = secrets.token_hex(4)
    aside = files.scratch() / f"{ASIDE}{name.replace('/', '-')}~{own}"
    try:
        place.replace(aside)
    except FileNotFoundError:
        return False
    return not _came_back(name, place, aside, since) and _unlinked(aside)


def settle_aside(aside: Path) -> bool:
    """End what a killed process has begun with ``take_away``; whether the file went.
    A name that nobody can read is left alone."""
    name = aside.name.removeprefix(ASIDE).partition("~")[0].replace("-", "/")
    if spoken_of([name]) and isinstance(default_storage, FileSystemStorage):
        aside.replace(default_storage.path(name))
        return False
    return _unlinked(aside)


def _came_back(name: str, place: Path, aside: Path, since: datetime) -> bool:
    try:
        modified = datetime.fromtimestamp(os.stat(aside).st_mtime, UTC)  # noqa: PTH116
    except FileNotFoundError:
        return False
    if modified <= since and not spoken_of([name]):
        return False
    aside.replace(place)
    return True


def _unlinked(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return True
