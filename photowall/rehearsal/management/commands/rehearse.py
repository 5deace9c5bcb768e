"""`manage.py rehearse SCENARIO`: play the upstream's bad days, print a sheet."""

from __future__ import annotations

import json
import random
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media_archive.errors import PhotowallError
from media_archive.progress import Progress
from photowall.rehearsal import instance
from photowall.rehearsal.performing import Performance, end_leftovers
from photowall.rehearsal.scenarios import SCENARIOS
from photowall.rehearsal.sheet import Sheet
from photowall.rehearsal.steps import Scenario

ALL = "all"
MOST_POSTS = 1_000


class Command(BaseCommand):
    """Without a scenario it lists them. Ends with 0 if all passed, else with 1."""

    help = "Rehearse with the sandbox: post, fail, heal, and compare with the archive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scenario", nargs="?", help="its name, or all")
        parser.add_argument("--seed", type=int, help="the same seed, the same chance")
        parser.add_argument("--posts", type=int, default=40, help="how many (40)")
        parser.add_argument(
            "--seconds-limit",
            type=float,
            default=60.0,
            help="seconds to converge after the last fault (60)",
        )
        parser.add_argument(
            "--json", action="store_true", help="one JSON object for each scenario"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["scenario"]
        if name is None:
            self._list()
            return
        if name != ALL and name not in SCENARIOS:
            raise CommandError(f"There is no scenario {name}; `rehearse` lists them.")
        if not 5 <= options["posts"] <= MOST_POSTS:
            raise CommandError(f"--posts must be from 5 to {MOST_POSTS:,}.")
        if options["seconds_limit"] <= 0:
            raise CommandError("--seconds-limit must be more than 0.")
        chosen = list(SCENARIOS.values()) if name == ALL else [SCENARIOS[name]]
        seed = options["seed"]
        seed = random.randrange(10**6) if seed is None else seed  # noqa: S311
        with _ended_in_order():
            try:
                passed = self._play(chosen, seed, options)
            except PhotowallError as error:
                raise CommandError(error.message) from error
            except KeyboardInterrupt:
                self.stderr.write("Ended early: faults are healed.")
                sys.exit(130)
        if not passed:
            sys.exit(1)

    def _list(self) -> None:
        width = max(map(len, SCENARIOS))
        for scenario in SCENARIOS.values():
            self.stdout.write(f"{scenario.name:{width}}  {scenario.shows}")
        self.stdout.write(f"{ALL:{width}}  All of them, one after the other.")

    def _play(self, chosen: list[Scenario], seed: int, options: dict[str, Any]) -> bool:
        sheets = []
        with instance.alone():
            account = instance.account_at_the_sandbox()
            upstream = instance.upstream_of(account)
            end_leftovers()
            for scenario in chosen:
                # Not on stdout: that is for the sheets, and for programs.
                with Progress(options["posts"], sys.stderr, "archived") as progress:
                    performance = Performance(
                        scenario=scenario,
                        upstream=upstream,
                        account=account,
                        seed=seed,
                        posts=options["posts"],
                        seconds_limit=options["seconds_limit"],
                        tell=partial(_say, progress, scenario.name),
                        saw=partial(_move, progress),
                    )
                    sheet = performance.perform()
                sheets.append(sheet)
                self._show(sheet, as_json=options["json"])
        if len(sheets) > 1 and not options["json"]:
            self._sum_up(sheets)
        return all(sheet.passed for sheet in sheets)

    def _show(self, sheet: Sheet, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(sheet.document()))
        else:
            self.stdout.write(sheet.text() + "\n")
        self.stdout.flush()

    def _sum_up(self, sheets: list[Sheet]) -> None:
        failed = [sheet.scenario for sheet in sheets if not sheet.passed]
        self.stdout.write(f"{len(sheets) - len(failed)} of {len(sheets)} passed.")
        if failed:
            self.stdout.write(f"Failed: {', '.join(failed)}")


def _say(progress: Progress, name: str, line: str) -> None:
    progress.say(f"{name}: {line}")


def _move(progress: Progress, archived: int, published: int) -> None:
    progress.advance(archived - progress.count, f"{published} posted")


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """TERM is as Ctrl-C: faults are healed and the tag is left."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
