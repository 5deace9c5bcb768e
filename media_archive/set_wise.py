"""Many rows in one statement, without a model for each.

PostgreSQL gets the rows as one JSON array in one parameter, SQLite as a list of
``VALUES``: each is the quickest way into it. Why: docs/decisions/0010.

``names`` are column attributes of the model ("item_id"); each row has a value for each
name, in that order. Columns that are not named get the field's default.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection, connections
from django.db.models import DateTimeField, Field, JSONField, Model

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Ignore:
    """A row that is there already stays as it is, and is not returned."""


@dataclass(frozen=True, slots=True)
class Update:
    """A row that is there already, known by the columns ``by``, gets ``to``.

    ``keep_known``: NULL takes nothing away.
    """

    by: tuple[str, ...]
    to: tuple[str, ...]
    keep_known: bool = False


def insert(
    model: type[Model],
    names: tuple[str, ...],
    rows: Sequence[Row],
    conflict: Ignore | Update | None = None,
    returning: tuple[str, ...] = (),
) -> list[tuple[Any, ...]]:
    """Insert ``rows``, in their order; the columns ``returning`` of those written.

    Raises ``ValueError`` or ``DataError`` for a value that the database cannot hold.
    """
    if not rows:
        return []
    whole, constants = _with_defaults(model, names)
    if constants:
        rows = [(*row, *constants) for row in rows]
    head, tail = _insert_sql(model, whole, conflict, returning)
    if connection.vendor == "postgresql":
        values = ", ".join(_read(model, whole))
        return _run(f"{head}SELECT {values} FROM {_ELEMENTS}{tail}", [_json(rows)])
    found = []
    for some in _portions(rows, len(whole)):
        marks = _marks(len(whole), len(some))
        found += _run(f"{head}VALUES {marks}{tail}", _flat(model, whole, some))
    return found


def update(model: type[Model], names: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Give the rows known by the first name the values of the others."""
    if not rows:
        return
    table = _table(model)
    columns = [_column(model, name) for name in names]
    if connection.vendor == "postgresql":
        read = _read(model, names)
        source, portions = _ELEMENTS, [rows]
    else:
        read = tuple(f"r.column{number}" for number in range(1, len(names) + 1))
        source, portions = "", list(_portions(rows, len(names)))
    pairs = list(zip(columns, read, strict=True))
    changes = ", ".join(f"{column} = {value}" for column, value in pairs[1:])
    where = f"{table}.{columns[0]} = {read[0]}"
    for some in portions:
        said = [_json(some)] if source else _flat(model, names, some)
        values = source or f"(VALUES {_marks(len(names), len(some))}) AS r"
        sql = f"UPDATE {table} SET {changes} FROM {values} WHERE {where}"
        _run(sql, said)


_ELEMENTS = "jsonb_array_elements(%s::jsonb) AS r"


def _run(sql: str, said: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, said)
        return cursor.fetchall() if cursor.description else []


@lru_cache(maxsize=64)
def _with_defaults(
    model: type[Model], names: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    rest = [
        field
        for field in model._meta.concrete_fields  # noqa: SLF001  public in Django
        if field.attname not in names and not field.generated and not _is_serial(field)
    ]
    return (
        (*names, *(field.attname for field in rest)),
        tuple(field.get_default() for field in rest),
    )


def _is_serial(field: Field[Any, Any]) -> bool:
    return bool(field.primary_key) and "Auto" in field.get_internal_type()


@lru_cache(maxsize=64)
def _fields(model: type[Model], names: tuple[str, ...]) -> tuple[Field[Any, Any], ...]:
    by_name = {f.attname: f for f in model._meta.concrete_fields}  # noqa: SLF001
    return tuple(by_name[name] for name in names)


@lru_cache(maxsize=64)
def _read(model: type[Model], names: tuple[str, ...]) -> tuple[str, ...]:
    """What reads each column out of an element of the JSON array."""
    read = []
    for number, field in enumerate(_fields(model, names)):
        kind = field.db_type(connection) or ""
        if isinstance(field, JSONField):
            read.append(f"r.value->{number}")
        elif kind.startswith(("varchar", "text")):
            # No cast: one to varchar(n) would cut silently what is too long.
            read.append(f"r.value->>{number}")
        else:
            read.append(f"(r.value->>{number})::{kind}")
    return tuple(read)


@lru_cache(maxsize=64)
def _insert_sql(
    model: type[Model],
    names: tuple[str, ...],
    conflict: Ignore | Update | None,
    returning: tuple[str, ...],
) -> tuple[str, str]:
    """What stands before and after the rows."""
    tail = _conflict(model, conflict)
    if returning:
        tail += f" RETURNING {_list(model, returning)}"
    return f"INSERT INTO {_table(model)} ({_list(model, names)}) ", tail


def _conflict(model: type[Model], conflict: Ignore | Update | None) -> str:
    if conflict is None:
        return ""
    if isinstance(conflict, Ignore):
        return " ON CONFLICT DO NOTHING"
    table = _table(model)
    changes = []
    for name in conflict.to:
        column = _column(model, name)
        said = f"excluded.{column}"
        if conflict.keep_known:
            said = f"COALESCE({said}, {table}.{column})"
        changes.append(f"{column} = {said}")
    known_by = _list(model, conflict.by)
    return f" ON CONFLICT ({known_by}) DO UPDATE SET {', '.join(changes)}"


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001


def _column(model: type[Model], name: str) -> str:
    [field] = _fields(model, (name,))
    return connection.ops.quote_name(str(field.column))


def _list(model: type[Model], names: Sequence[str]) -> str:
    return ", ".join(_column(model, name) for name in names)


def _json(rows: Sequence[Row]) -> str:
    return json.dumps(rows, ensure_ascii=False, allow_nan=False, default=str)


def _portions(rows: Sequence[Row], width: int) -> Iterator[Sequence[Row]]:
    """As many rows at once as SQLite has variables for."""
    most = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    # A statement has a length too: a million characters.
    step = max(1, min(most, LONGEST_LIST) // width)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


LONGEST_LIST = 32_766
"""Variables in one statement: what SQLite allows since 3.32."""


@lru_cache(maxsize=64)
def _marks(width: int, count: int) -> str:
    row = f"({', '.join(['%s'] * width)})"
    return ", ".join([row] * count)


def _flat(model: type[Model], names: tuple[str, ...], rows: Sequence[Row]) -> list[Any]:
    """All values one after the other, times and JSON as SQLite keeps them."""
    said = [value for row in rows for value in row]
    # Asked once: the proxy looks up the thread's connection with every attribute.
    own = connections[connection.alias]
    for number, field in enumerate(_fields(model, names)):
        place = slice(number, None, len(names))
        if isinstance(field, JSONField):
            said[place] = [
                own.ops.adapt_json_value(v, field.encoder) for v in said[place]
            ]
        elif isinstance(field, DateTimeField):
            # Most of them are the same moment.
            kept = {v: own.ops.adapt_datetimefield_value(v) for v in {*said[place]}}
            said[place] = [kept[value] for value in said[place]]
    return said


def among(values: Iterable[str]) -> tuple[str, str]:
    """SQL for "is one of these texts", to stand behind a column, and its parameter."""
    said = json.dumps([*values], ensure_ascii=False)
    if connection.vendor == "postgresql":
        # An array and not a subquery: the index is used whatever the statistics say.
        return "= ANY(ARRAY(SELECT jsonb_array_elements_text(%s::jsonb)))", said
    return "IN (SELECT value FROM json_each(%s))", said
