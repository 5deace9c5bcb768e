"""What is made true of a restored database before anybody uses it."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from media_archive.encryption import EncryptedTextField, Unopened
from media_archive.models import ApiToken, JournalCounter, MediaItem
from photowall.backup import erasures, facts
from photowall.backup.erasures import Erasures
from photowall.backup.errors import BackupFailed
from photowall.backup.facts import Ask
from photowall.backup.manifest import Manifest
from photowall.backup.present import Present

LEAP = 1_000_000
"""How far numbers jump ahead of all that were given: readers from before the restore
(walls, programs that follow the journal) find that they have to read anew, and no
number ever stands for two posts."""


@dataclass(frozen=True)
class Aftermath:
    """``items`` are in the archive; ``erased_again`` had come back though they were
    purged; ``unopened`` secrets cannot be opened with our keys."""

    items: int
    erased_again: int
    unopened: int
    users: int
    tokens: int
    journal: int


def refuse_other_counts(ask: Ask, tables: list[str], written: Manifest) -> None:
    """Raises ``BackupFailed`` if the restored rows are not those of the manifest."""
    found = facts.learn(ask, tables).counts
    other = sorted(
        table for table, count in written.counts.items() if found.get(table) != count
    )
    if other:
        raise BackupFailed(
            f"After the restore {other[0]} has {found.get(other[0], 0):,} rows, and "
            f"{written.counts[other[0]]:,} when it was backed up. The database is as "
            "it was before."
        )


def see_to(present: Present, erased: Erasures, written: Manifest) -> Aftermath:
    """Migrate, leap, purge again what was purged, and look at the secrets. May be
    done twice."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    with transaction.atomic():
        Session.objects.all().delete()
        _leap(max(present.journal, written.journal), present.newest_item)
    again = erasures.apply(erased)
    return Aftermath(
        items=MediaItem.objects.count(),
        erased_again=again,
        unopened=_unopened(),
        users=User.objects.filter(is_active=True).count(),
        tokens=ApiToken.objects.count(),
        journal=JournalCounter.objects.values_list("last", flat=True).first() or 0,
    )


def _leap(journal: int, newest_item: int) -> None:
    if not journal:
        return
    JournalCounter.objects.update_or_create(id=1, defaults={"last": journal + LEAP})
    newest = MediaItem.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    _next_item(max(newest, newest_item) + LEAP)


def _next_item(number: int) -> None:
    """New media items are numbered from ``number`` on."""
    table = MediaItem._meta.db_table  # noqa: SLF001  public in Django
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)",
                [table, number - 1],
            )
        else:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)",
                [table, number],
            )


def _unopened() -> int:
    """How many stored secrets none of our keys opens."""
    return sum(
        isinstance(value, Unopened)
        for model in apps.get_models()
        for field in model._meta.fields  # noqa: SLF001  public in Django
        if isinstance(field, EncryptedTextField)
        for value in model._default_manager.values_list(  # noqa: SLF001
            field.name, flat=True
        ).iterator()
    )
