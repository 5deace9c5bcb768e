"""System checks of the store's settings; each id stands in
``docs/reference/checks.md``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004

S3_NEEDS = {
    "S3_BUCKET": "bucket_name",
    "S3_ACCESS_KEY": "access_key",
    "S3_SECRET_KEY": "secret_key",
}
"""Environment variable → the store's option. All of them, or none."""


@register()
def check_store(**_: Any) -> list[CheckMessage]:
    """Settings with which no file could be kept, or none be found."""
    found: list[CheckMessage] = []
    options = settings.S3_OPTIONS
    if any(options.values()):
        missing = [name for name, option in S3_NEEDS.items() if not options[option]]
        if missing:
            words = f"Files are to be kept in S3, but {_joined(missing)} not set."
            hint = "Set them all, or unset every variable that begins with S3_."
            found.append(Error(words, hint=hint, id="photowall.E006"))
        found += _of_endpoint(options["endpoint_url"])
    found += _of_accel(
        settings.PHOTOWALL_ACCEL_REDIRECT, in_s3=bool(options["bucket_name"])
    )
    return found


def _of_endpoint(url: str) -> list[CheckMessage]:
    if not url:
        return []
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        words = "S3_ENDPOINT_URL is no web address."
        hint = "For example https://s3.example.org, without the bucket."
        return [Error(words, hint=hint, id="photowall.E007")]
    if parts.scheme == "http" and parts.hostname not in (
        "127.0.0.1",
        "localhost",
        "::1",
    ):
        words = "S3_ENDPOINT_URL is not encrypted: who listens sees every picture."
        return [Warning(words, hint="Use https.", id="photowall.W003")]
    return []


def _of_accel(prefix: str, *, in_s3: bool) -> list[CheckMessage]:
    if prefix and not (prefix.startswith("/") and prefix.endswith("/")):
        words = "PHOTOWALL_ACCEL_REDIRECT has to begin and end with a slash."
        hint = "For example /protected/; docs/howto/behind-nginx.md has the whole."
        return [Error(words, hint=hint, id="photowall.E008")]
    if prefix and in_s3:
        words = "PHOTOWALL_ACCEL_REDIRECT counts for nothing: the files are in S3."
        hint = "Unset it, or the variables that begin with S3_."
        return [Warning(words, hint=hint, id="photowall.W004")]
    return []


def _joined(names: list[str]) -> str:
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}"
