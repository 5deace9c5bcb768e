"""``coverage TAG [--since … --until …]``: how well a hashtag is covered, and why."""

from __future__ import annotations

import difflib
import json
import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from media_archive.errors import PhotowallError
from subscriptions import coverage_text
from subscriptions.coverage import Coverage, CoverageRefused, coverage
from subscriptions.coverage_view import document
from subscriptions.models import Subscription

AGO = re.compile(r"(\d{1,6})([mhd])", re.ASCII)
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
WHEN = "2026-11-20, 2026-11-20T21:14, 2026-11-20T21:14+01:00, 90m, 36h or 7d"


class Command(BaseCommand):
    """Reads only; needs nothing to run but the database."""

    help = (
        "Which minutes of a hashtag are complete, partial or blind, and why. "
        "Times without an offset are UTC; everything shown is UTC."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The tag and the period."""
        parser.add_argument("tag", help="with or without #")
        parser.add_argument(
            "--since", help=f"24 hours before --until if left out; {WHEN} (so long ago)"
        )
        parser.add_argument("--until", help="now if left out; the same forms")
        parser.add_argument("--provider", help="the key of one provider")
        parser.add_argument(
            "--json", action="store_true", help="the document that the API answers"
        )
        parser.add_argument(
            "--all", action="store_true", help="name every stretch, not the first 20"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` with a sentence for whatever does not fit."""
        now = timezone.now()
        since = _time("--since", options["since"], now)
        until = _time("--until", options["until"], now)
        try:
            found = coverage(options["tag"], since, until, options["provider"], now=now)
        except CoverageRefused as error:
            raise CommandError(f"--{error.field}: {error.message}") from error
        except PhotowallError as error:
            raise CommandError(error.message) from error
        _refuse_unknown(found)
        if options["json"]:
            text = json.dumps(document(found), indent=2, ensure_ascii=False)
            self.stdout.write(text)
            return
        bright = self.stdout.isatty() and not options["no_color"]
        paint = coverage_text.plain
        if bright or options["force_color"]:
            paint = coverage_text.coloured
        for line in coverage_text.lines(found, paint=paint, everything=options["all"]):
            self.stdout.write(line)


def _time(option: str, text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    text = text.strip()
    try:
        if ago := AGO.fullmatch(text):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        if (day := parse_date(text)) is not None:
            return datetime.combine(day, time(), UTC)
        if (moment := parse_datetime(text)) is not None:
            # Made comparable: an offset may lead out of the years that there are.
            aware = moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
            return aware.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"{option}: there is no such time: {text[:40]}") from error
    raise CommandError(f"{option}: not a time: {text[:40]}. Say for example {WHEN}.")


def _refuse_unknown(found: Coverage) -> None:
    """A tag that was never followed is most likely a slip of the pen."""
    if found.followed:
        return
    names = Subscription.objects.order_by("tag").values_list("tag", flat=True)
    near = difflib.get_close_matches(found.tag, set(names), n=3)
    at = f" at {found.provider}" if found.provider else ""
    hint = f" Did you mean {' or '.join(f'#{name}' for name in near)}?" if near else ""
    raise CommandError(f"#{found.tag} was never followed{at}.{hint}")
