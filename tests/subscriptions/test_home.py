"""The first page: one field, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from media_archive import moderation
from subscriptions import home
from subscriptions.models import State, Subscription
from tests.builders import some_items
from tests.subscriptions.upstream import (
    a_subscription,
    an_account,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _open(settings: Settings) -> None:
    settings.PHOTOWALL_OPEN_SUBSCRIBE = True


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
    some_items(1, tags=["mentioned"])
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
    some_items(3, tags=["busy"])
    cache.clear()
    with django_assert_max_num_queries(20):
        response = Client().get("/")
    assert response.status_code == 200
    walls = response.context["walls"]
    assert [(w["tag"], w["count"], w["url"]) for w in walls] == [
        ("busy", 3, "/wall/busy/"),
        ("empty", 0, "/wall/empty/"),
    ]
    assert walls[0]["picture_url"].startswith("https://pictures.example/")
    assert walls[0]["newest_at"] is not None
    assert walls[1]["picture_url"] is walls[1]["newest_at"] is None
    assert len(response.context["pictures"]) == 3
    with django_assert_max_num_queries(0):
        Client().get("/")


def test_a_hidden_post_is_not_shown() -> None:
    item = some_items(1)[0]
    assert len(Client().get("/").context["pictures"]) == 1
    moderation.hide([item.pk], actor="ada")
    cache.clear()
    assert Client().get("/").context["pictures"] == []
