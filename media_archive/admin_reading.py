"""What all our read-only lists in the admin share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import cached_property

COUNTED = 10_000
"""Rows a list counts and leads to; further back one gets with filters."""


class BoundedPaginator(Paginator):
    """Counts to 10,000 and no further: a million rows cost what ten thousand do."""

    @cached_property
    def count(self) -> int:
        """Rows, or 10,000 when there are more."""
        rows: models.QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by().values("pk")[:COUNTED].count()


class ReadingAdmin(admin.ModelAdmin):
    """A list and pages to read. What happens to the rows happens elsewhere."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from providers, not from here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing here is edited by hand; whoever may change may look."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is archived stays."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By Django's permission to view or to change."""
        return super().has_view_permission(request, obj)
