"""Who may do what: the groups admin, moderator and analyst, kept after each migrate.

What a group has here it always has; what people gave it besides stays.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.db import connections
from django.db.models import Q

FLOORS = ("media_archive", "subscriptions", "facades")

_VIEW_ARCHIVE = Q(content_type__app_label="media_archive", codename__startswith="view_")
GROUPS: dict[str, Q] = {
    "analyst": _VIEW_ARCHIVE,
    "moderator": _VIEW_ARCHIVE
    | Q(
        content_type__app_label="media_archive",
        codename__in=["moderate_mediaitem", "change_mediaitem"],
    ),
    "admin": Q(content_type__app_label__in=FLOORS),
}
"""Group → the permissions it has."""


def keep_groups(using: str, **_: Any) -> None:
    """Make the groups and give them what they miss. Safe to run any time."""
    if "auth_group" not in connections[using].introspection.table_names():
        return
    for label in FLOORS:
        # Those of the floors above are made after this one's; here they are needed.
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    group_model = apps.get_model("auth", "Group")
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    for name, wanted in GROUPS.items():
        group, _made = group_model.objects.using(using).get_or_create(name=name)
        group.permissions.add(*permissions.filter(wanted))
