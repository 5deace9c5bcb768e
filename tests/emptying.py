"""Empties the database after a test that commits: quickly, because many do.

Django truncates every table, full or not, and then makes all content types and
permissions anew: half a second each time. Here the rows of those tables that have any
are deleted, in one transaction (foreign keys are checked at its end), and the content
types, permissions and groups that migrations made stay.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction
from django.test import TransactionTestCase

STAYS = frozenset(
    {
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "django_content_type",
    }
)
"""What every migration makes, ours included."""


def empty(alias: str) -> None:
    """Delete the rows of all tables of models, but those that every test finds."""
    connection = connections[alias]
    tables = [
        name
        for name in connection.introspection.django_table_names(
            only_existing=True, include_views=False
        )
        if name not in STAYS
    ]
    quote = connection.ops.quote_name
    full = " UNION ALL ".join(
        f"SELECT {number} WHERE EXISTS (SELECT 1 FROM {quote(name)})"
        for number, name in enumerate(tables)
    )
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA defer_foreign_keys = ON")
        cursor.execute(full)
        for (number,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {quote(tables[number])}")


def install() -> None:
    """Have it done after every test that commits."""
    case: Any = TransactionTestCase
    as_django_does = case._fixture_teardown

    def teardown(self: Any) -> None:
        if self.serialized_rollback or self.available_apps is not None:
            as_django_does(self)
            return
        for alias in self._databases_names(include_mirrors=False):
            empty(alias)

    case._fixture_teardown = teardown
