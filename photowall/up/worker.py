"""The worker of the embedded run: Celery's threads, and the timetable beside them.

`celery worker -B` forks a second process for the timetable, which nobody would see
dying and which would outlive a killed worker. Here it is a thread; when it ends, so
does the process, and `up` starts both again.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from pathlib import Path

import django
from celery.beat import Service
from django.conf import settings

from photowall.celery import app

_log = logging.getLogger("photowall.worker")


def _keep_time(service: Service) -> None:
    try:
        service.start()
    finally:
        _log.warning("the timetable has ended, so the worker ends")
        os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run until TERM."""
    # `migrate` has just run the checks; here they would only load every view.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    django.setup()
    schedule = Path(settings.CELERY_BEAT_SCHEDULE_FILENAME)
    schedule.parent.mkdir(parents=True, exist_ok=True)
    service = Service(app, schedule_filename=str(schedule))
    threading.Thread(
        target=_keep_time, args=(service,), name="timetable", daemon=True
    ).start()
    # More than the downloads at once: reading tags never waits for slow pictures.
    threads = 4 + settings.PHOTOWALL_DOWNLOADS_AT_ONCE
    options = f"worker --pool=threads --concurrency={threads} --loglevel=INFO"
    quiet = "--without-gossip --without-mingle --without-heartbeat"
    app.worker_main([*options.split(), *quiet.split()])


if __name__ == "__main__":
    main()
