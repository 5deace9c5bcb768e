"""Doors: ids in, one call of a service. Each may run twice, at once, late or never."""

from __future__ import annotations

from typing import Protocol, cast

from celery import shared_task

from media_archive import discarding, downloads, orphans

SWEEP_LONGEST = 3600
"""Seconds: a million files are read in minutes, from a store elsewhere too."""
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


@rung
@shared_task
def remove_discarded() -> None:
    """Remove files that could not be removed when nothing showed them any more."""
    discarding.remove_due()


@rung
@shared_task(
    # Said at once: it lasts longer than a broker waits before it asks another worker.
    acks_late=False,
    soft_time_limit=SWEEP_LONGEST,
    time_limit=SWEEP_LONGEST + 30,
)
def sweep_store() -> None:
    """Once a day: files without a row, rows without a file."""
    if orphans.is_due():
        orphans.sweep()
