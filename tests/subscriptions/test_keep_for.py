"""Keeping for a time: what is never erased, what is, and what a person is told."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from media_archive.models import JournalEntry, MediaItem, Tombstone
from subscriptions import keep_for
from subscriptions.models import Match, State, Subscription
from tests.builders import an_item
from tests.subscriptions.upstream import a_subscription, an_account

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]


def follow(tag: str, days: int | None, state: State = State.ACTIVE) -> Subscription:
    account = Subscription.objects.first()
    made = a_subscription(tag, state, account.account if account else an_account())
    Subscription.objects.filter(pk=made.pk).update(keep_days=days)
    made.refresh_from_db()
    return made


def caught(age: float, *subscriptions: Subscription) -> MediaItem:
    item = an_item(posted_at=timezone.now() - timedelta(days=age))
    for subscription in subscriptions:
        Match.objects.create(subscription=subscription, item=item)
    return item


def days_of(subscription: Subscription) -> int | None:
    return Subscription.objects.get(pk=subscription.pk).keep_days


def may(user: User, *codenames: str) -> None:
    user.is_staff = True
    user.save()
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


def seen_in(page: str) -> str:
    """What the page has us send back."""
    said = re.search(r'name="sure" value="([^"]+)"', page)
    assert said is not None
    return said[1]


def left() -> set[int]:
    return set(MediaItem.objects.values_list("pk", flat=True))


def test_what_nobody_wishes_to_lose_is_kept() -> None:
    short, ever = follow("short", 7), follow("ever", None)
    long = follow("long", 30)
    kept = [
        caught(1000),
        caught(1000, ever),
        caught(1000, short, ever),
        caught(8, short, long),
        caught(6, short),
    ]
    gone = [caught(8, short), caught(31, short, long), caught(31, long)]
    assert keep_for.erase_expired() is False
    assert left() == {item.pk for item in kept}
    reasons = dict(Tombstone.objects.values_list("item_id", "reason"))
    assert reasons == {
        gone[0].pk: "Kept for 7 days.",
        gone[1].pk: "Kept for 30 days.",
        gone[2].pk: "Kept for 30 days.",
    }
    assert JournalEntry.objects.filter(kind="purged", actor="").count() == 3


@pytest.mark.parametrize("state", [State.PAUSED, State.ENDED])
def test_what_has_ended_still_counts(state: State) -> None:
    ended = follow("ended", 7, state)
    for_ever = follow("forever", None, state)
    kept = caught(100, ended, for_ever)
    caught(100, ended)
    keep_for.erase_expired()
    assert left() == {kept.pk}


def test_who_catches_it_at_the_last_moment_saves_it() -> None:
    short = follow("short", 7)
    saved, gone = caught(9, short), caught(8, short)
    portions = keep_for._portions
    with pytest.MonkeyPatch.context() as patch:

        def late(wish: keep_for.Wish) -> object:
            for some in portions(wish):
                Match.objects.get_or_create(subscription=follow_for_ever, item=saved)
                yield some

        follow_for_ever = follow("ever", None)
        patch.setattr(keep_for, "_portions", late)
        keep_for.erase_expired()
    assert left() == {saved.pk}
    assert Tombstone.objects.get().item_id == gone.pk


def test_it_stops_in_time_and_goes_on_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_for, "AT_ONCE", 1)
    short = follow("short", 7)
    for age in (9, 10, 11):
        caught(age, short)
    assert keep_for.erase_expired(seconds=0) is True
    assert len(left()) == 3
    assert keep_for.erase_expired() is False
    assert left() == set()


@pytest.mark.parametrize(("scanned", "looks"), [(100, 1), (2, 3)])
def test_one_look_serves_many_portions(
    scanned: int, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_for, "AT_ONCE", 1)
    monkeypatch.setattr(keep_for, "SCANNED", scanned)
    short = follow("short", 7)
    for age in (9, 10, 11, 11, 12):
        caught(age, short)
    with CaptureQueriesContext(connection) as asked:
        keep_for.erase_expired()
    found = [q["sql"] for q in asked if f"LIMIT {scanned}" in q["sql"]]
    assert len(found) == looks
    assert left() == set()


class TestAdmin:
    """The page that says what it would cost."""

    @pytest.fixture
    def short(self, ada: User, client: Client) -> Subscription:
        client.force_login(ada)
        made = follow("sea", None)
        for age in (5, 40, 50):
            caught(age, made)
        return made

    def url(self, subscription: Subscription) -> str:
        return reverse(
            "admin:subscriptions_subscription_keep_for", args=[subscription.pk]
        )

    @pytest.mark.parametrize("days", ["0", "-3", "x", "9" * 30, "36501"])
    def test_it_refuses_what_is_no_number_of_days(
        self, short: Subscription, client: Client, days: str
    ) -> None:
        form = {"keep_days": days, "sure": "yes"}
        answer = client.post(self.url(short), form)
        assert answer.status_code == 200 and b"errorlist" in answer.content
        assert days_of(short) is None

    def test_it_asks_first_and_names_the_number(
        self, short: Subscription, client: Client
    ) -> None:
        page = client.post(self.url(short), {"keep_days": "30"}).content.decode()
        assert "<strong>2 media items</strong> would be erased" in page
        assert days_of(short) is None
        client.post(self.url(short), {"keep_days": "30", "sure": seen_in(page)})
        assert days_of(short) == 30
        event = short.events.get()
        assert (event.actor, event.reason) == (
            "ada",
            "Keeps for 30 days, not for ever.",
        )
        page = client.get(
            reverse("admin:subscriptions_subscription_change", args=[short.pk])
        ).content.decode()
        assert "for 30 days · <a" in page

    def test_what_costs_nothing_is_done_at_once(
        self, short: Subscription, client: Client
    ) -> None:
        client.post(self.url(short), {"keep_days": "365"})
        assert days_of(short) == 365
        client.post(self.url(short), {"keep_days": ""})
        assert days_of(short) is None

    def test_only_what_was_shown_is_confirmed(
        self, short: Subscription, vera: User, client: Client
    ) -> None:
        page = client.post(self.url(short), {"keep_days": "30"}).content.decode()
        seen = seen_in(page)
        for days, sure in (("30", "30"), ("30", "yes"), ("30", ""), ("7", seen)):
            client.post(self.url(short), {"keep_days": days, "sure": sure})
            assert days_of(short) is None, (days, sure)
        # More would go than was shown.
        caught(60, short)
        form = {"keep_days": "30", "sure": seen}
        page = client.post(self.url(short), form).content.decode()
        assert "<strong>3 media items</strong>" in page
        assert days_of(short) is None
        # Somebody else has seen it.
        may(vera, "change_subscription", "erase_mediaitem")
        form["sure"] = seen_in(page)
        other = Client()
        other.force_login(vera)
        other.post(self.url(short), form)
        assert days_of(short) is None
        # The positive control: who was shown it, and what grew old since is no matter.
        client.post(self.url(short), form)
        assert days_of(short) == 30

    def test_what_was_changed_meanwhile_is_judged_anew(
        self, short: Subscription
    ) -> None:
        assert keep_for.keep_for(short.pk, 60, 30, "ada") is False
        assert days_of(short) is None
        assert keep_for.keep_for(short.pk, 60, None, "ada") is True
        assert days_of(short) == 60

    def test_fewer_days_want_the_permission_to_erase(
        self, short: Subscription, vera: User, client: Client
    ) -> None:
        page = reverse("admin:subscriptions_subscription_change", args=[short.pk])
        may(vera, "view_subscription", "change_subscription")
        client.force_login(vera)
        # For ever: there is nothing that this person could do.
        assert self.url(short) not in client.get(page).content.decode()
        assert client.get(self.url(short)).status_code == 403
        for days in ("1", "365", "36500"):
            answer = client.post(self.url(short), {"keep_days": days})
            assert answer.status_code == 403
        assert days_of(short) is None
        # Longer is harmless, whatever is old already.
        Subscription.objects.filter(pk=short.pk).update(keep_days=30)
        assert self.url(short) in client.get(page).content.decode()
        answer = client.post(self.url(short), {"keep_days": "29"})
        assert (answer.status_code, days_of(short)) == (403, 30)
        client.post(self.url(short), {"keep_days": "31"})
        assert days_of(short) == 31
        client.post(self.url(short), {"keep_days": ""})
        assert days_of(short) is None
        # The positive control.
        may(vera, "erase_mediaitem")
        client.force_login(User.objects.get(pk=vera.pk))
        assert self.url(short) in client.get(page).content.decode()
        asked = client.post(self.url(short), {"keep_days": "30"}).content.decode()
        form = {"keep_days": "30", "sure": seen_in(asked)}
        client.post(self.url(short), form)
        assert days_of(short) == 30

    def test_who_may_only_look_is_refused(
        self, short: Subscription, vera: User, client: Client
    ) -> None:
        vera.is_staff = True
        vera.save()
        client.force_login(vera)
        assert client.post(self.url(short), {"keep_days": "1"}).status_code == 403
