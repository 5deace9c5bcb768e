"""REST for subscriptions: what is followed, and how it goes. Read-only, no secrets."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.http import urlencode
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from media_archive.api.serializers import ErrorSerializer, MomentField
from media_archive.api.views import LARGEST_ID, REFUSALS
from media_archive.errors import InvalidTag
from media_archive.tags import normalise_tag
from subscriptions.models import State, Subscription

TAG = ["subscriptions"]


class SubscriptionSerializer(serializers.Serializer[Subscription]):
    """One subscription with its reading side. ``null`` = not yet, or nothing wrong."""

    id = serializers.IntegerField(help_text="Our number of it.")
    provider = serializers.CharField(help_text="Where the tag is followed.")
    account = serializers.CharField(source="account.name")
    tag = serializers.CharField(help_text="In its normal form, without #.")
    state = serializers.ChoiceField(choices=State.choices)
    state_reason = serializers.CharField(help_text="Why, for people; may be empty.")
    state_since = MomentField()
    created_at = MomentField()
    last_heard_at = MomentField(
        source="feed.last_heard_at",
        allow_null=True,
        help_text="When the provider last notified us.",
    )
    last_fetched_at = MomentField(
        source="feed.last_fetched_at",
        allow_null=True,
        help_text="When the tag was last read to where it was known.",
    )
    last_error = serializers.CharField(
        source="feed.last_error", help_text="Of the last read; empty = it went well."
    )
    next_attempt_at = MomentField(
        source="feed.next_attempt_at",
        allow_null=True,
        help_text="When a read that went wrong is tried again.",
    )
    media = serializers.SerializerMethodField(help_text="The archive of this tag.")

    def get_media(self, subscription: Subscription) -> str:
        """The address of the tag's media items, absolute."""
        address = reverse("media-list", request=self.context.get("request"))
        return f"{address}?{urlencode({'tag': subscription.tag})}"


class SubscriptionFilters(serializers.Serializer[Any]):
    """The filters of the list. All of them must hold."""

    tag = serializers.CharField(
        required=False,
        max_length=1000,
        help_text="A hashtag in any case, with or without #.",
    )
    state = serializers.ChoiceField(
        choices=[state.value for state in State], required=False
    )

    def validate_tag(self, text: str) -> str:
        """The normal form. Raises ``ValidationError`` with the sentence."""
        try:
            return normalise_tag(text)
        except InvalidTag as error:
            raise ValidationError(error.message, code=error.code) from error

    def apply(self, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        """``queryset`` narrowed to what was asked."""
        said = self.validated_data
        return queryset.filter(**{n: said[n] for n in ("tag", "state") if n in said})


class SubscriptionListView(ListAPIView[Subscription]):
    """Subscriptions, the newest first, ended ones included."""

    serializer_class = SubscriptionSerializer
    filter_class = SubscriptionFilters

    @extend_schema(
        operation_id="listSubscriptions",
        tags=TAG,
        parameters=[SubscriptionFilters],
        responses={200: SubscriptionSerializer(many=True), **REFUSALS},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Subscriptions, the newest first, ended ones included."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Subscription]:
        """All, with what is told of them."""
        return Subscription.objects.select_related("account", "feed")


class SubscriptionDetailView(RetrieveAPIView[Subscription]):
    """One subscription."""

    serializer_class = SubscriptionSerializer
    pagination_class = None

    @extend_schema(
        operation_id="getSubscription",
        tags=TAG,
        responses={200: SubscriptionSerializer, **REFUSALS, 404: ErrorSerializer},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One subscription."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Subscription]:
        """All, with what is told of them."""
        if self.kwargs["pk"] > LARGEST_ID:
            raise Http404
        return Subscription.objects.select_related("account", "feed")
