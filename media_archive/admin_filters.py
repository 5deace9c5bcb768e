"""Filters of the media list that do not look at every row."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from media_archive.errors import InvalidTag
from media_archive.models import REVIVABLE, Download, MediaItem, MediaTag, Role
from media_archive.querysets import MediaItemQuerySet
from media_archive.tags import normalise_tag

PROVIDERS_SHOWN = 20
TAGS_SHOWN = 20
LISTINGS_LOOKED_AT = 1000


class ProviderFilter(admin.SimpleListFilter):
    """The providers that have items, found by walking the unique index."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """At most 20."""
        found: list[tuple[str, str]] = []
        keys = MediaItem.objects.order_by("provider").values_list("provider", flat=True)
        key = keys.first()
        while key is not None and len(found) < PROVIDERS_SHOWN:
            found.append((key, key))
            key = keys.filter(provider__gt=key).first()
        return found

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[MediaItem]
    ) -> QuerySet[MediaItem]:
        """Items of the provider."""
        return queryset.filter(provider=self.value()) if self.value() else queryset


class TagFilter(admin.SimpleListFilter):
    """The tags of the newest listings; any other may be typed into the address."""

    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """At most 20, newest first, and the one that is chosen."""
        newest = MediaTag.objects.order_by("-pk").values_list("tag__name", flat=True)
        names = list(dict.fromkeys(newest[:LISTINGS_LOOKED_AT]))[:TAGS_SHOWN]
        chosen = self.value()
        if chosen and chosen not in names:
            names.append(chosen)
        return [(name, f"#{name}") for name in names]

    def has_output(self) -> bool:
        """Also when there is one tag only."""
        return bool(self.lookup_choices)

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[MediaItem]
    ) -> QuerySet[MediaItem]:
        """Items listed under the tag; none for what is not a tag."""
        if not self.value():
            return queryset
        try:
            tag = normalise_tag(self.value() or "")
        except InvalidTag:
            return queryset.none()
        return queryset.filter(listings__tag__name=tag)


class PicturesFilter(admin.SimpleListFilter):
    """What became of an item's pictures."""

    title = "pictures"
    parameter_name = "pictures"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Kept, waiting, and what is not kept by its reason."""
        return [
            ("kept", "Kept"),
            ("waiting", "Waiting"),
            ("missing", "Not kept"),
            *((state.value, f"Not kept: {state.label.lower()}") for state in REVIVABLE),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[MediaItem]
    ) -> QuerySet[MediaItem]:
        """Items whose pictures are so; all for what is not among the choices."""
        value = self.value()
        if value in ("kept", "waiting", "missing"):
            items: MediaItemQuerySet = queryset  # type: ignore[assignment]
            return items.with_pictures(value)
        if value in REVIVABLE:
            rows = Download.objects.filter(
                asset__item=OuterRef("pk"), role=Role.PICTURE, state=value
            )
            return queryset.filter(Exists(rows))
        return queryset


class ClusterFilter(admin.SimpleListFilter):
    """The near-identical shots of one number; the page of a post leads here."""

    title = "near-identical shots"
    parameter_name = "cluster"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one that is chosen."""
        chosen = self.value()
        return [(chosen, f"Of post {chosen[:20]}")] if chosen else []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[MediaItem]
    ) -> QuerySet[MediaItem]:
        """Items of the cluster; none for what is no number."""
        text = self.value()
        if not text:
            return queryset
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return queryset.none()
        return queryset.filter(cluster_id=int(text))


class PostedFilter(admin.DateFieldListFilter):
    """By the time lists are sorted by, under a name for people."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "time of posting"
