"""Three signatures: on notifications, on requests, on forwarded addresses.

Notifications: HMAC-SHA1 of the raw body with the client secret, 40 lower-case hex
digits, no ``sha1=`` before them (three client libraries agree, a recorded pair
proves it). Exactly that is accepted and nothing else. If the stronger
``X-Hub-Signature-256`` is there, it alone decides.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence

HEADER = "x-hub-signature"
STRONGER_HEADER = "x-hub-signature-256"

_SHA1 = re.compile(r"([0-9a-f]{40})")
_SHA256 = re.compile(r"sha256=([0-9a-f]{64})")


class BadSignature(ValueError):
    """The body is not signed by who holds the secret; the text says why."""


def sign_body(secret: str, body: bytes) -> str:
    """The value of ``X-Hub-Signature`` for a notification."""
    return _hmac(secret, body, "sha1")


def verify_body(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str]
) -> None:
    """Raises ``BadSignature`` unless one of ``secrets`` signed ``body``.

    ``headers`` has lower-case names. Empty secrets are no secrets.
    """
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise BadSignature("There is no secret to check the signature with.")
    if STRONGER_HEADER in headers:
        given, shape, algorithm = headers[STRONGER_HEADER], _SHA256, "sha256"
    else:
        given, shape, algorithm = headers.get(HEADER, ""), _SHA1, "sha1"
    if not given:
        raise BadSignature("The signature is missing.")
    match = shape.fullmatch(given)
    if match is None:
        raise BadSignature("The signature has an unknown form or algorithm.")
    # All of them, without a short cut: which one signed is not told by the time.
    hits = [
        hmac.compare_digest(_hmac(secret, body, algorithm), match[1])
        for secret in usable
    ]
    if not any(hits):
        raise BadSignature("The signature does not match.")


def sign_request(secret: str, endpoint: str, params: Mapping[str, str]) -> str:
    """The ``sig`` parameter. ``endpoint`` without host and ``/v1``; raw values."""
    message = endpoint + "".join(
        f"|{name}={params[name]}" for name in sorted(params) if name != "sig"
    )
    return _hmac(secret, message.encode("utf-8", "surrogatepass"), "sha256")


def verify_request(
    secret: str,
    endpoints: Sequence[str],
    params: Mapping[str, str],
    given: Sequence[str],
) -> bool:
    """Whether any of the ``sig`` values ``given`` fits any spelling in ``endpoints``.

    Clients sign the raw path or the percent-encoded one, with or without ``.json``,
    and one sends two values of which the last is complete.
    """
    if not secret:
        return False
    expected = [sign_request(secret, endpoint, params) for endpoint in endpoints]
    return any(_same(each, sig) for sig in reversed(given) for each in expected)


def sign_forwarded_for(secret: str, addresses: Sequence[str]) -> str:
    """The value of ``X-Insta-Forwarded-For``."""
    joined = ",".join(addresses)
    return f"{joined}|{_hmac(secret, joined.encode(), 'sha256')}"


def verify_forwarded_for(secret: str, value: str) -> tuple[str, ...] | None:
    """The addresses in the header if it is signed; else ``None``."""
    joined, separator, digest = value.rpartition("|")
    if not secret or not separator or not joined:
        return None
    message = joined.encode("utf-8", "surrogatepass")
    if not _same(_hmac(secret, message, "sha256"), digest):
        return None
    return tuple(joined.split(","))


def _same(expected: str, given: str) -> bool:
    """In constant time; ``compare_digest`` wants bytes for what is not ASCII."""
    return hmac.compare_digest(
        expected.encode("ascii"), given.encode("utf-8", "surrogatepass")
    )


def _hmac(secret: str, message: bytes, algorithm: str) -> str:
    key = secret.encode("utf-8", "surrogatepass")
    return hmac.new(key, message, algorithm).hexdigest()
