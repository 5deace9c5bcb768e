"""The Celery app and the timetable of the sweeps."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photowall.settings")

app = Celery("photowall", task_cls="photowall.bell:BellTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "subscriptions-reconcile": {
        "task": "subscriptions.tasks.reconcile",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "subscriptions-poll": {
        "task": "subscriptions.tasks.poll_due",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "subscriptions-upkeep": {
        "task": "subscriptions.tasks.upkeep",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "subscriptions-addresses": {
        "task": "subscriptions.tasks.refresh_addresses",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "archive-pictures": {
        "task": "media_archive.tasks.keep_pictures",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "archive-discarded": {
        "task": "media_archive.tasks.remove_discarded",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "archive-sweep": {
        "task": "media_archive.tasks.sweep_store",
        "schedule": 900.0,
        "options": {"expires": 900},
    },
    "subscriptions-keep-for": {
        "task": "subscriptions.tasks.erase_expired",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "facades-reconcile": {
        "task": "photowall.facades.tasks.reconcile",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
}


@setup_logging.connect
def leave_logging_alone(**_: object) -> None:
    """Django has configured it. Celery's own handlers would write secrets as they
    are; with a receiver here it makes none."""
