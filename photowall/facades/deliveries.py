"""What is new is told to those who follow us: a cursor on the journal.

Each endpoint has at most one delivery on its way. What happens meanwhile is told by
the next one, which covers everything from the endpoint's cursor to the journal's
head: a burst is one notification, and none is lost. A receiver that takes
notifications and never answers hears of news at once all the same: the new delivery
replaces the one that waits to be tried again. Rows are the work; whoever calls
``deliver_due`` (a task, or a process without a broker) works them off.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone

from media_archive import journal
from media_archive.claims import unclaimed
from media_archive.models import MediaTag, Visibility
from photowall.facades.crew import Crew
from photowall.facades.models import (
    Delivery,
    DeliveryQuerySet,
    DeliveryState,
    Endpoint,
    EndpointQuerySet,
    EndpointState,
)
from photowall.facades.sending import send
from subscriptions.providers.base import Notification
from subscriptions.providers.instagram_v1.wire.notifications import (
    render_notifications,
)

PATIENCE = 0.5
"""Seconds ``deliver_due`` waits for receivers; slower ones are left to their thread."""
IN_A_ROW = 50
"""Deliveries to one endpoint before others get the thread."""
REPLACED = "Replaced by a newer notification, which says the same."
KEPT = timedelta(days=7)
"""How long what is over is kept."""


def plan_due(endpoints: EndpointQuerySet | None = None) -> int:
    """One delivery for each endpoint (of ``endpoints``, which are behind; else of
    all) whose tag has something new; the others' cursors move on. How many were made.

    Running twice at once makes nothing twice.
    """
    head = journal.head()
    if endpoints is None:
        endpoints = Endpoint.objects.behind()
    behind = list(endpoints.filter(cursor__lt=head))
    if not behind:
        return 0
    newest = _newest_listings(
        {endpoint.object_id for endpoint in behind},
        min(endpoint.cursor for endpoint in behind),
        head,
    )
    told: list[Endpoint] = []
    quiet: list[Endpoint] = []
    for endpoint in behind:
        something = newest.get(endpoint.object_id, 0) > endpoint.cursor
        (told if something else quiet).append(endpoint)
    if quiet:
        Endpoint.objects.filter(
            pk__in=[endpoint.pk for endpoint in quiet], cursor__lt=head
        ).update(cursor=head)
    return sum(_plan(endpoint, head) for endpoint in told)


def deliver_due(only: int | None = None) -> int:
    """Plan, and send everything that is due (``only`` to one endpoint), from threads
    of this process. How many endpoints had something due.

    Returns when all healthy receivers have answered, after ``PATIENCE`` at the
    latest: one that hangs keeps only its own thread. Three small queries when idle.
    """
    behind = Endpoint.objects.behind()
    plan_due(behind if only is None else behind.filter(pk=only))
    # Not before: due is what is due at this moment.
    rows = Delivery.objects.due()
    if only is not None:
        rows = rows.filter(endpoint=only)
    due = {
        key: state == EndpointState.FAILING or silent_since is not None
        for key, state, silent_since in rows.values_list(
            "endpoint_id", "endpoint__state", "endpoint__silent_since"
        )
    }
    failing = [key for key, slow in due.items() if slow]
    _failing.put(failing)
    taken = _healthy.put(due.keys() - set(failing))
    _healthy.wait(taken, PATIENCE)
    return len(due)


def work_off(endpoint_id: int) -> None:
    """Tell one endpoint everything that is due to it, one delivery after the other,
    in the caller's thread."""
    for _ in range(IN_A_ROW):
        plan_due(Endpoint.objects.behind().filter(pk=endpoint_id))
        due = Delivery.objects.due().filter(endpoint=endpoint_id)
        delivery = due.order_by("created_at").first()
        if delivery is None:
            return
        # If it fails it is no longer due; news that came meanwhile may be.
        send(delivery.pk)


def idle(seconds: float) -> bool:
    """Until the threads of this process have nothing left to send; False if that
    takes longer."""
    return _healthy.idle(seconds) and _failing.idle(seconds)


def try_again(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Make what is not delivered due now, with all attempts before it."""
    again = []
    for delivery in deliveries:
        undelivered = Delivery.objects.filter(pk=delivery.pk).exclude(
            state=DeliveryState.DELIVERED
        )
        if undelivered.update(
            state=DeliveryState.PENDING, attempts=0, next_attempt_at=timezone.now()
        ):
            again.append(delivery)
    return again


def sweep() -> None:
    """Remove what is over for long: deliveries, and endpoints that were never
    verified."""
    _over(Delivery.objects.all()).delete()
    ago = timezone.now() - KEPT
    Endpoint.objects.filter(state=EndpointState.UNVERIFIED, created_at__lt=ago).delete()


def _over(deliveries: DeliveryQuerySet) -> DeliveryQuerySet:
    over = (DeliveryState.DELIVERED, DeliveryState.DEAD)
    ago = timezone.now() - KEPT
    return deliveries.filter(state__in=over, next_attempt_at__lt=ago)


def _newest_listings(tags: set[str], above: int, head: int) -> dict[str, int]:
    """Tag → the newest number with which a visible item joined its listing. That is
    everything worth telling: archived, tagged later, shown again."""
    joined = MediaTag.objects.filter(
        tag__name__in=tags,
        seq__gt=above,
        seq__lte=head,
        item__visibility=Visibility.VISIBLE,
    )
    newest = joined.order_by().values("tag__name").annotate(newest=Max("seq"))
    return dict(newest.values_list("tag__name", "newest"))


def _plan(endpoint: Endpoint, head: int) -> bool:
    body = render_notifications(
        [
            Notification(
                object=endpoint.object,
                object_id=endpoint.object_id,
                subscription_id=str(endpoint.pk),
                time=timezone.now(),
            )
        ]
    )
    try:
        with transaction.atomic():
            # Deliveries before endpoints, as ``send`` writes them.
            if endpoint.silent_since is not None and not _replaced(endpoint):
                raise _Overtaken
            # Conditional on the cursor we read: another planner was not faster.
            moved = Endpoint.objects.filter(
                pk=endpoint.pk, cursor=endpoint.cursor
            ).update(cursor=head)
            if not moved:
                raise _Overtaken
            # Where no timetable sweeps, each new one takes old ones along.
            _over(Delivery.objects.filter(endpoint=endpoint)).delete()
            Delivery.objects.create(endpoint=endpoint, seq=head, body=body)
    except (_Overtaken, IntegrityError):
        # IntegrityError: its owner deleted the endpoint meanwhile.
        return False
    return True


def _replaced(endpoint: Endpoint) -> bool:
    """End what waits to be tried again, in favour of a newer one; False when
    something is being sent right now, which is finished first."""
    still_open = Delivery.objects.open().filter(endpoint=endpoint)
    still_open.filter(unclaimed(), state=DeliveryState.RETRY_WAIT).update(
        state=DeliveryState.DEAD,
        last_error=REPLACED,
        # Whoever held it too long writes nothing any more.
        claim_epoch=F("claim_epoch") + 1,
    )
    return not still_open.exists()


class _Overtaken(Exception):
    """Another planner or sender was faster; everything of ours is rolled back."""


# Who has failed or is silent waits for its like, not for the healthy ones.
_healthy = Crew(work_off, 8, "deliver")
_failing = Crew(work_off, 4, "deliver-again")
