"""``Authorization: Token …``: who asks, by the digest of what they show."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import (
    BaseAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from media_archive.models import ApiToken
from media_archive.models.tokens import digest_of

LONGEST = 200
"""Bytes of a token. Ours have 43; more is never looked up."""
USE_NOTED_EVERY = timedelta(minutes=1)


class WrongTokens(SimpleRateThrottle):
    """Counts wrong tokens per client address. Past the limit no token from there is
    looked up until the minute is over."""

    scope = "wrong_tokens"
    rate = "60/min"
    num_requests: int
    duration: int

    def get_cache_key(self, request: Request, view: Any) -> str:
        """One counter per address (proxies as ``NUM_PROXIES`` says)."""
        return f"photowall-wrong-tokens-{self.get_ident(request)}"

    def check(self, request: Request) -> None:
        """Raises ``Throttled`` with the seconds to wait."""
        self._load(request)
        if len(self.history) >= self.num_requests:
            raise Throttled(self.wait())

    def count(self, request: Request) -> None:
        """Note one wrong token."""
        self._load(request)
        self.history.insert(0, self.now)
        self.cache.set(self.key, self.history, self.duration)

    def _load(self, request: Request) -> None:
        self.key = self.get_cache_key(request, None)
        self.now = self.timer()
        seen = self.cache.get(self.key, [])
        self.history = [at for at in seen if at > self.now - self.duration]


class ApiTokenAuthentication(BaseAuthentication):
    """Raises ``AuthenticationFailed`` for a token that is unknown, has expired, or
    whose person is not active: one sentence for all, nothing to learn from."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """The person and the token; ``None`` when no token is shown."""
        scheme, _, shown = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"token":
            return None
        wrong = WrongTokens()
        wrong.check(request)
        token = _find(shown.strip())
        if token is None:
            wrong.count(request)
            raise AuthenticationFailed("This token is not valid, or has expired.")
        _note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Makes the refusal of strangers a 401."""
        return 'Token realm="Photowall archive"'


class ApiTokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes the token."""

    target_class = "media_archive.api.authentication.ApiTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A header; Swagger UI's form wants the word ``Token`` typed as well."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The word `Token`, a space, and your token.",
        }


def _find(shown: bytes) -> ApiToken | None:
    if not 0 < len(shown) <= LONGEST:
        return None
    # The row is found by a digest: what its index leaks by time says nothing about
    # the token, and nobody can choose a digest.
    digest = digest_of(shown.decode("latin-1"))
    token = ApiToken.objects.select_related("user").filter(digest=digest).first()
    if token is None or not hmac.compare_digest(token.digest, digest):
        return None
    expired = token.expires_at is not None and token.expires_at <= timezone.now()
    return None if expired or not token.user.is_active else token


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    before = now - USE_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at <= before:
        # Conditional: of many requests at once only one writes.
        ApiToken.objects.filter(pk=token.pk).filter(
            Q(last_used_at__isnull=True) | Q(last_used_at__lte=before)
        ).update(last_used_at=now)
