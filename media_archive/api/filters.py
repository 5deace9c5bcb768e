"""What may be asked of a list. Whatever is not known here is refused, by name."""

from __future__ import annotations

import difflib
import re
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from media_archive.errors import InvalidTag
from media_archive.querysets import MediaItemQuerySet
from media_archive.records import Kind
from media_archive.tags import normalise_tag

PAGING = ("cursor", "page_size")
ALWAYS = ("format",)
DATE_FIRST = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\S{1,21}|T\S{1,16} [\d:]{2,5})?$", re.ASCII
)


class StrictFilterBackend(BaseFilterBackend):
    """Applies the view's ``filter_class`` (a serializer with ``apply(queryset)``).

    Raises ``ValidationError`` for a parameter that nobody knows (naming the nearest
    known one), one given twice, and a value that does not fit.
    """

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        """``queryset`` with the filters of the address applied."""
        filter_class = getattr(view, "filter_class", None)
        known = [*(filter_class().fields if filter_class else ())]
        if getattr(view, "paginator", None) is not None:
            known += PAGING
        _refuse_unknown(request, known)
        if filter_class is None:
            return queryset
        result: QuerySet[Any] = _valid(request, filter_class).apply(queryset)
        return result

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """None here: views name their filters with ``extend_schema``."""
        return []


def parameters_of(
    request: Request, known: type[serializers.Serializer[Any]]
) -> dict[str, Any]:
    """The parameters of an address that is no list, as ``known`` reads them. Raises
    ``ValidationError`` as the lists do."""
    _refuse_unknown(request, [*known().fields])
    said: dict[str, Any] = _valid(request, known).validated_data
    return said


class Moment(serializers.DateTimeField):
    """ISO 8601; without an offset it is UTC. A plus sign that an address turned
    into a blank is understood."""

    default_error_messages = {
        "invalid": "This is no time. Write for example 2026-11-20 (00:00 UTC), "
        "2026-11-20T21:14, 2026-11-20T21:14:05.5, 2026-11-20T21:14Z or "
        "2026-11-20T21:14+01:00; without an offset it is UTC."
    }

    def to_internal_value(self, value: Any) -> Any:
        """Raises ``ValidationError``; an instant outside of years 1–9999 too."""
        # What Python reads beyond this ("20261120", weeks) is no time people mean.
        if isinstance(value, str) and not DATE_FIRST.fullmatch(value):
            self.fail("invalid")
        if isinstance(value, str) and "T" in value:
            value = value.replace(" ", "+")
        try:
            return super().to_internal_value(value)
        except (OverflowError, ValueError):
            self.fail("overflow")


class MediaFilters(serializers.Serializer[Any]):
    """The filters of the media list. All of them must hold."""

    tag = serializers.CharField(
        required=False,
        max_length=1000,
        help_text="A hashtag in any case, with or without #: listed under it.",
    )
    author = serializers.CharField(
        required=False,
        max_length=255,
        help_text="A username (with or without @) or the provider's id of an author.",
    )
    provider = serializers.CharField(
        required=False,
        max_length=32,
        help_text="The key of a provider, for example `instagram_v1`.",
    )
    kind = serializers.ChoiceField(
        choices=[kind.value for kind in Kind],
        required=False,
        help_text="What the item is.",
    )
    pictures = serializers.ChoiceField(
        choices=["kept", "waiting", "missing"],
        required=False,
        help_text="Whether every picture is kept, one still waits, or one will not "
        "come. Posts of words alone have all of theirs.",
    )
    cluster = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        help_text="A `cluster_id`: near-identical shots of one author.",
    )
    posted_after = Moment(required=False, help_text="Posted at this time or later.")
    posted_before = Moment(required=False, help_text="Posted before this time.")
    archived_after = Moment(required=False, help_text="Archived then or later.")
    archived_before = Moment(required=False, help_text="Archived before this time.")

    def validate_tag(self, text: str) -> str:
        """The normal form. Raises ``ValidationError`` with the sentence."""
        try:
            return normalise_tag(text)
        except InvalidTag as error:
            raise ValidationError(error.message, code=error.code) from error

    def apply(self, queryset: MediaItemQuerySet) -> MediaItemQuerySet:
        """``queryset`` narrowed to what was asked, ready to be paged."""
        said = dict(self.validated_data)
        if (tag := said.pop("tag", None)) is not None:
            queryset = queryset.listed_under(tag)
        else:
            queryset = queryset.listed()
        if (author := said.pop("author", None)) is not None:
            queryset = queryset.by_author(author)
        if (pictures := said.pop("pictures", None)) is not None:
            queryset = queryset.with_pictures(pictures)
        columns = {
            "provider": "provider",
            "kind": "kind",
            "cluster": "cluster_id",
            "posted_after": "posted_at__gte",
            "posted_before": "posted_at__lt",
            "archived_after": "archived_at__gte",
            "archived_before": "archived_at__lt",
        }
        return queryset.filter(**{columns[name]: said[name] for name in said})


def _valid(request: Request, filter_class: type[Any]) -> Any:
    names = {*filter_class().fields}
    said = {k: v for k, v in request.query_params.items() if k in names}
    filters = filter_class(data=said)
    filters.is_valid(raise_exception=True)
    return filters


def _refuse_unknown(request: Request, known: list[str]) -> None:
    wrong: dict[str, str] = {}
    for name, values in request.query_params.lists():
        if name not in known and name not in ALWAYS:
            wrong[name[:60]] = _unknown(name, known)
        elif len(values) > 1:
            wrong[name] = "This parameter stands there more than once."
    if wrong:
        raise ValidationError(wrong)


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name[:60], known, n=1, cutoff=0.7)
    if near:
        return f"There is no such parameter. Did you mean “{near[0]}”?"
    if known:
        return f"There is no such parameter. There are: {', '.join(known)}."
    return "There is no such parameter here."
