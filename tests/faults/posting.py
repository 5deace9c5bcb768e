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
    from photowall.sandbox.publisher import Publisher

    publisher = Publisher()
    for line in sys.stdin:
        tag, count = line.split()
        posts = publisher.publish(tag, int(count))
        print(json.dumps([post.native_id for post in posts]), flush=True)


if __name__ == "__main__":
    main()
