"""What waits for a person is told on the admin's pages; two people press at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import connections
from django.test import Client

from subscriptions import lifecycle
from subscriptions.models import (
    ProviderAccount,
    State,
    Subscription,
    SubscriptionEvent,
)
from tests.subscriptions.upstream import a_subscription, an_account

LIST = "/admin/subscriptions/subscription/"
ACCOUNTS = "/admin/subscriptions/provideraccount/"
PAGES = ["/admin/", LIST, ACCOUNTS]


@pytest.fixture
def desk(ada: User) -> Client:
    """Ada's browser, signed in."""
    client = Client()
    client.force_login(ada)
    return client


def text_of(client: Client, page: str) -> str:
    response = client.get(page)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_a_refused_credential_is_told_with_what_to_do(desk: Client, page: str) -> None:
    account = an_account(name="<b>Insta</b>")
    a_subscription("one", account=account)
    assert "refuses the credential" not in text_of(desk, page)
    for number in range(7):
        a_subscription(f"tag{number}", State.SUSPENDED, account)
    text = text_of(desk, page)
    assert "refuses the credential of “&lt;b&gt;Insta&lt;/b&gt;”" in text
    assert "#tag4" in text and "and 2 more" in text
    assert "#one" not in text.partition("Open the account")[0].partition("Not read")[2]
    assert "Enter a valid credential" in text
    assert f'href="{ACCOUNTS}{account.pk}/change/"' in text


@pytest.mark.django_db
def test_who_may_see_nothing_is_told_nothing(vera: User, desk: Client) -> None:
    a_subscription("one", State.SUSPENDED)
    vera.is_staff = True
    vera.save()
    looking = Client()
    looking.force_login(vera)
    assert "refuses the credential" not in text_of(looking, "/admin/")
    assert "refuses the credential" in text_of(desk, "/admin/")


@pytest.mark.django_db
def test_other_troubles_are_told(desk: Client, settings: Any) -> None:
    settings.PHOTOWALL_BASE_URL = "https://photos.example.org"
    subscription = a_subscription("one")
    assert 'role="alert"' not in text_of(desk, LIST)
    soon = datetime.now(UTC) + timedelta(minutes=5)
    Subscription.objects.update(lease_until=soon, renew_failures=1)
    assert "does not renew what we follow" in text_of(desk, LIST)
    Subscription.objects.update(lease_until=soon + timedelta(hours=1))
    assert "does not renew" not in text_of(desk, LIST)
    Subscription.objects.update(renew_failures=3)
    assert "does not renew what we follow" in text_of(desk, LIST)
    page = text_of(desk, f"{LIST}{subscription.pk}/change/")
    assert "3 renewals in a row came to nothing" in page
    ProviderAccount.objects.update(upkeep_error="It refuses <i>us</i>.")
    assert "It refuses &lt;i&gt;us&lt;/i&gt;." in text_of(desk, LIST)
    settings.PHOTOWALL_BASE_URL = "http://127.0.0.1:8000"
    assert "api.example.org, which cannot reach us at" in text_of(desk, LIST)


@pytest.mark.django_db
def test_the_history_can_be_read(desk: Client) -> None:
    made = lifecycle.create(an_account(), "nofilter", "vera")
    lifecycle.fail(made.pk, "The provider said <no>.")
    Subscription.objects.update(confirmed_at=datetime.now(UTC), missed=1)
    text = text_of(desk, f"{LIST}{made.pk}/change/")
    assert "Draft → Requested" in text and "Requested → Failed" in text
    assert "vera" in text and "by itself" in text
    assert "The provider said &lt;no&gt;." in text
    assert "Last confirmed by the provider" in text
    assert "Not named 1 times since." in text
    assert "keeps it until it is ended" in text
    at = SubscriptionEvent.objects.latest("pk").at
    assert f"{at:%Y-%m-%d %H:%M:%S} UTC" in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("word", "state", "sentence"),
    [
        ("end", State.REQUESTED, "Press “Stop asking” first"),
        ("end", State.VERIFYING, "two minutes at most"),
        ("end", State.ENDING, "The provider is being told already"),
        ("resume", State.ENDING, "follow the hashtag anew"),
        ("pause", State.PAUSED, "Somebody has paused it already"),
    ],
)
def test_what_is_not_possible_is_told_with_a_way_out(
    desk: Client, rung: list[Any], word: str, state: State, sentence: str
) -> None:
    subscription = a_subscription(state=state)
    response = desk.post(LIST, {"step": f"{word}:{subscription.pk}", "sure": "yes"})
    said = " ".join(str(m) for m in get_messages(response.wsgi_request))
    assert "is not possible" in said and sentence in said
    subscription.refresh_from_db()
    assert subscription.state == state
    assert rung == []


@pytest.mark.django_db
def test_what_is_asked_for_can_be_stopped_and_ended(
    desk: Client, rung: list[Any]
) -> None:
    made = lifecycle.create(an_account(), "nofilter", "ada")
    for word, after in (("stop", State.FAILED), ("end", State.ENDING)):
        desk.post(LIST, {"step": f"{word}:{made.pk}", "sure": "yes"})
        made.refresh_from_db()
        assert made.state == after


def pressed_at_once(user: User, page: str, data: dict[str, Any]) -> list[Any]:
    """(status, messages) of three browsers that press in the same moment."""
    barrier = threading.Barrier(3)
    answers: list[Any] = []

    def press() -> None:
        client = Client()
        client.force_login(user)
        barrier.wait()
        response = client.post(page, data)
        said = " ".join(str(m) for m in get_messages(response.wsgi_request))
        answers.append((response.status_code, said))
        connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.also_on_sqlite
@pytest.mark.parametrize(
    ("word", "before", "after"),
    [
        ("pause", State.ACTIVE, State.PAUSED),
        ("resume", State.PAUSED, State.ACTIVE),
        ("retry", State.FAILED, State.REQUESTED),
        ("end", State.ACTIVE, State.ENDING),
    ],
)
def test_three_press_the_same_button_and_one_does_it(
    ada: User, rung: list[Any], word: str, before: State, after: State
) -> None:
    subscription = a_subscription(state=before)
    data = {"step": f"{word}:{subscription.pk}", "sure": "yes"}
    answers = pressed_at_once(ada, LIST, data)
    assert [status for status, _ in answers] == [302] * 3
    assert subscription.events.count() == 1
    subscription.refresh_from_db()
    assert subscription.state == after
    done = [said for _, said in answers if said.startswith("#nofilter is ")]
    told = [said for _, said in answers if said.startswith("#nofilter: ")]
    assert (len(done), len(told)) == (1, 2)
    assert all(
        "not possible" in said or "cannot become" in said or "somebody else" in said
        for said in told
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.also_on_sqlite
def test_three_follow_the_same_tag_at_once(ada: User, rung: list[Any]) -> None:
    account = an_account()
    answers = pressed_at_once(ada, f"{LIST}add/", {"account": account.pk, "tag": "x"})
    assert {status for status, _ in answers} <= {200, 302}
    made = Subscription.objects.get()
    assert made.events.count() == 1
    assert rung == [("request_subscription", made.pk)]
