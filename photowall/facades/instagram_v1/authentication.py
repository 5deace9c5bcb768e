"""Who asks: a client id, and on subscriptions its secret as well.

Cookies and sessions mean nothing here. There are no access tokens yet, so a token is
always refused; it wins over a client id, as in the original.
"""

from __future__ import annotations

import hmac

from photowall.facades.instagram_v1.errors import DialectError, refused
from photowall.facades.instagram_v1.parameters import Parameters
from photowall.facades.models import ApiClient

LONGEST_ID = 64


def by_client_id(parameters: Parameters) -> ApiClient:
    """The client that reads the archive. Raises ``DialectError``."""
    if parameters.get("access_token"):
        raise DialectError(
            "OAuthAccessTokenException", "The access_token provided is invalid."
        )
    client = _client(_client_id(parameters))
    if client is None:
        raise DialectError(
            "OAuthParameterException",
            "The client_id provided is invalid and does not match a valid application.",
        )
    return client


def by_client_secret(parameters: Parameters) -> ApiClient:
    """The client whose subscriptions are meant. Raises ``DialectError``."""
    client_id, secret = _client_id(parameters), parameters.get("client_secret")
    if not secret:
        raise DialectError(
            "OAuthClientException", "Missing client_secret URL parameter."
        )
    client = _client(client_id)
    expected = client.client_secret if client else ""
    same = hmac.compare_digest(expected.encode(), secret.encode())
    if client is None or not expected or not same:
        raise refused('Invalid "client_id" and/or "client_secret."')
    return client


def _client_id(parameters: Parameters) -> str:
    client_id = parameters.get("client_id")
    if not client_id:
        raise DialectError(
            "OAuthParameterException",
            "Missing client_id or access_token URL parameter.",
        )
    return client_id


def _client(client_id: str) -> ApiClient | None:
    if len(client_id) > LONGEST_ID:
        return None
    return ApiClient.objects.filter(client_id=client_id, enabled=True).first()
