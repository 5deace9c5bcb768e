"""Talks Instagram API v1, with the fake upstream, a facade, or anything like it.

Credentials are sent as the documents ask: ``client_id`` or the token in the query
of reads, the secret in the body of a POST. The delete has no body, so its secret
stands in the query. ``next_url`` is never called: addresses are built here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from media_archive import outgoing_http
from media_archive.outgoing_http import Answer
from media_archive.records import IncomingMedia
from subscriptions.errors import (
    AuthRefused,
    BadAnswer,
    ItemGone,
    ProviderError,
    RateLimited,
    SignatureRefused,
    SubscriptionRefused,
    Unreadable,
)
from subscriptions.providers.base import (
    Credentials,
    Notification,
    Page,
    Provider,
    UpstreamSubscription,
)
from subscriptions.providers.instagram_v1.wire import (
    envelope,
    media,
    notifications,
    pages,
    signatures,
    subscriptions,
)
from subscriptions.providers.instagram_v1.wire.envelope import ErrorAnswer, NotOurFormat

MAX_COUNT = 33
RATE_LIMIT_CODES = (420, 429, 503)
"""503 meant "too fast" in 2011 - 2013."""
RATE_LIMIT_TYPE = "OAuthRateLimitException"
AUTH_CODES = (400, 401, 403)
NOT_SHOWN = ("APINotFoundError", "APINotAllowedError")
"""What a post that is deleted, and one of somebody who shows it no more, is
answered with: both 400."""
GONE = re.compile("not found|does not exist|no such", re.IGNORECASE)


class InstagramV1(Provider):
    """Instagram as it was from 2010 to 2020."""

    key = "instagram_v1"
    label = "Instagram"
    default_base_url = "https://api.instagram.com/v1"
    pushes = True
    reads_items = True

    def subscribe(
        self,
        credentials: Credentials,
        *,
        tag: str,
        callback_url: str,
        verify_token: str,
    ) -> UpstreamSubscription:
        answer = outgoing_http.request(
            "POST",
            f"{credentials.base_url}/subscriptions",
            data={
                **_client(credentials),
                "object": "tag",
                "aspect": "media",
                "object_id": tag,
                "verify_token": verify_token,
                "callback_url": callback_url,
            },
        )
        document = _document(answer)
        try:
            return subscriptions.parse_subscription(document)
        except NotOurFormat as error:
            raise BadAnswer(str(error)) from error

    def unsubscribe(self, credentials: Credentials, *, native_id: str) -> None:
        answer = outgoing_http.request(
            "DELETE",
            f"{credentials.base_url}/subscriptions",
            params={**_client(credentials), "id": native_id},
        )
        if answer.status != 204 and not _says_gone(answer):
            _document(answer)

    def subscriptions(self, credentials: Credentials) -> Sequence[UpstreamSubscription]:
        answer = outgoing_http.request(
            "GET",
            f"{credentials.base_url}/subscriptions",
            params=_client(credentials),
        )
        document = _document(answer)
        try:
            return subscriptions.parse_subscriptions(document)
        except NotOurFormat as error:
            raise BadAnswer(str(error)) from error

    def fetch_page(
        self,
        credentials: Credentials,
        *,
        tag: str,
        since: str | None = None,
        older: str | None = None,
        count: int = MAX_COUNT,
    ) -> Page:
        params = _reader(credentials) | {"count": str(max(1, min(count, MAX_COUNT)))}
        if since:
            params["min_tag_id"] = since
        if older:
            params["max_tag_id"] = older
        answer = outgoing_http.request(
            "GET",
            f"{credentials.base_url}/tags/{quote(tag, safe='')}/media/recent",
            params=params,
        )
        document = _document(answer)
        try:
            return pages.parse_page(document, envelope.quota_in(answer.headers))
        except NotOurFormat as error:
            raise BadAnswer(str(error)) from error

    def fetch_item(self, credentials: Credentials, *, native_id: str) -> IncomingMedia:
        answer = outgoing_http.request(
            "GET",
            f"{credentials.base_url}/media/{quote(native_id, safe='')}",
            params=_reader(credentials),
        )
        try:
            said = envelope.error_in(answer.status, envelope.decode(answer.body))
        except NotOurFormat:
            said = None
        if said is not None and said.error_type in NOT_SHOWN:
            raise ItemGone(said.message or "The provider has this post no more.")
        document = _document(answer)
        try:
            record = media.parse_media(envelope.data_in(document))
        except NotOurFormat as error:
            raise BadAnswer(str(error)) from error
        if record is None or record.native_id != native_id:
            raise BadAnswer("The answer is not the post that was asked for.")
        return record

    def verify_signature(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]
    ) -> None:
        try:
            signatures.verify_body(headers, body, secrets)
        except signatures.BadSignature as error:
            raise SignatureRefused(str(error)) from error

    def parse_notifications(self, body: bytes) -> Sequence[Notification]:
        try:
            return notifications.parse_notifications(body)
        except NotOurFormat as error:
            raise Unreadable(str(error)) from error

    def media_in(self, document: object) -> Sequence[IncomingMedia]:
        return media.media_in(document)

    def media_of(self, document: object) -> IncomingMedia | None:
        return media.parse_media(document)


def _client(credentials: Credentials) -> dict[str, str]:
    return {
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    }


def _reader(credentials: Credentials) -> dict[str, str]:
    """A token outranks the client id."""
    if credentials.access_token:
        return {"access_token": credentials.access_token}
    return {"client_id": credentials.client_id}


def _document(answer: Answer) -> object:
    """The document of a success. Raises a leaf of ``ProviderError``."""
    try:
        document = envelope.decode(answer.body)
    except NotOurFormat as error:
        _raise_for(envelope.error_in(answer.status, None), answer)
        raise BadAnswer(str(error)) from error
    _raise_for(envelope.error_in(answer.status, document), answer)
    return document


def _says_gone(answer: Answer) -> bool:
    """404, or this API's way to say it: a 400 with a name."""
    if answer.status == 404:
        return True
    try:
        error = envelope.error_in(answer.status, envelope.decode(answer.body))
    except NotOurFormat:
        return False
    if error is None:
        return False
    named = error.code == 404 or error.error_type == "APINotFoundError"
    return named or (error.code == 400 and bool(GONE.search(error.message)))


def _raise_for(error: ErrorAnswer | None, answer: Answer) -> None:
    """Nothing for a success; else the leaf that says what to do about it."""
    if error is None:
        return
    said = error.message or f"The provider answered {error.code}."
    if error.code in RATE_LIMIT_CODES or error.error_type == RATE_LIMIT_TYPE:
        raise RateLimited(said, retry_after=answer.retry_after)
    about_us = error.error_type.startswith("OAuth") and error.code in AUTH_CODES
    if about_us or error.code == 401:
        raise AuthRefused(said)
    if error.error_type == "APISubscriptionError":
        raise SubscriptionRefused(said)
    if not error.error_type:
        raise BadAnswer(said, retry_after=answer.retry_after)
    raise ProviderError(said, retry_after=answer.retry_after)
