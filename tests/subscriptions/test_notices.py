"""What a wall says when its hashtag is not being read."""

from __future__ import annotations

import pytest
from django.test import Client

from media_archive import walls
from subscriptions import notices
from subscriptions.models import Feed, State
from tests.builders import some_posts
from tests.subscriptions.upstream import a_subscription, an_account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (State.REQUESTED, None),
        (State.VERIFYING, None),
        (State.ACTIVE, None),
        (State.FAILED, notices.NOT_NOW),
        (State.SUSPENDED, notices.NOT_NOW),
        (State.PAUSED, notices.PAUSED),
        (State.ENDING, notices.ENDED),
        (State.ENDED, notices.ENDED),
    ],
)
def test_each_state_has_its_sentence_on_the_wall(
    client: Client, state: State, sentence: str | None
) -> None:
    a_subscription("sunset", state)
    assert client.get("/wall/sunset/snapshot.json").json()["notice"] == sentence
    text = client.get("/wall/sunset/").content.decode()
    assert ('class="empty noticed"' in text) is (sentence is not None)
    if sentence is not None:
        assert f'role="status">{sentence}</p>' in text


def test_an_open_wall_asks_for_the_sentence_alone(client: Client) -> None:
    refused = client.get("/wall/%23/notice.json")
    assert refused.status_code == 404
    assert refused.json()["error"]["code"] == "invalid_tag"
    assert client.get("/wall/sunset/notice.json").json() == {"notice": None}
    a_subscription("sunset", State.SUSPENDED)
    told = client.get("/wall/sunset/notice.json")
    assert told.json() == {"notice": notices.NOT_NOW}
    assert "no-store" in told["Cache-Control"]
    page = client.get("/wall/sunset/").content.decode()
    assert 'data-notice-url="/wall/sunset/notice.json"' in page


def test_nobody_follows_it_and_nothing_is_said() -> None:
    assert walls.notice_of("sunset") is None
    a_subscription("sunset", State.PAUSED)
    assert walls.notice_of("sunset") == notices.PAUSED
    assert walls.notice_of("sunrise") is None


def test_followed_anew_it_is_read_again() -> None:
    account = an_account()
    a_subscription("sunset", State.ENDED, account)
    assert walls.notice_of("sunset") == notices.ENDED
    again = a_subscription("sunset", State.ACTIVE, account)
    assert walls.notice_of("sunset") is None
    Feed.objects.filter(pk=again.pk).update(failures=2)
    assert walls.notice_of("sunset") is None
    Feed.objects.filter(pk=again.pk).update(failures=3)
    assert walls.notice_of("sunset") == notices.NOT_NOW


def test_photos_are_shown_whatever_there_is_to_say(client: Client) -> None:
    a_subscription("sunset", State.PAUSED)
    some_posts(1, tags=["sunset"])
    shown = client.get("/wall/sunset/snapshot.json").json()
    assert (shown["notice"], len(shown["posts"])) == (notices.PAUSED, 1)
    assert 'class=" noticed"' in client.get("/wall/sunset/").content.decode()
