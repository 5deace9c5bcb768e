"""Verification: every stored file is read, and its bytes are hashed again."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils import timezone

from media_archive import files, mending
from media_archive.models import (
    Author,
    MediaAsset,
    Rendition,
    StoreCheck,
    StoredFile,
)

AT_ONCE = 100
PIECE = 1024 * 1024
AWAY = 20
"""Files in a row that cannot be read: then it is the store, and not they."""
NAMED = 100
"""Names that a report holds."""
ITEMS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is not as its row says. ``shown_by`` names whose it is, ``mended``
    what was done about it; empty = nothing."""

    name: str
    what: str
    shown_by: str
    mended: str = ""

    def __str__(self) -> str:
        done = f" · {self.mended}" if self.mended else ""
        return f"{self.name}: {self.what} ({self.shown_by}){done}"


@dataclass
class Verified:
    """How far it has come: files, their bytes, faults; ``last`` is the number of an
    original up to which all are read, or are known to be damaged."""

    files: int = 0
    size: int = 0
    faults: list[Fault] = field(default_factory=list)
    last: int = 0
    unread: int = 0
    """Files in a row that could not be read."""


def originals(after: int = 0) -> int:
    """How many originals there are to verify, each with its renditions."""
    return StoredFile.objects.filter(pk__gt=after).count()


def verify(
    *,
    repair: bool = False,
    after: int = 0,
    told: Callable[[Verified, list[Fault]], None] = lambda _so_far, _faults: None,
) -> Verified:
    """Read every original and rendition, in the order of their rows' numbers.

    ``told`` hears of each original: the sums so far, and the faults of its files.
    ``repair`` has originals brought from their source again and renditions made again;
    what cannot be read is only named. Interrupted, it is begun again with ``after``.
    Raises ``OSError`` when the store is away: it cannot be reached, or ``AWAY`` files
    in a row, or all there are, cannot be read.
    """
    check = StoreCheck.objects.create(kind="verify")
    sums, last = Verified(last=after), after
    try:
        while some := _some(last):
            for file in some:
                faults = list(_faults_of(file, sums, repair=repair))
                sums.faults += faults
                last = file.pk
                if not sums.unread:
                    sums.last = last
                told(sums, faults)
        if sums.unread and sums.unread == sums.files:
            raise OSError(errno.EIO, "None of its files can be read.")
        sums.last = last
        check.ended_at = timezone.now()
    finally:
        check.files, check.size = sums.files, sums.size
        check.missing = sum(fault.what == _MISSING for fault in sums.faults)
        check.damaged = len(sums.faults) - check.missing
        check.names = [[fault.name, fault.what] for fault in sums.faults[:NAMED]]
        check.save()
    return sums


_MISSING = "missing"
_UNREADABLE = "cannot be read"


def _some(after: int) -> list[StoredFile]:
    rows = StoredFile.objects.filter(pk__gt=after).order_by("pk")
    return list(rows.prefetch_related("renditions")[:AT_ONCE])


def _faults_of(file: StoredFile, sums: Verified, *, repair: bool) -> Iterator[Fault]:
    wrong = _wrong(file, sums)
    if wrong:
        yield Fault(
            file.name, wrong, _whose(file), _bring(file, wrong) if repair else ""
        )
    bad = [(r.name, w) for r in file.renditions.all() if (w := _wrong(r, sums))]
    if not bad:
        return
    mended = ""
    if repair and not wrong:
        names = [name for name, what in bad if not what.startswith(_UNREADABLE)]
        done = names and mending.make_again(file, names)
        mended = "made again" if done else "cannot be made again now"
    elif repair and not wrong.startswith(_UNREADABLE):
        mended = "is made again with its original"
    for name, what in bad:
        named_only = what.startswith(_UNREADABLE)
        yield Fault(name, what, _whose(file), "" if named_only else mended)


def _wrong(row: StoredFile | Rendition, sums: Verified) -> str:
    """What is wrong with the row's file; empty = nothing."""
    sums.files += 1
    digest, size = hashlib.sha256(), 0
    try:
        with files.open_file(row.name) as content:
            while piece := content.read(PIECE):
                digest.update(piece)
                size += len(piece)
    except FileNotFoundError:
        # Its row may have gone in between, and the file with it.
        return _MISSING if type(row).objects.filter(pk=row.pk).exists() else ""
    except (ConnectionError, TimeoutError):
        raise  # a store elsewhere that is away
    except OSError as error:
        # A bad sector, or rights that somebody changed.
        sums.unread += 1
        if sums.unread >= AWAY:
            raise
        return f"{_UNREADABLE}: {error.strerror or error}"
    sums.unread = 0
    sums.size += size
    if size != row.size:
        return f"{size:,} bytes instead of {row.size:,}"
    return "" if digest.hexdigest() == row.sha256 else "other bytes than were stored"


def _bring(file: StoredFile, wrong: str) -> str:
    if wrong.startswith(_UNREADABLE):
        return ""  # a person's work: the next disk may read it
    if wrong == _MISSING:
        StoredFile.objects.filter(pk=file.pk, missing_since__isnull=True).update(
            missing_since=timezone.now()
        )
        count = mending.bring_again(file.pk)
    else:
        count = mending.bring_instead(file)
    return "is fetched again" if count else "nothing brings it again by itself"


def _whose(file: StoredFile) -> str:
    shown = MediaAsset.objects.filter(Q(picture=file) | Q(film=file))
    ids = list(dict.fromkeys(shown.values_list("item", flat=True)[:ITEMS_NAMED]))
    if ids:
        return f"media item {', '.join(map(str, ids))}"
    author = Author.objects.filter(avatar=file).values_list("pk", flat=True).first()
    return f"portrait of author {author}" if author else "nobody's"
