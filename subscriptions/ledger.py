"""Writing the ledger of coverage: what a reading vouches for, and what hindered us."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from subscriptions.models import CoverageSpan, Hindrance, Quality


def covered(
    subscription_pk: int,
    begins_at: datetime,
    ends_at: datetime,
    quality: Quality = Quality.COMPLETE,
    reason: str = "",
) -> None:
    """All that was listed in [``begins_at``, ``ends_at``) has been read, as well as
    ``quality`` says. Called in the transaction that closes the reading; a stretch
    that goes on from the last one with the same words lengthens its row."""
    if ends_at <= begins_at:
        return
    same = CoverageSpan.objects.filter(
        subscription_id=subscription_pk,
        quality=quality,
        reason=reason,
        begins_at__lte=begins_at,
        ends_at__gte=begins_at,
    )
    last = same.order_by("-ends_at").values_list("pk", "ends_at").first()
    if last is None:
        CoverageSpan.objects.create(
            subscription_id=subscription_pk,
            begins_at=begins_at,
            ends_at=ends_at,
            quality=quality,
            reason=reason,
        )
    elif last[1] < ends_at:
        CoverageSpan.objects.filter(pk=last[0]).update(
            ends_at=ends_at, read_at=timezone.now()
        )


def hindered(
    reason: str,
    *,
    account_pk: int | None = None,
    subscription_pk: int | None = None,
    detail: str = "",
) -> None:
    """From now on something hinders us; said twice, it is the same hindrance.
    Give one of the two keys."""
    key = {"account_id": account_pk, "subscription_id": subscription_pk}
    open_one = Hindrance.objects.filter(**key, reason=reason, ended_at__isnull=True)
    if open_one.exists():
        return
    try:
        with transaction.atomic():
            Hindrance.objects.create(**key, reason=reason, detail=detail[:300])
    except IntegrityError:
        if not open_one.exists():
            raise


def freed(
    reason: str,
    *,
    account_pk: int | None = None,
    subscription_pk: int | None = None,
) -> None:
    """What hindered us is over."""
    key = {"account_id": account_pk, "subscription_id": subscription_pk}
    Hindrance.objects.filter(**key, reason=reason, ended_at__isnull=True).update(
        ended_at=Now()
    )
