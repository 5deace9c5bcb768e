"""Stretches of minutes, against a judge that looks at each minute by itself."""

from __future__ import annotations

import itertools
import random
import time
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from subscriptions.coverage_minutes import (
    MINUTE,
    Known,
    Stretch,
    followed_minutes,
    minute_of,
    next_minute_of,
    stretches_of,
    time_of,
    worst_of,
)
from subscriptions.coverage_reasons import BLINDING, WORDS
from subscriptions.models import Quality

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FIRST = minute_of(NOON)
LENGTH = 14
TICK = timedelta(seconds=20)
"""Times in these tests are whole ticks: a minute has three."""

BEST, MIDDLE, WORST = Quality.COMPLETE, Quality.PARTIAL, Quality.BLIND
GOODNESS = {BEST: 2, MIDDLE: 1, WORST: 0}
LATE = ["", "silent", "read_within_6h", "read_within_24h", "read_later"]

times = st.integers(-6, LENGTH * 3 + 6).map(lambda ticks: NOON + ticks * TICK)
stretch = st.tuples(times, times).map(lambda two: (min(two), max(two)))
spans = st.tuples(
    stretch,
    st.sampled_from(
        [(BEST, word) for word in LATE]
        + [(MIDDLE, "backfilled"), (MIDDLE, "unread_posts")]
    ),
).map(lambda said: (*said[0], str(said[1][0]), said[1][1]))
knowns = st.builds(
    Known,
    spans=st.lists(spans, max_size=6),
    hindrances=st.dictionaries(
        st.sampled_from([*BLINDING, "silent", "unread_posts"]),
        st.lists(stretch, max_size=2),
        max_size=3,
    ),
    gaps=st.lists(stretch, max_size=2),
    young=st.lists(stretch, max_size=1),
    followed=st.lists(stretch, max_size=2),
)


def judged(known: Known, number: int) -> tuple[Quality, str]:
    """What the explanation page says of this one minute, word for word."""
    begin = time_of(FIRST + number)
    ticks = [begin + TICK * n for n in range(3)]

    def lies_in(tick: datetime, some: list[tuple[datetime, datetime]]) -> bool:
        return any(b <= tick < e for b, e in some)

    def touches(some: list[tuple[datetime, datetime]]) -> bool:
        return any(lies_in(tick, some) for tick in ticks)

    said = [(q, r) for b, e, q, r in known.spans if touches([(b, e)])]
    vouched = [(b, e) for b, e, q, _ in known.spans if q == BEST]
    whole = all(lies_in(tick, vouched) for tick in ticks)
    hindered = {
        reason
        for reason, stretches in known.hindrances.items()
        if any(lies_in(t, stretches) and lies_in(t, known.followed) for t in ticks)
    }
    reason = next((word for word in BLINDING if word in hindered), None)
    if whole and "unread_posts" not in hindered:
        words = {word for quality, word in said if quality == BEST}
        words |= hindered & {"silent"}
        return BEST, "caught_up" if reason else max(words, key=LATE.index)
    partial = {word for quality, word in said if quality == MIDDLE}
    open_gap = touches(known.gaps)
    if (said or open_gap) and "unread_posts" in hindered | partial:
        return MIDDLE, "unread_posts"
    if partial:
        return MIDDLE, "backfilled"
    if open_gap:
        return MIDDLE, "gap_open"
    if not touches(known.followed):
        reason = "not_followed"
    if reason is None:
        reason = "not_read_yet" if touches(known.young) else "not_read"
    return (MIDDLE if said or reason == "not_read_yet" else WORST), reason


def each_minute(stretches: list[Stretch]) -> list[tuple[Quality, str]]:
    return [(s.quality, s.reason) for s in stretches for _ in range(s.minutes)]


def assert_sound(stretches: list[Stretch], length: int = LENGTH) -> None:
    assert stretches[0].begins_at == NOON
    assert stretches[-1].ends_at == NOON + length * MINUTE
    assert all(s.begins_at < s.ends_at for s in stretches)
    for one, two in itertools.pairwise(stretches):
        assert one.ends_at == two.begins_at
        assert (one.quality, one.reason, one.detail) != (
            two.quality,
            two.reason,
            two.detail,
        )


@given(knowns)
def test_stretches_are_what_a_look_at_every_minute_says(known: Known) -> None:
    found = stretches_of(known, FIRST, FIRST + LENGTH)
    assert_sound(found)
    assert each_minute(found) == [judged(known, number) for number in range(LENGTH)]


@given(knowns, stretch)
def test_a_reading_more_never_makes_a_minute_worse(
    known: Known, more: tuple[datetime, datetime]
) -> None:
    before = each_minute(stretches_of(known, FIRST, FIRST + LENGTH))
    known.spans.append((*more, str(BEST), ""))
    after = each_minute(stretches_of(known, FIRST, FIRST + LENGTH))
    for (was, _), (now, _) in zip(before, after, strict=True):
        assert GOODNESS[now] >= GOODNESS[was]


@given(knowns, knowns)
def test_over_two_providers_the_worse_counts_where_both_follow(
    one: Known, two: Known
) -> None:
    answers = [stretches_of(each, FIRST, FIRST + LENGTH) for each in (one, two)]
    lives = [followed_minutes(each) for each in (one, two)]
    told = list(zip(answers, lives, strict=True))
    found = worst_of(told, FIRST, FIRST + LENGTH)
    assert_sound(found)
    for number, (quality, reason) in enumerate(each_minute(found)):
        here = [each_minute(stretches)[number] for stretches in answers]
        minute = FIRST + number
        named = [
            said
            for said, life in zip(here, lives, strict=True)
            if any(b <= minute < e for b, e in life)
        ]
        pick = min if named else max
        assert GOODNESS[quality] == pick(GOODNESS[q] for q, _ in named or here)
        assert (quality, reason) in here


def test_over_one_provider_its_own_word_counts() -> None:
    known = Known(
        spans=[(NOON + MINUTE, NOON + 3 * MINUTE, "complete", "")],
        followed=[(NOON + 2 * MINUTE, NOON + 9 * MINUTE)],
    )
    alone = stretches_of(known, FIRST, FIRST + LENGTH)
    told = [(alone, followed_minutes(known))]
    assert worst_of(told, FIRST, FIRST + LENGTH) == alone


def test_two_readings_that_meet_within_a_minute_make_it_complete() -> None:
    half = NOON + timedelta(seconds=37, microseconds=5)
    known = Known(
        spans=[
            (NOON, half, "complete", "read_within_6h"),
            (half, NOON + MINUTE, "complete", ""),
        ]
    )
    (only,) = stretches_of(known, FIRST, FIRST + 1)
    assert (only.quality, only.reason) == (BEST, "read_within_6h")
    known.spans[0] = (NOON, half - timedelta(microseconds=1), "complete", "")
    (only,) = stretches_of(known, FIRST, FIRST + 1)
    assert only.quality == MIDDLE


def test_minutes_are_counted_before_1970_too() -> None:
    early = datetime(1969, 12, 31, 23, 58, 30, tzinfo=UTC)
    assert (minute_of(early), next_minute_of(early)) == (-2, -1)
    assert time_of(-2) == early - timedelta(seconds=30)
    assert (minute_of(NOON), next_minute_of(NOON)) == (FIRST, FIRST)


def test_every_reason_has_words() -> None:
    assert all(words.sentence.endswith(".") for words in WORDS.values())
    assert set(BLINDING) <= set(WORDS)


def test_a_year_with_ten_thousand_spans_and_hindrances_is_quick() -> None:
    dice = random.Random(7)
    year = 366 * 24 * 60
    known = Known(followed=[(NOON, NOON + year * MINUTE)])
    for _ in range(10_000):
        begin = NOON + timedelta(seconds=dice.randrange(year * 60))
        known.spans.append((begin, begin + 20 * MINUTE, "complete", ""))
        reason = dice.choice(BLINDING)
        later = begin + timedelta(seconds=dice.randrange(9_000))
        known.hindrances.setdefault(reason, []).append((later, later + 9 * MINUTE))
    began = time.process_time()
    found = stretches_of(known, FIRST, FIRST + year)
    assert time.process_time() - began < 2.0
    assert_sound(found, year)
    assert len(found) > 10_000
