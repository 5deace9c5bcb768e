"""Start-up of the roof: makes our Celery app the one that shared tasks belong to."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class PhotowallConfig(AppConfig):
    name = "photowall"
    verbose_name = "Photowall"

    def ready(self) -> None:
        importlib.import_module("photowall.celery")
        importlib.import_module("photowall.oversized").keep_quiet()
