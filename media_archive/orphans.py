"""The daily sweep of the store: files without a row, rows without a file, and files of
another size than their row says.

It reads the store once, in the order of names and in stretches of some thousand files,
and asks for the rows of each stretch: memory is bounded however many there are. What is
younger than an hour is left alone: its row may be about to come.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from media_archive import discarding, files, mending, retention
from media_archive.models import Author, MediaItem, Rendition, StoreCheck, StoredFile
from media_archive.stores.shape import KINDS, Kept, is_name

YOUNG = timedelta(hours=1)
EVERY = timedelta(days=1)
LONGEST = timedelta(hours=6)
"""A sweep that began before and has not ended was killed."""
NAMED = 100
"""Names that a report holds."""
AT_ONCE = 200
STRETCH = 2000
"""Files and rows that are compared at once, and what lies in their last folder."""
_FOLDER = re.compile("[ofr]/[0-9a-f]{2}/")

Told = Callable[[int], None]


def is_due() -> bool:
    """Whether a day is over since the last sweep, and none is under way."""
    now = timezone.now()
    sweeps = StoreCheck.objects.filter(kind="sweep")
    done = sweeps.filter(ended_at__isnull=False, began_at__gt=now - EVERY)
    running = sweeps.filter(ended_at__isnull=True, began_at__gt=now - LONGEST)
    return not done.exists() and not running.exists()


def sweep(told: Told = lambda _files: None) -> StoreCheck:
    """Sweep now; what was found and done. ``told`` hears of each stretch's files. Safe
    to run twice at once, and to be killed. Raises ``OSError`` of the store."""
    run = _Sweep(StoreCheck.objects.create(kind="sweep"), timezone.now() - YOUNG)
    run.scratch()
    for begin, end, here in _stretches():
        run.stretch(begin, end, here)
        told(len(here))
    run.came_back()
    run.rows()
    run.check.ended_at = timezone.now()
    run.check.save()
    return run.check


Stretch = tuple[str, str, dict[str, Kept]]
"""From this name (inclusive) to that one (exclusive), and the files between them."""


def _stretches() -> Iterator[Stretch]:
    """The whole store; a kind of which there is no file, too."""
    left = dict.fromkeys(KINDS)
    for kind, group in groupby(files.walk(), lambda file: file.name[0]):
        left.pop(kind, None)
        yield from _stretches_of(kind, group)
    for kind in left:
        yield from _stretches_of(kind, ())


def _stretches_of(kind: str, group: Iterable[Kept]) -> Iterator[Stretch]:
    """Cut between two folders. Names are alike in everything but their digits, so this
    holds in every alphabet that a database may sort by."""
    begin, here = f"{kind}/", dict[str, Kept]()
    for file in group:
        folder = file.name[:5]
        if len(here) >= STRETCH and _FOLDER.fullmatch(folder) and folder > begin:
            yield begin, folder, here
            begin, here = folder, {}
        here[file.name] = file
    yield begin, chr(ord(kind) + 1), here


@dataclass
class _Sweep:
    """One sweep, and its report."""

    check: StoreCheck
    before: datetime
    """What is older than this is old enough."""

    def scratch(self) -> None:
        """Files on their way that never arrived."""
        for path in files.scratch().glob("part-*"):
            if not _is_older(path, self.before):
                continue
            if path.name.startswith(discarding.ASIDE):
                discarding.settle_aside(path)
            elif path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def stretch(self, begin: str, end: str, here: Mapping[str, Kept]) -> None:
        """Some files, and the rows that speak of them."""
        self.check.files += len(here)
        self.check.size += sum(file.size for file in here.values())
        without = {*here}
        for name, size in _rows_of(begin, end):
            without.discard(name)
            if name not in here:
                if not files.exists(name):
                    self._without_file(name)
            elif here[name].size != size:
                self._of_other_size(name, size)
        for name in sorted(without):
            self._without_row(here[name])

    def came_back(self) -> None:
        """What was missing the last time, and is there now."""
        rows = StoredFile.objects.filter(missing_since__isnull=False)
        last = 0
        while some := list(rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
            last = some[-1].pk
            back = [file.pk for file in some if files.exists(file.name)]
            StoredFile.objects.filter(pk__in=back).update(missing_since=None)

    def rows(self) -> None:
        """Rows that nothing refers to, with their files."""
        nobodys = discarding.nobodys().filter(stored_at__lt=self.before)
        last = 0
        while some := _some(nobodys, last):
            last = some[-1]
            self._gone(discarding.drop(some))
        left = MediaItem.objects.filter(author=OuterRef("pk"))
        authors = Author.objects.filter(~Exists(left))
        last = 0
        while some := _some(authors, last):
            last = some[-1]
            retention.clear_up(some, ())
        discarding.remove_due()

    def _gone(self, names: list[str]) -> None:
        sizes = {name: files.size_of(name) for name in names if files.exists(name)}
        discarding.remove(names)
        for name, size in sizes.items():
            self._note(name, "nothing showed it any more: removed")
            self.check.removed += 1
            self.check.removed_size += size

    def _without_row(self, file: Kept) -> None:
        if file.modified >= self.before:
            return
        if is_name(file.name):
            if not discarding.take_away(file.name, self.before):
                return
        elif "part-" in file.name:
            files.delete(file.name)
        else:
            self._note(file.name, "not a file of ours: left alone")
            return
        self._note(file.name, "no row spoke of it: removed")
        self.check.removed += 1
        self.check.removed_size += file.size

    def _without_file(self, name: str) -> None:
        self.check.missing += 1
        original = StoredFile.objects.filter(name=name).first()
        if original is not None:
            StoredFile.objects.filter(
                pk=original.pk, missing_since__isnull=True
            ).update(missing_since=timezone.now())
            count = mending.bring_again(original.pk)
            what = "fetched again" if count else "nothing brings it again by itself"
            self._note(name, f"missing: {what}")
            return
        for made in Rendition.objects.filter(name=name).select_related("file"):
            done = mending.make_again(made.file, [name])
            what = "made again" if done else "cannot be made again now"
            self._note(name, f"missing rendition: {what}")

    def _of_other_size(self, name: str, size: int) -> None:
        """Its disk was in trouble. What was put meanwhile is whole again."""
        try:
            has = files.size_of(name)
        except FileNotFoundError:
            return
        if has == size:
            return
        self.check.damaged += 1
        fault = f"{has:,} bytes instead of {size:,}"
        for original in StoredFile.objects.filter(name=name):
            count = mending.bring_instead(original)
            what = "fetched again" if count else "nothing brings it again by itself"
            self._note(name, f"{fault}: {what}")
        for made in Rendition.objects.filter(name=name).select_related("file"):
            done = mending.make_again(made.file, [name])
            what = "made again" if done else "cannot be made again now"
            self._note(name, f"rendition of {fault}: {what}")

    def _note(self, name: str, what: str) -> None:
        if len(self.check.names) < NAMED:
            self.check.names.append([name[:200], what])


def _rows_of(begin: str, end: str) -> Iterator[tuple[str, int]]:
    """Names and sizes in rows, in portions: a store may have lost everything."""
    model = Rendition if begin.startswith("r") else StoredFile
    rows = model._default_manager.filter(name__gte=begin, name__lt=end)  # noqa: SLF001
    names = rows.order_by("name").values_list("name", "size")
    some = list(names[:STRETCH])
    while some:
        yield from some
        some = list(names.filter(name__gt=some[-1][0])[:STRETCH])


def _some(rows: QuerySet[Any], after: int) -> list[int]:
    found = rows.filter(pk__gt=after).order_by("pk")
    return list(found.values_list("pk", flat=True)[:AT_ONCE])


def _is_older(path: Path, than: datetime) -> bool:
    """Since it came to its place, whatever it says of its bytes."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return False
    return datetime.fromtimestamp(max(about.st_mtime, about.st_ctime), UTC) < than
