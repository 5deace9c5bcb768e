"""How a picture or film of a media item is told: as it was offered, and as we keep it.

``null`` among what we keep means that we do not have it (yet); ``state`` says why.
"""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from media_archive.kept_pictures import absolute, sizes
from media_archive.models import DownloadState, MediaAsset, Rendition, StoredFile


class SourceSerializer(serializers.Serializer[Any]):
    """One size of a picture or video, at the provider's address."""

    name = serializers.CharField(help_text="The provider's word for this size.")
    kind = serializers.CharField(help_text="`image` or `video`.")
    url = serializers.CharField(help_text="At the provider; it may be dead by now.")
    width = serializers.IntegerField(allow_null=True, help_text="Pixels.")
    height = serializers.IntegerField(allow_null=True, help_text="Pixels.")


class RenditionSerializer(serializers.Serializer[Rendition]):
    """One size that we made of a kept picture, without its metadata."""

    spec = serializers.CharField(
        help_text="What it is, for example `w800.webp.1`: see the renditions reference."
    )
    url = serializers.SerializerMethodField(help_text="At this archive.")
    width = serializers.IntegerField(help_text="Pixels.")
    height = serializers.IntegerField(help_text="Pixels.")
    content_type = serializers.CharField(help_text="`image/webp` or `image/jpeg`.")
    size = serializers.IntegerField(help_text="Bytes.")

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, made: Rendition) -> str:
        """Absolute."""
        return absolute(made.name)


class FileSerializer(serializers.Serializer[StoredFile]):
    """A picture or film as it came, byte by byte."""

    url = serializers.SerializerMethodField(
        help_text="At this archive. `null` for an original when you may not have it: "
        "it holds what the camera wrote into it, the place included."
    )
    content_type = serializers.CharField(
        help_text="By its bytes, for example `image/jpeg`."
    )
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField(help_text="Of the bytes, hexadecimal.")
    width = serializers.IntegerField(allow_null=True, help_text="Pixels, upright.")
    height = serializers.IntegerField(allow_null=True, help_text="Pixels, upright.")

    @extend_schema_field({"type": ["string", "null"], "format": "uri"})
    def get_url(self, file: StoredFile) -> str | None:
        """Absolute. Films are shown to everybody, as their posts are."""
        if file.name.startswith("o/") and not self._may_have_originals():
            return None
        return absolute(file.name)

    def _may_have_originals(self) -> bool:
        request = self.context.get("request")
        user = getattr(request, "user", None)
        return user is not None and user.has_perm("media_archive.view_mediaitem")


class AssetSerializer(serializers.Serializer[MediaAsset]):
    """One picture or video of the item; an album has several, in order."""

    kind = serializers.CharField(help_text="`image` or `video`.")
    alt_text = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(
        choices=DownloadState.choices,
        help_text="What became of keeping the picture: `pending` until that is "
        "settled, `ready` when it is kept.",
    )
    width = serializers.IntegerField(
        source="picture.width",
        default=None,
        allow_null=True,
        help_text="Pixels of the kept picture.",
    )
    height = serializers.IntegerField(
        source="picture.height",
        default=None,
        allow_null=True,
        help_text="Pixels of the kept picture.",
    )
    renditions = serializers.SerializerMethodField(
        help_text="The sizes we made, smallest first."
    )
    srcset = serializers.SerializerMethodField(
        help_text="The same for an `<img>`: WebP in every width."
    )
    original = FileSerializer(
        source="picture", allow_null=True, help_text="The picture as it came."
    )
    film = FileSerializer(allow_null=True, help_text="The film of a video as it came.")
    placeholder = serializers.CharField(
        source="picture.placeholder",
        default=None,
        allow_null=True,
        help_text="The picture, tiny, as a `data:` address.",
    )
    color = serializers.CharField(
        source="picture.color",
        default=None,
        allow_null=True,
        help_text="Dominant, `#rrggbb`.",
    )
    sources = SourceSerializer(many=True, help_text="Every size the provider offers.")

    @extend_schema_field(RenditionSerializer(many=True))
    def get_renditions(self, asset: MediaAsset) -> list[Any]:
        """None while the picture is not kept."""
        if asset.picture is None:
            return []
        made = sorted(asset.picture.renditions.all(), key=lambda r: (r.width, r.spec))
        return list(RenditionSerializer(cast(Any, made), many=True).data)

    @extend_schema_field({"type": ["string", "null"]})
    def get_srcset(self, asset: MediaAsset) -> str | None:
        """``https://… 240w, https://… 480w``."""
        if asset.picture is None:
            return None
        made = sizes(asset.picture)
        return ", ".join(f"{absolute(r.name)} {r.width}w" for r in made) or None
