"""Files between the store and a folder of backups. A name says the hash of the bytes:
what is there with the right size is not copied again, and every copy is checked."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from media_archive import files
from media_archive.models import Rendition, StoredFile
from media_archive.stores.shape import is_name
from photowall.backup.drafts import Drafts
from photowall.backup.errors import BackupFailed, BackupRefused
from photowall.backup.folder import LIST, PART, listed
from photowall.backup.in_order import InOrder, Named

_BLOCK = 256 * 1024
AWAY = 20
"""Files in a row that cannot be read: then it is the store, and not they."""
SPARE = 64 * 1024 * 1024
"""Bytes that a backup leaves free on its disk."""


@dataclass
class Copied:
    """How copying went; names of what could not be copied."""

    files: int = 0
    size: int = 0
    erased: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def room_for(backup: Path, pool: Path) -> None:
    """Raises ``BackupRefused`` if what is not there yet does not fit."""
    wanted = sum(
        size for name, size in listed(backup / LIST) if not _is_there(pool / name, size)
    )
    free = shutil.disk_usage(pool).free
    if wanted + SPARE > free:
        raise BackupRefused(
            f"{wanted / 2**20:,.0f} MiB of files are to be copied, and only "
            f"{free / 2**20:,.0f} MiB are free at {pool}."
        )


def out_of_the_store(
    backup: Path, pool: Path, told: Callable[[int, int], None]
) -> Copied:
    """Bring every listed file of the store into ``pool``. ``told`` hears of each one
    and its bytes copied; at the end they are on the disk, also after a power cut.
    Raises ``OSError`` when the disk of the pool is full, and ``BackupFailed`` when the
    store is away: it cannot be reached, or ``AWAY`` files in a row cannot be read."""
    done, drafts, unread = Copied(), Drafts(), 0
    for name, size in listed(backup / LIST):
        target = pool / name
        if _is_there(target, size):
            told(1, 0)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(target.name + PART)
        try:
            digest = _copied(name, draft)
        except _Gone:
            # The rows were read before the files: it may be gone on purpose since.
            (done.missing if _still_wanted(name) else done.erased).append(name)
            told(1, 0)
            continue
        except _Unreadable as error:
            draft.unlink(missing_ok=True)
            unread += 1
            if error.is_away or unread >= AWAY:
                raise BackupFailed(f"The store cannot be read: {error}.") from error
            done.unreadable.append(name)
            told(1, 0)
            continue
        unread = 0
        if digest == hash_in(name):
            drafts.add(draft, target, size)
            done.files, done.size = done.files + 1, done.size + size
        else:
            draft.unlink()
            done.damaged.append(name)
        told(1, size)
    drafts.end()
    return done


class _Gone(Exception):
    """The store does not have the file."""


class _Unreadable(Exception):
    """The store has the file, and does not give it."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.is_away = isinstance(error, (ConnectionError, TimeoutError))


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise _Gone from error
    except OSError as error:
        raise _Unreadable(error) from error


def _copied(name: str, draft: Path) -> str:
    """Copy the store's file to ``draft``; the SHA-256 of its bytes. Raises
    ``_Gone``, ``_Unreadable``, and ``OSError`` of the draft's disk."""
    digest = hashlib.sha256()
    with _reading():
        source = files.open_file(name)
    with source, draft.open("wb") as copy:
        while True:
            with _reading():
                block = source.read(_BLOCK)
            if not block:
                return digest.hexdigest()
            digest.update(block)
            copy.write(block)


def judge(backup: Path, pool: Path, absent: set[str]) -> list[str]:
    """Names of listed files that the pool does not have whole, by their sizes; those
    that the backup never had (``absent``) are not among them."""
    return [
        name
        for name, size in listed(backup / LIST)
        if name not in absent and not _is_there(pool / name, size)
    ]


def into_the_store(
    backup: Path, pool: Path, unfit: set[str], told: Callable[[int, int], None]
) -> Copied:
    """Bring every listed file, but the ``unfit``, into the store, where it is not
    there already. Harmless whatever the rows say, so it may be repeated."""
    done = Copied()
    there = InOrder(_in_the_store())
    for name, size in listed(backup / LIST):
        if name in unfit or there.size_of(name) == size:
            told(1, 0)
            continue
        source = pool / name
        with source.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != hash_in(name):
                done.damaged.append(name)
                told(1, 0)
                continue
        files.put(name, source)
        done.files, done.size = done.files + 1, done.size + size
        told(1, size)
    return done


def not_in_the_store() -> list[str]:
    """Names of files that our rows name and the store does not have whole."""
    there = InOrder(_in_the_store())
    # Originals and films come before renditions, in the order of names.
    return [
        name
        for model in (StoredFile, Rendition)
        for name, size in model.objects.order_by("name")
        .values_list("name", "size")
        .iterator()
        if not is_name(name) or there.size_of(name) != size
    ]


def hash_in(name: str) -> str:
    """The SHA-256 that a file's name says."""
    return PurePosixPath(name).name.partition(".")[0]


def _in_the_store() -> Iterator[Named]:
    """Its files that are ours, by name."""
    return ((name, size) for name, size, _ in files.walk() if is_name(name))


def _is_there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _still_wanted(name: str) -> bool:
    return (
        StoredFile.objects.filter(name=name).exists()
        or Rendition.objects.filter(name=name).exists()
    )
