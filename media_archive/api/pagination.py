"""Pages by cursor: no OFFSET, no COUNT, nothing twice and nothing missing.

A page continues *after a row*, by the same columns the list is sorted by, the last
of which is unique. New posts at the head therefore shift nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

LARGEST_PAGE = 100
LONGEST_CURSOR = 300
Values = tuple[datetime | int, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to go on: after the row with these values, or (``back``) before it."""

    back: bool
    values: Values

    def encode(self) -> str:
        """Opaque text, safe in an address."""
        said = [v.isoformat() if isinstance(v, datetime) else v for v in self.values]
        text = json.dumps([int(self.back), *said], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, types: Sequence[type]) -> Cursor:
        """Raises ``ValueError`` for what ``encode`` did not make."""
        if len(text) > LONGEST_CURSOR or not text.isascii():
            raise ValueError(text)
        padded = text + "=" * (-len(text) % 4)
        try:
            said = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, RecursionError) as error:
            raise ValueError(text) from error
        if not isinstance(said, list) or len(said) != 1 + len(types):
            raise ValueError(text)
        if said[0] not in (0, 1):
            raise ValueError(text)
        return cls(
            back=said[0] == 1,
            values=tuple(_value(v, t) for v, t in zip(said[1:], types, strict=True)),
        )


class ArchivePagination(BasePagination):
    """Answers ``{"next", "previous", "results"}``.

    A view may name ``cursor_fields``: column (or annotation) and type, sorted
    descending by all of them, the last one unique. Without, it is ``id``.
    """

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        """The rows of the page asked for. Raises ``ValidationError``."""
        self.request = request
        self.fields: dict[str, type] = getattr(view, "cursor_fields", {"id": int})
        size = _page_size(request)
        cursor = self._cursor()
        back = cursor is not None and cursor.back
        if cursor is not None:
            queryset = queryset.filter(_beyond(list(self.fields), cursor))
        direction = "" if back else "-"
        rows = list(
            queryset.order_by(*(f"{direction}{name}" for name in self.fields))[
                : size + 1
            ]
        )
        more = len(rows) > size
        rows = rows[:size]
        if back:
            rows.reverse()
        self.next = self._link(back=False, row=rows[-1]) if rows else None
        self.previous = self._link(back=True, row=rows[0]) if rows else None
        if back:
            self.previous = self.previous if more else None
            # Nothing is newer: what follows is the first page.
            self.next = self.next or self._first_page()
        else:
            self.next = self.next if more else None
            self.previous = self.previous if cursor is not None else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """The envelope."""
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The envelope for the OpenAPI document."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "The next older page; null = the end."},
                "previous": {**link, "description": "The next newer page."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """The parameters for the OpenAPI document."""
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where to go on: part of `next` and `previous`.",
                "schema": {"type": "string", "maxLength": LONGEST_CURSOR},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": f"How many, 1 to {LARGEST_PAGE}.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": LARGEST_PAGE,
                    "default": api_settings.PAGE_SIZE,
                },
            },
        ]

    def _cursor(self) -> Cursor | None:
        text = self.request.query_params.get("cursor")
        if text is None:
            return None
        try:
            return Cursor.decode(text, list(self.fields.values()))
        except ValueError as error:
            raise ValidationError(
                {"cursor": "This is not a cursor of ours; take it from next."}
            ) from error

    def _link(self, *, back: bool, row: Any) -> str:
        values = tuple(getattr(row, name) for name in self.fields)
        address = self.request.build_absolute_uri()
        return replace_query_param(address, "cursor", Cursor(back, values).encode())

    def _first_page(self) -> str:
        return remove_query_param(self.request.build_absolute_uri(), "cursor")


def _beyond(fields: Sequence[str], cursor: Cursor) -> Q:
    """The rows after (before) the cursor's, all columns descending.

    ``a <= x AND (a < x OR (rest))`` and not ``a < x OR (a = x AND rest)``: so the
    database sees a range on the leading column and starts there in the index.
    """
    word = "gt" if cursor.back else "lt"
    name, value = fields[-1], cursor.values[-1]
    condition = Q(**{f"{name}__{word}": value})
    pairs = list(zip(fields, cursor.values, strict=True))[:-1]
    for name, value in reversed(pairs):
        condition = Q(**{f"{name}__{word}e": value}) & (
            Q(**{f"{name}__{word}": value}) | condition
        )
    return condition


def _value(said: object, kind: type) -> datetime | int:
    if kind is datetime and isinstance(said, str):
        moment = datetime.fromisoformat(said)
        if moment.tzinfo is not None and moment.utcoffset():
            raise ValueError(said)
        if moment.tzinfo is not None:
            return moment
    if type(said) is int and kind is int and abs(said) < 2**63:
        return said
    raise ValueError(said)


def _page_size(request: Request) -> int:
    text = request.query_params.get("page_size")
    if text is None:
        return int(api_settings.PAGE_SIZE or LARGEST_PAGE)
    if (
        text.isascii()
        and text.isdigit()
        and len(text) < 9
        and 1 <= int(text) <= LARGEST_PAGE
    ):
        return int(text)
    raise ValidationError(
        {"page_size": f"This must be a whole number from 1 to {LARGEST_PAGE}."}
    )
