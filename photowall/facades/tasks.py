"""Doors: the tasks of the facades. Their arguments are ids; twice does no harm."""

from __future__ import annotations

from celery import shared_task

from photowall.facades import deliveries


@shared_task
def deliver_endpoint(endpoint_id: int) -> None:
    """Tell one endpoint what it has not been told yet."""
    deliveries.deliver_due(endpoint_id)


@shared_task
def deliver_all() -> None:
    """Tell everybody: the journal has grown."""
    deliveries.deliver_due()


@shared_task
def reconcile() -> None:
    """By the timetable: what a lost ring left undone, and what is over."""
    deliveries.deliver_due()
    deliveries.sweep()
