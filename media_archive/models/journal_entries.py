"""The rows of the journal. How they are written and read: ``media_archive.journal``."""

from __future__ import annotations

from django.db import models

from media_archive.models.items import MediaItem


class JournalKind(models.TextChoices):
    """What may happen to a media item."""

    ARCHIVED = "archived", "Archived"
    CHANGED = "changed", "Changed"
    PICTURED = "pictured", "Picture kept"
    HIDDEN = "hidden", "Hidden"
    SHOWN = "shown", "Shown again"
    PINNED = "pinned", "Pinned"
    UNPINNED = "unpinned", "Unpinned"
    REMOVED = "removed", "Removed at source"
    PURGED = "purged", "Erased"


class JournalEntry(models.Model):
    """One line of the append-only journal.

    ``seq`` is gap-free and in commit order. The item may be gone later (purged),
    the entry stays, therefore no constraint in the database.
    """

    seq = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=16, choices=JournalKind.choices)
    item = models.ForeignKey(
        MediaItem,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="journal",
    )
    revision = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(
        max_length=150, blank=True, help_text="The person; empty = Photowall itself."
    )
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "journal entries"
        constraints = [
            models.UniqueConstraint(
                fields=["item", "kind", "revision"], name="one_entry_per_revision"
            )
        ]
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.seq}: {self.kind} media item {self.item_id}"


class JournalCounter(models.Model):
    """The one row whose lock puts writers in line; ``last`` is the newest ``seq``."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    last = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(id=1), name="journal_has_one_counter"
            )
        ]

    def __str__(self) -> str:
        return f"journal counter at {self.last}"
