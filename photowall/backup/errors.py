"""Why a backup was not taken or not restored."""

from __future__ import annotations

from media_archive.errors import PhotowallError


class BackupRefused(PhotowallError):
    """Nothing was changed; the message says why, and what to do."""

    code = "backup_refused"


class BackupFailed(PhotowallError):
    """It ended half-way, and may be repeated; the message says how far it came."""

    code = "backup_failed"
