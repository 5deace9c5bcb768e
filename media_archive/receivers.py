"""What happens after something was archived: the only listener on this floor."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from media_archive.live import hub
from media_archive.live.hints import sender
from media_archive.signals import journal_grew, media_item_archived
from media_archive.tasks import keep_pictures


@receiver(journal_grew, dispatch_uid="hint")
def send_hint(*, seq: int, **_: Any) -> None:
    """Tell the hubs, this process' own directly. Never waits: the entry is in the
    journal, and a hub that hears nothing finds it at its next tick."""
    hub.tell(seq)
    sender.send(seq)


@receiver(media_item_archived, dispatch_uid="pictures")
def ring_for_pictures(**_: Any) -> None:
    """Have the pictures of new items brought. Once: who comes calls for help."""
    keep_pictures.delay_on_commit()
