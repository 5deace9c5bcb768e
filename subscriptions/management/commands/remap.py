"""``manage.py remap``: read the stored raw documents again after a wire fix."""

from __future__ import annotations

import difflib
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media_archive.errors import InvalidTag
from media_archive.models import MediaItem, Tag
from media_archive.progress import Progress
from media_archive.tags import normalise_tag
from subscriptions.providers import REGISTRY
from subscriptions.remapping import EXAMPLES, Remapped, Selection, remap

MOST_DIGITS = 18
"""Of an item's number: what the database takes."""


class Command(BaseCommand):
    """Safe to run again, and beside everything else that runs."""

    help = (
        "Read the stored raw documents again with today's mapping, and write what "
        "differs. Nothing is asked of a provider."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which items, whether to write, and where to go on."""
        parser.add_argument("--provider", choices=sorted(REGISTRY))
        parser.add_argument("--tag", help="only what is listed under this hashtag")
        parser.add_argument(
            "--since",
            type=_moment,
            help="only documents received since (2026-11-20 or 2026-11-20T12:00, UTC)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="count what differs, write nothing"
        )
        parser.add_argument(
            "--after",
            type=_number,
            default=0,
            metavar="ITEM",
            help="go on behind this item: the number that the progress line names",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` for no hashtag of ours, and when interrupted."""
        selection = Selection(
            provider=options["provider"],
            tag=_tag(options["tag"]),
            since=options["since"],
            after=options["after"],
        )
        _refuse_unknown(selection.tag)
        dry_run: bool = options["dry_run"]
        last = selection.after
        try:
            with Progress(selection.documents().count(), self.stdout) as progress:

                def told(so_far: Remapped, count: int) -> None:
                    nonlocal last
                    last = so_far.last
                    changed = f"{so_far.changed:,} changed"
                    progress.advance(count, f"{changed} · at item {last}")

                done = remap(selection, dry_run=dry_run, told=told)
        except KeyboardInterrupt:
            message = f"Interrupted. All up to item {last} is done: go on with"
            raise CommandError(f"{message} --after {last}") from None
        self._report(done, dry_run=dry_run)

    def _report(self, done: Remapped, *, dry_run: bool) -> None:
        rows = [
            ("items read", done.read),
            ("  would change" if dry_run else "  changed", done.changed),
            ("  unchanged", done.unchanged),
            ("  unreadable", done.not_read),
        ]
        self.stdout.write("")
        for word, count in rows:
            self.stdout.write(f"{word:<18}{count:>10,}")
        for reason, ids in sorted(done.unreadable.items()):
            some = ", ".join(map(str, ids[:EXAMPLES]))
            more = ", …" if len(ids) > EXAMPLES else ""
            self.stdout.write(f"{len(ids):,} × {reason}: items {some}{more}")


def _tag(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return normalise_tag(text)
    except InvalidTag as error:
        raise CommandError(error.message) from error


def _refuse_unknown(tag: str | None) -> None:
    """A hashtag under which nothing is listed is most likely a slip of the pen."""
    if tag is None or MediaItem.objects.listed_under(tag).exists():
        return
    names = Tag.objects.values_list("name", flat=True)
    near = difflib.get_close_matches(tag, names, n=3)
    hint = f" Did you mean {' or '.join(f'#{name}' for name in near)}?" if near else ""
    raise CommandError(f"Nothing is archived under #{tag}.{hint}")


def _number(text: str) -> int:
    """The number of an item, or 0."""
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise ArgumentTypeError(f"{text!r} is no number of an item")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date like 2026-11-20") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
