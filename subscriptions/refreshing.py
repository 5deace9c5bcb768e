"""New addresses for pictures whose addresses have expired: their posts are read again.

A download that needs one (state "refresh") belongs to an item; one call for that item,
by an account that caught it, at most once an hour, within the budget. What the answer
says is stored as from any listing, and ``ingest`` hands the new addresses on. Why it is
so: docs/decisions/0024-posts-are-read-again.md
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DataError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from media_archive import claims, ingest, journal
from media_archive.claims import unclaimed
from media_archive.downloads import schedule, settle
from media_archive.downloads.transitions import move
from media_archive.errors import ClaimLost, OutgoingError, PhotowallError
from media_archive.models import Download, DownloadState, MediaAsset, MediaItem, Role
from subscriptions import calls
from subscriptions.errors import (
    BreakerOpen,
    ItemGone,
    ProviderError,
    RateLimited,
    SecretUnreadable,
)
from subscriptions.models import (
    Match,
    ProviderAccount,
    Purpose,
    State,
    Subscription,
)
from subscriptions.providers import get_provider

logger = logging.getLogger(__name__)

AGAIN = timedelta(hours=1)
"""An item is read again at most so often."""
HOLD = 60
"""Seconds for which a download is its worker's: longer than a call may take."""
RUN_SECONDS = 25.0
AT_MOST = 100
"""Posts of one run."""
NOT_CALLED = (RateLimited, BreakerOpen, SecretUnreadable)
"""Nothing was asked, or the provider asks us to come later (``BudgetSpent`` is one)."""
WAIT = 60.0
"""Seconds until it is tried again when nobody may call now, unless it was said."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to read an item again: the claimed download, and when the item was
    read before."""

    row: Download
    item: MediaItem
    before: datetime | None


def due() -> QuerySet[Download]:
    """Downloads that need a new address now, and nobody fetches one."""
    return Download.objects.filter(
        unclaimed(),
        Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=Now()),
        state=DownloadState.REFRESH,
    )


def refresh_due() -> int:
    """Read the posts again whose pictures need new addresses, until none is due or the
    run has done its share. How many calls were made."""
    until = time.monotonic() + RUN_SECONDS
    waiting = Download.objects.filter(unclaimed(), state=DownloadState.REFRESH)
    called = 0
    for pk in waiting.first_due(AT_MOST):
        if time.monotonic() >= until:
            break
        called += refresh(pk)
    return called


def refresh(download_pk: int) -> bool:
    """Read the item of one such download again, if it is due and nobody does so;
    whether the provider was asked."""
    try:
        turn = _take_turn(download_pk)
        return turn is not None and _read(turn)
    except ClaimLost:
        # Edited, erased, or taken over: whoever did so goes on from there.
        return False


def _take_turn(download_pk: int) -> Turn | None:
    epoch = claims.claim(due(), download_pk, HOLD)
    if epoch is None:
        return None
    row = Download.objects.get(pk=download_pk)
    row.claim_epoch = epoch
    item = _item_of(row)
    if item is None:
        _by_schedule(row, "No post is left that names its address.")
        return None
    with transaction.atomic():
        # The item's lock: of all its downloads one is the first.
        list(MediaItem.objects.filter(pk=item.pk).select_for_update(no_key=True))
        ours = Download.objects.filter(_of(row, item))
        before = ours.order_by(F("refreshed_at").desc(nulls_last=True))
        last = before.values_list("refreshed_at", flat=True).first()
        if last is not None and last > timezone.now() - AGAIN:
            claims.release(
                Download.objects.all(), row.pk, epoch, next_attempt_at=last + AGAIN
            )
            return None
        ours.update(refreshed_at=timezone.now())
    return Turn(row, item, last)


def _item_of(row: Download) -> MediaItem | None:
    """Whose addresses the answer must name; of a portrait the author's newest post
    that a subscription caught."""
    if row.asset_id is not None:
        return MediaItem.objects.filter(assets=row.asset_id).first()
    caught = Match.objects.filter(item=OuterRef("pk"))
    posts = MediaItem.objects.filter(Exists(caught), author=row.author_id)
    return posts.order_by("-dated_at", "-pk").first()


def _of(row: Download, item: MediaItem) -> Q:
    """The downloads that one reading of ``item`` serves."""
    return Q(pk=row.pk) | Q(asset__in=MediaAsset.objects.filter(item=item))


def _read(turn: Turn) -> bool:
    """Ask whoever may, store what is said, and give the download back."""
    wait = None
    for account in _accounts(turn.item):
        try:
            _ask(account, turn.item)
        except ItemGone as error:
            _gone(turn, error)
        except NOT_CALLED as error:
            said = error.retry_after or WAIT
            wait = said if wait is None else min(wait, said)
            continue
        except (ProviderError, OutgoingError) as error:
            _come_back(turn.row, AGAIN, error)
        except (DataError, ValueError) as error:
            logger.warning("Item %s: %s", turn.item.pk, type(error).__name__)
            _give_back(turn, "What the provider says of its post cannot be stored.")
        else:
            _give_back(turn, "The provider names no other address.")
        return True
    if wait is None:
        _give_back(turn, "No active account can read its post again.")
    else:
        # Nobody was asked: the hour does not begin.
        Download.objects.filter(_of(turn.row, turn.item)).update(
            refreshed_at=turn.before
        )
        _come_back(turn.row, timedelta(seconds=wait))
    return False


def _accounts(item: MediaItem) -> list[ProviderAccount]:
    """Accounts with a subscription that caught the item and one that is active; first
    those for which it is the same."""
    caught = Subscription.objects.filter(
        pk__in=Match.objects.filter(item=item).values("subscription")
    )
    active = Subscription.objects.filter(account=OuterRef("pk"), state=State.ACTIVE)
    found = (
        ProviderAccount.objects.filter(
            Exists(active), pk__in=caught.values("account"), provider=item.provider
        )
        .annotate(itself=Exists(active.filter(pk__in=caught.values("pk"))))
        .order_by("-itself", "pk")
    )
    return [each for each in found if get_provider(each.provider).reads_items]


def _ask(account: ProviderAccount, item: MediaItem) -> None:
    with calls.calling(account, Purpose.PICTURES) as credentials:
        record = get_provider(account.provider).fetch_item(
            credentials, native_id=item.native_id
        )
    journal.recorded(lambda recording: ingest.store(recording, item.provider, [record]))


def _gone(turn: Turn, error: ItemGone) -> None:
    """Its pictures are gone with it; a portrait is not."""
    for row in _still_waiting(turn):
        if row.role == Role.AVATAR:
            _by_schedule(row, error.message)
            continue
        with suppress(ClaimLost):  # edited or erased meanwhile; not so its neighbours
            settle(row, DownloadState.GONE, reason=error.code, detail=error.message)


def _give_back(turn: Turn, why: str) -> None:
    """What has no new address by now tries the old one once more, by the schedule."""
    for row in _still_waiting(turn):
        with suppress(ClaimLost):  # edited or erased meanwhile; not so its neighbours
            _by_schedule(row, why)


def _still_waiting(turn: Turn) -> list[Download]:
    """The downloads of the item that need an address as before, claimed by us."""
    mine = turn.row
    waiting = Download.objects.filter(
        _of(mine, turn.item), state=DownloadState.REFRESH
    ).order_by("pk")
    found = []
    for row in waiting:
        if row.pk == mine.pk:
            if row.claim_epoch == mine.claim_epoch:
                found.append(row)
            continue
        epoch = claims.claim(
            Download.objects.filter(state=DownloadState.REFRESH), row.pk, HOLD
        )
        if epoch is not None:
            row.claim_epoch = epoch
            found.append(row)
    return found


def _by_schedule(row: Download, why: str) -> None:
    wait = schedule.next_wait(row.attempts)
    if wait is None:
        settle(row, DownloadState.FAILED, reason="expired", detail=why)
        return
    move(
        row,
        DownloadState.PENDING,
        reason="expired",
        detail=why,
        claim_until=None,
        next_attempt_at=Now() + timedelta(seconds=wait),
    )


def _come_back(
    row: Download, wait: timedelta, error: PhotowallError | None = None
) -> None:
    changes = {"detail": error.message[:300]} if error is not None else {}
    claims.release(
        Download.objects.all(),
        row.pk,
        row.claim_epoch,
        next_attempt_at=Now() + wait,
        **changes,
    )
