"""The upper floor as a Django app."""

from __future__ import annotations

import importlib

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SubscriptionsConfig(AppConfig):
    name = "subscriptions"
    verbose_name = "Subscriptions"

    def ready(self) -> None:
        importlib.import_module("subscriptions.checks")
        importlib.import_module("subscriptions.receivers")
        roles = importlib.import_module("subscriptions.roles")
        post_migrate.connect(roles.keep_groups, sender=self)
        walls = importlib.import_module("media_archive.walls")
        walls.add_notice(importlib.import_module("subscriptions.notices").notice_of)
