"""The ground floor as a Django app."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class MediaArchiveConfig(AppConfig):
    name = "media_archive"
    verbose_name = "Archive"

    def ready(self) -> None:
        importlib.import_module("media_archive.checks")
        importlib.import_module("media_archive.receivers")
