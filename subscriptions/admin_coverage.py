"""The last 24 hours of a tag as a strip, for the page of a subscription.

Height and pattern say what the colour says, and a sentence says it all.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from subscriptions.coverage import Coverage, coverage
from subscriptions.coverage_minutes import MINUTE, Stretch
from subscriptions.coverage_reasons import words_for
from subscriptions.coverage_view import duration, period, share, summary, wanting
from subscriptions.models import Quality, Subscription

HEIGHT = 40
"""Of the strip, in its own units; a minute is one unit wide."""

TALL = {Quality.COMPLETE: HEIGHT, Quality.PARTIAL: 26, Quality.BLIND: 12}
NAMED = 6
"""So many of the latest stretches that are not complete are named below it."""

HOURS = 6
"""Between two times that stand below the strip."""


@admin.display(description="Coverage")
def last_day(subscription: Subscription) -> SafeString:
    """The strip for the tag at the subscription's provider."""
    found = coverage(subscription.tag, provider=subscription.provider)
    missing = wanting(found.stretches)
    context = {
        "summary": summary(found),
        "tag": subscription.tag,
        "width": (found.until - found.since) // MINUTE,
        "height": HEIGHT,
        "marks": [_mark(found, each) for each in found.stretches],
        "hours": _hours(found),
        "legend": [
            (q.value, q.label, share(found.minutes[q.value], _whole(found)))
            for q in Quality
        ],
        "missing": [_row(each) for each in reversed(missing[-NAMED:])],
        "more": max(0, len(missing) - NAMED),
    }
    return render_to_string("admin/coverage_strip.html", context)


def _whole(found: Coverage) -> int:
    return sum(found.minutes.values())


def _mark(found: Coverage, each: Stretch) -> dict[str, Any]:
    tall = TALL[each.quality]
    said = f"{period(each.begins_at, each.ends_at)} UTC: {each.quality.value}."
    return {
        "x": (each.begins_at - found.since) // MINUTE,
        "y": HEIGHT - tall,
        "width": each.minutes,
        "height": tall,
        "quality": each.quality.value,
        "title": f"{said} {each.detail}".strip(),
    }


def _hours(found: Coverage) -> list[str]:
    """Times at equal distances, the first and the last included."""
    times = [found.since + timedelta(hours=HOURS) * n for n in range(24 // HOURS + 1)]
    return [f"{time.astimezone(UTC):%H:%M}" for time in times]


def _row(each: Stretch) -> dict[str, str]:
    return {
        "quality": each.quality.value,
        "word": each.quality.label,
        "period": period(each.begins_at, each.ends_at),
        "duration": duration(each.minutes),
        "detail": each.detail,
        "advice": words_for(each.reason).advice,
    }
