"""The admin: what people see, what they may do, what they are told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.messages import get_messages
from django.test import Client

from subscriptions.models import (
    Feed,
    State,
    Subscription,
)
from tests.subscriptions.upstream import (
    a_subscription,
    an_account,
)

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/subscriptions/subscription/"
ADD = f"{LIST}add/"


@pytest.fixture
def desk(ada: User) -> Client:
    """Ada's browser, signed in."""
    client = Client()
    client.force_login(ada)
    return client


def page_of(subscription: Subscription) -> str:
    return f"{LIST}{subscription.pk}/change/"


def told(response: Any) -> str:
    return " | ".join(str(message) for message in get_messages(response.wsgi_request))


def state_of(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.state


@pytest.mark.parametrize(
    ("tag", "sentence"),
    [
        ("", "This field is required"),
        ("##", "Please enter a hashtag"),
        ("🎉", "cannot be in it"),
        ("../../etc", "cannot be in it"),
        ("x" * 200, "200 characters; 100 is the most"),
        ("x" * 400, "at most 300 characters"),
    ],
)
def test_what_is_no_hashtag_is_told_in_the_form(
    desk: Client, rung: list[Any], tag: str, sentence: str
) -> None:
    response = desk.post(ADD, {"account": an_account().pk, "tag": tag})
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert not Subscription.objects.exists()
    assert rung == []


def test_a_tag_that_is_followed_is_told_in_the_form(desk: Client) -> None:
    subscription = a_subscription("fête")
    response = desk.post(ADD, {"account": subscription.account_id, "tag": "#Fête"})
    assert "#fête is followed already (active)" in response.content.decode()
    assert Subscription.objects.count() == 1


def test_following_a_tag_rings_and_does_not_call_anybody(
    desk: Client, rung: list[Any]
) -> None:
    account = an_account()
    assert f'value="{account.pk}" selected' in desk.get(ADD).content.decode()
    response = desk.post(ADD, {"account": account.pk, "tag": " #Fête "})
    assert response.status_code == 302
    made = Subscription.objects.get()
    assert (made.tag, made.state, made.created_by) == ("fête", "requested", "ada")
    assert rung == [("request_subscription", made.pk)]


def test_a_failed_one_says_why_what_to_do_and_has_a_button(
    desk: Client, rung: list[Any]
) -> None:
    subscription = a_subscription(state=State.FAILED)
    reason = "The provider refuses our credential. <b>Mend</b> the account."
    Subscription.objects.update(state_reason=reason)
    for path in (LIST, page_of(subscription)):
        text = desk.get(path).content.decode()
        assert "Needs you" in text
        assert "&lt;b&gt;Mend&lt;/b&gt; the account" in text
        assert f'value="retry:{subscription.pk}"' in text
    assert "press Retry" in desk.get(page_of(subscription)).content.decode()
    response = desk.post(page_of(subscription), {"step": f"retry:{subscription.pk}"})
    assert "#nofilter is asked for again." in told(response)
    assert state_of(subscription) == State.REQUESTED
    assert rung == [("request_subscription", subscription.pk)]


@pytest.mark.parametrize(
    ("word", "before", "after", "bell"),
    [
        ("retry", State.FAILED, State.REQUESTED, "request_subscription"),
        ("pause", State.ACTIVE, State.PAUSED, None),
        ("resume", State.PAUSED, State.ACTIVE, "fetch_subscription"),
        ("resume", State.SUSPENDED, State.ACTIVE, "fetch_subscription"),
        ("end", State.ACTIVE, State.ENDING, "end_subscription"),
        ("fetch", State.ACTIVE, State.ACTIVE, "fetch_subscription"),
    ],
)
def test_a_step_by_button_and_by_menu(
    desk: Client,
    rung: list[Any],
    word: str,
    before: State,
    after: State,
    bell: str | None,
) -> None:
    subscription = a_subscription(state=before, done_seq=1, failures=3)
    menu = {"action": word, "_selected_action": [subscription.pk]}
    for data in ({"step": f"{word}:{subscription.pk}"}, menu):
        Subscription.objects.update(state=before)
        rung.clear()
        response = desk.post(LIST, {**data, "sure": "yes"})
        assert response.status_code == 302
        assert state_of(subscription) == after
        assert rung == ([(bell, subscription.pk)] if bell else [])
    if bell == "fetch_subscription":
        assert Feed.objects.get().failures == 0
        assert Feed.objects.due().exists()


def test_a_step_that_is_not_possible_is_told(desk: Client, rung: list[Any]) -> None:
    subscription = a_subscription(state=State.ENDED)
    for word in ("retry", "pause", "resume", "end", "fetch"):
        response = desk.post(LIST, {"step": f"{word}:{subscription.pk}"})
        assert "is not possible: it is ended" in told(response)
    assert state_of(subscription) == State.ENDED
    assert rung == []


@pytest.mark.parametrize("value", ["", "retry:", "retry:x", "drop:1", "end:²", ":"])
def test_a_button_that_makes_no_sense_does_nothing(desk: Client, value: str) -> None:
    a_subscription()
    assert desk.post(LIST, {"step": value}).status_code in {200, 302}
    assert Subscription.objects.get().state == State.ACTIVE


def test_who_may_only_look_may_not_step(
    vera: User, rung: list[Any], desk: Client
) -> None:
    subscription = a_subscription()
    vera.is_staff = True
    vera.save()
    client = Client()
    client.force_login(vera)
    step = {"step": f"end:{subscription.pk}", "sure": "yes"}
    assert client.get(LIST).status_code == 403
    client.post(LIST, step)
    assert state_of(subscription) == State.ACTIVE
    assert rung == []
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="ada"))
    assert strict.post(LIST, step).status_code == 403
    assert state_of(subscription) == State.ACTIVE
    desk.post(LIST, step)
    assert state_of(subscription) == State.ENDING


def test_nothing_is_ever_deleted(desk: Client) -> None:
    subscription = a_subscription()
    assert desk.get(f"{LIST}{subscription.pk}/delete/").status_code == 403
    path = f"/admin/subscriptions/provideraccount/{subscription.account_id}/delete/"
    assert desk.get(path).status_code == 403
    assert "delete_selected" not in desk.get(LIST).content.decode()


def test_the_light_says_how_it_is(desk: Client) -> None:
    now = datetime.now(UTC)
    old = now - timedelta(hours=1)
    account = an_account()
    a_subscription("live", account=account, done_seq=1, last_heard_at=now)
    a_subscription("quiet", account=account, done_seq=1, last_heard_at=old)
    a_subscription("late", account=account, last_heard_at=old, last_fetched_at=old)
    a_subscription("wrong", account=account, failures=2, last_error="HTML")
    for state in (State.REQUESTED, State.PAUSED, State.SUSPENDED, State.ENDED):
        a_subscription(state.value, state, account)
    Subscription.objects.update(state_since=old)
    text = desk.get(LIST).content.decode()
    rows = re.findall(r"<bdi>#(\w+)</bdi>.*?badge [^>]*>([^<]*)", text, re.S)
    assert dict(rows) == {
        "live": "Live",
        "quiet": "Quiet",
        "late": "Late",
        "wrong": "Late",
        "requested": "Connecting",
        "paused": "Paused",
        "suspended": "Needs you",
        "ended": "Ended",
    }
    account.paused_until = now + timedelta(minutes=5)
    account.save()
    assert "Waiting until" in desk.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("state", "error", "attempt"),
    [
        (State.ACTIVE, "none", "as soon as there is news"),
        (State.PAUSED, "none", "after you have pressed Resume"),
        (State.SUSPENDED, "It is refused.", "after you have mended it"),
        (State.FAILED, "It is refused.", "after you have mended it and pressed Retry"),
    ],
)
def test_what_stands_still_promises_no_attempt(
    desk: Client, state: State, error: str, attempt: str
) -> None:
    made = a_subscription(state=state)
    Subscription.objects.update(state_reason="It is refused.")
    page = desk.get(page_of(made)).content.decode()
    shown = [
        " ".join(re.sub("<[^>]*>", "", found).split())
        for field in ("error", "next_attempt")
        for found in re.findall(
            rf'field-{field}".*?<div class="readonly">(.*?)</div>', page, re.S
        )
    ]
    assert shown == [error, attempt]


def test_nothing_needs_an_inline_style_or_script(desk: Client) -> None:
    subscription = a_subscription()
    for path in (LIST, ADD, page_of(subscription)):
        text = desk.get(path).content.decode()
        assert " style=" not in text
        assert " onclick=" not in text


def test_the_groups_have_what_they_need() -> None:
    groups = {
        name: set(
            Group.objects.get(name=name).permissions.values_list("codename", flat=True)
        )
        for name in ("analyst", "moderator", "admin")
    }
    assert "view_mediaitem" in groups["analyst"]
    assert "change_mediaitem" not in groups["analyst"]
    assert not any("subscription" in code for code in groups["analyst"])
    assert {"moderate_mediaitem", "view_mediaitem"} <= groups["moderator"]
    assert "add_subscription" not in groups["moderator"]
    assert groups["moderator"] < groups["admin"]
    assert {"add_subscription", "add_provideraccount", "add_apiclient"} <= groups[
        "admin"
    ]


def test_ending_is_asked_once_before_it_is_done(desk: Client, rung: list[Any]) -> None:
    account = an_account()
    one, two = (a_subscription(tag, account=account) for tag in ("one", "two"))
    asked = desk.post(page_of(one), {"step": f"end:{one.pk}"})
    assert asked.status_code == 200
    assert "<bdi>#one</bdi>" in asked.content.decode()
    assert "<script>" not in asked.content.decode()
    many = {"action": "end", "_selected_action": [one.pk, two.pk]}
    assert "#two" in desk.post(LIST, many).content.decode()
    assert [state_of(one), state_of(two)] == [State.ACTIVE] * 2
    assert rung == []
    desk.post(page_of(one), {"step": f"end:{one.pk}", "sure": "yes"})
    assert state_of(one) == State.ENDING
    desk.post(LIST, {**many, "sure": "yes"})
    assert state_of(two) == State.ENDING


def test_who_may_only_look_sees_no_buttons(vera: User, desk: Client) -> None:
    subscription = a_subscription()
    vera.is_staff = True
    vera.save()
    vera.user_permissions.add(Permission.objects.get(codename="view_subscription"))
    looking = Client()
    looking.force_login(vera)
    for address in (LIST, page_of(subscription)):
        shown = looking.get(address)
        assert shown.status_code == 200
        assert 'name="step"' not in shown.content.decode()
        assert 'name="step"' in desk.get(address).content.decode()


def test_the_list_is_filtered_by_its_filters_only(desk: Client) -> None:
    account = a_subscription().account
    for refused in ("account__client_id__startswith=a", "tag__regex=(a"):
        assert desk.get(f"{LIST}?{refused}")["Location"] == f"{LIST}?e=1"
    allowed = f"state__exact=active&account__id__exact={account.pk}"
    assert desk.get(f"{LIST}?{allowed}").status_code == 200
