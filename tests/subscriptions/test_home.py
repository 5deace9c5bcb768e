"""The first page: one field, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from media_archive import moderation
from photowall.bell import BellTask
from subscriptions import home, lifecycle
from subscriptions.models import State, Subscription
from tests.builders import some_posts
from tests.subscriptions.upstream import (
    a_subscription,
    an_account,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _open(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PHOTOWALL_OPEN_SUBSCRIBE = True
    # Bells are only noted here, so nobody would be waited for.
    monkeypatch.setattr(home, "PATIENCE", 0.0)


def enter(text: str, client: Client | None = None) -> Any:
    return (client or Client()).post("/", {"tag": text})


@pytest.mark.parametrize(
    "text", ["", "##", "🎉", "x" * 200, "../../etc", "a b", "<b>", "\x00", "x" * 5000]
)
def test_what_is_no_hashtag_is_told_and_kept_in_the_field(text: str) -> None:
    an_account()
    response = enter(text)
    assert response.status_code == 400
    assert response.context["form_error"]
    assert response.context["tag_text"] == text[:200]
    assert "<b>" not in response.content.decode().split("value=")[1][:20]
    assert not Subscription.objects.exists()


def test_a_new_hashtag_is_followed_and_shown(rung: list[Any]) -> None:
    an_account()
    response = enter(" #Fête ")
    made = Subscription.objects.get()
    assert (made.tag, made.state, made.created_by) == ("fête", "requested", "visitor")
    assert response.status_code == 302
    assert response["Location"] == "/wall/f%C3%AAte/"
    assert rung == [("request_subscription", made.pk)]
    assert enter("FÊTE")["Location"] == response["Location"]
    assert Subscription.objects.count() == 1
    assert len(rung) == 1


def test_without_an_account_the_visitor_is_told() -> None:
    response = enter("sunset")
    assert response.status_code == 403
    assert "no provider account yet" in response.context["form_error"]


def test_who_may_not_follow_is_told_but_sees_what_there_is(
    settings: Settings, vera: User, rung: list[Any]
) -> None:
    settings.PHOTOWALL_OPEN_SUBSCRIBE = False
    a_subscription("followed")
    some_posts(1, tags=["mentioned"])
    response = enter("sunset")
    assert response.status_code == 403
    assert "Nobody follows #sunset yet" in response.context["form_error"]
    assert response.context["may_follow"] is False
    assert enter("followed").status_code == 302
    assert enter("mentioned").status_code == 302
    assert Subscription.objects.count() == 1
    vera.user_permissions.add(Permission.objects.get(codename="add_subscription"))
    client = Client()
    client.force_login(vera)
    assert enter("sunset", client).status_code == 302
    assert Subscription.objects.get(tag="sunset").created_by == "vera"


def test_visitors_cannot_follow_without_end(
    monkeypatch: pytest.MonkeyPatch, rung: list[Any]
) -> None:
    monkeypatch.setattr(home, "MOST_BY_VISITORS", 2)
    an_account()
    assert [enter(tag).status_code for tag in ("a", "b", "c")] == [302, 302, 403]
    assert "which is the most" in enter("c").context["form_error"]
    Subscription.objects.filter(tag="a").update(state=State.ENDED)
    assert enter("c").status_code == 302


def test_the_form_needs_its_token() -> None:
    an_account()
    assert Client(enforce_csrf_checks=True).post("/", {"tag": "x"}).status_code == 403
    assert not Subscription.objects.exists()


def test_the_page_shows_what_is_on_air(django_assert_max_num_queries: Any) -> None:
    account = an_account()
    a_subscription("busy", account=account)
    a_subscription("empty", account=account)
    a_subscription("over", State.ENDED, account)
    some_posts(3, tags=["busy"])
    cache.clear()
    with django_assert_max_num_queries(20):
        response = Client().get("/")
    assert response.status_code == 200
    walls = response.context["walls"]
    assert [(w["tag"], w["count"], w["url"]) for w in walls] == [
        ("busy", 3, "/wall/busy/"),
        ("empty", 0, "/wall/empty/"),
    ]
    assert walls[0]["picture_url"].startswith("/media/r/")
    assert walls[0]["newest_at"] is not None
    assert walls[1]["picture_url"] is walls[1]["newest_at"] is None
    assert len(response.context["pictures"]) == 3
    with django_assert_max_num_queries(0):
        Client().get("/")


def test_a_hidden_post_is_not_shown() -> None:
    item = some_posts(1)[0]
    assert len(Client().get("/").context["pictures"]) == 1
    moderation.hide([item.pk], actor="ada")
    cache.clear()
    assert Client().get("/").context["pictures"] == []


def work(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[int], object]) -> None:
    """A worker in another thread takes these steps at the bell, a moment later."""

    def ring(self: BellTask, args: tuple[Any, ...], *_: Any, **__: Any) -> None:
        def later() -> None:
            try:
                for step in steps:
                    sleep(0.3)
                    step(args[0])
            finally:
                connection.close()

        Thread(target=later).start()

    monkeypatch.setattr(BellTask, "apply_async", ring)
    monkeypatch.setattr(home, "PATIENCE", 6.0)


REFUSED = "The provider refuses our credential. Mend the account. (It said: No #7)"


def test_who_asks_is_told_where_they_look_that_it_cannot_be_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    an_account()
    work(monkeypatch, lambda pk: lifecycle.fail(pk, REFUSED))
    begun = monotonic()
    response = enter(" #Sunset")
    assert monotonic() - begun < 3
    assert response.status_code == 422
    assert response.context["form_error"] == (
        "Photowall cannot follow #sunset just now: "
        "the provider refuses our credential. Mend the account."
    )
    assert response.context["tag_text"] == " #Sunset"
    assert b'id="tag-error"' in response.content


def test_an_answer_in_time_leads_to_the_wall_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    an_account()
    work(
        monkeypatch,
        lambda pk: Subscription.objects.filter(pk=pk).update(state=State.ACTIVE),
    )
    begun = monotonic()
    assert enter("sunset").status_code == 302
    assert 0.2 < monotonic() - begun < 3


def test_nobody_waits_longer_than_they_would(monkeypatch: pytest.MonkeyPatch) -> None:
    an_account()
    work(monkeypatch)
    monkeypatch.setattr(home, "PATIENCE", 0.7)
    begun = monotonic()
    assert enter("sunset")["Location"] == "/wall/sunset/"
    assert 0.6 < monotonic() - begun < 3


def test_what_failed_is_tried_again_by_who_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, rung: list[Any], settings: Settings
) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    made = a_subscription("sunset", State.FAILED)
    rows = Subscription.objects.filter(pk=made.pk)
    rows.update(state_since=timezone.now(), state_reason=REFUSED)
    # Just now it was refused: told again without asking again.
    assert enter("sunset").status_code == 422
    assert rung == []
    rows.update(state_since=long_ago)
    settings.PHOTOWALL_OPEN_SUBSCRIBE = False
    assert enter("sunset").status_code == 302
    assert rung == []
    settings.PHOTOWALL_OPEN_SUBSCRIBE = True
    assert enter("sunset").status_code == 302
    assert rung == [("request_subscription", made.pk)]
    assert rows.get().state == State.REQUESTED


def test_what_is_suspended_is_read_again_by_who_asks_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = a_subscription("sunset", State.SUSPENDED)
    rows = Subscription.objects.filter(pk=made.pk)
    rows.update(state_since=timezone.now() - timedelta(minutes=1))
    work(monkeypatch, lambda pk: lifecycle.suspend(pk, REFUSED))
    response = enter("sunset")
    assert response.status_code == 422
    assert "refuses our credential" in response.context["form_error"]


def test_a_wall_with_photos_is_always_shown(rung: list[Any]) -> None:
    a_subscription("sunset", State.FAILED)
    assert enter("sunset").status_code == 422
    some_posts(1, tags=["sunset"])
    assert enter("sunset")["Location"] == "/wall/sunset/"


def test_a_form_that_is_too_large_gets_a_page_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Client(raise_request_exception=False)
    response = client.post(
        "/", "tag=" + "x" * 1_100_000, "application/x-www-form-urlencoded"
    )
    assert response.status_code == 400
    assert "more than we can read" in response.content.decode()
    assert [record.name for record in caplog.records if record.exc_info] == []
    assert any("RequestDataTooBig" in record.name for record in caplog.records)
