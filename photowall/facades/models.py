"""Who may ask the facades, and who follows us."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.utils import timezone

from media_archive.claims import Claimable, unclaimed
from media_archive.encryption import EncryptedTextField
from media_archive.models import JournalCounter


def new_client_id() -> str:
    """32 hexadecimal digits, as the old dialects' client ids look."""
    return secrets.token_hex(16)


def new_client_secret() -> str:
    """32 hexadecimal digits, random."""
    return secrets.token_hex(16)


class ApiClient(models.Model):
    """A third party's program: its id may ask, its secret signs."""

    name = models.CharField(max_length=100)
    client_id = models.CharField(max_length=64, unique=True, default=new_client_id)
    client_secret = EncryptedTextField(default=new_client_secret)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "API client"

    def __str__(self) -> str:
        return self.name


class EndpointState(models.TextChoices):
    """The states of an endpoint."""

    UNVERIFIED = "unverified", "Unverified"
    ACTIVE = "active", "Active"
    FAILING = "failing", "Failing"
    DISABLED = "disabled", "Disabled"
    GONE = "gone", "Gone"


HEARING = (EndpointState.ACTIVE, EndpointState.FAILING)
"""The states in which an endpoint is told what is new."""


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Endpoints of all clients."""

    def hearing(self) -> EndpointQuerySet:
        """Those that are told what is new."""
        return self.filter(state__in=HEARING, client__enabled=True)

    def behind(self) -> EndpointQuerySet:
        """Hearing, behind the journal's head, and with nothing on its way: what is
        on its way is finished first, and the next delivery tells all the rest.

        To a silent one nothing is on its way while its last delivery waits to be
        tried again: the next one takes its place.
        """
        head = JournalCounter.objects.values("last")[:1]
        open_ones = Delivery.objects.open().filter(endpoint=models.OuterRef("pk"))
        waiting = models.Q(state=DeliveryState.RETRY_WAIT) & unclaimed()
        return self.hearing().filter(
            ~models.Exists(open_ones.filter(~waiting))
            & (
                models.Q(silent_since__isnull=False)
                | ~models.Exists(open_ones.filter(waiting))
            ),
            cursor__lt=models.Subquery(head),
        )


class Endpoint(models.Model):
    """A third party's callback: what it wants to hear of, and how far it has heard.

    ``cursor`` is a journal ``seq``: everything up to it is announced or of no
    interest. ``silent_since`` is set while it takes notifications without answering
    them: docs/decisions/0008-a-silent-receiver-still-hears.md
    """

    client = models.ForeignKey(
        ApiClient, on_delete=models.CASCADE, related_name="endpoints"
    )
    object = models.CharField(max_length=16, default="tag")
    object_id = models.CharField(max_length=100)
    aspect = models.CharField(max_length=16, default="media")
    callback_url = models.CharField(max_length=2048)
    verify_token = EncryptedTextField(blank=True, default="")
    state = models.CharField(
        max_length=16, choices=EndpointState.choices, default=EndpointState.UNVERIFIED
    )
    state_reason = models.CharField(max_length=300, blank=True)
    cursor = models.BigIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    silent_since = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "object", "object_id", "callback_url"],
                name="one_endpoint_per_object",
            )
        ]

    def __str__(self) -> str:
        return f"{self.object} {self.object_id} for {self.client}"


class DeliveryState(models.TextChoices):
    """The states of a delivery."""

    PENDING = "pending", "Pending"
    RETRY_WAIT = "retry_wait", "Waiting to try again"
    DELIVERED = "delivered", "Delivered"
    DEAD = "dead", "Given up"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries to all endpoints."""

    def open(self) -> DeliveryQuerySet:
        """Neither delivered nor given up."""
        return self.filter(state__in=(DeliveryState.PENDING, DeliveryState.RETRY_WAIT))

    def due(self) -> DeliveryQuerySet:
        """Open, their time has come, nobody is sending them now, and their endpoint
        still wants to hear."""
        return (
            self.open()
            .filter(next_attempt_at__lte=timezone.now())
            # A subquery and not a join: these rows are claimed (claims.claim).
            .filter(
                endpoint__in=Endpoint.objects.filter(
                    state__in=HEARING, client__enabled=True
                ).values("pk")
            )
            .filter(unclaimed())
        )


class Delivery(Claimable):
    """One signed notification on its way to an endpoint.

    It announces everything from the endpoint's cursor before it up to ``seq``. Its
    id travels in a header and never changes over retries.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.CASCADE, related_name="deliveries"
    )
    seq = models.BigIntegerField()
    body = models.BinaryField()
    state = models.CharField(
        max_length=16, choices=DeliveryState.choices, default=DeliveryState.PENDING
    )
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "seq"], name="one_delivery_per_endpoint_and_seq"
            )
        ]
        indexes = [
            models.Index(fields=["state", "next_attempt_at"], name="delivery_due")
        ]

    def __str__(self) -> str:
        return f"delivery up to {self.seq} to {self.endpoint_id}"
