"""The people who post at the upstream: a process beside its server.

They go on while the upstream's server is down. Reads lines "TAG COUNT" and writes,
for each, one line with the native ids: JSON.
"""

from __future__ import annotations

import json
import sys

import django


def main() -> None:
    """Until the input ends."""
    django.setup()
    # Django must be set up before anything that imports a model.
    from django.db import OperationalError

    from photowall.sandbox.publisher import Publisher

    publisher = Publisher()
    for line in sys.stdin:
        tag, count = line.split()
        posted: list[str] = []
        while (left := int(count) - len(posted)) > 0:
            posts = publisher.publish(tag, left)
            try:
                posted.extend(post.native_id for post in posts)
            except OperationalError as error:
                # Its server is busy on the same file: people press the button again.
                print(f"posting again: {error}", file=sys.stderr, flush=True)
        print(json.dumps(posted), flush=True)


if __name__ == "__main__":
    main()
