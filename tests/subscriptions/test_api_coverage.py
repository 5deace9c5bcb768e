"""REST for coverage: refusals, who may ask, and what is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from media_archive.models import ApiToken
from subscriptions import api_coverage, ledger
from subscriptions.api_coverage import CoverageParameters, CoverageSerializer
from subscriptions.coverage_reasons import WORDS
from subscriptions.models import Hindrance, Subscription
from tests.subscriptions.upstream import SECRET, a_subscription
from tests.test_docs import code_words

pytestmark = pytest.mark.django_db

DOOR = "/api/v1/coverage/"
NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
HOUR = {"tag": "fête", "since": "2026-03-20T12:00", "until": "2026-03-20T13:00"}


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def party() -> Subscription:
    """Read from noon for half an hour, then paused for ten minutes, then nothing."""
    made = a_subscription("fête")
    Subscription.objects.update(created_at=at(-60))
    ledger.covered(made.pk, at(0), at(30), read_at=at(30))
    Hindrance.objects.create(
        subscription=made, reason="paused", began_at=at(30), ended_at=at(40)
    )
    return made


def test_strangers_and_those_who_may_not_are_refused(
    stranger: APIClient, vera: User, party: Subscription, settings: Any
) -> None:
    answer = stranger.get(DOOR, HOUR)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_authenticated"
    client = APIClient()
    token = ApiToken.make(vera, "phone")[1]
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get(DOOR, HOUR).status_code == 403
    settings.PHOTOWALL_PUBLIC_ARCHIVE = True
    assert stranger.get(DOOR, HOUR).status_code == 200


def test_every_form_of_a_time_that_the_refusal_names_is_read(
    api: APIClient, party: Subscription
) -> None:
    error = api.get(f"{DOOR}?tag=a&since=soon").json()["error"]
    forms = re.findall(r"2026[0-9T:.Z+-]*\d\b|2026\S*Z", error["message"])
    assert len(forms) == 5
    for form in forms:
        answer = api.get(DOOR, {"tag": "a", "since": form, "until": "2026-11-21"})
        assert "no time" not in answer.content.decode(), form


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(api: APIClient, method: str) -> None:
    assert getattr(api, method)(DOOR, {}, format="json").status_code == 405


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("", "tag", "required"),
        ("tag=", "tag", "blank"),
        ("tag=🎉", "tag", "hashtag"),
        ("tag=%00", "tag", ""),
        ("tag=" + "x" * 1001, "tag", ""),
        ("tag=a&tag=b", "tag", "more than once"),
        ("tag=a&sinse=2026-01-01", "sinse", "Did you mean “since”?"),
        ("tag=a&cursor=x", "cursor", "There are: tag, since, until, provider"),
        ("tag=a&page_size=5", "page_size", "There is no such parameter"),
        ("tag=a&format=xml", "format", "json"),
        ("tag=a&since=soon", "since", "2026-11-20 (00:00 UTC)"),
        ("tag=a&since=2026-13-01", "since", "2026-11-20T21:14+01:00"),
        ("tag=a&until=9998-01-01", "until", "24 hours before"),
        ("tag=a&since=20260101", "since", ""),
        ("tag=a&until=9999-12-31T23:59:59-10:00", "until", ""),
        ("tag=a&since=0001-01-01T00:00:00%2B10:00", "since", ""),
        ("tag=a&since=2026-01-02&until=2026-01-01", "until", "before it begins"),
        ("tag=a&since=2026-01-02&until=2026-01-02", "until", "before it begins"),
        ("tag=a&since=0001-01-01", "since", "longer than 366 days"),
        ("tag=a&since=9000-01-01&until=9000-01-02", "since", "future"),
        ("tag=a&since=9000-01-01", "since", "future"),
        ("tag=a&provider=myspace", "provider", "There are: instagram_v1"),
        ("tag=a&provider=" + "x" * 33, "provider", "32"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    api: APIClient, party: Subscription, query: str, field: str, words: str
) -> None:
    answer = api.get(f"{DOOR}?{query}")
    assert answer.status_code == 400, answer.content
    error = answer.json()["error"]
    assert error["code"] == "invalid"
    assert words in " ".join(error["fields"][field])
    assert api.get(DOOR, HOUR).status_code == 200


def test_what_is_told(api: APIClient, party: Subscription) -> None:
    answer = api.get(DOOR, HOUR | {"tag": "#FÊTE"})
    assert answer.status_code == 200
    said = answer.json()
    counted = {
        "followed": True,
        "minutes": {"complete": 30, "partial": 0, "blind": 30},
        "share_complete": 0.5,
    }
    assert said == {
        "tag": "fête",
        "provider": None,
        "since": "2026-03-20T12:00:00.000Z",
        "until": "2026-03-20T13:00:00.000Z",
        **counted,
        "stretches": [
            {
                "begins_at": f"2026-03-20T12:{begin}:00.000Z",
                "ends_at": f"2026-03-20T{end}:00.000Z",
                "minutes": minutes,
                "quality": quality,
                "reason": reason,
                "detail": WORDS[reason].sentence if reason else "",
            }
            for begin, end, minutes, quality, reason in (
                ("00", "12:30", 30, "complete", ""),
                ("30", "12:40", 10, "blind", "paused"),
                ("40", "13:00", 20, "blind", "not_read"),
            )
        ],
        "providers": [{"provider": "instagram_v1", **counted}],
    }
    alone = api.get(DOOR, HOUR | {"provider": "instagram_v1"}).json()
    assert alone == said | {"provider": "instagram_v1", "providers": []}
    secrets = (SECRET, party.verify_token, str(party.callback_id))
    assert not any(secret in answer.content.decode() for secret in secrets)


def test_a_tag_that_nobody_follows_is_blind(api: APIClient) -> None:
    said = api.get(DOOR, HOUR | {"tag": "nowhere"}).json()
    assert (said["followed"], said["share_complete"]) == (False, 0.0)
    assert [each["reason"] for each in said["stretches"]] == ["not_followed"]


def test_the_last_24_hours_are_meant_if_nothing_is_said(api: APIClient) -> None:
    made = a_subscription("now")
    Subscription.objects.filter(pk=made.pk).update(
        created_at=made.created_at - timedelta(minutes=3)
    )
    said = api.get(DOOR, {"tag": "now"}).json()
    assert sum(said["minutes"].values()) == 24 * 60
    assert said["stretches"][-1]["reason"] == "not_read_yet"


def test_the_first_day_of_all_is_answered(api: APIClient) -> None:
    said = api.get(DOOR, {"tag": "now", "until": "0001-01-01T06:00"}).json()
    assert said["minutes"]["blind"] == 6 * 60
    refused = api.get(DOOR, {"tag": "now", "until": "0001-01-01"})
    assert refused.status_code == 400


def test_an_answer_that_is_too_long_says_what_would_fit(
    api: APIClient, party: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_coverage, "MOST_STRETCHES", 2)
    answer = api.get(DOOR, HOUR)
    assert answer.status_code == 400
    (sentence,) = answer.json()["error"]["fields"]["until"]
    assert "Ask up to 2026-03-20T12:40:00.000Z" in sentence
    fits = api.get(DOOR, HOUR | {"until": "2026-03-20T12:40:00.000Z"})
    assert fits.status_code == 200


def test_the_share_is_one_only_if_all_is_complete(
    api: APIClient, party: Subscription
) -> None:
    ledger.covered(party.pk, at(-366 * 24 * 60), at(59), read_at=at(59))
    period = {"since": "2025-03-20T12:00", "until": "2026-03-20T13:00"}
    said = api.get(DOOR, HOUR | period).json()
    assert said["minutes"]["blind"] == 1
    assert 0.999997 < said["share_complete"] < 1
    assert api.get(DOOR, HOUR | {"until": "2026-03-20T12:59"}).json()[
        "share_complete"
    ] == pytest.approx(1.0, abs=0)


def test_the_schema_and_the_pages_tell_all_of_it(stranger: APIClient) -> None:
    schema = stranger.get("/api/v1/schema/", HTTP_ACCEPT="application/json").json()
    operation = schema["paths"][DOOR]["get"]
    described = {p["name"]: p.get("description") for p in operation["parameters"]}
    assert set(described) == {*CoverageParameters().fields}
    assert all(described.values())
    assert set(operation["responses"]) == {"200", "400", "401", "403", "429"}
    shown = schema["components"]["schemas"]["Coverage"]["properties"]
    assert set(shown) == {*CoverageSerializer().fields}
    words = code_words("coverage.md")
    assert {*WORDS} - {""} <= words
    assert {*CoverageSerializer().fields} <= words
    assert {*CoverageParameters().fields} <= words


def test_the_root_names_it(api: APIClient) -> None:
    assert api.get("/api/v1/").json()["coverage"] == f"http://testserver{DOOR}"
