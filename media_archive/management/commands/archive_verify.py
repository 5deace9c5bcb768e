"""``manage.py archive_verify``: is every stored file what it was?"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media_archive.disk_space import in_words
from media_archive.progress import Progress
from media_archive.verifying import Fault, Verified, originals, verify


class Command(BaseCommand):
    """Safe to run at any time, beside everything else that runs."""

    help = (
        "Read every stored picture, film and rendition, hash it again, and name each "
        "that is damaged or missing. Ends with 1 if there is any."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to repair, and where to go on."""
        parser.add_argument(
            "--repair",
            action="store_true",
            help="have originals fetched again, and make renditions again",
        )
        parser.add_argument(
            "--after",
            type=int,
            default=0,
            metavar="FILE",
            help="go on behind this file: the number that the progress line names",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` for faults, an unreachable store, an interruption."""
        last: int = options["after"]
        try:
            with Progress(originals(last), self.stdout, "pictures") as progress:

                def told(so_far: Verified, faults: list[Fault]) -> None:
                    nonlocal last
                    last = so_far.last
                    for fault in faults:
                        progress.say(f"✗ {fault}")
                    read = f"{in_words(so_far.size)} read"
                    wrong = f"{len(so_far.faults):,} wrong"
                    progress.advance(1, f"{read} · {wrong} · at file {last}")

                done = verify(repair=options["repair"], after=last, told=told)
        except KeyboardInterrupt:
            message = f"Interrupted. All up to file {last} is read: go on with"
            raise CommandError(f"{message} --after {last}") from None
        except OSError as error:
            message = f"The store does not answer: {error}. Later, go on with"
            raise CommandError(f"{message} --after {last}") from error
        self.stdout.write(f"{done.files:,} files, {in_words(done.size)}.")
        if done.faults:
            raise CommandError(self._verdict(done, repair=options["repair"]))
        self.stdout.write("All of them are as they were stored.")

    def _verdict(self, done: Verified, *, repair: bool) -> str:
        count = len(done.faults)
        words = f"{count:,} {'file is' if count == 1 else 'files are'} not as stored."
        return words if repair else f"{words} Run it again with --repair to mend them."
