"""What the archive tells the house, always after the commit but for one.

``journal_grew(seq)``: the journal now reaches at least to ``seq``.
``media_item_archived(ids)``: these media items are new (list of primary keys).
``media_items_purging(keys)``: these media items are erased for good by the transaction
that sends it (primary key → key of the tombstone). What a listener raises undoes that.
"""

from __future__ import annotations

from django.dispatch import Signal

journal_grew = Signal()
media_item_archived = Signal()
media_items_purging = Signal()
