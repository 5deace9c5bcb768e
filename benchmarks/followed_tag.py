"""Rows for a benchmark: an empty database gets its tables and one active
subscription. Run as a process of its own, with the settings' environment:

    python3 -m benchmarks.followed_tag SECRET [TAG [BASE_URL]]

Prints the path of the subscription's callback.
"""

from __future__ import annotations

import sys

import django
from django.core.management import call_command

django.setup()

from subscriptions import lifecycle  # noqa: E402  Django must be set up first
from subscriptions.models import ProviderAccount, State, Subscription  # noqa: E402

DEFAULTS = ["benchmark", "http://127.0.0.1:9/v1"]


def main() -> None:
    secret, tag, base_url, *_ = [*sys.argv[1:], *DEFAULTS[len(sys.argv) - 2 :]]
    call_command("migrate", verbosity=0)
    account = ProviderAccount.objects.create(
        name="benchmark",
        provider="instagram_v1",
        base_url=base_url,
        client_id="benchmark",
        client_secret=secret,
    )
    followed = lifecycle.create(account, tag, "benchmark")
    Subscription.objects.filter(pk=followed.pk).update(state=State.ACTIVE)
    print(f"/callbacks/{followed.callback_id}/")


if __name__ == "__main__":
    main()
