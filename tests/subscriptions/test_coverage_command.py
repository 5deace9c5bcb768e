"""``manage.py coverage``: what people see, and what they are told when it is wrong."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from subscriptions import coverage_text, ledger
from subscriptions.coverage import Coverage
from subscriptions.coverage_minutes import Stretch
from subscriptions.coverage_view import duration, share
from subscriptions.models import Hindrance, Quality, Subscription
from tests.subscriptions.upstream import a_subscription

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def said(*args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("coverage", *args, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def concert() -> Subscription:
    """Followed since a day before noon; read from noon to 13:00, paused to 13:30."""
    made = a_subscription("concert")
    Subscription.objects.update(created_at=at(-24 * 60))
    ledger.covered(made.pk, at(0), at(60), read_at=at(60))
    Hindrance.objects.create(
        subscription=made, reason="paused", began_at=at(60), ended_at=at(90)
    )
    return made


AN_HOUR_AND_A_HALF = ("--since", "2026-03-20T12:00", "--until", "2026-03-20T13:30")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "#nowhere was never followed."),
        (["konzert"], "#konzert was never followed. Did you mean #concert?"),
        (["##"], "hashtag"),
        (["concert", "--since", "soon"], "--since: not a time: soon"),
        (["concert", "--until", "2026-13-01"], "--until: there is no such time"),
        (["concert", "--since", "2026-02-30T10:00"], "--since: there is no such time"),
        (["concert", "--since", "0001-01-01T00:00+10:00"], "--since: there is no"),
        (["concert", "--since", "999999d"], "--since: there is no such time"),
        (["concert", "--since", "999998h"], "--since: .* longer than 366 days"),
        (
            ["concert", "--since", "2026-01-02", "--until", "2026-01-01"],
            "--until: .*be",
        ),
        (
            ["concert", "--since", "9000-01-01", "--until", "9001-01-01"],
            "--since: .*fu",
        ),
        (["concert", "--provider", "myspace"], "--provider: .*There are: instagram_v1"),
    ],
)
def test_what_does_not_fit_is_said(
    concert: Subscription, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        said(*arguments)
    assert "#concert" in said("concert", *AN_HOUR_AND_A_HALF)


def test_a_picture_totals_reasons_and_what_helps(concert: Subscription) -> None:
    text = said("#Concert", *AN_HOUR_AND_A_HALF)
    assert text.splitlines() == [
        "#concert at instagram_v1",
        "2026-03-20 12:00 to 13:30 UTC",
        "",
        f"03-20 12:00  {'█' * 30}    100 %",
        f"03-20 13:00  {'·' * 15}{' ' * 15}      0 %",
        "",
        "█ complete   66.7 %           1 h",
        "░ partial       0 %         0 min",
        "· blind      33.3 %        30 min",
        "",
        "Not complete:",
        f"  2026-03-20 13:00 to 13:30 {' ' * 16}30 min  blind     Paused by a person.",
        "",
        "What helps:",
        "  Paused by a person. → Resume the subscription.",
    ]


def test_an_offset_is_understood_and_times_without_are_utc(
    concert: Subscription,
) -> None:
    there = ("--since", "2026-03-20T13:00+01:00", "--until", "2026-03-20 13:30")
    assert said("concert", *there) == said("concert", *AN_HOUR_AND_A_HALF)
    assert "2026-03-20 00:00 to 2026-03-21 00:00 UTC" in said(
        "concert", "--since", "2026-03-20", "--until", "2026-03-21"
    )
    assert "  100 %" not in said("concert", "--since", "90m")


def test_the_document_is_that_of_the_api(concert: Subscription, api: Any) -> None:
    period = {"since": "2026-03-20T12:00", "until": "2026-03-20T13:30"}
    answer = api.get("/api/v1/coverage/", {"tag": "concert", **period})
    assert json.loads(said("concert", *AN_HOUR_AND_A_HALF, "--json")) == answer.json()


def test_colour_only_where_it_is_wanted(concert: Subscription) -> None:
    assert "\x1b" not in said("concert", *AN_HOUR_AND_A_HALF)
    bright = said("concert", *AN_HOUR_AND_A_HALF, force_color=True)
    assert f"\x1b[32m{'█' * 30}\x1b[0m" in bright
    assert f"\x1b[31m{'·' * 15}\x1b[0m" in bright


def pieces(count: int, length: timedelta) -> Coverage:
    """Complete and blind by turns."""
    stretches = [
        Stretch(
            NOON + number * length,
            NOON + (number + 1) * length,
            Quality.BLIND if number % 2 else Quality.COMPLETE,
            "not_read" if number % 2 else "",
            "Nothing was read." if number % 2 else "",
        )
        for number in range(count)
    ]
    return Coverage("x", NOON, NOON + count * length, stretches, "instagram_v1")


def test_a_long_list_is_cut_unless_all_is_wanted() -> None:
    found = pieces(90, timedelta(minutes=1))
    assert "  … and 25 more: --all names them." in coverage_text.lines(found)
    assert sum("Nothing was" in line for line in coverage_text.lines(found)) == 21
    everything = list(coverage_text.lines(found, everything=True))
    assert sum("Nothing was" in line for line in everything) == 46


@pytest.mark.parametrize(
    ("count", "length", "rows", "first"),
    [
        (2, timedelta(hours=20), 40, f"03-20 12:00  {'█' * 30}    100 %"),
        (2, timedelta(days=3), 7, f"2026-03-20  {' ' * 24}{'█' * 24}    100 %"),
        (2, timedelta(days=50), 4, f"2026-03  {' ' * 19}{'█' * 12}    100 %"),
    ],
)
def test_rows_are_hours_days_or_months(
    count: int, length: timedelta, rows: int, first: str
) -> None:
    bars = [
        line
        for line in coverage_text.lines(pieces(count, length))
        if line.endswith("%") and line[0].isdigit()
    ]
    assert bars[0] == first
    assert len(bars) == rows
    assert len({len(bar) for bar in bars}) <= 2


def test_a_mark_is_as_high_as_its_complete_share() -> None:
    days = pieces(4 * 24 * 3, timedelta(minutes=15))
    bars = [line for line in coverage_text.lines(days) if line.startswith("2026-03-21")]
    assert bars == [f"2026-03-21  {'▄' * 48}   50.0 %"]
    nearly = Coverage(
        "x",
        NOON,
        at(120),
        [
            Stretch(NOON, at(1), Quality.BLIND),
            Stretch(at(1), at(4), Quality.PARTIAL),
            Stretch(at(4), at(120), Quality.COMPLETE),
        ],
    )
    (hour, *_) = [line for line in coverage_text.lines(nearly) if "12:00  " in line]
    assert hour == f"03-20 12:00  ░░{'█' * 28}   93.3 %"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "0 min"),
        (59, "59 min"),
        (60, "1 h"),
        (200, "3 h 20 min"),
        (1440, "24 h"),
        (2880, "2 d"),
        (2999, "2 d 1 h"),
        (527_040, "366 d"),
    ],
)
def test_how_long_is_said_for_people(minutes: int, words: str) -> None:
    assert duration(minutes) == words


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (0, 0, "0 %"),
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 3, "33.3 %"),
        (1, 99_999, "0.1 %"),
        (99_998, 99_999, "99.9 %"),
    ],
)
def test_no_share_is_rounded_to_all_or_nothing(
    part: int, whole: int, words: str
) -> None:
    assert share(part, whole) == words
