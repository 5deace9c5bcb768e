"""What all our read-only lists in the admin share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.functional import cached_property

NUL = "\0"
LONGEST_KEY = 19
"""Digits that no key of a row has."""
COUNTED = 10_000
"""Rows a list counts and leads to; further back one gets with filters."""


class BoundedPaginator(Paginator):
    """Counts to 10,000 and no further: a million rows cost what ten thousand do."""

    @cached_property
    def count(self) -> int:
        """Rows, or 10,000 when there are more."""
        rows: models.QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by().values("pk")[:COUNTED].count()


class DeclaredLookups:
    """A page whose address may ask what its filters ask, and nothing else.

    Django lets the address use any lookup on the model's own columns: a broken
    regular expression is then an error of the database, and a long one its work.
    So is NUL, which PostgreSQL's texts do not hold: none is passed on, in addresses
    or in the forms of lists.
    """

    def changelist_view(
        self: Any, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; or a sentence, and the list again, for a form that nobody has
        filled in."""
        if _is_readable(request.POST, self.opts.pk):
            above: Any = super()
            answer: HttpResponse = above.changelist_view(request, extra_context)
            return answer
        words = "The form could not be read. Nothing was done."
        self.message_user(request, words, messages.WARNING)
        return HttpResponseRedirect(request.get_full_path())

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Raises ``IncorrectLookupParameters``: the list is shown unfiltered, with
        Django's own word for it."""
        if NUL in value:
            raise IncorrectLookupParameters("There is nothing with NUL.")
        if lookup not in self._declared(request):
            raise IncorrectLookupParameters(f"{lookup[:60]} is no filter of ours.")
        return True

    def _declared(self: Any, request: HttpRequest) -> set[str]:
        declared: set[str] = set()
        for each in self.get_list_filter(request):
            if hasattr(each, "parameter_name"):
                declared.add(each.parameter_name)
                continue
            name = each if isinstance(each, str) else each[0]
            field = self.model._meta.get_field(name)  # noqa: SLF001  public in Django
            if field.is_relation:
                declared |= {f"{name}__{field.target_field.name}__exact"}
            declared |= {f"{name}__{word}" for word in ("exact", "isnull")}
            if isinstance(field, models.DateField):
                declared |= {f"{name}__{word}" for word in ("gte", "lt")}
        return declared


def _is_readable(form: QueryDict, key_field: models.Field[Any, Any]) -> bool:
    """Whether the values hold no NUL, and the chosen rows have keys that rows have."""
    if any(NUL in value for _, values in form.lists() for value in values):
        return False
    return all(_is_key(key, key_field) for key in form.getlist(ACTION_CHECKBOX_NAME))


def _is_key(text: str, key_field: models.Field[Any, Any]) -> bool:
    if isinstance(key_field, models.IntegerField):
        return text.isascii() and text.isdigit() and len(text) < LONGEST_KEY
    try:
        key_field.to_python(text)
    except ValidationError:
        return False
    return True


class ReadingAdmin(DeclaredLookups, admin.ModelAdmin):
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
