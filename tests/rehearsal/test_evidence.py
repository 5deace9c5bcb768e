"""What the archive holds: each kind of damage is seen, none is invented."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media_archive import ingest, journal
from media_archive.models import JournalEntry, JournalKind, MediaItem
from media_archive.records import IncomingMedia, Kind
from photowall.rehearsal import evidence
from subscriptions.models import (
    Feed,
    Gap,
    Match,
    ProviderAccount,
    Receipt,
    State,
    Subscription,
)

pytestmark = pytest.mark.django_db(transaction=True)
IDS = ["11", "12", "13"]


def store(records: list[IncomingMedia]) -> None:
    journal.recorded(
        lambda recording: ingest.store(
            recording, "instagram_v1", records, listed_under="fox"
        )
    )


def records() -> list[IncomingMedia]:
    return [IncomingMedia(each, Kind.IMAGE, {}, caption="a fox") for each in IDS]


@pytest.fixture
def subscription() -> Subscription:
    """Of #fox, with three archived posts."""
    account = ProviderAccount.objects.create(name="Sandbox", provider="instagram_v1")
    made = Subscription.objects.create(
        account=account, provider="instagram_v1", tag="fox", state=State.ACTIVE
    )
    Feed.objects.create(subscription=made)
    store(records())
    for item in MediaItem.objects.all():
        Match.objects.create(subscription=made, item=item)
    return made


def test_an_archive_that_is_as_it_should_be(subscription: Subscription) -> None:
    found = evidence.gather(subscription)
    assert found.archived == set(IDS)
    assert (found.doubled, found.journal_wrong, found.receipts) == ([], [], 0)
    assert evidence.archived(subscription, [*IDS, "99"]) == set(IDS)


def test_a_lost_row_and_a_journal_that_tells_twice(subscription: Subscription) -> None:
    lost, twice = MediaItem.objects.filter(native_id__in=["11", "12"]).order_by("pk")
    lost.delete()
    JournalEntry.objects.create(
        seq=journal.head() + 1,
        kind=JournalKind.ARCHIVED,
        item=twice,
        revision=9,
        at=twice.archived_at,
    )
    found = evidence.gather(subscription)
    assert found.archived == {"12", "13"}
    assert found.journal_wrong == ["12"]


def test_what_the_journal_never_told_is_wrong(subscription: Subscription) -> None:
    JournalEntry.objects.filter(item__native_id="13").delete()
    assert evidence.gather(subscription).journal_wrong == ["13"]


def test_an_edit_is_missing_until_it_arrived_once(subscription: Subscription) -> None:
    assert evidence.edits_missing(subscription, ["11", "99"]) == ["11", "99"]
    edited = [replace(records()[0], caption="a fox (edited)")]
    store(edited)
    assert evidence.edits_missing(subscription, ["11"]) == []
    store([replace(edited[0], caption="the fox (edited)")])
    assert evidence.edits_missing(subscription, ["11"]) == ["11"]


def test_receipts_count_with_their_repeats(subscription: Subscription) -> None:
    for number, seen in enumerate((1, 4)):
        Receipt.objects.create(
            subscription=subscription, body=b"", body_sha256=str(number), seen=seen
        )
    assert evidence.gather(subscription).receipts == 5


def test_settled_is_nothing_left_to_read(subscription: Subscription) -> None:
    feed = Feed.objects.get()
    Feed.objects.update(dirty_seq=2, done_seq=1)
    assert not evidence.is_settled(subscription)
    Feed.objects.update(done_seq=2)
    assert evidence.is_settled(subscription)
    Gap.objects.create(feed=feed)
    assert not evidence.is_settled(subscription)
