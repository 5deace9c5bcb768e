"""A provider that never agrees to an ending is no dead end."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from subscriptions import ending, lifecycle
from subscriptions.errors import AuthRefused, TransitionRefused
from subscriptions.models import Feed, State, Subscription
from tests.subscriptions.following import in_state, raising
from tests.subscriptions.upstream import Upstream

pytestmark = pytest.mark.django_db


@pytest.fixture
def refused(upstream: Upstream) -> Subscription:
    """Ended by a person, and the provider does not let us say so."""
    subscription = in_state(State.SUSPENDED)
    upstream.before_page = raising(AuthRefused("The access_token is invalid."))
    lifecycle.end(subscription.pk, "ada")
    assert not ending.finish_ending(subscription.pk)
    return subscription


def test_not_before_the_provider_was_told(upstream: Upstream) -> None:
    subscription = in_state(State.SUSPENDED)
    lifecycle.end(subscription.pk, "ada")
    with pytest.raises(TransitionRefused, match="not been told"):
        ending.end_here(subscription.pk, "ada")


@pytest.mark.parametrize("state", [s for s in State if s != State.ENDING])
def test_only_what_is_ending(state: State) -> None:
    subscription = in_state(state)
    Feed.objects.update(failures=1)
    with pytest.raises(TransitionRefused):
        ending.end_here(subscription.pk, "ada")
    subscription.refresh_from_db()
    assert subscription.state == state


def test_it_is_over_and_the_tag_can_be_followed_again(refused: Subscription) -> None:
    ending.end_here(refused.pk, "ada")
    refused.refresh_from_db()
    assert refused.state == State.ENDED
    last = refused.events.latest("id")
    assert (last.actor, last.after) == ("ada", State.ENDED)
    assert not ending.endings_due().exists()
    again = lifecycle.create(refused.account, refused.tag, "ada")
    assert again.state == State.REQUESTED


def test_the_button_does_it(refused: Subscription, client: Client, ada: User) -> None:
    client.force_login(ada)
    page = f"/admin/subscriptions/subscription/{refused.pk}/change/"
    assert "End here only" in client.get(page).content.decode()
    client.post(page, {"step": f"end_here:{refused.pk}"})
    refused.refresh_from_db()
    assert refused.state == State.ENDED
