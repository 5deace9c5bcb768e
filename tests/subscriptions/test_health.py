"""The light of a tag whose older posts are still being read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from subscriptions.health import light_of
from subscriptions.models import Gap, GapKind, Subscription
from tests.subscriptions.upstream import a_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def quiet() -> Subscription:
    """A tag with nothing to do."""
    return a_subscription(done_seq=1)


def a_gap(subscription: Subscription, minutes: int, **said: object) -> Gap:
    opened = timezone.now() - timedelta(minutes=minutes)
    usual = {"feed": subscription.feed, "older": "7", "opened_at": opened}
    return Gap.objects.create(**(usual | said))


def test_no_gap_is_no_trouble(quiet: Subscription) -> None:
    assert light_of(quiet).word == "Quiet"


@pytest.mark.parametrize(
    ("minutes", "said", "word"),
    [
        (1, {}, "Quiet"),
        (5, {}, "Catching up"),
        (1, {"failures": 2}, "Late"),
        (5, {"closed_at": timezone.now()}, "Quiet"),
        (5, {"kind": GapKind.OVERLAP}, "Quiet"),
    ],
)
def test_an_open_gap_is_seen_when_it_is_old_or_stuck(
    quiet: Subscription, minutes: int, said: dict[str, object], word: str
) -> None:
    a_gap(quiet, minutes, **said)
    assert light_of(quiet).word == word
