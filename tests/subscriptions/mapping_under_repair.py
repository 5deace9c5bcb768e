"""``manage.py remap`` as a process of its own, with a mapping that was changed.

    python -m tests.subscriptions.mapping_under_repair HOLD_AT

Says ``holding`` and waits for its end when it has read ``HOLD_AT`` documents.
"""

from __future__ import annotations

import sys
import time

import django

django.setup()

from django.core.management import call_command  # noqa: E402  needs the settings

from media_archive.records import IncomingMedia  # noqa: E402
from subscriptions.providers.instagram_v1.wire import media  # noqa: E402


def loud_caption(value: object, read: object = media._caption) -> str | None:
    """The changed mapping: captions are shouted."""
    said: str | None = read(value)  # type: ignore[operator]
    return said.upper() if said is not None else None


def main() -> None:
    media._caption = loud_caption
    hold_at, count = int(sys.argv[1]), 0
    parse = media.parse_media

    def counted(item: object) -> IncomingMedia | None:
        nonlocal count
        count += 1
        if count == hold_at:
            print("holding", flush=True)
            time.sleep(600)
        return parse(item)

    media.parse_media = counted
    call_command("remap")


if __name__ == "__main__":
    main()
