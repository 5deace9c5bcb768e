"""Follow, get stuck, pause, mend, end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from media_archive.errors import InvalidTag, OutgoingTimeout
from media_archive.models import Tag
from subscriptions import lifecycle, transitions
from subscriptions.errors import (
    AlreadyFollowed,
    AuthRefused,
    TransitionRefused,
)
from subscriptions.models import Feed, State, Subscription, SubscriptionEvent
from subscriptions.providers.base import UpstreamSubscription
from subscriptions.transitions import TABLE, move
from tests.subscriptions.following import all_at_once, in_state, raising
from tests.subscriptions.upstream import (
    Upstream,
    a_subscription,
    an_account,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


@pytest.mark.parametrize("before", list(State))
@pytest.mark.parametrize("after", list(State))
def test_only_what_the_table_has_is_possible(before: State, after: State) -> None:
    subscription = a_subscription(state=before)
    if after in TABLE[before]:
        move(subscription.pk, after, actor="ada", reason="because")
        event = SubscriptionEvent.objects.get()
        assert (event.before, event.after) == (before, after)
        assert (event.actor, event.reason) == ("ada", "because")
    else:
        with pytest.raises(TransitionRefused, match=before.label.lower()):
            move(subscription.pk, after)
        assert not SubscriptionEvent.objects.exists()
    subscription.refresh_from_db()
    assert subscription.state == (after if after in TABLE[before] else before)


@pytest.mark.parametrize(
    "text", ["", "##", "🎉", "a b", "../../etc", "x" * 200, "a#b", "\x00"]
)
def test_what_is_no_hashtag_is_refused(text: str) -> None:
    with pytest.raises(InvalidTag):
        lifecycle.create(an_account(), text, "ada")
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    ("text", "tag"), [("##x", "x"), (" #Fête ", "fête"), ("日本語", "日本語")]
)
def test_a_subscription_is_committed_with_all_it_needs(text: str, tag: str) -> None:
    made = lifecycle.create(an_account(), text, "ada")
    assert (made.tag, made.state, made.created_by) == (tag, State.REQUESTED, "ada")
    assert len(made.verify_token) >= 32
    assert Feed.objects.filter(pk=made.pk).exists()
    assert Tag.objects.filter(name=tag).exists()


def test_the_same_tag_twice_is_refused_in_any_spelling() -> None:
    account = an_account()
    first = lifecycle.create(account, "Fête", "ada")
    with pytest.raises(AlreadyFollowed, match="#fête is followed already"):
        lifecycle.create(account, "#FÊTE", "ada")
    Subscription.objects.filter(pk=first.pk).update(state=State.ENDED)
    assert lifecycle.create(account, "fête", "ada").pk != first.pk


def test_two_people_at_once_follow_a_tag_once() -> None:
    account = an_account()
    results = all_at_once(4, lambda: lifecycle.create(account, "race", "ada").pk)
    assert results.count(AlreadyFollowed) == 3
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize("state", [State.REQUESTED, State.VERIFYING])
def test_what_is_stuck_fails_after_two_minutes(state: State) -> None:
    now = datetime.now(UTC)
    stuck = in_state(state, challenge_asked_at=now - timedelta(minutes=1))
    assert lifecycle.give_up_stuck() == 0
    Subscription.objects.update(challenge_asked_at=now - timedelta(minutes=3))
    assert lifecycle.give_up_stuck() == 1
    stuck.refresh_from_db()
    assert stuck.state == State.FAILED
    assert "two minutes" in stuck.state_reason


def test_what_nobody_asked_for_yet_is_late_and_not_stuck() -> None:
    """With the broker away for an hour nothing was asked: nothing has failed."""
    made = lifecycle.create(an_account(), "nofilter", "ada")
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    Subscription.objects.update(state_since=long_ago, created_at=long_ago)
    assert lifecycle.give_up_stuck() == 0
    assert list(lifecycle.requests_due()) == [made]


@pytest.mark.parametrize("state", [State.PAUSED, State.SUSPENDED])
def test_resuming_reads_what_came_meanwhile(state: State) -> None:
    subscription = a_subscription(state=state, done_seq=1, failures=4)
    assert not Feed.objects.due().exists()
    lifecycle.resume(subscription.pk, "ada")
    assert Feed.objects.due().get().dirty_seq == 2


def test_a_new_credential_wakes_all_that_still_sleep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = an_account()
    first, second, third = (
        a_subscription(tag, State.SUSPENDED, account) for tag in ("a", "b", "c")
    )
    mark_due = transitions.mark_due

    def meanwhile(pk: int) -> None:
        """While one is resumed, somebody ends the next."""
        mark_due(pk)
        Subscription.objects.filter(pk=second.pk).update(state=State.ENDING)

    monkeypatch.setattr(transitions, "mark_due", meanwhile)
    woken = lifecycle.wake_suspended(account, "ada")
    assert woken == [first.pk, third.pk]
    states = {each.tag: each.state for each in Subscription.objects.all()}
    assert states == {"a": State.ACTIVE, "b": State.ENDING, "c": State.ACTIVE}


def test_resume_is_no_way_around_the_challenge() -> None:
    subscription = a_subscription(state=State.VERIFYING)
    with pytest.raises(TransitionRefused):
        lifecycle.resume(subscription.pk, "ada")
    active = a_subscription("other", account=subscription.account)
    with pytest.raises(TransitionRefused):
        lifecycle.retry(active.pk, "ada")


def test_ending_tells_the_provider(upstream: Upstream) -> None:
    subscription = a_subscription()
    lifecycle.end(subscription.pk, "ada")
    subscription.refresh_from_db()
    assert subscription.state == State.ENDING
    assert lifecycle.finish_ending(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == State.ENDED
    assert upstream.calls == [("unsubscribe", {"native_id": "18234411"})]
    assert not lifecycle.finish_ending(subscription.pk)


def test_ending_goes_on_until_the_provider_agrees(upstream: Upstream) -> None:
    subscription = a_subscription()
    lifecycle.end(subscription.pk, "ada")
    upstream.before_page = raising(OutgoingTimeout("nothing came"))
    assert not lifecycle.finish_ending(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == State.ENDING
    assert "did not answer in time" in subscription.state_reason
    assert not lifecycle.endings_due().exists(), "it waits"
    upstream.before_page = lambda _: None
    Feed.objects.update(next_attempt_at=None)
    assert lifecycle.endings_due().exists()
    assert lifecycle.finish_ending(subscription.pk)


def test_two_workers_end_it_once(upstream: Upstream) -> None:
    subscription = a_subscription()
    lifecycle.end(subscription.pk, "ada")
    results = all_at_once(4, lambda: lifecycle.finish_ending(subscription.pk))
    assert results.count(True) == 1
    assert upstream.count("unsubscribe") == 1


def test_ending_finds_what_was_made_though_we_never_heard(upstream: Upstream) -> None:
    subscription = in_state(State.FAILED, upstream_id="")
    ours = lifecycle.callback_url(subscription)
    upstream.known = [
        UpstreamSubscription("1", "tag", "nofilter", "https://elsewhere.example/"),
        UpstreamSubscription("2", "tag", "nofilter", ours),
    ]
    lifecycle.end(subscription.pk, "ada")
    assert lifecycle.finish_ending(subscription.pk)
    assert ("unsubscribe", {"native_id": "2"}) in upstream.calls
    assert upstream.count("unsubscribe") == 1


def test_what_was_never_confirmed_ends_though_the_secret_is_wrong(
    upstream: Upstream,
) -> None:
    subscription = in_state(State.FAILED, upstream_id="")
    upstream.before_page = raising(AuthRefused("wrong secret"))
    lifecycle.end(subscription.pk, "ada")
    assert lifecycle.finish_ending(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == State.ENDED
    assert "Never confirmed" in subscription.state_reason


def test_what_was_confirmed_stays_ending_though_the_secret_is_wrong(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    upstream.before_page = raising(AuthRefused("wrong secret"))
    lifecycle.end(subscription.pk, "ada")
    assert not lifecycle.finish_ending(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == State.ENDING
    assert "Mend the account" in subscription.state_reason
