"""The sandbox as a Django app; only the sandbox's own settings install it."""

from __future__ import annotations

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "photowall.sandbox"
    label = "sandbox"
    verbose_name = "Sandbox"
