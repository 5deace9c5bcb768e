"""Doors: ids in, one call of a service. Each may run twice, at once, late or never."""

from __future__ import annotations

from typing import Protocol, cast

from celery import shared_task

from media_archive import downloads

LONGEST = 240
"""Seconds: a film that is claimed at the end of a run is brought to its end."""


class Rung(Protocol):
    """A task as doors see it."""

    def __call__(self) -> None:
        """Run it here and now."""

    def delay_on_commit(self) -> None:
        """Ring after the commit; never raises."""

    def ring(self) -> bool:
        """Ring now, from where no transaction is; never raises."""


def rung(task: object) -> Rung:
    """``task``, with the methods that our Celery app gives it and its types miss."""
    return cast("Rung", task)


@rung
@shared_task(soft_time_limit=LONGEST, time_limit=LONGEST + 30)
def keep_pictures() -> None:
    """Bring pictures and films that are due; have others help; come back for more."""
    if downloads.work_off(keep_pictures.ring):
        keep_pictures.delay_on_commit()
