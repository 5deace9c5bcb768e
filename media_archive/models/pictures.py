"""Pictures and films that are kept, and the downloads that bring them here.

An asset (or an author, for the portrait) has ``Download`` rows: each brings one file.
Files are known by the SHA-256 of their bytes: equal bytes are one ``StoredFile``, and
its ``Rendition`` rows are made once, however many assets show it.
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from media_archive.claims import Claimable, unclaimed


class StoredFile(models.Model):
    """A picture or film as it came, kept once.

    Pixels are those one sees, after the orientation was applied. What is computed from
    the pixels is empty until the renditions are made (``rendered_at``).
    """

    sha256 = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=128, help_text="In the store.")
    content_type = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="Bytes.")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    frames = models.PositiveIntegerField(null=True, help_text="1 = it stands still.")
    stored_at = models.DateTimeField(default=timezone.now)
    rendered_at = models.DateTimeField(null=True)
    rendered_version = models.PositiveSmallIntegerField(
        default=0, help_text="Which set of renditions it has; older sets are made anew."
    )
    placeholder = models.CharField(
        max_length=600, blank=True, help_text="The picture, tiny, as a data: address."
    )
    color = models.CharField(max_length=7, blank=True, help_text="Dominant, #rrggbb.")
    tint = models.CharField(
        max_length=7, blank=True, help_text="Its hue, light enough for text, #rrggbb."
    )
    luma = models.FloatField(
        null=True, help_text="Luminance of the brightest 0.5 % when blurred, 0 to 1."
    )
    perceptual_hash = models.BigIntegerField(
        null=True, help_text="dHash, 64 bits as a signed number; alike looks are near."
    )
    missing_since = models.DateTimeField(
        null=True, help_text="When a sweep found that the store has it no more."
    )

    class Meta:
        indexes = [models.Index(fields=["name"], name="stored_file_by_name")]

    def __str__(self) -> str:
        return self.name


class Rendition(models.Model):
    """One derived size and format of a stored picture. ``spec`` says which
    (``media_archive.renditions``)."""

    file = models.ForeignKey(
        StoredFile, on_delete=models.CASCADE, related_name="renditions"
    )
    spec = models.CharField(max_length=32)
    name = models.CharField(max_length=128, help_text="In the store.")
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.BigIntegerField(help_text="Bytes.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["file", "spec"], name="one_rendition_per_spec"
            )
        ]
        indexes = [models.Index(fields=["name"], name="rendition_by_name")]

    def __str__(self) -> str:
        return f"{self.spec} of file {self.file_id}"


class Role(models.TextChoices):
    """What a download brings."""

    PICTURE = "picture", "Picture"
    FILM = "film", "Film"
    AVATAR = "avatar", "Portrait"


class DownloadState(models.TextChoices):
    """The states of a download; transitions: ``media_archive.downloads``."""

    PENDING = "pending", "Waiting"
    FETCHING = "fetching", "Being fetched"
    RETRY_WAIT = "retry_wait", "Tried again later"
    REFRESH = "refresh", "Needs a new address"
    STORED = "stored", "Kept, sizes to be made"
    RENDERING = "rendering", "Sizes are being made"
    READY = "ready", "Kept"
    GONE = "gone", "Gone at its source"
    REJECTED = "rejected", "Refused"
    FAILED = "failed", "Given up"
    QUARANTINED = "quarantined", "Set aside"
    PURGED = "purged", "Removed here"


OPEN = (
    DownloadState.PENDING,
    DownloadState.FETCHING,
    DownloadState.RETRY_WAIT,
    DownloadState.STORED,
    DownloadState.RENDERING,
)
"""A worker has something to do, now or later."""

SETTLED = (
    DownloadState.READY,
    DownloadState.GONE,
    DownloadState.REJECTED,
    DownloadState.FAILED,
    DownloadState.QUARANTINED,
    DownloadState.PURGED,
)
"""Nothing happens any more by itself: a wall may show what there is."""

REVIVABLE = (
    DownloadState.GONE,
    DownloadState.REJECTED,
    DownloadState.FAILED,
    DownloadState.QUARANTINED,
)
"""A person may have it tried once more."""


class DownloadQuerySet(models.QuerySet["Download"]):
    """Downloads, without joins: they are claimed."""

    def open(self) -> Self:
        """A worker has something to do, now or later."""
        return self.filter(state__in=OPEN)

    def due(self) -> Self:
        """A worker has something to do now, and nobody does it. Rows whose worker was
        lost are among them: still fetching, and the claim is over."""
        return self.open().filter(
            unclaimed(), Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=Now())
        )

    def first_due(self, count: int, *, oldest: bool = False) -> list[int]:
        """Keys of up to ``count`` of these rows that wait for no time and as many whose
        time has come, those first that have waited longest for it; the newest of them
        first, or the oldest."""
        # Two statements: with "or", the database would walk over all that waits for a
        # later time. The time leads the order because it leads the index.
        now = self.filter(next_attempt_at__isnull=True)
        by = ("-next_attempt_at", "pk") if oldest else ("next_attempt_at", "-pk")
        waited = self.filter(next_attempt_at__lte=Now())
        keys = [
            *now.order_by(*by).values_list("pk", flat=True)[:count],
            *waited.order_by("next_attempt_at", "-pk").values_list("pk", flat=True)[
                :count
            ],
        ]
        return sorted(keys, reverse=not oldest)[:count]

    def newest_first(self) -> Self:
        """What has just come is what a room is waiting for."""
        return self.order_by(F("id").desc())


class Download(Claimable):
    """The work of bringing one file here: for an asset, or an author's portrait.

    ``next_attempt_at`` holds it back in any open state. ``reason`` is an error code
    (``docs/reference/errors.md``), ``detail`` one sentence for people.
    """

    role = models.CharField(max_length=8, choices=Role.choices)
    asset = models.ForeignKey(
        "media_archive.MediaAsset",
        on_delete=models.CASCADE,
        null=True,
        related_name="downloads",
    )
    author = models.OneToOneField(
        "media_archive.Author",
        on_delete=models.CASCADE,
        null=True,
        related_name="download",
    )
    state = models.CharField(
        max_length=12, choices=DownloadState.choices, default=DownloadState.PENDING
    )
    state_since = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=32, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    file = models.ForeignKey(
        StoredFile,
        on_delete=models.SET_NULL,
        null=True,
        related_name="downloads",
        help_text="What it brought; the asset shows it once its sizes are made.",
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    lost_claims = models.PositiveSmallIntegerField(
        default=0, help_text="How many workers were lost over it, in a row."
    )
    next_attempt_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(
        null=True, help_text="When its source first said that it is gone."
    )
    refreshed_at = models.DateTimeField(
        null=True, help_text="When its item was last read again for a new address."
    )
    fetched_key = models.CharField(
        max_length=64,
        blank=True,
        help_text="Which picture it was (MediaAsset.source_key) when it was fetched.",
    )

    objects = DownloadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "role"], name="one_download_per_asset_and_role"
            ),
            models.CheckConstraint(
                condition=Q(asset__isnull=False, author__isnull=True)
                | Q(asset__isnull=True, author__isnull=False),
                name="download_for_asset_or_author",
            ),
        ]
        indexes = [
            # Of what waits for nothing the newest, of the rest what waits longest:
            # two short walks in it, however many wait for a later time.
            models.Index(
                fields=["next_attempt_at", "-id"],
                condition=Q(state__in=[*OPEN]),
                name="download_by_turn",
            ),
            models.Index(
                fields=["next_attempt_at", "-id"],
                condition=Q(state=DownloadState.REFRESH),
                name="download_refresh_turn",
            ),
        ]

    def __str__(self) -> str:
        owner = (
            f"asset {self.asset_id}" if self.asset_id else f"author {self.author_id}"
        )
        return f"{self.role} of {owner}"


class StoreCheck(models.Model):
    """What a sweep or a verification of the store found."""

    kind = models.CharField(
        max_length=8, choices=[("sweep", "Sweep"), ("verify", "Verification")]
    )
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    files = models.BigIntegerField(default=0, help_text="Files looked at.")
    size = models.BigIntegerField(default=0, help_text="Their bytes.")
    removed = models.BigIntegerField(default=0, help_text="Files nobody owned.")
    removed_size = models.BigIntegerField(default=0, help_text="Their bytes.")
    missing = models.BigIntegerField(default=0, help_text="Rows without a file.")
    damaged = models.BigIntegerField(default=0, help_text="Other bytes than the row.")
    names = models.JSONField(
        default=list, help_text="The first of them: [name, what is wrong]."
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "check of the store"
        verbose_name_plural = "store"

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.began_at:%Y-%m-%d %H:%M} UTC"
