"""An app only for its management command, `prepare_demo`."""

from __future__ import annotations

from django.apps import AppConfig


class UpConfig(AppConfig):
    name = "photowall.up"
    label = "up"
