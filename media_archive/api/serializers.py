"""How a media item is told by the API. ``null`` = the provider did not say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from media_archive.api.assets import AssetSerializer
from media_archive.kept_pictures import absolute, for_purpose
from media_archive.models import Author, MediaItem, Visibility
from media_archive.records import Kind


class MomentField(serializers.DateTimeField):
    """UTC, ISO 8601, with milliseconds: ``2026-11-20T21:14:05.000Z``."""

    def to_representation(self, value: Any) -> Any:
        """The text; ``None`` stays ``None``."""
        if not isinstance(value, datetime):
            return value
        text = value.astimezone(UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")


class AuthorSerializer(serializers.Serializer[Any]):
    """Who posted it, by the latest names we were told."""

    native_id = serializers.CharField(help_text="The provider's id of the author.")
    username = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True, help_text="The name for people.")
    avatar_url = serializers.CharField(
        allow_null=True, help_text="The portrait at the provider; it may be dead."
    )
    avatar = serializers.SerializerMethodField(
        help_text="The portrait as we keep it, a square of 192 pixels."
    )

    @extend_schema_field({"type": ["string", "null"], "format": "uri"})
    def get_avatar(self, author: Author) -> str | None:
        """Absolute; ``None`` while it is not kept."""
        made = for_purpose(author.avatar, "s192")
        return absolute(made.name) if made is not None else None


class PlaceSerializer(serializers.Serializer[Any]):
    """Where it was posted."""

    native_id = serializers.CharField(
        source="place_native_id", allow_null=True, help_text="The provider's id."
    )
    name = serializers.CharField(source="place_name", allow_null=True)
    latitude = serializers.FloatField(allow_null=True, help_text="Degrees, WGS 84.")
    longitude = serializers.FloatField(allow_null=True, help_text="Degrees, WGS 84.")


class MediaItemSerializer(serializers.Serializer[MediaItem]):
    """One archived post."""

    id = serializers.IntegerField(help_text="Our number of it; never used twice.")
    provider = serializers.CharField(help_text="Where it was posted.")
    native_id = serializers.CharField(help_text="The provider's id.")
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind])
    author = AuthorSerializer(allow_null=True)
    caption = serializers.CharField(allow_null=True)
    permalink = serializers.CharField(allow_null=True, help_text="The post's page.")
    posted_at = MomentField(allow_null=True)
    archived_at = MomentField(help_text="When we first stored it.")
    place = serializers.SerializerMethodField()
    tags = serializers.SerializerMethodField(
        help_text="Normal forms, alphabetical: lower case, without #."
    )
    likes = serializers.IntegerField(allow_null=True)
    comments = serializers.IntegerField(allow_null=True)
    views = serializers.IntegerField(allow_null=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    cluster_id = serializers.IntegerField(
        allow_null=True,
        help_text="The same for near-identical shots of one author; null until its "
        "first picture is kept.",
    )
    assets = AssetSerializer(many=True, source="assets.all")

    @extend_schema_field(PlaceSerializer(allow_null=True))
    def get_place(self, item: MediaItem) -> dict[str, Any] | None:
        """``None`` when the provider said nothing about where."""
        place = PlaceSerializer(item).data
        return place if any(value is not None for value in place.values()) else None

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_tags(self, item: MediaItem) -> list[str]:
        """All tags it is listed under."""
        return sorted(tag.name for tag in item.all_tags)  # type: ignore[attr-defined]


class MediaItemDetailSerializer(MediaItemSerializer):
    """One archived post, with what the provider sent."""

    raw = serializers.SerializerMethodField(
        help_text="The provider's own document of this post, untouched."
    )

    @extend_schema_field(OpenApiTypes.ANY)
    def get_raw(self, item: MediaItem) -> Any:
        """JSON knows no NaN and no infinity: they are given as text."""
        raw = getattr(item, "raw", None)
        return None if raw is None else json.loads(raw.document, parse_constant=str)


class ErrorFieldsSerializer(serializers.Serializer[Any]):
    """Why a request was refused."""

    code = serializers.CharField(help_text="Stable; listed in the errors reference.")
    message = serializers.CharField(help_text="A sentence for people.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Each wrong parameter with its sentences.",
    )


class ErrorSerializer(serializers.Serializer[Any]):
    """The one shape of every refusal."""

    error = ErrorFieldsSerializer()
