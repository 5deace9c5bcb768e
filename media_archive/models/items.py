"""Media items and what belongs to them. ``None`` = the provider did not say."""

from __future__ import annotations

from django.db import models

from media_archive.models.pictures import DownloadState, StoredFile
from media_archive.querysets import MediaItemQuerySet
from media_archive.records import Kind


class Visibility(models.TextChoices):
    """Who may see a media item. Only ``VISIBLE`` ones leave the house."""

    VISIBLE = "visible", "Showing"
    HIDDEN = "hidden", "Hidden"
    REMOVED = "removed", "Removed at source"


class Author(models.Model):
    """Who posted: one row per provider and native id, with the latest names."""

    provider = models.CharField(max_length=32)
    native_id = models.CharField(max_length=128)
    username = models.CharField(max_length=255, null=True)
    name = models.CharField(max_length=255, null=True)
    avatar_url = models.URLField(max_length=2048, null=True)
    avatar = models.ForeignKey(
        StoredFile, on_delete=models.SET_NULL, null=True, related_name="authors"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "native_id"], name="one_author_per_native_id"
            )
        ]
        indexes = [models.Index(fields=["username"], name="author_by_username")]

    def __str__(self) -> str:
        return self.name or self.username or f"{self.provider} {self.native_id}"


class Tag(models.Model):
    """A hashtag in its normal form (``media_archive.tags.normalise_tag``)."""

    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return f"#{self.name}"


class MediaItem(models.Model):
    """One archived post, kept once however many tags and subscriptions caught it."""

    provider = models.CharField(max_length=32)
    native_id = models.CharField(max_length=128)
    kind = models.CharField(
        max_length=16, choices=[(kind.value, kind.value.title()) for kind in Kind]
    )
    author = models.ForeignKey(
        Author, on_delete=models.PROTECT, null=True, related_name="media"
    )
    caption = models.TextField(null=True)
    permalink = models.URLField(max_length=2048, null=True)
    posted_at = models.DateTimeField(null=True)
    dated_at = models.DateTimeField(
        help_text="Posted, or archived where that is not known; lists are sorted by it."
    )
    archived_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    place_native_id = models.CharField(max_length=128, null=True)
    place_name = models.CharField(max_length=512, null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    likes = models.BigIntegerField(null=True)
    comments = models.BigIntegerField(null=True)
    views = models.BigIntegerField(null=True)
    visibility = models.CharField(
        max_length=8, choices=Visibility.choices, default=Visibility.VISIBLE
    )
    pinned = models.BooleanField(default=False)
    content_hash = models.CharField(
        max_length=64,
        editable=False,
        help_text="SHA-256 of the normalised record; equal = nothing to write.",
    )
    revision = models.PositiveIntegerField(
        default=1, help_text="Counts the journalled changes of this item."
    )
    cluster_id = models.BigIntegerField(
        null=True,
        db_index=True,
        help_text="The first of the near-identical shots of its author that this item "
        "belongs to: that item's id, or its own. Null until its picture is known.",
    )
    tags = models.ManyToManyField(Tag, through="MediaTag", related_name="media")

    objects = MediaItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "native_id"], name="one_item_per_native_id"
            )
        ]
        indexes = [
            models.Index(fields=["-dated_at", "-id"], name="item_by_dated_at"),
            models.Index(fields=["author", "-dated_at", "-id"], name="item_by_author"),
            models.Index(fields=["-archived_at", "-id"], name="item_by_archived_at"),
        ]
        permissions = [
            ("moderate_mediaitem", "Can hide, show and pin media items"),
            ("erase_mediaitem", "Can erase media items for good"),
        ]

    def __str__(self) -> str:
        return (self.caption or "")[:60] or f"{self.provider} {self.native_id}"


class RawDocument(models.Model):
    """The provider's document of one media item, as ASCII JSON text.

    Text and not ``jsonb``: PostgreSQL refuses NUL and lone surrogates in ``jsonb``,
    and what the provider sent is kept whatever it holds.
    """

    item = models.OneToOneField(
        MediaItem, on_delete=models.CASCADE, primary_key=True, related_name="raw"
    )
    document = models.TextField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"raw document of media item {self.item_id}"


class MediaAsset(models.Model):
    """One picture or video of a media item (an album has several).

    ``sources`` holds every size the provider offers: a list of objects with
    ``name``, ``kind`` ("image" or "video"), ``url``, ``width``, ``height``.
    ``picture`` is the picture (of a video: its poster) as we keep it, ``film`` the
    film.
    ``state`` repeats the state of the picture's download once that is settled, and is
    "pending" before: lists and walls need not ask the downloads.
    """

    item = models.ForeignKey(MediaItem, on_delete=models.CASCADE, related_name="assets")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16)
    alt_text = models.TextField(null=True)
    sources = models.JSONField(default=list)
    source_key = models.CharField(
        max_length=64,
        blank=True,
        help_text="Which picture is meant: a hash of its largest source's path, which "
        "stays when the address is signed anew.",
    )
    picture = models.ForeignKey(
        StoredFile, on_delete=models.SET_NULL, null=True, related_name="assets"
    )
    film = models.ForeignKey(
        StoredFile, on_delete=models.SET_NULL, null=True, related_name="films"
    )
    state = models.CharField(
        max_length=12, choices=DownloadState.choices, default=DownloadState.PENDING
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "position"], name="one_asset_per_position"
            )
        ]
        indexes = [
            models.Index(
                fields=["item"],
                condition=models.Q(state=DownloadState.PENDING),
                name="asset_pending",
            )
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"asset {self.position} of media item {self.item_id}"


class MediaTag(models.Model):
    """That a media item is listed under a tag.

    ``dated_at`` repeats the item's, so that one index serves a tag's page. ``seq``
    is the journal number with which the item joined the listing: the cursor of
    those who follow the tag.
    ``given`` is False when the post's own tag list does not name the tag, but the
    provider listed it there (the author added the tag in a comment).
    """

    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="listings")
    item = models.ForeignKey(
        MediaItem, on_delete=models.CASCADE, related_name="listings"
    )
    dated_at = models.DateTimeField()
    seq = models.BigIntegerField()
    given = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "tag"], name="one_listing_per_item_and_tag"
            )
        ]
        indexes = [
            models.Index(
                fields=["tag", "-dated_at", "-item"], name="listing_by_dated_at"
            ),
            models.Index(fields=["tag", "-seq"], name="listing_by_seq"),
        ]

    def __str__(self) -> str:
        return f"media item {self.item_id} under tag {self.tag_id}"
