"""``backfill TAG``: read a tag's past, with a progress bar; pause, resume, cancel."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.db.models.functions import Now
from django.utils.dateparse import parse_date, parse_datetime

from media_archive import claims
from media_archive.errors import PhotowallError
from media_archive.progress import Progress
from media_archive.tags import normalise_tag
from subscriptions import backfill_run, backfilling
from subscriptions.backfill_outlook import waits_until
from subscriptions.management.keys import must_open
from subscriptions.models import Backfill, BackfillState, State, Subscription

ACTOR = "command line"
LOOK_EVERY = 0.5
"""Seconds between two looks while a worker reads, or while there is to wait."""


HELD = "Another reader has it. If that one was stopped, it goes on here after {}."


class Command(BaseCommand):
    """Reads in the foreground, so it needs no worker; if one is faster, it watches."""

    help = (
        "Read the past of a followed hashtag: back to a date, for a number of posts, "
        "or to the end of the listing. Ctrl-C pauses it; the same command goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The tag, how far, and what else may be done."""
        parser.add_argument("tag", help="a followed hashtag, with or without #")
        parser.add_argument("--until", help="a date or time (UTC): 2026-11-01")
        parser.add_argument("--items", type=int, help="a number of posts")
        parser.add_argument("--provider", help="needed if several are followed")
        parser.add_argument(
            "--background", action="store_true", help="leave it to the workers"
        )
        what = parser.add_mutually_exclusive_group()
        for word in ("pause", "cancel", "status"):
            what.add_argument(f"--{word}", action="store_true", help=f"{word} it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` with a sentence."""
        try:
            subscription = _subscription(options["tag"], options["provider"])
            backfill = _newest(subscription)
            if options["status"]:
                self.stdout.write(_sentence(backfill))
            elif options["pause"] or options["cancel"]:
                step = backfilling.pause if options["pause"] else backfilling.cancel
                step(_some(backfill).pk, ACTOR)
                self.stdout.write(_sentence(_newest(subscription)))
            else:
                if not options["background"]:
                    must_open(subscription.account)
                self._read(_begun(subscription, backfill, options), options)
        except PhotowallError as error:
            raise CommandError(error.message) from error

    def _read(self, backfill: Backfill, options: dict[str, Any]) -> None:
        if options["background"]:
            self.stdout.write(f"{_sentence(backfill)} The workers read it.")
            return
        try:
            ended = self._follow(backfill)
        except KeyboardInterrupt:
            backfilling.pause(backfill.pk, ACTOR)
            ended = _row(backfill.pk)
        self.stdout.write(_sentence(ended))
        if ended.state == BackfillState.FAILED:
            raise CommandError("It stopped. Run the same command to go on.")

    def _follow(self, backfill: Backfill) -> Backfill:
        """Read, or watch who reads, until it does not run any more."""
        total, told = backfill.until_items, False
        with Progress(total, self.stdout, "posts", already=backfill.items) as bar:

            def show(row: Backfill) -> None:
                bar.advance(row.items - bar.count, _detail(row))

            while backfill.state == BackfillState.RUNNING:
                if backfill.subscription.state != State.ACTIVE:
                    bar.say(f"It waits: {backfill.subscription} is not active.")
                    break
                if not _read_some(backfill, show):
                    if not told and (until := _held_until(backfill.pk)) is not None:
                        bar.say(HELD.format(f"{until:%H:%M:%S} UTC"))
                        told = True
                    time.sleep(LOOK_EVERY)
                backfill = _row(backfill.pk)
                show(backfill)
        return backfill


def _read_some(backfill: Backfill, show: Any) -> bool:
    """Read as long as one run may; whether there was anything to do for us."""
    try:
        epoch = claims.claim(Backfill.objects.due(), backfill.pk, backfill_run.HOLD)
        if epoch is None:
            return False
        return backfill_run.read_on(backfill.pk, epoch, on_page=show)
    except (OperationalError, InterfaceError):
        # The database is away or busy: as a worker does, try again.
        return False


def _held_until(backfill_pk: int) -> datetime | None:
    """Until when somebody else has it at the latest, if nobody says more."""
    held = Backfill.objects.filter(pk=backfill_pk, claim_until__gt=Now())
    return held.values_list("claim_until", flat=True).first()


def _subscription(tag_text: str, provider: str | None) -> Subscription:
    tag = normalise_tag(tag_text)
    rows = Subscription.objects.filter(tag=tag).exclude(state=State.ENDED)
    found = list(rows.filter(provider=provider) if provider else rows)
    if not found:
        raise CommandError(f"#{tag} is not followed. Follow it first: subscribe {tag}")
    if len(found) > 1:
        named = ", ".join(each.provider for each in found)
        raise CommandError(f"#{tag} is followed at {named}: choose with --provider.")
    return found[0]


def _begun(
    subscription: Subscription, last: Backfill | None, options: dict[str, Any]
) -> Backfill:
    """The one that rests, set going again, or a new one."""
    target = options["until"] is not None or options["items"] is not None
    rests = last is not None and last.state in {
        BackfillState.PAUSED,
        BackfillState.FAILED,
    }
    if last is not None and last.state == BackfillState.RUNNING and not target:
        return last
    if last is not None and rests and not target:
        backfilling.resume(last.pk, ACTOR)
        return _row(last.pk)
    made = backfilling.start(
        subscription,
        until_date=_time(options["until"]),
        until_items=options["items"],
        actor=ACTOR,
    )
    return _row(made.pk)


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time_said = parse_datetime(text)
        day = parse_date(text) if time_said is None else None
    except ValueError:
        time_said = day = None
    if time_said is None and day is not None:
        time_said = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if time_said is None:
        raise CommandError(f"“{text}” is no date: write it as 2026-11-01.")
    return time_said if time_said.tzinfo else time_said.replace(tzinfo=UTC)


def _newest(subscription: Subscription) -> Backfill | None:
    rows = Backfill.objects.filter(subscription=subscription)
    return rows.select_related("subscription__account").order_by("-pk").first()


def _row(backfill_pk: int) -> Backfill:
    rows = Backfill.objects.select_related("subscription__account")
    return rows.get(pk=backfill_pk)


def _some(backfill: Backfill | None) -> Backfill:
    if backfill is None:
        raise CommandError("The past of this hashtag was never asked for.")
    return backfill


def _detail(row: Backfill) -> str:
    parts = [f"{row.new_items:,} new", f"{row.pages:,} pages"]
    if row.reached_at is not None:
        parts.append(f"back to {row.reached_at:%Y-%m-%d %H:%M}")
    until = waits_until(row)
    if until is not None:
        parts.append(f"waits until {until:%H:%M:%S}: {row.last_error or 'paused'}")
    return " · ".join(parts)


def _sentence(backfill: Backfill | None) -> str:
    row = _some(backfill)
    said = f"Backfill {row.pk} of #{row.subscription.tag}: "
    said += f"{row.get_state_display().lower()}. {row.items:,} posts, {_detail(row)}."
    return f"{said} {row.state_reason}".strip()
