"""Archives photos when told to: the writer of ``benchmarks.fan_out``.

Reads "<round> <photos>" lines from stdin, stores so many photos in one transaction,
so that all are there at once with their pictures kept, and prints the times in
milliseconds before and after.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta

import django

django.setup()

from media_archive import ingest, journal  # noqa: E402
from media_archive.records import (  # noqa: E402
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    Kind,
)
from tests.builders import a_kept_file, keep_pictures  # noqa: E402

TAG = "fanout"
ANA = IncomingAuthor("7", "ana.costa", "Ana Costa", "https://p.example/ana.jpg")


def a_photo(round_: int, number: int) -> IncomingMedia:
    """One photo; its caption holds the mark that viewers look for, once."""
    name = f"{round_}x{number}"
    address = f"https://p.example/{name}.jpg"
    picture = AssetSource("standard", address, Kind.IMAGE, 1080, 1350)
    return IncomingMedia(
        native_id=name,
        kind=Kind.IMAGE,
        raw={"id": name},
        author=ANA,
        caption=f"photo-{round_}-{number}- Golden hour by the river",
        permalink=f"https://photos.example/p/{name}/",
        posted_at=datetime.now(UTC) + timedelta(milliseconds=number),
        tags=[TAG],
        assets=[IncomingAsset(Kind.IMAGE, [picture])],
    )


def main() -> None:
    """One burst a line, until stdin ends."""
    a_kept_file()
    for line in sys.stdin:
        round_, count = map(int, line.split())
        records = [a_photo(round_, number) for number in range(count)]
        began = time.time() * 1000
        with journal.recording() as recording:
            keep_pictures(ingest.store(recording, "instagram_v1", records).new)
        print(f"{began} {time.time() * 1000}", flush=True)


if __name__ == "__main__":
    main()
