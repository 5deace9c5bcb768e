"""The renditions of a stored picture: which there are, and making those that miss.

A spec such as ``w480.webp.1`` says what is made: 480 pixels across, WebP, of the first
set of renditions (``VERSION``). ``docs/reference/renditions.md`` is the table.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from media_archive import files, imaging
from media_archive.decoder import specs
from media_archive.errors import DiskFull
from media_archive.imaging import Made, Rendered
from media_archive.models import Rendition, StoredFile

VERSION = 1
"""The set of renditions. When it changes, ``manage.py renditions --missing`` makes
all pictures anew, and what was made before goes when its successor is there."""

WIDTHS = (240, 480, 800, 1600, 2560)
"""Pixels across, for lists, phones, walls at 1080p and at 4K."""
JPEG_WIDTH, JPEG_LARGEST = 480, 1600
WORTH_IT = 1.1
"""A picture's own size is made when it is so much larger than the width below it."""
THUMBNAIL = "s168.webp"
PORTRAITS = ("s96.webp", "s192.webp", "s192.jpeg")
BACKGROUND = "bg.webp"
MOVING = "a480.webp"

REPLACED = ("name", "sha256", "content_type", "width", "height", "size")

SPECS = tuple(
    f"{name}.{VERSION}"
    for name in (
        *(f"w{width}.webp" for width in WIDTHS),
        *(f"w{width}.jpeg" for width in WIDTHS if width <= JPEG_LARGEST),
        *(THUMBNAIL, *PORTRAITS, BACKGROUND, MOVING),
    )
)
"""All there may be, besides a picture's own width where that lies between two."""


def make(
    file: StoredFile,
    path: Path | None = None,
    *,
    portrait: bool | None = None,
    anew: bool = False,
    over: bool = False,
) -> None:
    """Make what is missing of ``file``'s renditions, and fill in what is computed from
    its pixels. ``path`` holds the same bytes; ``None`` = they are read from the store.
    ``portrait`` adds the squares for an author's portrait; ``None`` = where it is one
    already. ``anew`` makes all again. ``over`` replaces files that the store has: they
    are known to be damaged. Films have none. May run twice, and at once.

    Raises ``PictureRefused``; ``DiskFull``; ``OSError`` of the store, and
    ``FileNotFoundError`` where it has no such file. Nothing is half done then: what is
    there is whole.
    """
    if file.content_type.startswith("video/"):
        return
    portrait = file.authors.exists() if portrait is None else portrait
    there = () if anew else file.renditions.values_list("spec", flat=True)
    missing = missing_of(file, {*there}, portrait=portrait)
    if not missing and file.rendered_version == VERSION:
        return
    with _room() as into:
        source = path or _fetched(file, into / "original")
        rendered = imaging.render(source, into, missing)
        rows = [_kept(file, made, over=over) for made in rendered.made]
        _write(file, rows, rendered, replacing=anew)
        _still_there(file, rows, rendered.made)


def specs_of(file: StoredFile, *, portrait: bool = False) -> list[str]:
    """The renditions that ``file`` should have; none of them larger than it is."""
    across = specs.measure(file.width or 1, file.height or 1)
    widths = [width for width in WIDTHS if width <= across]
    if across < WIDTHS[-1] and across > WORTH_IT * max([0, *widths]):
        widths.append(across)
    jpegs = {max([w for w in widths if w <= JPEG_LARGEST])}
    jpegs |= {JPEG_WIDTH} & {*widths}
    names = [f"w{width}.webp" for width in widths]
    names += [f"w{width}.jpeg" for width in sorted(jpegs)]
    names += [THUMBNAIL, *(PORTRAITS if portrait else ()), BACKGROUND]
    if specs.may_move(file.frames or 1, file.width or 1, file.height or 1):
        names.append(MOVING)
    return [f"{name}.{VERSION}" for name in names]


def missing_of(
    file: StoredFile, there: Collection[str], *, portrait: bool = False
) -> list[str]:
    """Those of ``specs_of`` that are not among ``there``."""
    return [spec for spec in specs_of(file, portrait=portrait) if spec not in there]


def of(file: StoredFile) -> list[Rendition]:
    """Its renditions by width, from what was prefetched (``renditions``)."""
    return sorted(file.renditions.all(), key=lambda r: (r.width, r.spec))


@contextmanager
def _room() -> Iterator[Path]:
    """A folder for files on their way."""
    try:
        with tempfile.TemporaryDirectory(prefix="part-", dir=files.scratch()) as folder:
            yield Path(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull("There is no room for renditions.") from error
        raise


def _fetched(file: StoredFile, path: Path) -> Path:
    with files.open_file(file.name) as source, path.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    return path


def _kept(file: StoredFile, made: Made, *, over: bool) -> Rendition:
    """Its file is in the store; the row is not written yet."""
    with imaging.opened(made) as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        size = content.tell()
    name = files.rendition_name(sha256, made.content_type)
    files.put(name, made.path, over=over)
    return Rendition(
        file=file,
        spec=made.spec,
        name=name,
        sha256=sha256,
        content_type=made.content_type,
        width=made.width,
        height=made.height,
        size=size,
    )


def _still_there(
    file: StoredFile, rows: Sequence[Rendition], made: Sequence[Made]
) -> None:
    """Put again what was taken away before its row was there. Another original with
    the same pixels has the same renditions, and may have been discarded just then."""
    named = {*file.renditions.values_list("name", flat=True)}
    for row, one in zip(rows, made, strict=True):
        if row.name in named and not files.exists(row.name):
            files.put(row.name, one.path)


def _write(
    file: StoredFile, rows: Sequence[Rendition], rendered: Rendered, *, replacing: bool
) -> None:
    """Columns and rows in one transaction. Who was at it at the same time may have
    been first: then theirs stay, unless ``replacing``. What earlier versions made
    goes; a sweep takes the files that no row names."""
    columns = {
        "placeholder": rendered.placeholder,
        "color": rendered.color,
        "tint": rendered.tint,
        "luma": rendered.luma,
        "perceptual_hash": rendered.perceptual_hash,
        "rendered_at": timezone.now(),
        "rendered_version": VERSION,
    }
    with transaction.atomic():
        if not StoredFile.objects.filter(pk=file.pk).update(**columns):
            return  # removed meanwhile; a sweep takes the files
        if replacing:
            Rendition.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["file", "spec"],
                update_fields=[*REPLACED],
            )
        else:
            Rendition.objects.bulk_create(rows, ignore_conflicts=True)
        file.renditions.exclude(spec__endswith=f".{VERSION}").delete()
    for name, value in columns.items():
        setattr(file, name, value)
