"""What a reader sees of its feed before it asks for a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from media_archive.errors import ClaimLost
from subscriptions.models import Feed


@dataclass(frozen=True, slots=True)
class Look:
    """A feed's columns at one moment. ``poll_is_due`` and ``yields`` (only a
    notification is a reason to read) are by the database's clock."""

    dirty_seq: int
    done_seq: int
    heard_seq: int
    head: str | None
    cursor: str | None
    head_at: datetime | None
    first_read_at: datetime | None
    next_poll_at: datetime | None
    quiet_reads: int
    failures: int
    poll_is_due: bool | None
    yields: bool | None

    @property
    def is_dirty(self) -> bool:
        """Whether something was said that is not read yet."""
        return self.dirty_seq > self.done_seq

    @property
    def was_heard(self) -> bool:
        """Whether the provider said it."""
        return self.heard_seq > self.done_seq


def look_at(feed_pk: int, epoch: int) -> Look:
    """The feed as it is now. Raises ``ClaimLost`` if it is no longer held."""
    held = Feed.objects.filter(pk=feed_pk, claim_epoch=epoch).annotate(
        poll_is_due=_is(Q(next_poll_at__lte=Now())),
        yields=_is(Q(yields_until__gt=Now())),
    )
    row = held.values(*Look.__slots__).first()
    if row is None:
        raise ClaimLost("Another worker has taken this work over.")
    return Look(**row)


def _is(condition: Q) -> ExpressionWrapper[Q]:
    return ExpressionWrapper(condition, output_field=BooleanField())
