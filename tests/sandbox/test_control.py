"""The control doors: who may, what is refused, and what they do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from media_archive.models import MediaItem, Visibility
from photowall.facades.models import ApiClient, Endpoint, EndpointState
from photowall.sandbox import led
from photowall.sandbox.control import views
from photowall.sandbox.faults.board import board
from photowall.sandbox.publisher import followed_tags

pytestmark = [
    pytest.mark.urls("photowall.sandbox.urls"),
    pytest.mark.django_db(transaction=True),
]
DOORS = [
    ("POST", "publish", {"tag": "fox"}),
    ("POST", "edit", {"native_ids": []}),
    ("POST", "delete", {"native_ids": []}),
    ("PUT", "faults", {"faults": []}),
    ("GET", "faults", None),
    ("GET", "calls", None),
    ("GET", "posts/?tag=fox", None),
]
ANYTHING = pytest.mark.parametrize(("method", "door", "order"), DOORS)


@pytest.fixture(autouse=True)
def _own_secret(settings: Settings) -> Any:
    settings.PHOTOWALL_SANDBOX_CLIENT_ID = "rehearsal"
    settings.PHOTOWALL_SANDBOX_CLIENT_SECRET = "s3cret"
    views._publisher.cache_clear()
    yield
    board.put([], 0)
    led.forget()
    views._publisher.cache_clear()


def tell(
    method: str,
    door: str,
    order: object = None,
    said: str = "Bearer s3cret",
    **more: Any,
) -> Any:
    path = f"/sandbox/{door}" + ("" if "?" in door else "/")
    body = order if isinstance(order, bytes) else json.dumps(order).encode()
    return Client().generic(
        method, path, body, "application/json", headers={"Authorization": said}, **more
    )


def refusal(method: str, door: str, order: object) -> str:
    answer = tell(method, door, order)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["code"] == "order_refused"
    message: str = answer.json()["error"]["message"]
    return message


@ANYTHING
@pytest.mark.parametrize("said", ["", "Bearer wrong", "s3cret", "Bearer s3cret\xe9"])
def test_without_the_secret_nothing_is_done(
    method: str, door: str, order: object, said: str
) -> None:
    answer = tell(method, door, order, said)
    assert answer.status_code == 403
    assert not MediaItem.objects.exists()
    assert tell(method, door, order).status_code == 200  # the control


@ANYTHING
def test_another_machine_is_refused(method: str, door: str, order: object) -> None:
    assert tell(method, door, order, REMOTE_ADDR="192.0.2.7").status_code == 403
    assert tell(method, door, order, REMOTE_ADDR="").status_code == 403
    assert tell(method, door, order, REMOTE_ADDR="::1").status_code == 200


def test_where_no_secret_is_set_nobody_knows_it(settings: Settings) -> None:
    settings.PHOTOWALL_SANDBOX_CLIENT_SECRET = ""
    assert tell("GET", "faults", said="Bearer ").status_code == 403


@pytest.mark.parametrize(
    ("method", "door"), [("GET", "publish"), ("POST", "faults"), ("PUT", "calls")]
)
def test_another_method_is_refused(method: str, door: str) -> None:
    answer = tell(method, door)
    assert answer.status_code == 405
    assert answer["Allow"] in ("POST", "GET, PUT", "GET")


@pytest.mark.parametrize(
    ("method", "door", "order", "words"),
    [
        ("POST", "publish", b"{", "not a JSON document"),
        ("POST", "publish", b'{"tag":"fox","tag":"owl"}', "not a JSON document"),
        ("POST", "publish", b'{"tag":"fox","count":NaN}', "not a JSON document"),
        ("POST", "publish", b"[" * 100_000, "not a JSON document"),
        ("POST", "publish", b"\xff\xfe\x00", "not a JSON document"),
        ("POST", "publish", [], "must be a JSON object"),
        ("POST", "publish", {"count": 1}, "tag must be a text"),
        ("POST", "publish", {"tag": "no tag"}, "publish:"),
        ("POST", "publish", {"tag": "fox", "coutn": 1}, "Did you mean count?"),
        ("POST", "publish", {"tag": "fox", "count": 1001}, "from 0 to 1000"),
        ("POST", "publish", {"tag": "fox", "count": 1.5}, "whole number"),
        ("POST", "publish", {"tag": "fox", "count": True}, "from 0 to 1000"),
        ("POST", "publish", {"tag": "fox", "count": 900, "every": 9}, "40 s or less"),
        ("POST", "edit", {"native_ids": "1"}, "must be a list"),
        ("POST", "edit", {"native_ids": [1]}, "must be texts"),
        ("POST", "delete", {"native_ids": ["1"] * 1001}, "1,000"),
        ("PUT", "faults", {}, "faults must be a list"),
        ("PUT", "faults", {"faults": [{"kind": "html"}] * 51}, "≤ 50"),
        ("PUT", "faults", {"faults": [{"kind": "htlm"}]}, "Did you mean html?"),
        ("PUT", "faults", {"faults": [{"kind": ["html"]}]}, "no kind of fault"),
        ("PUT", "faults", {"faults": ["html"]}, "no kind of fault"),
        (
            "PUT",
            "faults",
            {"faults": [{"kind": "rate_limited", "retry_afer": 2}]},
            "Did you mean retry_after?",
        ),
        ("PUT", "faults", {"faults": [{"kind": "html", "delay": 2}]}, "no field"),
        ("PUT", "faults", {"faults": [{"kind": "html", "share": 2}]}, "from 0 to 1"),
        ("PUT", "faults", {"faults": [{"kind": "html", "seconds": 1e9}]}, "to 3600"),
        ("PUT", "faults", {"faults": [{"kind": "storm", "times": 1e9}]}, "to 1000"),
        ("PUT", "faults", {"faults": [], "seed": -1}, "seed"),
        ("PUT", "faults", {"faults": [], "seed": 10**400}, "seed"),
        ("GET", "posts/?tag=a%20b", None, "tag"),
    ],
)
def test_what_cannot_be_understood_is_refused_and_changes_nothing(
    method: str, door: str, order: object, words: str
) -> None:
    tell("PUT", "faults", {"faults": [{"kind": "html", "seconds": 9}]})
    assert words in refusal(method, door, order)
    assert not MediaItem.objects.exists()
    assert [each["kind"] for each in tell("GET", "faults").json()["faults"]] == ["html"]


def test_posts_are_published_edited_and_deleted() -> None:
    posts = tell("POST", "publish", {"tag": "#Fox", "count": 3}).json()["posts"]
    ids = [post["native_id"] for post in posts]
    assert [post["tag"] for post in posts] == ["fox"] * 3
    assert tell("GET", "posts/?tag=fox").json() == {"native_ids": ids}

    edited = tell("POST", "edit", {"native_ids": [ids[0], "17"]}).json()
    assert edited == {"native_ids": [ids[0]]}
    captions = dict(MediaItem.objects.values_list("native_id", "caption"))
    assert [(captions[each] or "").endswith(" (edited)") for each in ids] == [
        True,
        False,
        False,
    ]
    deleted = tell("POST", "delete", {"native_ids": [ids[1], "17"]}).json()
    assert deleted == {"native_ids": [ids[1]]}
    assert tell("GET", "posts/?tag=fox").json() == {"native_ids": [ids[0], ids[2]]}
    hidden = MediaItem.objects.get(visibility=Visibility.HIDDEN)
    assert hidden.native_id == ids[1]


def test_publishing_ends_in_time_and_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "SECONDS", 2.0)
    order = {"tag": "fox", "count": 5, "every": 8}
    first = tell("POST", "publish", order).json()
    ids = [post["native_id"] for post in first["posts"]]
    assert (len(ids), first["left"]) == (1, 4)
    assert tell("GET", "posts/?tag=fox").json() == {"native_ids": ids}
    monkeypatch.setattr(views, "SECONDS", 0.0)
    drawn = tell("POST", "publish", {"tag": "fox", "count": 3}).json()
    assert drawn == {"posts": [], "left": 3}
    with views._one_at_a_time:
        busy = tell("POST", "publish", {"tag": "fox", "count": 3}).json()
    assert busy == {"posts": [], "left": 3}
    monkeypatch.setattr(views, "SECONDS", 45.0)
    rest = tell("POST", "publish", {"tag": "fox", "count": 3}).json()
    assert (len(rest["posts"]), rest["left"]) == (3, 0)
    listed = tell("GET", "posts/?tag=fox").json()["native_ids"]
    assert listed == ids + [post["native_id"] for post in rest["posts"]]


def test_a_tag_that_is_led_by_hand_gets_no_other_posts() -> None:
    program = ApiClient.objects.create(name="Follower")
    for tag in ("byhand", "alone"):
        Endpoint.objects.create(
            client=program,
            object_id=tag,
            callback_url="http://127.0.0.1:9/",
            state=EndpointState.ACTIVE,
        )
    answer = tell("POST", "publish", {"tag": "byhand", "count": 0})
    assert answer.json() == {"posts": [], "left": 0}
    followed = led.left_to_us(followed_tags())
    assert followed == ["alone"]
    led.forget()
    assert led.left_to_us(followed_tags()) == ["alone", "byhand"]


def test_a_forgotten_subscription_is_gone_at_once() -> None:
    program = ApiClient.objects.create(name="Follower")
    for tag in ("fox", "owl"):
        Endpoint.objects.create(
            client=program, object_id=tag, callback_url="http://127.0.0.1:9/"
        )
    fault = {"kind": "forgotten_subscription", "tag": "fox", "count": 1}
    answer = tell("PUT", "faults", {"faults": [fault]})
    assert answer.json()["injected"] == {"forgotten_subscription": 1}
    assert [each.object_id for each in Endpoint.objects.all()] == ["owl"]
