"""Backfills in the admin: ask, look, pause, resume, cancel, and who may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from subscriptions import backfilling
from subscriptions.models import Backfill, BackfillState, State
from tests.subscriptions.following import in_state
from tests.subscriptions.upstream import a_subscription

pytestmark = pytest.mark.django_db
LIST = "/admin/subscriptions/backfill/"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def ask(desk: Client, **said: Any) -> str:
    form = {"until_date_0": "", "until_date_1": "", "until_items": "", **said}
    answer = desk.post(f"{LIST}add/", form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_asking_begins_it_and_rings(desk: Client, rung: list[tuple[str, Any]]) -> None:
    subscription = a_subscription()
    ask(desk, subscription=str(subscription.pk), until_items="500")
    row = Backfill.objects.get()
    assert (row.until_items, row.created_by) == (500, "ada")
    assert row.state == BackfillState.RUNNING


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"until_items": "0"}, "Choose between 1"),
        ({"until_items": "-1"}, "Choose between 1"),
        ({"until_items": "10000001"}, "Choose between 1"),
        ({"until_date_0": "", "until_date_1": "12:00"}, "valid date"),
        ({"until_items": "a lot"}, "whole number"),
        ({"until_date_0": "2999-01-01", "until_date_1": "00:00"}, "in the past"),
        ({"until_date_0": "soon", "until_date_1": "00:00"}, "valid date"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(
    desk: Client, said: dict[str, str], why: str
) -> None:
    page = ask(desk, subscription=str(a_subscription().pk), **said)
    assert why in page
    assert not Backfill.objects.exists()


@pytest.mark.parametrize(("time", "hour"), [("", 0), ("13:30", 13)])
def test_a_date_alone_is_its_midnight(desk: Client, time: str, hour: int) -> None:
    said = {"until_date_0": "2026-01-02", "until_date_1": time}
    ask(desk, subscription=str(a_subscription().pk), **said)
    until = Backfill.objects.get().until_date
    assert until is not None
    assert (until.day, until.hour, until.tzname()) == (2, hour, "UTC")


@pytest.mark.parametrize("step", ["", "explode:1", "pause", "pause:x", "pause:٣"])
def test_a_step_that_makes_no_sense_is_told(desk: Client, step: str) -> None:
    row = backfilling.start(a_subscription())
    for path in (LIST, f"{LIST}{row.pk}/change/"):
        answer = desk.post(path, {"step": step}, follow=True)
        assert "There is no such step" in answer.content.decode()
    row.refresh_from_db()
    assert row.state == BackfillState.RUNNING
    answer = desk.post(LIST, {"step": f"pause:{row.pk}"}, follow=True)
    assert "There is no such step" not in answer.content.decode()
    row.refresh_from_db()
    assert row.state == BackfillState.PAUSED


def test_only_active_tags_can_be_chosen(desk: Client) -> None:
    paused = in_state(State.PAUSED)
    assert "valid choice" in ask(desk, subscription=str(paused.pk))


def test_a_second_one_is_refused(desk: Client) -> None:
    first = backfilling.start(a_subscription())
    page = ask(desk, subscription=str(first.subscription_id))
    assert "being read already" in page
    assert Backfill.objects.count() == 1


def test_the_list_shows_how_far_it_is(desk: Client) -> None:
    row = backfilling.start(a_subscription(), until_items=200)
    Backfill.objects.update(
        items=50,
        new_items=40,
        reached_at=row.created_at - timedelta(days=3),
        last_page_at=row.created_at + timedelta(minutes=1),
    )
    page = desk.get(LIST).content.decode()
    assert '<progress value="0.250"' in page and "25 %, about 3 min left" in page
    assert "50 (40 new)" in page


def test_what_it_waits_for_is_said(desk: Client) -> None:
    backfilling.start(a_subscription())
    Backfill.objects.update(
        next_attempt_at=timezone.now() + timedelta(minutes=5),
        last_error="<b>The provider wants fewer calls.</b>",
    )
    page = desk.get(LIST).content.decode()
    assert "Waits until" in page and "&lt;b&gt;The provider" in page


def test_buttons_do_what_they_say(desk: Client, rung: list[tuple[str, Any]]) -> None:
    row = backfilling.start(a_subscription())
    for word, state in (
        ("pause", BackfillState.PAUSED),
        ("resume", BackfillState.RUNNING),
        ("cancel", BackfillState.CANCELLED),
    ):
        desk.post(f"{LIST}{row.pk}/change/", {"step": f"{word}:{row.pk}"})
        row.refresh_from_db()
        assert row.state == state
    answer = desk.post(LIST, {"step": f"resume:{row.pk}"}, follow=True)
    assert "cannot become running" in answer.content.decode()
    page = desk.get(f"{LIST}{row.pk}/change/").content.decode()
    assert 'name="step"' not in page


def test_a_second_click_and_an_unknown_one_are_told(
    desk: Client, rung: list[tuple[str, Any]]
) -> None:
    row = backfilling.start(a_subscription())

    def told(step: str) -> str:
        return desk.post(LIST, {"step": step}, follow=True).content.decode()

    assert "It is running already." in told(f"resume:{row.pk}")
    assert "already" not in told(f"pause:{row.pk}")
    assert "It is paused already." in told(f"pause:{row.pk}")
    assert "There is no such backfill." in told(f"pause:{row.pk + 1}")


@pytest.mark.parametrize("step", ["", "pause", "pause:", "pause:x", "pause:9" * 9])
def test_a_step_that_is_none_does_nothing(desk: Client, step: str) -> None:
    row = backfilling.start(a_subscription())
    assert desk.post(f"{LIST}{row.pk}/change/", {"step": step}).status_code < 500
    row.refresh_from_db()
    assert row.state == BackfillState.RUNNING


def test_who_may_only_look_changes_nothing(client: Client, vera: User) -> None:
    row = backfilling.start(a_subscription())
    vera.is_staff = True
    vera.save()
    vera.user_permissions.add(Permission.objects.get(codename="view_backfill"))
    client.force_login(vera)
    assert client.get(LIST).status_code == 200
    answer = client.post(LIST, {"step": f"cancel:{row.pk}"}, follow=True)
    assert "may not change" in answer.content.decode()
    row.refresh_from_db()
    assert row.state == BackfillState.RUNNING
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.get(f"{LIST}{row.pk}/delete/").status_code == 403
