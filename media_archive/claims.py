"""A worker's short hold on a row: one conditional UPDATE, by the database's clock.

A model that can be claimed has ``claim_until`` and ``claim_epoch``
(``Claimable``). The epoch is a fencing token: every later write of the worker is
conditional on it, so a worker that was away too long changes nothing.
``select_for_update`` is not used: SQLite ignores it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from media_archive.errors import ClaimLost

Row = TypeVar("Row", bound=models.Model)


class Claimable(models.Model):
    """The two columns of a row that workers claim."""

    claim_until = models.DateTimeField(null=True, blank=True, editable=False)
    claim_epoch = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        abstract = True


def unclaimed() -> Q:
    """The condition "nobody holds it now"."""
    return Q(claim_until__isnull=True) | Q(claim_until__lt=Now())


def claim(rows: QuerySet[Row], pk: Any, seconds: int) -> int | None:
    """Take the row ``pk`` of ``rows`` for ``seconds``; the new epoch, or ``None``
    when somebody else holds it or it is not among ``rows`` (no longer due).

    ``rows`` must not join other tables (``ValueError``): use ``field__in=`` with a
    subquery. Django writes a joined update as a subquery of keys, and PostgreSQL,
    having waited for another claim, looks again only at conditions on the row
    itself: two workers would both be told that it is theirs.
    """
    mine = rows.filter(pk=pk).filter(unclaimed())
    if sum(uses > 0 for uses in mine.query.alias_refcount.values()) > 1:
        raise ValueError("claims are taken on rows without joins")
    # Compare and swap: the epoch that we raise is the one that we saw, so ours is
    # known without reading it again. Who takes the row from us raises it too
    # (a pause, a takeover), and what were read then would be the next worker's.
    seen: int | None = mine.values_list("claim_epoch", flat=True).first()
    if seen is None:
        return None
    taken = mine.filter(claim_epoch=seen).update(
        claim_until=Now() + timedelta(seconds=seconds), claim_epoch=seen + 1
    )
    return seen + 1 if taken else None


def write(rows: QuerySet[Row], pk: Any, epoch: int, **changes: Any) -> None:
    """Change the claimed row. Raises ``ClaimLost`` if the claim is not ours any
    more; inside a transaction that undoes everything done with it."""
    if not rows.filter(pk=pk, claim_epoch=epoch).update(**changes):
        raise ClaimLost("Another worker has taken this work over.")


def renew(rows: QuerySet[Row], pk: Any, epoch: int, seconds: int) -> None:
    """Hold the row for ``seconds`` from now. Raises ``ClaimLost``."""
    write(rows, pk, epoch, claim_until=Now() + timedelta(seconds=seconds))


def release(rows: QuerySet[Row], pk: Any, epoch: int, **changes: Any) -> bool:
    """Give the row back, with ``changes``; False if it was not ours any more."""
    return bool(
        rows.filter(pk=pk, claim_epoch=epoch).update(claim_until=None, **changes)
    )
