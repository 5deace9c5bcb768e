"""A worker process of a test: ``python -m tests.subscriptions.reading_worker PK``.

It does what the task does, once, on the database that ``DATABASE_URL`` names.
"""

from __future__ import annotations

import os
import sys

import django


def main(feed_pk: int) -> int:
    """0 = it read, 3 = the feed was not to be had."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photowall.settings")
    django.setup()
    from media_archive import claims
    from subscriptions import fetching
    from subscriptions.models import Feed

    epoch = claims.claim(Feed.objects.due(), feed_pk, fetching.HOLD)
    if epoch is None:
        return 3
    fetching.fetch_new(feed_pk, epoch)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
