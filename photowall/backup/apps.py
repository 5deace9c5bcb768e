"""An app only for its management commands, `backup` and `restore`."""

from __future__ import annotations

from django.apps import AppConfig


class BackupConfig(AppConfig):
    name = "photowall.backup"
    label = "backup"
