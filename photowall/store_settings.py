"""Settings of the place for files: part of ``photowall.settings``."""

from __future__ import annotations

from typing import Any

import environ

env = environ.Env()

PHOTOWALL_ACCEL_REDIRECT = env.str("PHOTOWALL_ACCEL_REDIRECT", default="")
"""Where nginx has MEDIA_ROOT for itself; empty = we hand files out ourselves."""
S3_OPTIONS: dict[str, str] = {
    "bucket_name": env.str("S3_BUCKET", default=""),
    "endpoint_url": env.str("S3_ENDPOINT_URL", default=""),
    "access_key": env.str("S3_ACCESS_KEY", default=""),
    "secret_key": env.str("S3_SECRET_KEY", default=""),
    "region_name": env.str("S3_REGION", default=""),
    "addressing_style": env.str("S3_ADDRESSING_STYLE", default=""),
    "ca_bundle": env.str("S3_CA_BUNDLE", default=""),
}
"""One that is set is enough: half a setting is told, and not taken for none."""
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "media_archive.stores.s3.S3Store", "OPTIONS": S3_OPTIONS}
    if any(S3_OPTIONS.values())
    else {"BACKEND": "media_archive.stores.local.LocalStore"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
QUIET_LOGGERS = {
    # At DEBUG they write what they sign and send.
    name: {"level": "INFO"}
    for name in ("boto3", "botocore", "s3transfer", "urllib3")
}
