"""The strip on a subscription's page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from subscriptions import ledger
from subscriptions.admin_coverage import NAMED, last_day
from subscriptions.models import Hindrance, Subscription
from tests.subscriptions.upstream import a_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def concert() -> Subscription:
    """Read for the last day, but for twenty minutes of a pause an hour ago."""
    made, now = a_subscription("concert"), timezone.now()
    Subscription.objects.update(created_at=now - timedelta(days=2))
    for begin, end in ((60 * 26, 80), (60, 0)):
        ledger.covered(
            made.pk, now - timedelta(minutes=begin), now - timedelta(minutes=end)
        )
    Hindrance.objects.create(
        subscription=made,
        reason="paused",
        began_at=now - timedelta(minutes=80),
        ended_at=now - timedelta(minutes=60),
    )
    return made


def test_it_stands_on_the_page_and_not_on_that_of_a_new_one(
    concert: Subscription, ada: User
) -> None:
    client = Client()
    client.force_login(ada)
    page = "/admin/subscriptions/subscription/"
    shown = client.get(f"{page}{concert.pk}/change/")
    assert "coverage-strip" in shown.content.decode()
    assert "The last 24 hours" in shown.content.decode()
    assert "coverage-strip" not in client.get(f"{page}add/").content.decode()


def test_it_fits_together_and_says_in_words_what_it_shows(
    concert: Subscription,
) -> None:
    html = str(last_day(concert))
    marks = re.findall(
        r'<rect class="coverage-(\w+)" x="(\d+)" y="\d+" width="(\d+)" height="(\d+)">'
        r"<title>([^<]+)</title>",
        html,
    )
    at = 0
    for _, x, width, _, _ in marks:
        assert int(x) == at
        at += int(width)
    assert at == 24 * 60
    tall = {quality: int(height) for quality, _, _, height, _ in marks}
    assert tall["complete"] > tall["partial"] > tall["blind"] > 0
    blind = [mark for mark in marks if mark[0] == "blind"]
    assert [mark[4].partition(": ")[2] for mark in blind] == [
        "blind. Paused by a person."
    ]
    assert 'role="img" aria-label="The last 24 hours: 98.' in html
    assert "Resume the subscription." in html


def test_it_needs_nothing_inline_and_escapes_what_it_says(
    concert: Subscription,
) -> None:
    Hindrance.objects.update(reason="<script>")
    html = str(last_day(concert))
    assert "style" not in html
    assert "<script" not in html


def test_many_stretches_are_cut_in_the_list_only(concert: Subscription) -> None:
    now = timezone.now()
    for number in range(5, 25):
        Hindrance.objects.create(
            subscription=concert,
            reason="unread_posts",
            began_at=now - timedelta(minutes=30 * number),
            ended_at=now - timedelta(minutes=30 * number - 5),
        )
    html = str(last_day(concert))
    assert html.count("<li><strong>") == NAMED
    assert re.search(r"and \d\d earlier", html)
    assert html.count('class="coverage-partial" x="') >= 20
