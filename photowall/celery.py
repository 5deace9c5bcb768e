"""The Celery app and the timetable of the sweeps."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photowall.settings")


def _every(seconds: float, task: str) -> dict[str, Any]:
    """A line of the timetable. A bell nobody heard by the next one is not needed."""
    expires = {"expires": int(seconds)}
    return {"task": task, "schedule": seconds, "options": expires}


app = Celery("photowall", task_cls="photowall.bell:BellTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "subscriptions-reconcile": _every(10.0, "subscriptions.tasks.reconcile"),
    "subscriptions-poll": _every(30.0, "subscriptions.tasks.poll_due"),
    "subscriptions-upkeep": _every(30.0, "subscriptions.tasks.upkeep"),
    "subscriptions-addresses": _every(10.0, "subscriptions.tasks.refresh_addresses"),
    "archive-pictures": _every(10.0, "media_archive.tasks.keep_pictures"),
    "archive-discarded": _every(60.0, "media_archive.tasks.remove_discarded"),
    "archive-sweep": _every(900.0, "media_archive.tasks.sweep_store"),
    "subscriptions-keep-for": _every(600.0, "subscriptions.tasks.erase_expired"),
    "facades-reconcile": _every(10.0, "photowall.facades.tasks.reconcile"),
}


@setup_logging.connect
def leave_logging_alone(**_: object) -> None:
    """Django has configured it. Celery's own handlers would write secrets as they
    are; with a receiver here it makes none."""
