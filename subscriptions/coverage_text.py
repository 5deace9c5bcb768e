"""Coverage for a terminal: a bar per hour, day or month, totals, and what is missing.

A mark is as high as the share of its minutes that is complete, and coloured by its
worst minute; where no minute is complete, ``░`` is partial and ``·`` blind.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from subscriptions.coverage import Coverage
from subscriptions.coverage_minutes import Stretch
from subscriptions.coverage_reasons import words_for
from subscriptions.coverage_view import (
    Slice,
    duration,
    noted,
    period,
    share,
    sliced,
    wanting,
)
from subscriptions.models import Quality

BLOCKS = "▁▂▃▄▅▆▇█"
COLOURS = {Quality.COMPLETE: "32", Quality.PARTIAL: "33", Quality.BLIND: "31"}
LISTED = 20
"""So many stretches are named; ``--all`` names them all."""

Paint = Callable[[str, Quality], str]


def plain(text: str, quality: Quality) -> str:
    """``text`` without colour."""
    return text


def coloured(text: str, quality: Quality) -> str:
    """``text`` in the colour of ``quality``."""
    return f"\x1b[{COLOURS[quality]}m{text}\x1b[0m"


def lines(
    found: Coverage, *, paint: Paint = plain, everything: bool = False
) -> Iterator[str]:
    """The whole answer, line by line."""
    of = found.provider or ", ".join(f"{each.provider}" for each in found.providers)
    yield f"#{found.tag} at {of or 'no provider'}"
    yield f"{period(found.since, found.until)} UTC"
    yield ""
    yield from _bars(found, paint)
    yield ""
    yield from _totals(found, paint)
    limit = None if everything else LISTED
    yield from _list("Not complete:", wanting(found.stretches), paint, limit)
    yield from _list("Complete, but:", noted(found.stretches), paint, limit)
    if len(found.providers) > 1:
        yield ""
        yield "A minute is as good as at the worst provider that it is followed at:"
        for each in found.providers:
            counts = each.minutes
            complete = share(counts["complete"], sum(counts.values()))
            yield f"  {each.provider:24} {complete:>7} complete"


def _bars(found: Coverage, paint: Paint) -> Iterator[str]:
    row, mark, name = _scale(found.until - found.since)
    for begin, end in itertools.pairwise(_edges(found, row)):
        slices = sliced(found.stretches, _within(begin, end, found, mark))
        bar = _bar(slices, paint)
        minutes = sum(each.minutes for each in slices)
        complete = sum(each.complete for each in slices)
        lead = " " * _missing(begin, found.since, row, mark)
        tail = " " * max(0, _marks(begin, row, mark) - len(lead) - len(slices))
        yield f"{begin:{name}}  {lead}{bar}{tail}  {share(complete, minutes):>7}"


def _scale(length: timedelta) -> tuple[str, timedelta, str]:
    """(what a row is, how long a mark is, how a row is named)."""
    if length <= timedelta(hours=49):
        return "hour", timedelta(minutes=2), "%m-%d %H:%M"
    if length <= timedelta(days=63):
        return "day", timedelta(minutes=30), "%Y-%m-%d"
    return "month", timedelta(days=1), "%Y-%m"


def _start(time: datetime, row: str) -> datetime:
    time = time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if row == "hour":
        return time
    time = time.replace(hour=0)
    return time if row == "day" else time.replace(day=1)


def _next(start: datetime, row: str) -> datetime:
    days = {"hour": 1 / 24, "day": 1, "month": 32}[row]
    return _start(start + timedelta(days=days, seconds=1), row)


def _edges(found: Coverage, row: str) -> list[datetime]:
    edges = [_start(found.since, row)]
    while edges[-1] < found.until:
        edges.append(_next(edges[-1], row))
    return edges


def _within(
    begin: datetime, end: datetime, found: Coverage, mark: timedelta
) -> list[datetime]:
    """Where marks meet in a row, cut to the period that was asked for."""
    edges = [begin]
    while edges[-1] < end:
        edges.append(min(end, edges[-1] + mark))
    cut = {min(max(edge, found.since), found.until) for edge in edges}
    return sorted(cut)


def _missing(begin: datetime, since: datetime, row: str, mark: timedelta) -> int:
    """Marks of a row that lie before the period."""
    return max(timedelta(), since - begin) // mark


def _marks(begin: datetime, row: str, mark: timedelta) -> int:
    return -((begin - _next(begin, row)) // mark)


def _bar(slices: Iterable[Slice], paint: Paint) -> str:
    """The marks, each run of one colour painted once."""
    runs = itertools.groupby(slices, key=lambda each: each.worst)
    return "".join(paint("".join(map(_mark, run)), worst) for worst, run in runs)


def _mark(of: Slice) -> str:
    if of.complete:
        place = 7 if of.complete == of.minutes else 7 * of.complete // of.minutes
        return BLOCKS[place]
    return "░" if of.partial else "·"


def _totals(found: Coverage, paint: Paint) -> Iterator[str]:
    counts = found.minutes
    whole = sum(counts.values())
    signs = {Quality.COMPLETE: "█", Quality.PARTIAL: "░", Quality.BLIND: "·"}
    for quality in Quality:
        count = counts[quality.value]
        sign = paint(signs[quality], quality)
        yield (
            f"{sign} {quality.value:9} {share(count, whole):>7}  {duration(count):>12}"
        )


def _list(
    title: str, stretches: list[Stretch], paint: Paint, limit: int | None
) -> Iterator[str]:
    if not stretches:
        return
    yield ""
    yield title
    for each in stretches[:limit]:
        when = period(each.begins_at, each.ends_at)
        yield (
            f"  {when:36} {duration(each.minutes):>11}  "
            f"{paint(f'{each.quality.value:8}', each.quality)}  {each.detail}"
        )
    if limit is not None and len(stretches) > limit:
        yield f"  … and {len(stretches) - limit:,} more: --all names them."
    yield from _advice(stretches)


def _advice(stretches: Iterable[Stretch]) -> Iterator[str]:
    reasons = dict.fromkeys(each.reason for each in wanting(stretches))
    told = [(reason, words_for(reason)) for reason in reasons]
    helpful = [(r, w) for r, w in told if w.advice]
    if helpful:
        yield ""
        yield "What helps:"
    for _, words in helpful:
        yield f"  {words.sentence} → {words.advice}"
