"""The facades as a Django app."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class FacadesConfig(AppConfig):
    name = "photowall.facades"
    label = "facades"
    verbose_name = "API clients and endpoints"

    def ready(self) -> None:
        importlib.import_module("photowall.facades.receivers")
