"""The progress line, on a terminal and in a log."""

from __future__ import annotations

import io

import pytest
from django.core.management.base import OutputWrapper

from media_archive.progress import Progress, span


class Terminal(io.StringIO):
    """A stream on which a line can be drawn again."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_plain_lines_now_and_then_and_one_at_the_end() -> None:
    clock, stream = Clock(), io.StringIO()
    with Progress(1000, stream, clock=clock) as progress:
        for _ in range(5):
            clock.now += 4
            progress.advance(100, "back to May")
    assert stream.getvalue().splitlines() == [
        "300 of 1,000 items · 30 % · 25/s · about 28 s left · back to May",
        "500 of 1,000 items · 50 % · 25/s · about 20 s left · back to May",
    ]


def test_a_terminal_gets_one_line_drawn_again() -> None:
    clock, stream = Clock(), Terminal()
    with Progress(4, stream, "pages", clock=clock) as progress:
        progress.advance(detail="far too early to be drawn")
        clock.now += 2
        progress.advance(2)
        progress.say("page 3 was odd")
        progress.advance()
    drawn = stream.getvalue()
    assert drawn.count("\n") == 2
    assert "early" not in drawn
    assert "page 3 was odd" in drawn
    assert "3 of 4 pages · 75 % · 1.5/s · about 1 s left" in drawn
    assert drawn.rstrip().endswith("4 of 4 pages · 100 % · 2.0/s")


def test_a_command_s_own_stdout_adds_no_line_breaks() -> None:
    stream = Terminal()
    with Progress(2, OutputWrapper(stream)) as progress:
        progress.advance(2)
    assert stream.getvalue().count("\n") == 1


def test_what_was_done_before_counts_but_does_not_speed_up() -> None:
    clock = Clock()
    progress = Progress(100, io.StringIO(), already=50, clock=clock)
    clock.now += 10
    progress.advance(10)
    assert progress.line() == "60 of 100 items · 60 % · 1.0/s · about 40 s left"


def test_a_long_detail_is_cut_at_the_terminal_s_edge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream, clock = Terminal(), Clock()
    with Progress(2, stream, clock=clock) as progress:
        clock.now += 1
        progress.advance(1, "x" * 200)
    longest = max(len(piece) for piece in stream.getvalue().split("\r"))
    assert 50 < longest <= 60


def test_without_a_total_there_is_no_share() -> None:
    stream = Terminal()
    with Progress(None, stream) as progress:
        progress.advance(7)
    assert "%" not in stream.getvalue()
    assert "7 items" in stream.getvalue()


def test_nothing_to_do_is_done() -> None:
    assert Progress(0, io.StringIO()).line() == "0 of 0 items · 100 %"


def test_an_error_ends_the_line() -> None:
    stream = Terminal()
    with pytest.raises(ZeroDivisionError), Progress(2, stream):
        raise ZeroDivisionError
    assert stream.getvalue().endswith("\n")


def test_spans_are_read_by_people() -> None:
    assert [span(s) for s in (0, 26, 61, 3599, 12_000)] == [
        "1 s",
        "26 s",
        "1 min",
        "1 h 0 min",
        "3 h 20 min",
    ]
