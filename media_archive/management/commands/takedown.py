"""``manage.py takedown``: erase media items for good, by number, id, link, author."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet

from media_archive import retention
from media_archive.models import MediaItem, Tombstone
from media_archive.progress import Progress

SHOWN = 10
LARGEST = 2**63


class Command(BaseCommand):
    """Shows what it would erase; does so with ``--yes``."""

    help = (
        "Erase media items for good: rows, pictures and films. They never come back, "
        "whoever lists them. Without --yes it only shows what it would erase."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which items, why, and whether to do it."""
        parser.add_argument(
            "numbers", nargs="*", type=int, metavar="ITEM", help="our number of an item"
        )
        parser.add_argument("--provider", help="for --native-id and --author")
        parser.add_argument(
            "--native-id", action="append", default=[], help="the provider's id"
        )
        parser.add_argument(
            "--permalink", action="append", default=[], help="the address of the post"
        )
        parser.add_argument(
            "--author", help="all of one author: username or the provider's id"
        )
        parser.add_argument("--reason", default="", help="kept with the tombstone")
        parser.add_argument("--yes", action="store_true", help="erase them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` when nothing is named or found, or interrupted."""
        found = _chosen(options)
        ids = list(found.order_by("pk").values_list("pk", flat=True))
        if not ids:
            before = _erased_before(options)
            if not before:
                raise CommandError("Nothing of this is archived.")
            self.stdout.write(f"Erased before, nothing is left to do: {before}.")
            return
        for item in found.select_related("author").order_by("pk")[:SHOWN]:
            self.stdout.write(f"  {item.pk}  {item.dated_at:%Y-%m-%d}  {_words(item)}")
        if len(ids) > SHOWN:
            self.stdout.write(f"  and {len(ids) - SHOWN:,} more")
        count = f"{len(ids):,} media {'item' if len(ids) == 1 else 'items'}"
        if not options["yes"]:
            self.stdout.write(
                f"This would erase {count} for good, with pictures and films. Nothing "
                "was erased. Add --yes to do it."
            )
            return
        self._erase(ids, options["reason"])

    def _erase(self, ids: list[int], reason: str) -> None:
        try:
            with Progress(len(ids), self.stdout) as progress:
                erased = retention.purge(
                    ids,
                    actor="command line",
                    reason=reason or "Taken down.",
                    told=progress.advance,
                )
        except KeyboardInterrupt:
            message = (
                "Interrupted. What was erased stays so; run it again for the rest."
            )
            raise CommandError(message) from None
        self.stdout.write(f"{erased:,} erased for good.")


def _erased_before(options: dict[str, Any]) -> str:
    """Which of the named items have a tombstone, and since when."""
    provider = options["provider"] or ""
    keys = [Tombstone.key_of(provider, each) for each in options["native_id"]]
    found = Tombstone.objects.filter(
        Q(item_id__in=options["numbers"]) | Q(key__in=keys)
    ).order_by("item_id")
    return ", ".join(f"{t.item_id} ({t.purged_at:%Y-%m-%d})" for t in found[:SHOWN])


def _chosen(options: dict[str, Any]) -> QuerySet[MediaItem]:
    """All that fits any of what was named."""
    rows, provider = MediaItem.objects.all(), options["provider"]
    chosen: list[QuerySet[MediaItem]] = []
    if numbers := options["numbers"]:
        if any(not 0 < number < LARGEST for number in numbers):
            raise CommandError("There is no media item of such a number.")
        chosen.append(rows.filter(pk__in=numbers))
    if options["native_id"]:
        if provider is None:
            raise CommandError("Name the --provider whose ids these are.")
        chosen.append(
            rows.filter(provider=provider, native_id__in=options["native_id"])
        )
    if options["permalink"]:
        chosen.append(rows.filter(permalink__in=_spellings(options["permalink"])))
    if options["author"]:
        of_author = rows.by_author(options["author"])
        chosen.append(of_author.filter(provider=provider) if provider else of_author)
    if not chosen:
        raise CommandError("Name what to erase: numbers, ids, addresses or an author.")
    ids = {pk for some in chosen for pk in some.values_list("pk", flat=True)}
    return rows.filter(pk__in=ids)


def _spellings(addresses: list[str]) -> list[str]:
    """As it was given, with and without the slash at its end."""
    bare = [address.split("?")[0].split("#")[0].rstrip("/") for address in addresses]
    return [*addresses, *bare, *(f"{address}/" for address in bare)]


def _words(item: MediaItem) -> str:
    author = f"{item.author}: " if item.author else ""
    words = f"{author}{(item.caption or '(no caption)')[:60]}"
    return "".join(c if c.isprintable() else " " for c in words)
