"""From what the ledger knows to stretches of minutes: pure, no clock, no database.

What each word means: ``docs/explanation/coverage.md``. Nothing here walks over
minutes: the cost is that of sorting what is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from subscriptions.coverage_reasons import (
    BLINDING,
    COMPLETE,
    NOTED,
    PARTIAL,
    SPOILING,
    words_for,
)
from subscriptions.intervals import joined, within
from subscriptions.models import Quality

MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GOODNESS = {Quality.COMPLETE: 2, Quality.PARTIAL: 1, Quality.BLIND: 0}

Times = tuple[datetime, datetime]
Minutes = tuple[int, int]


@dataclass(frozen=True)
class Stretch:
    """Minutes in a row, [``begins_at``, ``ends_at``), of which the same is true.

    ``reason`` is a word of ``coverage_reasons`` ("" = nothing to say), ``detail``
    says it in a sentence.
    """

    begins_at: datetime
    ends_at: datetime
    quality: Quality
    reason: str = ""
    detail: str = ""

    @property
    def minutes(self) -> int:
        """How many."""
        return (self.ends_at - self.begins_at) // MINUTE


@dataclass
class Known:
    """What is known of a tag at one provider. Stretches may lie over each other."""

    spans: list[tuple[datetime, datetime, str, str]] = field(default_factory=list)
    """(from, to, quality, reason) that readings vouch for."""
    hindrances: dict[str, list[Times]] = field(default_factory=dict)
    """By reason; each where the tag was followed."""
    gaps: list[Times] = field(default_factory=list)
    """What is being read and not at its end."""
    young: list[Times] = field(default_factory=list)
    """What need not have been read yet."""
    followed: list[Times] = field(default_factory=list)


Told = tuple[Quality, str, str]
"""(quality, reason, detail)."""


def minute_of(time: datetime) -> int:
    """The minute that ``time`` lies in, counted from 1970."""
    return (time - _EPOCH) // MINUTE


def next_minute_of(time: datetime) -> int:
    """The first minute that does not begin before ``time``."""
    return -((_EPOCH - time) // MINUTE)


def time_of(minute: int) -> datetime:
    """When a minute begins."""
    return _EPOCH + minute * MINUTE


def stretches_of(known: Known, first: int, end: int) -> list[Stretch]:
    """The minutes [``first``, ``end``) in stretches: in order, without holes, and
    none like the next."""
    runs: list[tuple[int, int, Told]] = []
    told: dict[frozenset[str], Told] = {}
    for begin, until, true in _runs(_layers(known), first, end):
        if true not in told:
            told[true] = _judge(true)
        runs.append((begin, until, told[true]))
    return _as_stretches(runs)


def followed_minutes(known: Known) -> list[Minutes]:
    """Minutes in which the tag was followed, or a part of them."""
    return _touched(known.followed)


def worst_of(
    answers: Sequence[tuple[Sequence[Stretch], Sequence[Minutes]]],
    first: int,
    end: int,
) -> list[Stretch]:
    """One answer out of those of several providers: (stretches, minutes followed).

    A minute is as good as the worst of the providers at which the tag was followed
    then; where it was followed nowhere, as good as the best.
    """
    layers: dict[str, list[Minutes]] = {}
    by_name: dict[str, Told] = {}
    for number, (stretches, followed) in enumerate(answers):
        layers[f"followed {number}"] = list(followed)
        for stretch in stretches:
            told = stretch.quality, stretch.reason, stretch.detail
            name = f"{number} {told}"
            by_name[name] = told
            layers.setdefault(name, []).append(
                (minute_of(stretch.begins_at), minute_of(stretch.ends_at))
            )
    runs = []
    for begin, until, true in _runs(layers, first, end):
        here = sorted(name for name in true if name in by_name)
        named = [n for n in here if f"followed {n.split(' ', 1)[0]}" in true]
        pick = min if named else max
        best = pick(named or here, key=lambda n: _GOODNESS[by_name[n][0]])
        runs.append((begin, until, by_name[best]))
    return _as_stretches(runs)


def _layers(known: Known) -> dict[str, list[Minutes]]:
    """Minutes by what is true of them."""
    complete = joined((b, e) for b, e, q, _ in known.spans if q == Quality.COMPLETE)
    layers = {
        "whole": [(next_minute_of(b), minute_of(e)) for b, e in complete],
        "touched": _touched((b, e) for b, e, *_ in known.spans),
        "gap": _touched(known.gaps),
        "young": _touched(known.young),
        "followed": _touched(known.followed),
    }
    for quality, reason in {(q, r) for _, _, q, r in known.spans}:
        layers[f"{quality}:{reason}"] = _touched(
            (b, e) for b, e, q, r in known.spans if (q, r) == (quality, reason)
        )
    life = joined(known.followed)
    for reason, times in known.hindrances.items():
        layers[f"hindered:{reason}"] = _touched(within(joined(times), life))
    return layers


def _judge(true: frozenset[str]) -> Told:
    """What is to be said of a minute of which all of ``true`` holds."""
    hindrance = next((r for r in BLINDING if f"hindered:{r}" in true), "")
    spoilt = f"hindered:{SPOILING}" in true
    if "whole" in true and not spoilt:
        return _complete(true, hindrance)
    partial = _reasons(true, Quality.PARTIAL)
    if spoilt and true & {"touched", "gap"}:
        reason = SPOILING
    elif partial:
        reason = max(partial, key=lambda r: (_place(r, PARTIAL), r))
    elif "gap" in true:
        reason = "gap_open"
    elif "followed" not in true:
        reason = "not_followed"
    elif hindrance:
        reason = hindrance
    else:
        reason = "not_read_yet" if "young" in true else "not_read"
    some = true & {"touched", "gap"} or reason == "not_read_yet"
    quality = Quality.PARTIAL if some else Quality.BLIND
    return quality, reason, words_for(reason).sentence


def _complete(true: frozenset[str], hindrance: str) -> Told:
    reasons = _reasons(true, Quality.COMPLETE)
    if f"hindered:{NOTED}" in true:
        reasons.add(NOTED)
    worst = max(reasons, key=lambda r: (_place(r, COMPLETE), r), default="")
    detail = words_for(worst).sentence if worst else ""
    if hindrance:
        sentences = (words_for(hindrance).sentence, "Read afterwards.", detail)
        return Quality.COMPLETE, "caught_up", " ".join(s for s in sentences if s)
    return Quality.COMPLETE, worst, detail


def _reasons(true: frozenset[str], quality: Quality) -> set[str]:
    start = f"{quality}:"
    return {name[len(start) :] for name in true if name.startswith(start)}


def _place(reason: str, known: Sequence[str]) -> int:
    """The worse, the larger; words nobody knows stand in the middle."""
    return 2 * known.index(reason) if reason in known else 1


def _touched(times: Iterable[Times]) -> list[Minutes]:
    return joined((minute_of(b), next_minute_of(e)) for b, e in times if b < e)


def _runs(
    layers: Mapping[str, Iterable[Minutes]], first: int, end: int
) -> Iterable[tuple[int, int, frozenset[str]]]:
    """[``first``, ``end``) cut wherever a layer begins or ends: (from, to, layers)."""
    turns: list[tuple[int, str]] = []
    for name, minutes in layers.items():
        for begin, until in _clipped(joined(minutes), first, end):
            turns += [(begin, name), (until, name)]
    turns.sort()
    at, true = first, frozenset[str]()
    for minute, name in turns:
        if at < minute:
            yield at, minute, true
            at = minute
        true ^= {name}
    if at < end:
        yield at, end, true


def _clipped(stretches: Iterable[Minutes], first: int, end: int) -> Iterable[Minutes]:
    for begin, until in stretches:
        if begin < end and first < until:
            yield max(begin, first), min(until, end)


def _as_stretches(runs: Iterable[tuple[int, int, Told]]) -> list[Stretch]:
    result: list[tuple[int, int, Told]] = []
    for begin, until, told in runs:
        if result and result[-1][2] == told:
            result[-1] = (result[-1][0], until, told)
        else:
            result.append((begin, until, told))
    return [Stretch(time_of(b), time_of(e), *told) for b, e, told in result]
