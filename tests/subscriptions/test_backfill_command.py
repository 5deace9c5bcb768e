"""``manage.py backfill``: what people type, and what they see."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from media_archive import claims
from media_archive.models import MediaItem
from subscriptions import backfilling
from subscriptions.models import Backfill, BackfillState, State
from tests.subscriptions.following import in_state
from tests.subscriptions.past import a_past
from tests.subscriptions.upstream import Upstream, a_subscription

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def backfill(*words: str, screen: io.StringIO | None = None) -> str:
    screen = screen or io.StringIO()
    call_command("backfill", *words, stdout=screen)
    return screen.getvalue()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["#"], "hashtag"),
        (["nobody"], "not followed"),
        (["nofilter", "--until=yesterday"], "is no date"),
        (["nofilter", "--until=2026-13-45"], "is no date"),
        (["nofilter", "--until=2999-01-01"], "in the past"),
        (["nofilter", "--items=0"], "Choose between 1"),
        (["nofilter", "--provider=myspace"], "not followed"),
        (["nofilter", "--pause"], "never asked for"),
        (["nofilter", "--status"], "never asked for"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(words: list[str], said: str) -> None:
    a_subscription()
    with pytest.raises(CommandError, match=said):
        backfill(*words)
    assert not Backfill.objects.exists()


def test_it_reads_with_a_bar(upstream: Upstream) -> None:
    a_past(upstream, 70)
    a_subscription()
    screen = Terminal()
    said = backfill("#NoFilter", "--items=70", screen=screen)
    assert "█" in said and "70 of 70 posts · 100 %" in said
    assert "70 posts, 70 new · 3 pages" in said
    assert MediaItem.objects.count() == 70


def test_to_the_end_nobody_knows_the_whole(upstream: Upstream) -> None:
    a_past(upstream, 40)
    a_subscription()
    said = backfill("nofilter")
    assert "nothing older" in said and "%" not in said


def test_ctrl_c_pauses_and_the_same_command_goes_on(upstream: Upstream) -> None:
    a_past(upstream, 100)
    a_subscription()

    def interrupt(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    upstream.before_page = interrupt
    assert "paused" in backfill("nofilter")
    row = Backfill.objects.get()
    assert (row.state, row.pages) == (BackfillState.PAUSED, 2)
    upstream.before_page = lambda number: None
    assert "100 posts" in backfill("nofilter")
    assert Backfill.objects.count() == 1


def test_pause_status_and_cancel(upstream: Upstream) -> None:
    row = backfilling.start(a_subscription(), until_items=500)
    assert "paused" in backfill("nofilter", "--pause")
    row.refresh_from_db()
    assert row.state == BackfillState.PAUSED
    assert "paused. 0 posts" in backfill("nofilter", "--status")
    with pytest.raises(CommandError, match="It is paused already"):
        backfill("nofilter", "--pause")
    assert "cancelled" in backfill("nofilter", "--cancel")


def test_in_the_background_the_workers_read(upstream: Upstream) -> None:
    a_past(upstream, 40)
    a_subscription()
    assert "workers" in backfill("nofilter", "--background")
    assert upstream.count("page") == 0
    assert Backfill.objects.due().count() == 1


def test_a_running_one_is_joined_and_another_target_refused(
    upstream: Upstream,
) -> None:
    a_past(upstream, 40)
    backfilling.start(a_subscription())
    with pytest.raises(CommandError, match="already"):
        backfill("nofilter", "--items=5")
    assert "40 posts" in backfill("nofilter")


def test_it_says_what_it_waits_for(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_past(upstream, 40)
    row = backfilling.start(a_subscription())
    Backfill.objects.update(
        next_attempt_at=timezone.now() + timedelta(hours=1),
        last_error="The budget is spent.",
    )
    looks: list[float] = []

    def wait(seconds: float) -> None:
        looks.append(seconds)
        Backfill.objects.filter(pk=row.pk).update(next_attempt_at=None)

    monkeypatch.setattr("subscriptions.management.commands.backfill.time.sleep", wait)
    said = backfill("nofilter")
    assert "40 posts" in said and "Another reader" not in said
    assert looks


def test_after_a_killed_reader_it_says_until_when_it_waits(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_past(upstream, 40)
    row = backfilling.start(a_subscription())
    assert claims.claim(Backfill.objects.due(), row.pk, 40) is not None
    row.refresh_from_db()
    assert row.claim_until is not None
    looks: list[float] = []

    def wait(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            Backfill.objects.filter(pk=row.pk).update(claim_until=None)

    monkeypatch.setattr("subscriptions.management.commands.backfill.time.sleep", wait)
    said = backfill("nofilter")
    assert said.count("Another reader has it") == 1
    assert f"after {row.claim_until:%H:%M:%S} UTC" in said
    assert "40 posts" in said and len(looks) >= 3


def test_a_suspended_tag_is_not_waited_for_without_a_word(upstream: Upstream) -> None:
    row = backfilling.start(a_subscription())
    row.subscription.__class__.objects.update(state=State.SUSPENDED)
    assert "is not active" in backfill("nofilter")


def test_only_active_ones(upstream: Upstream) -> None:
    in_state(State.PAUSED)
    with pytest.raises(CommandError, match="only the past of an active"):
        backfill("nofilter")
