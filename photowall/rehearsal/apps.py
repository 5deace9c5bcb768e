"""An app only for its management command, `rehearse`."""

from __future__ import annotations

from django.apps import AppConfig


class RehearsalConfig(AppConfig):
    name = "photowall.rehearsal"
    label = "rehearsal"
