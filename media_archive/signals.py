"""What the archive tells the house, always after the commit.

``journal_grew(seq)``: the journal now reaches at least to ``seq``.
``media_item_archived(ids)``: these media items are new (list of primary keys).
"""

from __future__ import annotations

from django.dispatch import Signal

journal_grew = Signal()
media_item_archived = Signal()
