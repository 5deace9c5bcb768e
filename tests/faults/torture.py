"""``manage.py torture``: every kind of fault, many times, and a table at the end.

One process for each database, side by side. Every injection is written to a file as
soon as it is over; ``--table FILE…`` makes the table of what is there, also while a
run goes on.
"""

from __future__ import annotations

import argparse
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from photowall.up.console import say
from photowall.up.places import CHECKOUT
from tests.faults import tables
from tests.faults.injections import Injector, Outcome
from tests.faults.instance import POLL_SECONDS, Instance
from tests.faults.kinds import BOTH, KINDS, Kind, chosen
from tests.server_postgres import remove_copies

TRIES = 3
"""Instances in a row that may fail to start before the run is given up."""


def main(argv: Sequence[str] | None = None) -> int:
    """0 when nothing was lost, doubled or half written."""
    words = _parser().parse_args(argv)
    if words.table:
        outcomes = tables.read(words.table)
        say(tables.table(outcomes))
        if words.report:
            words.report.write_text(tables.report(outcomes), encoding="utf-8")
        return 0
    names = [name for name in words.kinds.split(",") if name]
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        say(f"There is no kind {unknown[0]}. There are: {', '.join(sorted(KINDS))}.")
        return 2
    words.seed = words.seed or secrets.token_hex(4)
    words.out.parent.mkdir(parents=True, exist_ok=True)
    # TERM ends a run as Ctrl-C does: with everything stopped.
    signal.signal(signal.SIGTERM, _end)
    try:
        if words.database:
            return _one_database(words.database, names, words)
        return _both(words)
    except KeyboardInterrupt:
        say(f"Interrupted; what was done is in {words.out}.")
        return 130
    finally:
        remove_copies()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py torture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="of all kinds (1)")
    parser.add_argument("--kinds", default="", help="only these, comma-separated")
    parser.add_argument("--database", choices=BOTH, help="only on this one")
    parser.add_argument("--seed", help="makes the same choices again")
    parser.add_argument(
        "--minutes", type=float, default=0, help="begin no injection after so many"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=CHECKOUT / "var" / "torture.jsonl",
        help="a line for each injection is appended here",
    )
    parser.add_argument(
        "--table", type=Path, nargs="+", help="run nothing: the table of these files"
    )
    parser.add_argument(
        "--report", type=Path, help="with --table: write it here, with a summary"
    )
    return parser


def _both(words: argparse.Namespace) -> int:
    """A process for each database; their words come as they come."""
    say(f"seed {words.seed}; each injection goes to {words.out}")
    before = len(tables.read([words.out])) if words.out.exists() else 0
    running = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.faults.torture"),
                *("--database", database, "--seed", words.seed),
                *("--rounds", str(words.rounds), "--kinds", words.kinds),
                *("--minutes", str(words.minutes), "--out", str(words.out)),
            ],
            cwd=CHECKOUT,
            start_new_session=True,
        )
        for database in BOTH
    ]
    try:
        codes = [process.wait() for process in running]
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
    done = tables.read([words.out])[before:] if words.out.exists() else []
    say("")
    say(tables.table(done))
    return max(codes)


def _one_database(
    database: str, names: Sequence[str], words: argparse.Namespace
) -> int:
    began = time.monotonic()
    plan = _plan(chosen(database, names), words.rounds, f"{words.seed}:{database}")
    instance: Injector | None = None
    failures = done = bad = 0
    try:
        for number, (kind, seed) in enumerate(plan, start=1):
            if words.minutes and time.monotonic() - began > words.minutes * 60:
                say(f"{database}: the time is up, {len(plan) - number + 1} left out")
                break
            try:
                instance = instance or _started(database)
                instance.settle()
                outcome = instance.inject(kind, seed)
            except Exception as error:  # noqa: BLE001  said below, and counted as bad
                say(f"{database} {kind.name} seed {seed}: harness: {error!r}")
                _end_of(instance)
                instance = None
                failures += 1
                bad += 1
                if failures >= TRIES:
                    break
                continue
            failures = 0
            done += 1
            bad += not outcome.good
            tables.append(words.out, outcome)
            say(_line(f"{number}/{len(plan)}", outcome))
    finally:
        _end_of(instance)
    say(f"{database}: {done} injections, {bad} with a mistake")
    return 1 if bad else 0


def _plan(kinds: Sequence[Kind], rounds: int, seed: str) -> list[tuple[Kind, str]]:
    """Every kind once a round, in an order of chance, each with a seed of its own."""
    chance = random.Random(seed)
    plan = []
    for number in range(rounds):
        shuffled = list(kinds)
        if len(shuffled) > 1:
            chance.shuffle(shuffled)
        plan += [(kind, f"{seed}:{number}:{kind.name}") for kind in shuffled]
    return plan


def _started(database: str) -> Injector:
    say(f"{database}: starting an instance (unasked reading after {POLL_SECONDS} s)")
    instance = Instance(database)
    try:
        instance.start()
    except BaseException:
        instance.end()
        raise
    return Injector(instance, database)


def _end_of(injector: Injector | None) -> None:
    if injector is not None:
        injector.instance.end()


def _line(number: str, outcome: Outcome) -> str:
    verdict = "ok" if outcome.good else "WRONG"
    seconds = "never" if outcome.seconds is None else f"{outcome.seconds:.1f} s"
    words = (
        f"{outcome.database:10} {number:>8} {verdict:5} {outcome.kind}: "
        f"{outcome.posts} posts, {outcome.acknowledged} acknowledged, "
        f"lost {outcome.lost}, doubled {outcome.doubled}, "
        f"receipts lost {outcome.receipts_lost}, converged in {seconds} "
        f"(all in {outcome.took:.0f} s)"
    )
    more = [*outcome.others, *outcome.notes]
    if not outcome.good:
        more.append(f"seed {outcome.seed}")
    return f"{words} [{'; '.join(more)}]" if more else words


def _end(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
