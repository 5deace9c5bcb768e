"""The doors of the REST archive."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.http import Http404
from django.urls import NoReverseMatch
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from media_archive.api.filters import MediaFilters
from media_archive.api.renderers import AsciiJSONRenderer
from media_archive.api.serializers import (
    ErrorSerializer,
    MediaItemDetailSerializer,
    MediaItemSerializer,
)
from media_archive.models import MediaItem
from media_archive.querysets import MediaItemQuerySet

REFUSALS = {400: ErrorSerializer, 401: ErrorSerializer, 403: ErrorSerializer}
LARGEST_ID = 2**63 - 1
DOORS = {
    "media": "media-list",
    "subscriptions": "subscription-list",
    "coverage": "coverage",
    "schema": "schema",
    "docs": "docs",
}
"""What the root lists: word → URL name; left out where nobody serves it."""


class RootView(APIView):
    """What there is."""

    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Absolute addresses."""
        doors = {}
        for word, name in DOORS.items():
            try:
                doors[word] = reverse(name, request=request)
            except NoReverseMatch:
                continue
        return Response(doors)


class MediaListView(ListAPIView[MediaItem]):
    """Media items, newest first: by the time they were posted, or archived where
    that is not known."""

    serializer_class = MediaItemSerializer
    filter_class = MediaFilters
    cursor_fields = {"listed_at": datetime, "listed_id": int}

    @extend_schema(
        operation_id="listMedia",
        tags=["media"],
        parameters=[MediaFilters],
        responses={200: MediaItemSerializer(many=True), **REFUSALS},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Media items, newest first. Hidden ones are not among them."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> MediaItemQuerySet:
        """All that may leave the house."""
        return MediaItem.objects.visible().whole()


class MediaDetailView(RetrieveAPIView[MediaItem]):
    """One media item, with the provider's own document."""

    serializer_class = MediaItemDetailSerializer
    renderer_classes = [AsciiJSONRenderer]
    pagination_class = None

    @extend_schema(
        operation_id="getMedia",
        tags=["media"],
        responses={200: MediaItemDetailSerializer, **REFUSALS, 404: ErrorSerializer},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One media item, with `raw`: the document the provider sent."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> MediaItemQuerySet:
        """All that may leave the house."""
        if self.kwargs["pk"] > LARGEST_ID:
            raise Http404
        return MediaItem.objects.visible().whole().select_related("raw")


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from our own files: works offline and under the strict policy."""

    template_name = "media_archive/api_docs.html"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The page, or (``?script``) the script that starts it."""
        response: Response = super().get(request, *args, **kwargs)
        if "settings" in response.data:
            # Swagger UI would ask a public service to judge our schema.
            response.data["settings"] = json.dumps(
                {
                    "deepLinking": True,
                    "validatorUrl": None,
                    "persistAuthorization": False,
                }
            )
        return response


class NoSuchDoorView(APIView):
    """Every other address below ``/api/``: the same shape of refusal."""

    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises ``NotFound`` whatever the method."""
        super().initial(request, *args, **kwargs)
        raise NotFound
