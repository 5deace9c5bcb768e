"""`manage.py sandbox_publish TAG`: posts pictures at the running sandbox.

It writes into the sandbox's database; the running sandbox notices within a fraction
of a second and tells everybody who follows the tag.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from media_archive import journal
from media_archive.errors import InvalidTag
from media_archive.tags import normalise_tag
from photowall.sandbox.options import database
from photowall.sandbox.publisher import Publisher

BAR = 30


class Command(BaseCommand):
    """Posts pictures under one tag, followed or not."""

    help = "Posts pictures under a tag at the sandbox."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tag", help="with or without #")
        parser.add_argument("--count", type=int, default=1, help="how many (1)")
        parser.add_argument(
            "--every", type=float, default=0, help="seconds between two; 0 = a burst"
        )
        parser.add_argument(
            "--alike",
            action="store_true",
            help="near-identical shots of one picture by one person",
        )
        parser.add_argument(
            "--seed", type=int, help="the first post's number: same number, same posts"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object for each post"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["count"] < 1 or options["every"] < 0:
            raise CommandError("--count must be 1 or more, --every 0 or more.")
        if (options["seed"] or 0) < 0:
            raise CommandError("--seed must be 0 or more.")
        try:
            tag = normalise_tag(options["tag"])
        except InvalidTag as error:
            raise CommandError(error.message) from error
        try:
            journal.head()
        except OperationalError as error:
            raise CommandError(
                f"There is no sandbox in {database().parent}: "
                "start one first, with `manage.py up` or `manage.py sandbox`."
            ) from error
        publisher = Publisher(first=options["seed"])
        count = options["count"]
        posts = publisher.publish(tag, count, options["every"], alike=options["alike"])
        for done, post in enumerate(posts, start=1):
            if options["json"]:
                self.stdout.write(json.dumps(asdict(post)))
            elif self.stdout.isatty():
                self.stdout.write(_bar(done, count), ending="\r")
            self.stdout.flush()
        if not options["json"]:
            self.stdout.write(f"{count} posted.".ljust(BAR + 20))


def _bar(done: int, count: int) -> str:
    filled = round(BAR * done / count)
    return f"[{'#' * filled}{'.' * (BAR - filled)}] {done} of {count}"
