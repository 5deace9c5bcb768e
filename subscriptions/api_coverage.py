"""REST for coverage: which minutes of a tag are complete, partial or blind, and why."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_archive.api.filters import Moment, parameters_of
from media_archive.api.serializers import ErrorSerializer, MomentField
from media_archive.api.views import REFUSALS
from media_archive.errors import InvalidTag
from media_archive.tags import normalise_tag
from subscriptions.coverage import Coverage, CoverageRefused, coverage
from subscriptions.coverage_view import document, moment
from subscriptions.models import Quality

MOST_STRETCHES = 10_000
"""An answer has no more of them; the refusal says up to when it would fit."""


class CoverageParameters(serializers.Serializer[Any]):
    """What may be asked of the coverage."""

    tag = serializers.CharField(
        max_length=1000, help_text="A hashtag in any case, with or without #."
    )
    since = Moment(
        required=False,
        help_text="From this minute; 24 hours before `until` if left out.",
    )
    until = Moment(
        required=False,
        help_text="Up to this minute, which is not included; now if left out. "
        "At most 366 days after `since`.",
    )
    provider = serializers.CharField(
        required=False,
        max_length=32,
        help_text="The key of a provider; if left out, all that the tag was ever "
        "followed at.",
    )

    def validate_tag(self, text: str) -> str:
        """The normal form. Raises ``ValidationError`` with the sentence."""
        try:
            return normalise_tag(text)
        except InvalidTag as error:
            raise ValidationError(error.message, code=error.code) from error


class MinutesSerializer(serializers.Serializer[Any]):
    """How many minutes of each quality."""

    complete = serializers.IntegerField()
    # Its name is that of a setting of the framework's class, which is None here.
    partial = serializers.IntegerField()  # type: ignore[assignment]
    blind = serializers.IntegerField()


class StretchSerializer(serializers.Serializer[Any]):
    """Minutes in a row of which the same is true."""

    begins_at = MomentField()
    ends_at = MomentField(help_text="Not included.")
    minutes = serializers.IntegerField()
    quality = serializers.ChoiceField(choices=Quality.choices)
    reason = serializers.CharField(help_text="A stable word; empty = nothing to say.")
    detail = serializers.CharField(help_text="The reason in a sentence; may be empty.")


class CountedSerializer(serializers.Serializer[Any]):
    """The totals of a period."""

    provider = serializers.CharField(
        allow_null=True, help_text="`null`: the worst of all providers."
    )
    followed = serializers.BooleanField(
        help_text="Whether the tag was ever followed there."
    )
    minutes = MinutesSerializer()
    share_complete = serializers.FloatField(
        help_text="0 to 1, cut to six places: 1 only if every minute is complete."
    )


class CoverageSerializer(CountedSerializer):
    """Coverage of a tag: stretches in order, without holes, over the whole period."""

    tag = serializers.CharField(help_text="In its normal form, without #.")
    since = MomentField(help_text="The first minute.")
    until = MomentField(help_text="The end: never after the last minute that is over.")
    stretches = StretchSerializer(many=True)
    providers = CountedSerializer(
        many=True,
        help_text="Each by itself, if no provider was named.",
    )


class CoverageView(APIView):
    """Which minutes of a tag are complete, partial or blind, and why."""

    @extend_schema(
        operation_id="getCoverage",
        tags=["coverage"],
        parameters=[CoverageParameters],
        responses={
            200: CoverageSerializer,
            **REFUSALS,
            429: ErrorSerializer,
        },
    )
    def get(self, request: Request) -> Response:
        """Which minutes of a tag are complete, partial or blind, and why."""
        said = parameters_of(request, CoverageParameters)
        try:
            found = coverage(
                said["tag"], said.get("since"), said.get("until"), said.get("provider")
            )
        except CoverageRefused as error:
            raise ValidationError({error.field: error.message}) from error
        _refuse_too_much(found)
        return Response(document(found))


def _refuse_too_much(found: Coverage) -> None:
    if len(found.stretches) <= MOST_STRETCHES:
        return
    fits = moment(found.stretches[MOST_STRETCHES - 1].ends_at)
    raise ValidationError(
        {
            "until": f"The answer has more than {MOST_STRETCHES:,} stretches. "
            f"Ask up to {fits}, and then from there."
        }
    )
