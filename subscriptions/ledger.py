"""Writing the ledger of coverage: what a reading vouches for, and what hindered us.

Each row of ``CoverageSpan`` is true by itself, and rows are only ever replaced by
rows that say at least as much. So stretches may be reported in any order, twice, and
by two workers at once: at worst two rows overlap until a later report joins them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from subscriptions.coverage_reasons import COMPLETE, LATE, LATEST, PARTIAL, PROMPT
from subscriptions.intervals import layered
from subscriptions.models import CoverageSpan, Hindrance, Quality

BREATH = timedelta(seconds=60)
"""A hindrance that comes back within this time goes on: what pauses and wakes an
account every few seconds makes a row a minute at most."""

Label = tuple[str, str]
"""(quality, reason)."""


def covered(
    subscription_pk: int,
    begins_at: datetime,
    ends_at: datetime,
    quality: Quality = Quality.COMPLETE,
    reason: str = "",
    *,
    read_at: datetime | None = None,
) -> None:
    """All that was listed in [``begins_at``, ``ends_at``) has been read, as well as
    ``quality`` says. Called in the transaction that closes the reading.

    The rows that the stretch touches become as few as can say the same; where two
    claims lie over each other the better one stands. What of a complete stretch was
    read more than ``PROMPT`` after its time (by ``read_at``, now) says so. Raises
    ``ValueError`` for naive times, and for ``BLIND``, which nobody can vouch for.
    """
    if timezone.is_naive(begins_at) or timezone.is_naive(ends_at):
        raise ValueError("The ledger keeps times with an offset.")
    if quality == Quality.BLIND:
        raise ValueError("A reading vouches for something, or is not reported.")
    if ends_at <= begins_at:
        return
    read_at = read_at or timezone.now()
    new = list(_by_age(begins_at, ends_at, (str(quality), reason[:32]), read_at))
    with transaction.atomic():
        # In the order of their keys, so that two workers never wait in a circle.
        # SQLite knows no such lock and needs none: it has one writer at a time.
        rows = CoverageSpan.objects.select_for_update().filter(
            subscription_id=subscription_pk,
            begins_at__lte=ends_at,
            ends_at__gte=begins_at,
        )
        touched = list(rows.order_by("pk"))
        said = [(row.begins_at, row.ends_at, _label(row)) for row in touched]
        _replace(subscription_pk, touched, _best([*said, *new]), read_at)


def hindered(
    reason: str,
    *,
    account_pk: int | None = None,
    subscription_pk: int | None = None,
    detail: str = "",
) -> None:
    """From now on something hinders us; said twice, it is the same hindrance. What
    ended less than a minute ago goes on. Give one of the two keys."""
    key = _key(account_pk, subscription_pk)
    same = Hindrance.objects.filter(**key, reason=reason)
    if same.filter(ended_at__isnull=True).exists():
        return
    just_ended = same.filter(ended_at__gt=Now() - BREATH).order_by("-ended_at")
    try:
        with transaction.atomic():
            last = just_ended.values_list("pk", flat=True).first()
            if last and same.filter(pk=last).update(ended_at=None):
                return
            Hindrance.objects.create(
                **key, reason=reason, detail=detail[:300], began_at=Now()
            )
    except IntegrityError:
        # Somebody else said so at the same moment; if they have said meanwhile that
        # it is over, that was later than our word. A key that is not there raises
        # at the commit, not here.
        if not same.exists():
            raise


def freed(
    reason: str,
    *,
    account_pk: int | None = None,
    subscription_pk: int | None = None,
) -> None:
    """What hindered us is over."""
    key = _key(account_pk, subscription_pk)
    Hindrance.objects.filter(**key, reason=reason, ended_at__isnull=True).update(
        ended_at=Now()
    )


def _key(account_pk: int | None, subscription_pk: int | None) -> dict[str, int | None]:
    if (account_pk is None) == (subscription_pk is None):
        raise ValueError("A hindrance is of one account or of one subscription.")
    return {"account_id": account_pk, "subscription_id": subscription_pk}


def _by_age(
    begins_at: datetime, ends_at: datetime, label: Label, read_at: datetime
) -> Iterable[tuple[datetime, datetime, Label]]:
    """The stretch, cut where its minutes were older when they were read."""
    if label[0] != Quality.COMPLETE:
        yield begins_at, ends_at, label
        return
    until = ends_at
    for age, word in ((PROMPT, label[1]), *LATE):
        since = max(begins_at, min(until, read_at - age))
        if since < until:
            yield since, until, (label[0], word)
        until = since
    if begins_at < until:
        yield begins_at, until, (label[0], LATEST)


def _label(row: CoverageSpan) -> Label:
    return row.quality, row.reason


def _rank(label: Label) -> tuple[bool, int, str]:
    """The better, the smaller. Words nobody knows stand in the middle."""
    quality, reason = label
    known = COMPLETE if quality == Quality.COMPLETE else PARTIAL
    place = 2 * known.index(reason) if reason in known else 1
    return quality != Quality.COMPLETE, place, reason


def _best(
    claims: list[tuple[datetime, datetime, Label]],
) -> list[tuple[datetime, datetime, Label]]:
    by_label: dict[Label, list[tuple[datetime, datetime]]] = {}
    for begin, end, label in claims:
        by_label.setdefault(label, []).append((begin, end))
    return layered((label, by_label[label]) for label in sorted(by_label, key=_rank))


def _replace(
    subscription_pk: int,
    touched: list[CoverageSpan],
    wanted: list[tuple[datetime, datetime, Label]],
    read_at: datetime,
) -> None:
    """Have ``wanted`` instead of the rows ``touched``, which are ours until the
    commit, with as few changes as can be."""
    rows = {(row.begins_at, row.ends_at, _label(row)): row for row in touched}
    missing = [each for each in wanted if each not in rows]
    kept = {rows[each].pk for each in wanted if each in rows}
    free = [row for row in touched if row.pk not in kept]
    for (begins_at, ends_at, (quality, reason)), row in zip(
        missing, free, strict=False
    ):
        CoverageSpan.objects.filter(pk=row.pk).update(
            begins_at=begins_at,
            ends_at=ends_at,
            quality=quality,
            reason=reason,
            read_at=read_at,
        )
    surplus = [row.pk for row in free[len(missing) :]]
    if surplus:
        CoverageSpan.objects.filter(pk__in=surplus).delete()
    CoverageSpan.objects.bulk_create(
        CoverageSpan(
            subscription_id=subscription_pk,
            begins_at=begins_at,
            ends_at=ends_at,
            quality=quality,
            reason=reason,
            read_at=read_at,
        )
        for begins_at, ends_at, (quality, reason) in missing[len(free) :]
    )
