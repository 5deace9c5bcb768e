"""How coverage is told: slices for a picture, sentences for people, one document."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from subscriptions.coverage import Coverage
from subscriptions.coverage_minutes import MINUTE, Stretch
from subscriptions.models import Quality


@dataclass(frozen=True)
class Slice:
    """A part of the period, for one mark of a picture."""

    begins_at: datetime
    ends_at: datetime
    complete: int = 0
    partial: int = 0
    blind: int = 0

    @property
    def minutes(self) -> int:
        """How many."""
        return self.complete + self.partial + self.blind

    @property
    def worst(self) -> Quality:
        """The quality of its worst minute."""
        if self.blind:
            return Quality.BLIND
        return Quality.PARTIAL if self.partial else Quality.COMPLETE


def sliced(stretches: Sequence[Stretch], edges: Sequence[datetime]) -> list[Slice]:
    """The minutes between neighbouring ``edges`` (in order), counted by quality."""
    result = []
    first = 0
    for begin, end in itertools.pairwise(edges):
        counts = dict.fromkeys(Quality, 0)
        while first < len(stretches) and stretches[first].ends_at <= begin:
            first += 1
        at = first
        while at < len(stretches) and stretches[at].begins_at < end:
            each = stretches[at]
            inside = min(end, each.ends_at) - max(begin, each.begins_at)
            counts[each.quality] += inside // MINUTE
            at += 1
        result.append(Slice(begin, end, *(counts[quality] for quality in Quality)))
    return result


def share(part: float, whole: float) -> str:
    """``98.3 %``; never 100 unless it is all, never 0 unless it is nothing."""
    if not whole or part in (0, whole):
        return "100 %" if whole and part else "0 %"
    return f"{min(99.9, max(0.1, 100 * part / whole)):.1f} %"


def moment(time: datetime) -> str:
    """As the API tells times: ``2026-11-20T21:14:00.000Z``."""
    text = time.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def period(begins_at: datetime, ends_at: datetime) -> str:
    """``2026-11-20 21:14 to 21:30``; the second date only when it is another."""
    begin, end = begins_at.astimezone(UTC), ends_at.astimezone(UTC)
    last = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{begin:%Y-%m-%d %H:%M} to {last}"


def duration(minutes: int) -> str:
    """``34 min``, ``3 h 20 min``, ``24 h``, ``2 d 4 h``."""
    hours, rest = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if minutes < 60:
        return f"{minutes} min"
    if days < 2:
        return f"{hours} h" + (f" {rest} min" if rest else "")
    return f"{days:,} d" + (f" {hours_left} h" if hours_left else "")


def summary(found: Coverage) -> str:
    """One sentence with all that the picture says."""
    counts, all_of_them = found.minutes, sum(found.minutes.values())
    parts = [
        f"{share(counts[quality.value], all_of_them)} {quality.value}"
        for quality in Quality
        if counts[quality.value] or quality == Quality.COMPLETE
    ]
    return f"{', '.join(parts)} of {duration(all_of_them)}"


def wanting(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Those that are not complete."""
    return [each for each in stretches if each.quality != Quality.COMPLETE]


def noted(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Those that are complete with something to be said of them."""
    return [s for s in stretches if s.quality == Quality.COMPLETE and s.reason]


def document(found: Coverage) -> dict[str, Any]:
    """What the API answers and ``manage.py coverage --json`` prints."""
    return {
        "tag": found.tag,
        "provider": found.provider,
        "since": moment(found.since),
        "until": moment(found.until),
        **_counted(found),
        "stretches": [
            {
                "begins_at": moment(each.begins_at),
                "ends_at": moment(each.ends_at),
                "minutes": each.minutes,
                "quality": each.quality.value,
                "reason": each.reason,
                "detail": each.detail,
            }
            for each in found.stretches
        ],
        "providers": [
            {"provider": each.provider, **_counted(each)} for each in found.providers
        ],
    }


def _counted(found: Coverage) -> dict[str, Any]:
    return {
        "followed": found.followed,
        "minutes": found.minutes,
        # Cut down, never rounded: 1.0 says that every minute is complete.
        "share_complete": int(found.share_complete * 1_000_000) / 1_000_000,
    }
