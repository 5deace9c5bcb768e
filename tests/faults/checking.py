"""What the rows say after a fault: is anything lost, is anything there twice?

Everything is compared with the upstream's own listing and with our memory of what
was acknowledged; the product is not asked.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.faults.databases import Database, DatabaseAway
from tests.faults.instance import TAG, Instance
from tests.faults.notifying import Notifier

_ITEMS = "SELECT native_id FROM media_archive_mediaitem"
_RECEIPTS = "SELECT body_sha256, seen FROM subscriptions_receipt"
_DOUBLED = {
    "items": "SELECT native_id, count(*) FROM media_archive_mediaitem"
    " GROUP BY provider, native_id HAVING count(*) > 1",
    "entries": "SELECT item_id, count(*) FROM media_archive_journalentry"
    " WHERE kind = 'archived' GROUP BY item_id HAVING count(*) > 1",
    "listings": "SELECT item_id, count(*) FROM media_archive_mediatag"
    " GROUP BY item_id, tag_id HAVING count(*) > 1",
    "matches": "SELECT item_id, count(*) FROM subscriptions_match"
    " GROUP BY item_id, subscription_id HAVING count(*) > 1",
    "receipts": "SELECT subscription_id, count(*) FROM subscriptions_receipt"
    " GROUP BY subscription_id, body_sha256 HAVING count(*) > 1",
}
_HALF_WRITTEN = {
    "items without an entry": "SELECT id FROM media_archive_mediaitem WHERE id NOT IN"
    " (SELECT item_id FROM media_archive_journalentry WHERE kind = 'archived')",
    "entries without an item": "SELECT seq FROM media_archive_journalentry"
    " WHERE kind = 'archived' AND item_id NOT IN"
    " (SELECT id FROM media_archive_mediaitem)",
    "items without a listing": "SELECT id FROM media_archive_mediaitem WHERE id NOT IN"
    " (SELECT item_id FROM media_archive_mediatag)",
    "items without a document": "SELECT id FROM media_archive_mediaitem"
    " WHERE id NOT IN (SELECT item_id FROM media_archive_rawdocument)",
    "items without a match": "SELECT id FROM media_archive_mediaitem"
    " WHERE id NOT IN (SELECT item_id FROM subscriptions_match)",
}
_JOURNAL = (
    "SELECT count(*), coalesce(max(seq), 0),"
    " (SELECT last FROM media_archive_journalcounter)"
    " FROM media_archive_journalentry"
)


@dataclass
class Findings:
    """What is wrong, by name. ``lost`` are native ids, ``receipts`` SHA-256."""

    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    receipts: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.receipts or self.others)

    def without(self, earlier: Findings) -> Findings:
        """What is new since then: each mistake counts for one injection."""
        return Findings(
            self.lost - earlier.lost,
            self.doubled - earlier.doubled,
            self.receipts - earlier.receipts,
            self.others - earlier.others,
        )


def missing(instance: Instance) -> set[str]:
    """What the upstream lists and the archive has not."""
    have = {str(row[0]) for row in instance.database.ask(_ITEMS)}
    return instance.upstream.listing(TAG) - have


def converge(
    instance: Instance,
    seconds: float,
    known: set[str] | None = None,
    meanwhile: Callable[[], object] = lambda: None,
) -> float | None:
    """Wait until the upstream's listing is archived (all but what is ``known`` to be
    lost); how long that took, or ``None`` when it took longer than ``seconds``."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        meanwhile()
        with contextlib.suppress(DatabaseAway):
            if missing(instance) <= (known or set()):
                return time.monotonic() - began
        time.sleep(0.1)
    return None


def check(instance: Instance, notifier: Notifier) -> Findings:
    """Everything that is wrong with the rows now. Raises ``DatabaseAway``."""
    found = Findings(lost=missing(instance))
    database = instance.database
    for name, sql in _DOUBLED.items():
        found.doubled |= {f"{name} {row[0]}" for row in database.ask(sql)}
    for name, sql in _HALF_WRITTEN.items():
        found.others |= {f"{name}: {row[0]}" for row in database.ask(sql)}
    entries, newest, counter = database.ask(_JOURNAL)[0]
    if not entries == newest == (counter or 0):
        found.others.add(f"journal: {entries} entries up to {newest} of {counter}")
    seen: dict[str, int] = dict(database.ask(_RECEIPTS))
    found.receipts = _forgotten(notifier.acknowledged, seen)
    found.receipts |= instance.upstream.told() - seen.keys()
    found.others |= {f"forged and kept: {name}" for name in notifier.forged & {*seen}}
    return found


def _forgotten(acknowledged: Mapping[str, int], seen: Mapping[str, int]) -> set[str]:
    """Acknowledged more often than kept; more kept than acknowledged is right, since
    an answer may be lost on its way."""
    return {
        digest for digest, times in acknowledged.items() if seen.get(digest, 0) < times
    }


def is_idle(database: Database) -> bool:
    """Whether the feed has nothing to do and nothing to wait for."""
    rows = database.ask(
        "SELECT f.subscription_id FROM subscriptions_feed f"
        " JOIN subscriptions_subscription s ON s.id = f.subscription_id"
        " WHERE s.state = 'active' AND f.dirty_seq <= f.done_seq"
        " AND f.claim_until IS NULL AND f.next_attempt_at IS NULL"
    )
    return bool(rows)
